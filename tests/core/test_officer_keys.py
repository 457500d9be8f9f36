"""What officers' commands read of a config: these keys, in any config, and a sentence for a wrong one."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from speedsign.config.officer_keys import OfficerKeys, officer_keys
from speedsign.config.schema import SignConfig, StoreConfig
from speedsign.errors import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(text)
    return path


def test_the_keys_are_read_and_nothing_else_is_looked_at(tmp_path: Path) -> None:
    text = """
        [sign]
        id = "north-3"
        site = "Priekuļi"
        name = "not this one"
        limit_kmh = 30
        timezone = "Europe/Vilnius"
        language = "lt"
        country = "lt"
        approaching_name = "to Vilnius"
        receding_name = "from Vilnius"
        latitude = 56
        longitude = 24.5
        [store]
        path = "/srv/sign.db"
        [radar]
        driver = 3
        [nonsense]
    """
    assert officer_keys(written(tmp_path, text)) == OfficerKeys(
        store_path=Path("/srv/sign.db"),
        sign_id="north-3",
        site="Priekuļi",
        limit_kmh=30,
        timezone="Europe/Vilnius",
        language="lt",
        country="lt",
        approaching_name="to Vilnius",
        receding_name="from Vilnius",
        latitude=56.0,
        longitude=24.5,
    )


def test_the_defaults_are_those_of_the_whole_config(tmp_path: Path) -> None:
    found = officer_keys(written(tmp_path, ""))
    assert found == OfficerKeys()
    defaults = {one.name: one.default for one in fields(SignConfig) if one.default is not MISSING}
    for name in ("timezone", "language", "country", "approaching_name", "receding_name", "latitude"):
        assert getattr(found, name) == defaults[name]
    assert found.store_path == StoreConfig().path


def test_a_sign_without_a_site_is_called_by_its_name(tmp_path: Path) -> None:
    assert officer_keys(written(tmp_path, '[sign]\nname = "School"\n')).site == "School"


def test_one_coordinate_is_no_place(tmp_path: Path) -> None:
    assert officer_keys(written(tmp_path, "[sign]\nlatitude = 56.1\n")).latitude is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sign = 3", r"\[sign\]: must be a table of keys"),
        ('[sign]\nlimit_kmh = "50"', r"\[sign\] limit_kmh = '50': must be a whole number"),
        ("[sign]\nlimit_kmh = 50.5", r"limit_kmh = '50.5': must be a whole number"),
        ("[sign]\nlimit_kmh = true", "limit_kmh = 'True': must be a whole number"),
        ("[sign]\nlimit_kmh = 300", "limit_kmh = 300: must be 5 to 130"),
        ("[sign]\nlimit_kmh = 1" + "0" * 900, "limit_kmh = '10+': must be a whole number"),
        ("[sign]\nlatitude = 1" + "0" * 400, "latitude = '10+': must be a number"),
        ("[sign]\nlatitude = nan\nlongitude = 3", "latitude = nan: must be -90 to 90"),
        ('[sign]\ntimezone = "Europe/Atlantis"', "timezone = 'Europe/Atlantis': no such time zone"),
        ('[sign]\ntimezone = "../../etc/passwd"', "no such time zone"),
        ('[sign]\ntimezone = "Europe"', "no such time zone"),
        ('[sign]\nlanguage = "de"', "language = 'de': must be one of lv, lt, en"),
        ('[sign]\nsite = "a\\u0000b"', "site = .*: must be a text"),
        ("[store]\npath = 1", r"\[store\] path = '1': must be a text"),
        ("[sign", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_a_sentence_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as caught:
        officer_keys(path)
    assert re.match(rf"^{re.escape(str(path))}: ", caught.value.problems[0])


def test_a_file_that_cannot_be_a_config_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        officer_keys(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        officer_keys(tmp_path)
    (tmp_path / "picture").write_bytes(b"\x89PNG")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        officer_keys(tmp_path / "picture")
    (tmp_path / "large").write_bytes(b"#" * 300_000)
    with pytest.raises(ConfigError, match="too much for a config"):
        officer_keys(tmp_path / "large")
