"""docs/integrator.md names every key of stats --json, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.command import as_json, speedsign
from tests.docs import pages
from tests.docs.field import make_database

SECTION = pages.section(pages.text("docs/integrator.md"), "## stats --json")
EVERY_PERCENTILE = re.compile(r"v(15|50|85|95)_(se|low|high)_kmh")


def test_every_key_is_explained(tmp_path: Path) -> None:
    make_database(tmp_path / "sign.db")
    result = speedsign("stats", "--db", tmp_path / "sign.db", "--headways", "--json")
    keys = list(as_json(result)[0])
    named = {word for row in pages.table_rows(SECTION) for word in re.findall(r"`(\w+)`", row[0])}
    further = keys[keys.index("method") + 1 :]
    others = {key for key in further if EVERY_PERCENTILE.fullmatch(key) and not key.startswith("v85")}
    assert named - {"v85_kmh"} == set(further) - others
    for key in keys[: keys.index("method") + 1]:
        assert f'"{key}": ' in SECTION
