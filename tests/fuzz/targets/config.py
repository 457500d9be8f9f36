"""A config file, also a bad one: a config, or sentences; and a change of one key changes no other."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from speedsign.config.hub import HubWishes, parse_hub
from speedsign.config.load import load_config, misfits
from speedsign.config.officer_keys import officer_keys
from speedsign.config.panel_alone import read_panel
from speedsign.config.tables import good_tables, mended
from speedsign.config.toml_text import read_text
from speedsign.config.writing import set_values
from speedsign.doctor.redact_config import private_words, redacted, safe_problem, wrong_texts
from speedsign.errors import ConfigError
from speedsign.profile import display_profile
from tests.command.office import CONFIG
from tests.fuzz import toml
from tests.fuzz.kit import one_sentence
from tests.fuzz.scratch import scratch

LONGEST = 4096
WORDS = toml.WORDS
change = toml.changed_toml
EXAMPLE = Path("speedsign/config/example.toml")


@cache
def folder() -> Path:
    return scratch()


def target(data: bytes) -> None:
    """Everything that reads a config reads it."""
    path = folder() / "sign.toml"
    path.write_bytes(data)
    told = refused(lambda: load_config(path))
    tables = good_tables(path)
    assert (tables.whole is None) is (told is not None)
    if tables.whole is not None and tables.whole.display is not None:
        assert display_profile(tables.whole) is not None
    for read in (officer_keys, read_panel):
        refused(lambda read=read: read(path))  # type: ignore[misc]
    found = mended(path)
    redacted(found.tables, frozenset(wrong_texts(told or ())))
    private_words(found.tables)
    for sentence in told or ():
        safe_problem(sentence)
    with contextlib.suppress(ConfigError):
        text = read_text(path)
        refused(lambda: parse_hub(text, str(path), HubWishes()))
        refused(lambda: misfits(text, str(path)))
        changed(text)


def refused(read: Callable[[], object]) -> list[str] | None:
    """The sentences; None: it was read."""
    try:
        read()
    except ConfigError as error:
        one_sentence(error.problems[0])
        for sentence in error.problems:
            one_sentence(sentence)
        return list(error.problems)
    return None


def changed(text: str) -> None:
    """One key set, and taken out: nothing else says anything else."""
    try:
        before = tomllib.loads(text)
        after = tomllib.loads(set_values(text, {"radar.mounting_angle_deg": 12.4}))
        gone = tomllib.loads(set_values(text, {"sign.limit_kmh": None}))
    except (ConfigError, ValueError, RecursionError):
        return
    assert after["radar"].pop("mounting_angle_deg") == 12.4
    before.setdefault("radar", {}).pop("mounting_angle_deg", None)
    assert repr(sorted(after.items())) == repr(sorted(before.items()))
    assert "limit_kmh" not in gone.get("sign", {})


def seeds() -> Iterator[bytes]:
    publics = dict.fromkeys(("officer", "reader", "technician"), "ed25519:" + "A" * 43 + "=")
    yield CONFIG.format(folder="/nowhere", **publics).encode()
    text = EXAMPLE.read_text(encoding="utf-8")
    yield "\n".join(
        line.removeprefix("# ").removeprefix("#") for line in text.splitlines() if "=" in line or "[" in line
    ).encode()
    for table in text.split("\n\n"):
        yield table.encode()
        yield table.replace("# ", "").replace("#", "").encode()
    yield Path("tests/docs/rules.toml").read_bytes()
