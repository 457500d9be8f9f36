"""The sun's height against almanacs and against another formula."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.sun import Sun

RIGA = 56.946, 24.106
HORIZON_DEG = -0.833  # of the middle at sunrise: refraction and half the disc
J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def almanac_deg(latitude: float, longitude: float, at_utc: datetime) -> float:
    """The Astronomical Almanac's low-precision sun, good to a hundredth of a degree until 2050."""
    n = (at_utc - J2000) / timedelta(days=1)
    anomaly = math.radians(357.528 + 0.9856003 * n)
    longitude_of_sun = math.radians(
        280.460 + 0.9856474 * n + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    tilt = math.radians(23.439 - 0.0000004 * n)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude_of_sun), math.cos(longitude_of_sun))
    declination = math.asin(math.sin(tilt) * math.sin(longitude_of_sun))
    sidereal = math.radians(15 * (18.697374558 + 24.06570982441908 * n) + longitude)
    phi = math.radians(latitude)
    height = math.sin(phi) * math.sin(declination)
    height += math.cos(phi) * math.cos(declination) * math.cos(sidereal - ascension)
    return math.degrees(math.asin(height))


@given(
    st.floats(-89.5, 89.5),
    st.floats(-180, 180),
    st.floats(0, 21 * 365.25 * 86_400),
)
def test_it_agrees_with_the_almanacs_formula(latitude: float, longitude: float, s: float) -> None:
    at_utc = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
    expected = almanac_deg(latitude, longitude, at_utc)
    assert Sun(latitude, longitude).elevation_deg(at_utc) == pytest.approx(expected, abs=0.05)


def highest_deg(latitude: float, longitude: float, day: datetime) -> float:
    sun = Sun(latitude, longitude)
    return max(sun.elevation_deg(day + timedelta(minutes=minutes)) for minutes in range(1440))


@pytest.mark.parametrize(
    ("day", "degrees"),
    [(datetime(2026, 6, 21, tzinfo=UTC), 57.24), (datetime(2026, 12, 21, tzinfo=UTC), 10.36)],
)
def test_noon_at_the_solstices(day: datetime, degrees: float) -> None:
    """90 degrees less the latitude, and the tilt of the earth's axis, 23.44."""
    assert highest_deg(56.2, 24.76, day) == pytest.approx(degrees, abs=0.02)


def test_noon_at_the_equinox() -> None:
    assert highest_deg(56.2, 24.76, datetime(2026, 3, 20, tzinfo=UTC)) == pytest.approx(33.8, abs=0.1)


@pytest.mark.parametrize(
    "at_utc",
    [
        datetime(2026, 6, 21, 1, 29, tzinfo=UTC),  # sunrise in Riga, 4:29 summer time
        datetime(2026, 6, 21, 19, 22, tzinfo=UTC),
        datetime(2026, 12, 21, 7, 0, tzinfo=UTC),
        datetime(2026, 12, 21, 13, 43, tzinfo=UTC),
    ],
)
def test_sunrise_and_sunset_in_riga(at_utc: datetime) -> None:
    """As printed in calendars, to the minute; the sun climbs a tenth of a degree in one."""
    assert Sun(*RIGA).elevation_deg(at_utc) == pytest.approx(HORIZON_DEG, abs=0.2)


def test_polar_day_and_polar_night() -> None:
    north = Sun(69.65, 18.96)
    hours = [timedelta(hours=hour) for hour in range(24)]
    assert min(north.elevation_deg(datetime(2026, 6, 21, tzinfo=UTC) + hour) for hour in hours) > 0
    assert max(north.elevation_deg(datetime(2026, 12, 21, tzinfo=UTC) + hour) for hour in hours) < 0


def test_a_moment_is_the_same_in_every_zone() -> None:
    """Also across the hour that a local clock repeats."""
    at_utc = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    sun = Sun(*RIGA)
    for hours in (-11, 2, 3, 14):
        local = at_utc.astimezone(timezone(timedelta(hours=hours)))
        assert sun.elevation_deg(local) == sun.elevation_deg(at_utc)


@pytest.mark.parametrize("latitude", [-90.0, 90.0])
def test_the_poles_have_a_sun_too(latitude: float) -> None:
    up = 1 if latitude > 0 else -1
    degrees = Sun(latitude, 0.0).elevation_deg(datetime(2026, 6, 21, 12, tzinfo=UTC))
    assert degrees * up == pytest.approx(23.4, abs=0.3)
