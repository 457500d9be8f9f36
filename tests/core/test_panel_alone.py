"""The panel's tables alone: the same as the checked config says, and what is left of one that is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speedsign.config.load import parse_config
from speedsign.config.panel_alone import read_panel
from speedsign.config.schema import DisplayConfig
from speedsign.errors import ConfigError

REST = '[sign]\nid = "abc"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/r"\n'
PANEL = '[display]\ndriver = "dm56a04"\nport = "/dev/p"\n'
FULL = (
    '[display]\ndriver = "registers"\nport = "tcp://10.0.0.2:502"\nunit = 3\nmirror_units = [4, 5]\n'
    'timeout_s = 1\nparity = "E"\nbrightness = 0.5\nlocal_echo = true\n'
    '[display.registers]\nkind = "text"\naddress = 16\npack = 2\n'
    '[beacon]\ncoil = 0\nunit = 9\nport = "/dev/b"\nbaud = 19200\n'
    '[supply]\ncoil = 1\nunit = 9\nhold = "pulse"\nboot_s = 2\n'
)


def written(folder: Path, text: str) -> Path:
    path = folder / "sign.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", [PANEL, FULL])
def test_a_good_config_says_the_same_as_to_the_validator(text: str, tmp_path: Path) -> None:
    config = parse_config(REST + text, "x")
    alone = read_panel(written(tmp_path, REST + text))
    assert (alone.display, alone.beacon, alone.supply) == (config.display, config.beacon, config.supply)
    assert alone.doubts == ()


def test_a_sign_without_a_panel(tmp_path: Path) -> None:
    assert read_panel(written(tmp_path, REST)).display is None


def test_what_is_wrong_elsewhere_does_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "[radar]\ncolour = 1\n[sign]\nlimit_kmh = 500\n[rules]\nnonsense = 2\n" + PANEL)
    alone = read_panel(path)
    assert alone.display == DisplayConfig(driver="dm56a04", port="/dev/p")
    assert alone.doubts == ()


@pytest.mark.parametrize(
    "line",
    [
        "unit = 248", "unit = 0", 'unit = "1"', "unit = true", "unit = 1.0", "baud = 100", 'parity = "odd"',
        "parity = 1", "mirror_units = [1, 300]", "mirror_units = 2", "timeout_s = 0", 'timeout_s = "fast"',
        "timeout_s = nan",
        "local_echo = 1", "digits = 99", "registers = 3", 'profile = ""', "accept_zero = 0",
    ],
)  # fmt: skip
def test_a_wrong_value_is_left_out_and_told(line: str, tmp_path: Path) -> None:
    path = written(tmp_path, PANEL + line + "\n")
    alone = read_panel(path)
    assert alone.display == DisplayConfig(driver="dm56a04", port="/dev/p")
    (doubt,) = alone.doubts
    assert doubt.startswith(f"{path}: [display")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[display]\ndriver = "x"\n', "[display] port is missing and has no default"),
        ('[display]\nport = ""\ndriver = "x"\n', "[display] port is missing and has no default"),
        ("display = 3\n", "[display] is no table of keys"),
        ("[[display]]\nport = 1\n", "[display] is no table of keys"),
        ("[display\n", "not valid TOML"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_where_no_panel_can_be_made_out_it_says_why(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "sign.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as error:
        read_panel(path)
    (problem,) = error.value.problems
    assert problem.startswith(f"{path}: ")
    assert said in problem


def test_relays_that_are_not_whole_are_left_out(tmp_path: Path) -> None:
    alone = read_panel(
        written(tmp_path, PANEL + '[beacon]\ncoil = 1\n[supply]\ncoil = -1\nunit = 9\nhold = "on"\n')
    )
    assert (alone.beacon, alone.supply) == (None, None)
    assert [text.partition(": ")[2] for text in alone.doubts] == [
        "[beacon] unit is missing and has no default",
        "[supply] coil = -1 cannot be used",
        "[supply] coil is missing and has no default",
    ]


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(ConfigError, match=said):
            read_panel(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_file_is_a_config_error_at_worst(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(b"[display]\n" + data)
    with contextlib.suppress(ConfigError):
        read_panel(path)
