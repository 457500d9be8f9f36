"""Times with offsets and of wall clocks; both changes of the year in Latvia and Lithuania."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.exchange.csv_file import RowError
from telemetry.exchange.times import NoZone, Times
from telemetry.rows import to_ms

ZONES = ["Europe/Riga", "Europe/Vilnius"]
SPRING, AUTUMN = "2026-03-29", "2026-10-25"


def utc(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04T07:30:12+03:00",
        "2026-05-04T04:30:12Z",
        "2026-05-04 07:30:12+0300",
        "2026-05-04t07:30:12.000999+03:00",
        "2026-05-04T07:30:12",
        "2026-05-04 07:30:12.0",
    ],
)
def test_the_same_moment_in_many_forms(text: str) -> None:
    assert Times(ZoneInfo("Europe/Riga")).ms(text) == utc("2026-05-04T04:30:12+00:00")


def test_seconds_may_be_missing_and_milliseconds_are_kept() -> None:
    times = Times(None)
    assert times.ms("2026-05-04T07:30+00:00") == utc("2026-05-04T07:30:00+00:00")
    assert times.ms("2026-05-04T07:30:12.3456+00:00") % 1000 == 345


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "time is empty"),
        ("2026-05-04", "no date with a time"),
        ("20260504T073012+0300", "cannot be read"),
        ("04.05.2026 07:30:12", "cannot be read"),
        ("2026-05-04T25:00:00Z", "cannot be read"),
        ("2026-02-30T07:00:00Z", "cannot be read"),
        ("0001-01-01T00:00:00+23:00", "the year is none of 1990 to 2099"),
        ("9999-12-31T23:59:59-23:00", "the year is none of"),
        ("1970-01-01T00:00:01Z", "the year is none of"),
        ("x" * 500, "cannot be read"),
        ("\x00", "no date with a time"),
    ],
)
def test_what_is_no_time_is_an_error_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(RowError, match=said) as caught:
        Times(ZoneInfo("Europe/Riga")).ms(text)
    assert len(str(caught.value)) < 200


def test_a_time_without_an_offset_is_never_guessed() -> None:
    with pytest.raises(NoZone, match="has no offset from UTC; name its time zone, as --timezone"):
        Times(None).ms("2026-05-04T07:30:12")


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    with contextlib.suppress(RowError):
        assert isinstance(Times(ZoneInfo("Europe/Riga")).ms(text), int)


# --------------------------------------------------------------------------- the changes of the year


@pytest.mark.parametrize("zone", ZONES)
def test_the_hour_that_spring_leaves_out_does_not_exist(zone: str) -> None:
    times = Times(ZoneInfo(zone))
    assert times.ms(f"{SPRING}T02:59:59") == utc(f"{SPRING}T00:59:59+00:00")
    assert times.ms(f"{SPRING}T04:00:00") == utc(f"{SPRING}T01:00:00+00:00")
    for minute in (0, 30, 59):
        with pytest.raises(RowError, match=f"does not exist in {zone}: the clocks went forward over it"):
            times.ms(f"{SPRING}T03:{minute:02}:00")


@pytest.mark.parametrize("zone", ZONES)
def test_the_repeated_hour_is_told_apart_by_the_order(zone: str) -> None:
    """Every ten minutes from 2:30 (summer) to 4:30 (winter): three hours, of which 3 comes twice."""
    start = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    moments = [start + timedelta(minutes=10 * step) for step in range(19)]
    times = Times(ZoneInfo(zone))
    found = [
        times.ms(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()) for moment in moments
    ]
    assert found == [to_ms(moment) for moment in moments]
    assert times.repeated == 12


def test_vehicles_a_few_seconds_out_of_order_do_not_change_the_hour() -> None:
    times = Times(ZoneInfo("Europe/Riga"))
    for text in ("03:20:05", "03:20:02", "03:21:00", "03:20:30"):
        first = times.ms(f"{AUTUMN}T{text}")
        assert first == utc(f"{AUTUMN}T{text}+03:00")


def test_a_file_that_does_not_rise_takes_the_first_pass() -> None:
    times = Times(ZoneInfo("Europe/Riga"))
    times.ms(f"{AUTUMN}T12:00:00")
    times.ms(f"{AUTUMN}T05:00:00")
    assert times.ms(f"{AUTUMN}T03:30:00") == utc(f"{AUTUMN}T03:30:00+03:00")


def test_an_offset_needs_no_order() -> None:
    times = Times(ZoneInfo("Europe/Riga"))
    assert times.ms(f"{AUTUMN}T03:30:00+02:00") - times.ms(f"{AUTUMN}T03:30:00+03:00") == 3_600_000
    assert times.repeated == 0


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001  wall clocks
    st.sampled_from([*ZONES, "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_local_times_that_come_once_are_what_the_zone_says(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    times = Times(zone)
    if first == second:
        assert times.ms(moment.isoformat()) == to_ms(moment.replace(tzinfo=zone).astimezone(UTC))
