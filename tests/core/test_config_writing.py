"""A config that is changed: the keys that change, nothing else, and never half a file."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.config import writing
from speedsign.config.load import parse_config
from speedsign.config.writing import TEMPLATE, check_place, put_file, set_values, write_config
from speedsign.errors import ConfigError, SpeedsignError

EXAMPLE = files("speedsign.config").joinpath("example.toml").read_text()
GOOD = (
    '[sign]\nid = "test-sign"\nlimit_kmh = 50  # by the school\n[radar]\ndriver = "ops243"\nport = "/dev/x"\n'
)
AS_ROOT = os.geteuid() == 0


def added(old: str, new: str) -> list[str]:
    before = old.splitlines()
    return [line for line in new.splitlines() if line not in before]


# --------------------------------------------------------------------------- the text


def test_a_value_is_replaced_where_it_stands_and_its_comment_stays_in_its_column() -> None:
    new = set_values(EXAMPLE, {"radar.driver": "ld2415h", "mqtt.host": "broker.example"})
    assert added(EXAMPLE, new) == [
        'driver = "ld2415h"                # or ld2415h; docs/radars.md lists them',
        (
            'host = "broker.example"           # or another machine,'
            " with a certificate or a password (docs/security.md)"
        ),
    ]
    assert len(new.splitlines()) == len(EXAMPLE.splitlines())


def test_a_new_key_goes_below_the_line_that_shows_its_default() -> None:
    new = set_values(EXAMPLE, {"radar.baud": 9600, "radar.invert_direction": True}).splitlines()
    for line, above in (
        ("baud = 9600", "# baud = 115200"),
        ("invert_direction = true", "# invert_direction"),
    ):
        assert new[new.index(line) - 1].startswith(above)
    assert len(new) == len(EXAMPLE.splitlines()) + 2


def test_a_new_key_without_such_a_line_goes_below_the_last_of_its_table() -> None:
    new = set_values(GOOD + "\n[store]\n", {"radar.baud": 9600})
    assert new.splitlines()[5:8] == ['port = "/dev/x"', "baud = 9600", ""]


def test_a_list_over_several_lines_is_not_cut_in_two() -> None:
    text = GOOD + "[brightness]\ncurve = [\n  [1, 0.1],\n  [10000, 1],\n]\n# the end\n"
    new = set_values(text, {"brightness.by": "sun", "radar.baud": 9600})
    assert tomllib.loads(new)["brightness"] == {"curve": [[1, 0.1], [10000, 1]], "by": "sun"}
    assert 'by = "sun"\n# the end' in new


def test_a_key_is_taken_out_and_nothing_with_it() -> None:
    new = set_values(EXAMPLE, {"display.baud": None, "display.profile": None, "supply.coil": None})
    assert [line for line in EXAMPLE.splitlines() if line not in new.splitlines()] == ["baud = 9600"]


def test_a_table_goes_with_its_own_lines_and_no_comment_of_another() -> None:
    new = set_values(EXAMPLE, {"mqtt": None, "display": None})
    gone = [line for line in EXAMPLE.splitlines() if line not in new.splitlines()]
    assert gone[0].startswith("[display]")
    assert gone[-1].startswith("# quota_mb")
    at = EXAMPLE.index("# [remote]")
    assert new.endswith(EXAMPLE[at:])
    assert "\n\n\n" not in new
    assert tomllib.loads(new).keys() == {"sign", "radar", "rules", "store"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            '[mqtt]  # ours\nhost = "x"\n# port: 8883\n# mind the keys\n\n# -- database --\n[store]\n',
            "# mind the keys\n\n# -- database --\n[store]\n",
        ),
        (
            (
                '# the broker\n[mqtt]\n# of the town\nhost = """\n[x]\n\n"""  # b\n'
                "[store]\n[mqtt.more]\na = [\n [1],\n]\n# b"
            ),
            "# the broker\n[store]\n# b",
        ),
        ('mqtt = {host = "x"}  # ours\n# all else\n[store]\n', "# all else\n[store]\n"),
        ('mqtt.host = "x"\n# all else\n[store]\n', "# all else\n[store]\n"),
        ('[store]\r\n\r\n[ "mqtt" ]\r\nhost = "x"\r\n', "[store]\r\n\r\n"),
    ],
)
def test_a_table_goes_however_it_is_written(text: str, left: str) -> None:
    assert set_values(text, {"mqtt": None}) == left


def test_a_table_that_is_missing_comes_at_the_end() -> None:
    new = set_values(GOOD, {"display.driver": "dm56a04", "display.port": "/dev/y"})
    assert new.startswith(GOOD)
    assert parse_config(new, "new").display is not None
    assert new.count("[display]") == 1


def test_a_fresh_config_is_short_and_has_its_comments() -> None:
    new = set_values(
        TEMPLATE,
        {"sign.id": "abc", "sign.limit_kmh": 50, "radar.driver": "ops243", "radar.port": "/dev/x"},
    )
    assert parse_config(new, "new").sign.id == "abc"
    assert len(new.splitlines()) < 15
    assert new.index("[sign]") < new.index('id = "abc"') < new.index("[radar]") < new.index("driver")


@pytest.mark.parametrize(
    "text",
    [
        'radar = {driver = "ops243", port = "/dev/x"}\n[sign]\nid = "abc"\nlimit_kmh = 50\n',
        'sign.id = "abc"\nsign.limit_kmh = 50\nradar.driver = "ops243"\nradar.port = "/dev/x"\n',
        '[ radar ]\r\n"driver" = "ops243"\r\nport = "/dev/x"\r\n[sign]\r\nid = "abc"\r\nlimit_kmh = 50\r\n',
        '[sign]\nid = "abc"\nlimit_kmh = 50\n[radar]\nport = "/dev/x"\ndriver = """ops243"""',
        (
            '[[rules.schedule]]\nname = "a"\n[radar]\ndriver = "ops243"\nport = "/dev/x"\n'
            '[sign]\nid = "abc"\nlimit_kmh = 50\n'
        ),
    ],
)
def test_however_it_is_written(text: str) -> None:
    values = {"radar.baud": 9600, "radar.driver": "ld2415h", "sign.name": "Ā", "rules.show": "both"}
    new = set_values(text, values)
    config = parse_config(new, "new")
    assert (config.radar.baud, config.radar.driver, config.sign.name) == (9600, "ld2415h", "Ā")
    assert config.rules.show == "both"
    assert ("\r\n" in new) == ("\r\n" in text)
    assert "\n" not in new.replace("\r\n", "") or "\r\n" not in text


def test_the_same_values_change_nothing_and_the_type_counts() -> None:
    assert set_values(GOOD, {"sign.limit_kmh": 50, "radar.baud": None}) == GOOD
    assert "mounting_angle_deg = 1.0" in set_values(GOOD, {"radar.mounting_angle_deg": 1.0})
    one = set_values(GOOD, {"radar.mounting_angle_deg": 1})
    assert "mounting_angle_deg = 1.0" in set_values(one, {"radar.mounting_angle_deg": 1.0})


@pytest.mark.parametrize("text", ["to whom it may concern", "[sign", 'a = "\n'])
def test_what_is_no_toml_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"sign\.toml: not valid TOML"):
        set_values(text, {"sign.id": "abc"}, "sign.toml")


def test_a_key_in_what_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"x: radar is no table of keys"):
        set_values("radar = 3\n", {"radar.baud": 9600}, "x")


KEYS = st.sampled_from(
    [
        "sign.id",
        "sign.name",
        "radar.port",
        "radar.baud",
        "mqtt.host",
        "brightness.sensor.unit",
        "rules.page_s",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([EXAMPLE, GOOD, TEMPLATE, ""]))
def test_it_says_what_was_wanted_and_keeps_every_comment(values: dict[str, Any], text: str) -> None:
    new = set_values(text, values)
    said = tomllib.loads(new)
    for dotted, value in values.items():
        at: Any = said
        for part in dotted.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        assert at == value
        assert value is None or type(at) is type(value)
    for line in text.splitlines():
        assert not line.startswith("#") or line in new.splitlines()
    assert set_values(new, values) == new


# --------------------------------------------------------------------------- the file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "speedsign.toml"
    path.write_text(GOOD)
    path.chmod(0o640)
    return path


def test_the_old_one_is_kept_and_the_mode_too(path: Path) -> None:
    new = set_values(GOOD, {"sign.limit_kmh": 30})
    assert write_config(path, new, old=GOOD).sign.limit_kmh == 30
    assert path.read_text() == new
    before = path.with_name("speedsign.toml.before")
    assert before.read_text() == GOOD
    for one in (path, before):
        assert stat.S_IMODE(one.stat().st_mode) == 0o640
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, before.name]


def test_a_fresh_one_can_be_read_by_the_sign(tmp_path: Path) -> None:
    path = tmp_path / "speedsign.toml"
    write_config(path, GOOD, old=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a file away")
def test_the_owner_stays(path: Path) -> None:
    os.chown(path, 1234, 4321)
    write_config(path, set_values(GOOD, {"sign.limit_kmh": 30}), old=GOOD)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_nothing_changes_where_nothing_is_new(path: Path) -> None:
    inode = path.stat().st_ino
    write_config(path, GOOD, old=GOOD)
    assert path.stat().st_ino == inode
    assert len(list(path.parent.iterdir())) == 1


def test_a_bad_config_replaces_nothing(path: Path) -> None:
    with pytest.raises(ConfigError, match="must be at most 130") as caught:
        write_config(path, set_values(GOOD, {"sign.limit_kmh": 500}), old=GOOD)
    assert str(path) in caught.value.problems[0]
    assert path.read_text() == GOOD


def test_what_somebody_else_has_changed_meanwhile_is_left_alone(path: Path) -> None:
    theirs = GOOD.replace("50", "70")
    path.write_text(theirs)
    for old in (GOOD, None):
        with pytest.raises(SpeedsignError, match="changed it meanwhile"):
            write_config(path, set_values(GOOD, {"sign.limit_kmh": 30}), old=old)
    assert path.read_text() == theirs


def test_a_link_is_not_followed_and_not_replaced(path: Path) -> None:
    link = path.with_name("link.toml")
    link.symlink_to(path)
    with pytest.raises(SpeedsignError, match=r"link\.toml: is a link to .*speedsign\.toml; name that file"):
        write_config(link, GOOD.replace("50", "30"), old=GOOD)
    assert path.read_text() == GOOD


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device; make room"),
        (errno.EROFS, "Read-only file system; mount it for writing"),
        (errno.EIO, "Input/output error; check the disk"),
        (errno.EPERM, "try again with sudo"),
    ],
)
def test_a_disk_that_fails_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def fails(_fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(SpeedsignError, match=said):
        write_config(path, set_values(GOOD, {"sign.limit_kmh": 30}), old=GOOD)
    assert path.read_text() == GOOD
    assert not [one for one in path.parent.iterdir() if one.name.endswith(".part")]


def test_a_place_that_cannot_be_written_is_known_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SpeedsignError, match="no such folder; make it with: sudo mkdir -p"):
        check_place(tmp_path / "none" / "speedsign.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(SpeedsignError, match="is no file"):
        check_place(tmp_path / "folder.toml")
    monkeypatch.setattr(os, "access", lambda *_args: False)
    with pytest.raises(SpeedsignError, match="not permitted; try again with sudo"):
        check_place(tmp_path / "speedsign.toml")
    monkeypatch.setattr(writing, "_read_only", lambda _folder: True)
    with pytest.raises(SpeedsignError, match="the file system is read-only"):
        check_place(tmp_path / "speedsign.toml")


def test_a_file_of_another_kind_is_whole_and_has_its_mode(tmp_path: Path) -> None:
    put_file(tmp_path / "draft", "Ā\n", 0o600)
    assert (tmp_path / "draft").read_text() == "Ā\n"
    assert stat.S_IMODE((tmp_path / "draft").stat().st_mode) == 0o600
