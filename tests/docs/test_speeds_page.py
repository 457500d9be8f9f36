"""docs/speeds.md: the constants and flags it names are the tracker's."""

from __future__ import annotations

from speedsign.tracking import (
    VERSION,
    TrackingParams,
    images,
    junction,
    params,
    speeds,
    target,
    track,
    tracker,
)
from tests.docs import pages

PAGE = pages.text("docs/speeds.md")
RULES = {row[0]: row[1] for row in pages.table_rows(pages.section(PAGE, "## From readings to a vehicle"))}
FLAGS = [row[0] for row in pages.table_rows(pages.section(PAGE, "## How sure a vehicle is"))]


def rule(begin: str) -> str:
    (value,) = (value for name, value in RULES.items() if name.startswith(begin))
    return value


def test_constants_of_the_tracker() -> None:
    normal = TrackingParams()
    assert f"tracker's version (`{VERSION}`)" in PAGE
    assert rule("A track is confirmed") == (
        f"`confirm_readings` readings ({normal.confirm_readings}) within {normal.confirm_within_s:g} s"
    )
    assert rule("It becomes a vehicle") == (
        f"{normal.min_readings} readings over {normal.min_duration_s:g} s at least; slower than"
        f" {normal.slow_kmh:g} km/h, {normal.slow_readings} readings over {normal.slow_duration_s:g} s"
    )
    assert rule("It has passed") == (
        f"`gap_s` ({normal.gap_s:g} s);"
        f" up to {normal.hidden_s:g} s while another vehicle may hide it;"
        f" up to {normal.stands_s:g} s when it came to a halt in the beam"
    )
    per_mps = params.KMH_PER_MPS
    assert rule("What a driver can do") == (
        f"gain up to {normal.speed_up_kmh_s / per_mps:.0f} m/s², "
        f"brake up to {normal.brake_kmh_s / per_mps:.0f} m/s²"
    )
    assert f"{normal.emerge_kmh_s / per_mps:.0f} m/s²" in rule("Radial speed of a car")
    assert f"needs {normal.image_readings} readings" in rule("A reading at the speed of a live vehicle")
    assert f"Up to {params.MAX_TRACKS} tracks" in PAGE
    assert f"keeps {params.MAX_READINGS} readings" in PAGE
    assert (normal.noise_min_kmh, normal.noise_max_kmh) == (1.0, 3.0)
    assert (track._SCATTERS, track._DOUBTS, track._NEAR_PEAK) == (4.0, 2.5, 0.7)
    assert (images._MIRROR_KMH, images._DOUBLE_PART, images._WEAKER) == (1.5, 0.03, 0.7)
    assert (tracker._SIDE_KMH, tracker._SIDE_M, target._STRONGER) == (1.5, 4.0, 2.0)


def test_what_parts_two_vehicles() -> None:
    """A step of 0.8 of the logarithm is a fall to 45 %."""
    assert (junction._JUMP_KMH, junction._BEND_KMH_S, junction._STEP, junction._SURE) == (0.5, 2.2, 0.8, 2.2)


def test_constants_of_the_speeds() -> None:
    assert (speeds.UPPER, speeds.ENDS, speeds.NEAR_POLE_S) == (0.75, 5, 0.5)
    assert (speeds.LEAST_COSINE, speeds.LEAST_COSINE_MAX, speeds.MOST_GAINED) == (0.8, 0.95, 1.08)


def test_every_flag_is_explained() -> None:
    flags = {speeds.FEW, speeds.IMAGE, speeds.LONG, speeds.PARTED, speeds.REJOINED}
    assert {name.strip("`") for name in FLAGS} == flags
