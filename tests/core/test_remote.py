"""What is set from afar comes to: the config as if its owner had written it so, or a reason why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.config.load import parse_config
from speedsign.config.relations import problems_of
from speedsign.config.schema import Config, RemoteConfig
from speedsign.profile import display_profile
from speedsign.remote import (
    NOTHING_SET,
    RemoteSettings,
    Wish,
    changed,
    difference,
    effective,
    in_words,
    usable,
)
from speedsign.schedule import Schedule
from tests.texts import DARK_NIGHTS, SIGN

SCHOOL = """
[[rules.schedule]]
name = "school"
start = "07:00"
end = "09:00"
limit_kmh = 30
too_fast_kmh = 45
"""
REMOTE = """
[mqtt]
host = "localhost"
[remote]
limit_min_kmh = 30
limit_max_kmh = 90
[[remote.profile]]
name = "quiet"
dark = true
[[remote.profile]]
name = "strict"
too_fast_kmh = 60
"""
TEXT = SIGN + SCHOOL + DARK_NIGHTS + REMOTE
CONFIG = parse_config(TEXT, "sign.toml")
NOON = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
MORNING = datetime(2026, 5, 4, 5, 0, tzinfo=UTC)  # 08:00 in Riga

wishes = st.builds(
    Wish,
    limit_kmh=st.none() | st.integers(5, 130),
    profile=st.none() | st.sampled_from(["", "quiet", "strict", "loud"]),
    schedule=st.dictionaries(st.sampled_from(["school", "night", "day"]), st.booleans()),
)


@settings(deadline=None)
@given(st.lists(wishes, max_size=4))
def test_whatever_is_granted_makes_a_config_that_check_would_call_good(asked: list[Wish]) -> None:
    found = NOTHING_SET
    for wish in asked:
        try:
            found = changed(CONFIG, found, wish)
        except ValueError:
            continue
        now = effective(CONFIG, found)
        assert list(problems_of(replace(now, remote=RemoteConfig()))) == []  # other profiles are not in force
        assert 30 <= now.sign.limit_kmh <= 90
        assert Schedule.of(now).at(NOON).limit_kmh == now.sign.limit_kmh
        assert RemoteSettings.of_text(found.as_text()) == found
        assert usable(CONFIG, found) == (found, [])


def test_nothing_set_is_the_config_itself() -> None:
    assert effective(CONFIG, NOTHING_SET) == CONFIG
    assert in_words(NOTHING_SET) == []
    assert display_profile(effective(CONFIG, NOTHING_SET)) == display_profile(CONFIG)


def test_a_dark_profile_is_dark_by_day_and_without_a_clock() -> None:
    schedule = Schedule.of(effective(CONFIG, RemoteSettings(profile="quiet")))
    for moment in (NOON, MORNING, None):
        assert schedule.at(moment).dark
    assert not Schedule.of(CONFIG).at(None).dark


def test_a_table_that_is_off_holds_no_more() -> None:
    assert Schedule.of(CONFIG).at(MORNING).limit_kmh == 30
    assert Schedule.of(effective(CONFIG, RemoteSettings(off=("school",)))).at(MORNING).limit_kmh == 50


def test_a_limit_leaves_the_tables_their_own() -> None:
    schedule = Schedule.of(effective(CONFIG, RemoteSettings(limit_kmh=60)))
    assert (schedule.at(NOON).limit_kmh, schedule.at(MORNING).limit_kmh) == (60, 30)


def test_each_change_is_another_display_profile() -> None:
    """So that it begins an installation, and no report mixes what drivers saw."""
    several = (
        NOTHING_SET,
        RemoteSettings(profile="quiet"),
        RemoteSettings(profile="strict"),
        RemoteSettings(limit_kmh=60),
        RemoteSettings(off=("night",)),
    )
    assert len({display_profile(effective(CONFIG, settings)) for settings in several}) == len(several)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(limit_kmh=29), "from 30 to 90 km/h, and 29 was asked for"),
        (Wish(limit_kmh=80), "too_fast_kmh = 70: must be above the limit, 80"),
        (Wish(profile="loud"), "there is no profile 'loud'; there are: quiet, strict"),
        (Wish(schedule={"day": True}), "no table of the schedule 'day'; there are: school, night"),
    ],
)
def test_what_is_not_granted_says_why(wish: Wish, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        changed(CONFIG, NOTHING_SET, wish)
    assert said in str(caught.value)


def test_without_bounds_the_limit_stays() -> None:
    config = replace(CONFIG, remote=replace(CONFIG.remote, limit_min_kmh=None, limit_max_kmh=None))
    with pytest.raises(ValueError, match="cannot be changed from afar"):
        changed(config, NOTHING_SET, Wish(limit_kmh=50))


def without_profiles(config: Config) -> Config:
    return replace(config, remote=replace(config.remote, profile=()))


def test_what_no_longer_fits_is_dropped_and_the_rest_stays() -> None:
    settings = RemoteSettings(60, "strict", ("night", "gone"))
    kept, dropped = usable(without_profiles(CONFIG), settings)
    assert kept == RemoteSettings(limit_kmh=60)
    assert len(dropped) == 2
    assert "'strict'" in dropped[0]
    assert "'gone'" in dropped[1]


def test_what_fits_alone_and_not_together_is_dropped_as_a_whole() -> None:
    stricter = parse_config(TEXT.replace("too_fast_kmh = 60", "too_fast_kmh = 55"), "sign.toml")
    kept, dropped = usable(stricter, RemoteSettings(60, "strict"))
    assert kept == NOTHING_SET
    assert "too_fast_kmh = 55: must be above the limit, 60" in dropped[0]


def test_the_difference_in_words() -> None:
    after = effective(CONFIG, RemoteSettings(40, "quiet", ("school",)))
    assert difference(CONFIG, after) == [
        "limit_kmh: 50 -> 40",
        "dark: no -> yes",
        'schedule "school": on -> off',
    ]
    assert difference(after, CONFIG)[-1] == 'schedule "school": off -> on'
    assert difference(CONFIG, CONFIG) == []
    said = in_words(RemoteSettings(40, "quiet", ("school",)))
    assert said == ["limit 40 km/h", "profile quiet", 'without the schedule "school"']


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"limit_kmh":"50","profile":"","off":[]}', "{", "null"])
def test_settings_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        RemoteSettings.of_text(text)
