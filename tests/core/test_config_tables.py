"""What of a config can be used where the whole cannot: for whoever looks for trouble."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.config.tables import good_tables, mended

GOOD = """[sign]
id = "bauska-3"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/dev/r"
[store]
path = "/data/sign.db"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "sign.toml"
    path.write_text(text)
    return path


def test_a_good_config_is_whole(tmp_path: Path) -> None:
    found = good_tables(write(tmp_path, GOOD))
    assert found.whole is not None
    assert (found.radar, found.store, found.problems) == (found.whole.radar, found.whole.store, ())


def test_good_tables_beside_a_wrong_one(tmp_path: Path) -> None:
    found = good_tables(write(tmp_path, GOOD.replace("50", "500") + "[display]\ndriver = 3\n"))
    assert found.whole is None
    assert found.wrong == {"sign", "display"}
    assert found.radar is not None
    assert found.store.path == Path("/data/sign.db")
    assert (found.sign, found.display) == (None, None)
    assert len(found.problems) >= 2


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        ('name = "no end\n', 'name = "no end'),
        ("what is this\n", "what is this"),
        ("[unclosed\n", "[unclosed"),
        ('id = "twice"\nid = "twice"\n', 'id = "twice"'),
    ],
)
def test_lines_that_are_no_toml_cost_nothing_else(tmp_path: Path, broken: str, lost: str) -> None:
    path = write(tmp_path, GOOD + "[clock]\n" + broken)
    assert lost in mended(path).lost
    found = good_tables(path)
    assert not found.readable
    assert found.store.path == Path("/data/sign.db")
    assert found.radar is not None


def test_no_file_at_all(tmp_path: Path) -> None:
    found = good_tables(tmp_path / "none.toml")
    assert (found.readable, found.radar, found.wrong) == (False, None, frozenset())
    assert "no such file" in found.problems[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_text_is_survived(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sign.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    good_tables(path)
    found = mended(path)
    if found.whole:
        assert not found.lost


def test_another_file_given_by_mistake_ends_soon(tmp_path: Path) -> None:
    assert mended(write(tmp_path, "no toml\n" * 20_000)).tables == {}
