"""docs/speeds.md: the constants it names are the tracker's, its table is the measuring command's."""

from __future__ import annotations

from speedsign.tracking import TrackingParams, params, speeds, track, tracker
from tests.docs import pages
from tests.docs.measure_counting import COLUMNS, FLOWS, SET_UP, score

PAGE = pages.text("docs/speeds.md")
RULES = {row[0]: row[1] for row in pages.table_rows(pages.section(PAGE, "## From readings to a vehicle"))}


def rule(begin: str) -> str:
    (value,) = (value for name, value in RULES.items() if name.startswith(begin))
    return value


def test_constants_of_the_tracker() -> None:
    normal = TrackingParams()
    assert rule("A track is confirmed") == (
        f"`confirm_readings` readings ({normal.confirm_readings}) within {normal.confirm_within_s:g} s"
    )
    assert rule("It becomes a vehicle") == (
        f"{normal.min_readings} readings over {normal.min_duration_s:g} s at least"
    )
    assert rule("It has passed").startswith(f"`gap_s` ({normal.gap_s:g} s); up to {normal.hidden_s:g} s")
    per_mps = params.KMH_PER_MPS
    assert rule("What a driver can do") == (
        f"gain up to {normal.speed_up_kmh_s / per_mps:.0f} m/s², "
        f"brake up to {normal.brake_kmh_s / per_mps:.0f} m/s²"
    )
    assert f"{normal.emerge_kmh_s / per_mps:.0f} m/s²" in rule("Radial speed of a car")
    assert f"needs {normal.image_readings} readings" in rule("A reading at the speed of a live vehicle")
    assert f"Up to {params.MAX_TRACKS} tracks" in PAGE
    assert (normal.noise_min_kmh, normal.noise_max_kmh) == (1.0, 3.0)
    assert (track._SCATTERS, track._FALLEN, track._RISEN) == (4.0, 0.5, 4.0)
    assert (tracker._IMAGE_KMH, tracker._STRONGER) == (1.5, 2.0)


def test_constants_of_the_speeds() -> None:
    assert (speeds.UPPER, speeds.ENDS, speeds.NEAR_POLE_S) == (0.75, 5, 0.5)


def test_the_table_has_every_radar_and_flow() -> None:
    part = PAGE.partition("<!-- counting -->")[2].partition("<!-- end -->")[0]
    rows = pages.table_rows(part)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [(row[0], int(row[1])) for row in rows] == [(radar, n) for radar in SET_UP for n in FLOWS]


def test_the_measuring_command_measures() -> None:
    found = score("ops243", 300, 10, seed=1)
    assert found.alone + found.following > 40
    assert found.alone_missed < found.alone / 10
    assert found.following_missed < found.following
    assert 0.0 < found.typical_error_kmh < 2.0
