"""The list of components, as CycloneDX 1.6 in JSON: made of what is there, the same bytes each time.

    python -m package.sbom                     of the environment that this runs in, to the terminal
    python -m package.sbom --out FILE          into a file
    python -m package.sbom --site FOLDER       of another folder of libraries
    python -m package.sbom --shipped           of what the packages carry, without what builds and tests

Each library is a component, with the files it came from and their hashes; what is compiled into one stands
inside it, as the library's own list tells. Python itself is the machine's and is not listed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from package import distributions, lock
from package.distributions import Distribution
from package.spdx import canonical
from speedsign.build import this_build
from speedsign.errors import SpeedsignError

ROOT = Path(__file__).parent.parent
HOMEPAGE = "https://github.com/speedsign/speedsign"
FILE = "sbom.cdx.json"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, HOMEPAGE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """What the components make up."""

    name: str
    version: str
    purl: str
    commit: str | None
    epoch_s: int | None  # when it was committed; None: no time is named
    requires: tuple[str, ...]  # PEP 508
    properties: tuple[tuple[str, str], ...] = ()


def document(
    whole: Whole,
    libraries: Sequence[Distribution],
    environments: Sequence[Mapping[str, str]],
    hashes: Mapping[str, tuple[str, ...]],
) -> str:
    """The list; `hashes`: of each library what its lock allows. Raises SpeedsignError."""
    body: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": _metadata(whole),
        "components": [_component(one, hashes.get(one.name, ())) for one in libraries],
        "dependencies": _dependencies(whole, libraries, environments),
    }
    # By what is in it, so that the same list has the same number and another one another.
    number = uuid.uuid5(_NAMESPACE, json.dumps(body, sort_keys=True))
    body["serialNumber"] = number.urn
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _metadata(whole: Whole) -> Json:
    reference: Json = {"type": "vcs", "url": HOMEPAGE}
    if whole.commit:
        reference["comment"] = f"commit {whole.commit}"
    about: Json = {
        "lifecycles": [{"phase": "build"}],
        "tools": {"components": [{"type": "application", "name": "package.sbom", "group": "speedsign"}]},
        "component": {
            "type": "application",
            "bom-ref": whole.purl,
            "name": whole.name,
            "version": whole.version,
            "purl": whole.purl,
            "licenses": [{"license": {"id": "EUPL-1.2"}}],
            "externalReferences": [reference],
            "properties": [{"name": name, "value": value} for name, value in whole.properties],
        },
    }
    if whole.epoch_s is not None:
        about["timestamp"] = datetime.fromtimestamp(whole.epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return about


def _component(one: Distribution, allowed: tuple[str, ...]) -> Json:
    made: Json = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
        "licenses": licences(one.licence),
    }
    if one.summary:
        made["description"] = one.summary
    if one.author:
        made["authors"] = [{"name": one.author}]
    if files := _files(one, allowed):
        made["externalReferences"] = files
    if len(one.wheels) == 1:
        made["hashes"] = [_hash(one.wheels[0].sha256)]
    if parts := _parts(one):
        made["components"] = parts
    return made


def _files(one: Distribution, allowed: tuple[str, ...]) -> list[Json]:
    """The wheels, or where they are not known, what the lock allows."""
    for wheel in one.wheels:
        if allowed and wheel.sha256 not in allowed:
            raise SpeedsignError(f"{wheel.file}: its hash is not in the lock; download it anew")
    if one.wheels:
        return [
            {
                "type": "distribution",
                "url": f"{one.purl}?file_name={wheel.file}",
                "hashes": [_hash(wheel.sha256)],
            }
            for wheel in one.wheels
        ]
    if not allowed:
        return []
    comment = "one of these files, by the lock"
    found = [_hash(value) for value in sorted(allowed)]
    return [{"type": "distribution", "url": one.purl, "comment": comment, "hashes": found}]


def _hash(value: str) -> Json:
    return {"alg": "SHA-256", "content": value}


def licences(expression: str) -> list[Json]:
    """As CycloneDX has it: one licence by its name, several as an expression."""
    if " " in expression:
        return [{"expression": expression}]
    return [{"license": {"id": expression}}]


def _parts(one: Distribution) -> list[Json]:
    """What is compiled in, each once, without what would differ by builder."""
    found: dict[str, Json] = {}
    for told in one.parts():
        purl = str(told.get("purl") or f"pkg:generic/{told['name']}@{told.get('version', '')}").split("?")[0]
        part: Json = {
            "type": "library",
            "bom-ref": f"{one.purl}#{purl}",
            "name": told["name"],
            "version": told.get("version", ""),
            "purl": purl,
        }
        said = [entry["expression"] for entry in told.get("licenses", []) if "expression" in entry]
        if said and (known := canonical(said[0])):
            part["licenses"] = [{"expression": known}]
        if told.get("hashes"):
            part["hashes"] = told["hashes"]
        found[purl] = part
    return [found[purl] for purl in sorted(found)]


def _dependencies(
    whole: Whole, libraries: Sequence[Distribution], environments: Sequence[Mapping[str, str]]
) -> list[Json]:
    there = {one.name: one for one in libraries}
    needs: dict[str, set[str]] = {purl: set() for purl in (whole.purl, *(one.purl for one in libraries))}
    waiting = [(one.purl, one.requires, frozenset[str]()) for one in libraries]
    waiting.append((whole.purl, whole.requires, frozenset()))
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        purl, requires, extras = waiting.pop()
        if (purl, extras) in seen:
            continue
        seen.add((purl, extras))
        for requirement in map(Requirement, requires):
            needed = there.get(canonicalize_name(requirement.name))
            if needed is None or not _applies(requirement, extras, environments):
                continue
            needs[purl].add(needed.purl)
            waiting.append((needed.purl, needed.requires, frozenset(requirement.extras)))
    return [{"ref": purl, "dependsOn": sorted(needs[purl])} for purl in sorted(needs)]


def _applies(
    requirement: Requirement, extras: Iterable[str], environments: Sequence[Mapping[str, str]]
) -> bool:
    marker = requirement.marker
    if marker is None:
        return True
    tried = ({**place, "extra": extra} for place in environments for extra in ("", *extras))
    return any(marker.evaluate(one) for one in tried)


def allowed_hashes(*locks: Path) -> dict[str, tuple[str, ...]]:
    """Of each library the hashes that the lock files name."""
    found: dict[str, tuple[str, ...]] = {}
    for path in locks:
        for name, (_version, lines) in lock.locked(path.read_text(encoding="utf-8")).items():
            found[name] = tuple(sorted({*found.get(name, ()), *_HASH.findall(lines)}))
    return found


# --------------------------------------------------------------------------- of an environment


def of_environment(site: Path, *, shipped: bool = False) -> str:
    """What is installed in a folder of libraries, or of it what is shipped. Raises SpeedsignError."""
    if not site.is_dir():
        raise SpeedsignError(f"{site}: no such folder; name one with .dist-info folders in it")
    installed = distributions.read(site)
    own = [one for one in installed if one.name == "speedsign"]
    place: dict[str, str] = {key: str(value) for key, value in default_environment().items()}
    requires = own[0].requires if own else ()
    if shipped:
        project = ROOT / "pyproject.toml"
        requires = tuple(
            lock.wanted_by_project(project) + lock.wanted_by_project(project, lock.REPORT_EXTRAS)
        )
        wanted = lock.closure(requires, [place])
        installed = [one for one in installed if one.name in wanted]
    build, epoch = this_build(), os.environ.get("SOURCE_DATE_EPOCH", "")
    whole = Whole(
        "speedsign",
        build.version,
        f"pkg:generic/speedsign@{build.version}",
        build.commit,
        int(epoch) if epoch.isdecimal() else None,
        requires,
        (("speedsign:python", f"{sys.version_info.major}.{sys.version_info.minor}, of the machine"),),
    )
    hashes = allowed_hashes(*sorted((ROOT / "requirements").glob("*.txt")))
    return document(whole, [one for one in installed if one.name != "speedsign"], [place], hashes)


def counted(text: str) -> str:
    """How much a list has, in words."""
    libraries = json.loads(text)["components"]
    parts = sum(len(one.get("components", ())) for one in libraries)
    return f"{len(libraries)} libraries and {parts} parts compiled into them"


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m package.sbom", description="List all components.")
    parser.add_argument(
        "--site", type=Path, default=Path(sysconfig.get_path("purelib")), help="the libraries"
    )
    parser.add_argument("--out", type=Path, help="a file; without it to the terminal")
    parser.add_argument("--shipped", action="store_true", help="without what only builds and tests")
    asked = parser.parse_args(words)
    try:
        text = of_environment(asked.site, shipped=asked.shipped)
        if asked.out is None:
            sys.stdout.write(text)
        else:
            asked.out.parent.mkdir(parents=True, exist_ok=True)
            asked.out.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{asked.out}: {counted(text)}\n")
    except (SpeedsignError, OSError) as error:
        sys.stderr.write(f"package.sbom: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
