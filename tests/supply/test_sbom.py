"""The list of components: all that is in a package and nothing else, valid, the same bytes each time."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from package import distributions, sbom, tree
from package.build import fill
from package.source import Source, check_out, own_wheel
from package.wheels import TARGETS, lay_out
from speedsign.errors import SpeedsignError
from tests.docs.pages import ROOT
from tests.install.test_package import HERE

AMD64 = TARGETS["amd64"]
DOC = f"usr/share/doc/speedsign/{sbom.FILE}"


def invalid(text: str) -> object:
    """What the official schema has against it; None: nothing."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def wheel(folder: Path, name: str, version: str, *lines: str, files: dict[str, str] | None = None) -> Path:
    about = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{about}/METADATA", head + "".join(f"{line}\n" for line in lines))
        archive.writestr(f"{about}/licenses/LICENSE", "MIT License\n\nCopyright (c) 2026 Anna\n")
        for file, text in (files or {}).items():
            archive.writestr(f"{about}/{file}", text)
    return path


def listed(tmp_path: Path, *wheels: Path, wanted: tuple[str, ...] = ("one",), at: str = "site") -> str:
    lay_out(wheels, tmp_path / at)
    whole = sbom.Whole("all", "1-1", "pkg:deb/speedsign/all@1-1", "c" * 40, 1_790_000_000, wanted)
    return sbom.document(whole, distributions.read(tmp_path / at, wheels), AMD64.environments, {})


def depends(told: dict[str, Any]) -> dict[str, list[str]]:
    return {one["ref"]: one["dependsOn"] for one in told["dependencies"]}


# -- the document ------------------------------------------------------------------------------


def test_each_library_once_with_its_file_and_its_needs(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one", "1.0", "Requires-Dist: Two.Three>=1", "Requires-Dist: gone; extra == 'x'")
    two = wheel(tmp_path, "two_three", "2.0", 'Requires-Dist: one; sys_platform == "win32"')
    text = listed(tmp_path, one, two)
    told = json.loads(text)
    assert invalid(text) is None
    assert [part["purl"] for part in told["components"]] == ["pkg:pypi/one@1.0", "pkg:pypi/two-three@2.0"]
    assert told["components"][0]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(one.read_bytes()).hexdigest()}
    ]
    assert told["components"][0]["licenses"] == [{"license": {"id": "MIT"}}]
    assert depends(told) == {
        "pkg:deb/speedsign/all@1-1": ["pkg:pypi/one@1.0"],
        "pkg:pypi/one@1.0": ["pkg:pypi/two-three@2.0"],
        "pkg:pypi/two-three@2.0": [],
    }


def test_what_an_extra_asks_for_is_a_need_of_who_wants_the_extra(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one", "1.0", "Requires-Dist: two[big]")
    two = wheel(tmp_path, "two", "2.0", 'Requires-Dist: three; extra == "big"')
    told = json.loads(listed(tmp_path, one, two, wheel(tmp_path, "three", "3.0")))
    assert depends(told)["pkg:pypi/two@2.0"] == ["pkg:pypi/three@3.0"]


def test_what_is_compiled_in_stands_inside_its_library(tmp_path: Path) -> None:
    inner = {
        "bomFormat": "CycloneDX",
        "components": [
            {"name": "openssl", "version": "4.0.3", "purl": "pkg:generic/openssl@4.0.3?download_url=x",
             "hashes": [{"alg": "SHA-256", "content": "0" * 64}]},
            {"name": "crate", "version": "1", "licenses": [{"expression": "MIT  OR Apache-2.0"}]},
        ],
    }  # fmt: skip
    text = listed(tmp_path, wheel(tmp_path, "one", "1.0", files={"sboms/own.json": json.dumps(inner)}))
    assert invalid(text) is None
    (component,) = json.loads(text)["components"]
    assert [(part["name"], part["purl"]) for part in component["components"]] == [
        ("crate", "pkg:generic/crate@1"),
        ("openssl", "pkg:generic/openssl@4.0.3"),
    ]
    assert component["components"][0]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]


def test_the_files_of_both_pythons_are_listed(tmp_path: Path) -> None:
    """The hash of a component of several files would say nothing: it stands at each of them."""
    wheels = [wheel(tmp_path, "one", "1.0").rename(tmp_path / f"one-1.0-{tag}.whl") for tag in ("a", "b")]
    (component,) = json.loads(listed(tmp_path, *wheels, wheels[0]))["components"]
    assert [reference["url"] for reference in component["externalReferences"]] == [
        "pkg:pypi/one@1.0?file_name=one-1.0-a.whl",
        "pkg:pypi/one@1.0?file_name=one-1.0-b.whl",
    ]
    assert "hashes" not in component


def test_the_same_is_the_same_bytes_and_number_and_another_is_another(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one", "1.0")
    first = listed(tmp_path, one)
    assert listed(tmp_path, one, at="elsewhere") == first
    other = listed(tmp_path, wheel(tmp_path, "one", "1.1"), at="other")
    assert json.loads(first)["serialNumber"] != json.loads(other)["serialNumber"]
    assert json.loads(first)["metadata"]["timestamp"] == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize(
    ("lines", "files", "sentence"),
    [
        (("License-Expression: no licence",), {}, "names no licence that is known"),
        (("License-Expression: MIT",), {"sboms/own.json": "{"}, "no JSON; the wheel of one is damaged"),
    ],
)
def test_a_library_that_cannot_be_listed_ends_it(
    tmp_path: Path, lines: tuple[str, ...], files: dict[str, str], sentence: str
) -> None:
    about = tmp_path / "site/one-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", "Name: one", "Version: 1.0", *lines)))
    for name, text in files.items():
        (about / name).parent.mkdir()
        (about / name).write_text(text)
    with pytest.raises(SpeedsignError, match=sentence):
        listed(tmp_path)


def test_two_versions_of_one_library_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeedsignError, match="several versions of one; make it anew"):
        listed(tmp_path, wheel(tmp_path, "one", "1.0"), wheel(tmp_path, "one", "1.1"))


def test_a_file_that_is_not_the_locks_is_refused(tmp_path: Path) -> None:
    path = wheel(tmp_path, "one", "1.0")
    lay_out([path], tmp_path / "site")
    whole = sbom.Whole("all", "1", "pkg:deb/speedsign/all@1", None, None, ())
    libraries = distributions.read(tmp_path / "site", [path])
    with pytest.raises(SpeedsignError, match="its hash is not in the lock"):
        sbom.document(whole, libraries, AMD64.environments, {"one": ("0" * 64,)})


# -- of what there is --------------------------------------------------------------------------


def test_of_this_environment(tmp_path: Path) -> None:
    out = tmp_path / "made/sbom.json"
    assert sbom.main([f"--out={out}"]) == 0
    assert invalid(out.read_text()) is None
    told = json.loads(out.read_text())
    assert told["metadata"]["component"]["name"] == "speedsign"
    names = [part["name"] for part in told["components"]]
    assert len(names) == len(set(names))
    assert {"pydantic", "pymodbus", "pytest"} <= set(names)
    assert "speedsign" not in names
    root = told["metadata"]["component"]["bom-ref"]
    assert any(need.startswith("pkg:pypi/pymodbus@") for need in depends(told)[root])


def test_what_is_shipped_is_listed_without_what_builds_and_tests_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `make sbom` writes it: the table of licences has the same libraries and parts."""
    out = tmp_path / "sbom.json"
    assert sbom.main(["--shipped", f"--out={out}"]) == 0
    assert invalid(out.read_text()) is None
    told = json.loads(out.read_text())
    page = (ROOT / "docs/licences.md").read_text().partition("<!-- shipped -->")[2].partition("<!-- end")[0]
    rows = [line.split(" | ") for line in page.splitlines()[3:]]
    assert [part["name"] for part in told["components"]] == [row[0].removeprefix("| ") for row in rows]
    parts = sum(int(row[3]) for row in rows)
    assert capsys.readouterr().out == f"{out}: {len(rows)} libraries and {parts} parts compiled into them\n"
    reached = {need for needs in depends(told).values() for need in needs}
    assert reached == {part["purl"] for part in told["components"]}, "nobody asks for it"


@pytest.mark.parametrize("site", ["missing", "file"])
def test_a_folder_that_is_none_is_one_sentence(
    site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert sbom.main([f"--site={tmp_path / site}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"package.sbom: {tmp_path / site}: no such folder")
    assert said.count("\n") == 1


def test_a_package_without_libraries_has_a_list_too(tmp_path: Path) -> None:
    source = Source(ROOT, "0" * 40, HERE.epoch_s, "0.1.0~git1-1")
    (tmp_path / tree.SITE_PACKAGES).mkdir(parents=True)
    tree.sign_files(tmp_path, source, AMD64)
    text = (tmp_path / DOC).read_text()
    assert invalid(text) is None
    assert json.loads(text)["metadata"]["component"]["purl"].endswith("@0.1.0~git1-1?arch=amd64")


@pytest.mark.wires
def test_the_packages_list_what_they_carry(tmp_path: Path) -> None:
    """Both, of the last commit, from the wheels of the lock; for one Python, as the files are large."""
    target = replace(AMD64, pythons=("3.13",))
    source = check_out(ROOT, "HEAD", tmp_path / "source")
    try:
        roots = fill(source, own_wheel(source, tmp_path), target, tmp_path / "made")
    except SpeedsignError as error:
        if str(error).startswith("wheels for Python"):
            pytest.skip(f"no package index: {error}")
        raise
    for name, root in roots.items():
        text = (root / f"usr/share/doc/{name}/{sbom.FILE}").read_text()
        assert invalid(text) is None
        told = json.loads(text)
        site = root / (tree.SITE_PACKAGES if name == "speedsign" else tree.REPORT_SITE_PACKAGES)
        there = sorted(path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info"))
        parts = sorted(f"{part['name'].replace('-', '_')}-{part['version']}" for part in told["components"])
        assert parts == [one for one in there if not one.startswith("speedsign-")]
        assert all(part["licenses"] for part in told["components"])
        hashes = sbom.allowed_hashes(source.folder / "requirements/run.txt")
        for part in told["components"]:
            for reference in part["externalReferences"]:
                assert {one["content"] for one in reference["hashes"]} <= set(hashes[part["name"]])
        assert {part["bom-ref"] for part in told["components"]} <= reached(told), "nothing is for nobody"
        copyright_text = (root / f"usr/share/doc/{name}/copyright").read_text()
        for part in told["components"]:
            assert f"\nComment: {part['name']} {part['version']}\n" in copyright_text
        assert_every_file_is_somebodys(copyright_text, root, site)


def assert_every_file_is_somebodys(copyright_text: str, root: Path, site: Path) -> None:
    """Each file of a library has a licence of its own in the copyright file, and not by Files: * alone."""
    named = re.findall(r"^Files:\n((?: .+\n)+)", copyright_text, re.MULTILINE)
    patterns = [line.strip() for part in named for line in part.splitlines()]
    ours = ("speedsign", "drivers", "telemetry", "simulator")
    for path in site.rglob("*"):
        if path.is_file() and not path.relative_to(site).parts[0].startswith(ours):
            name = str(path.relative_to(root))
            assert any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns), name


def reached(told: dict[str, Any]) -> set[str]:
    """All that the whole needs, and what that needs."""
    found, waiting = set[str](), [told["metadata"]["component"]["bom-ref"]]
    while waiting:
        ref = waiting.pop()
        found.add(ref)
        waiting += [need for need in depends(told)[ref] if need not in found]
    return found
