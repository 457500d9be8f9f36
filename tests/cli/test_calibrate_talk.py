"""What a technician types while a calibration measures: drive-by, fork, traffic, brightness; no wires."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.calibration.fork import judge
from speedsign.calibration.record import Verdict
from speedsign.cli.calibrating.drive_by import HELP, Dialogue
from speedsign.cli.calibrating.eye import ByEye, light_known
from speedsign.cli.calibrating.fork import Held, fork_of, lines_of, sentence_of, step_of, verdict_of
from speedsign.cli.calibrating.runs import Runs
from speedsign.cli.calibrating.traffic import Passages
from speedsign.config.load import parse_config
from speedsign.errors import UsageError
from speedsign.model import Direction, Reading, Rejected, Reply, Unit
from speedsign.tracking import TrackingParams
from tests.cli.calibrations import passing
from tests.support import run

TOWARDS = frozenset({Direction.APPROACHING, Direction.UNKNOWN})


class Talk:
    """A dialogue, and what it has said."""

    def __init__(self, unit: Unit = Unit.KMH, wanted: int = 3) -> None:
        self.said: list[str] = []
        self.runs = Runs(0.1)
        self.dialogue = Dialogue(self.runs, self.said.append, unit=unit, directions=TOWARDS, wanted=wanted)

    def pass_by(self, kmh: float, direction: Direction = Direction.APPROACHING, *flags: str) -> None:
        self.dialogue.passed(passing(kmh, direction, flags))

    def type(self, *lines: str) -> None:
        for line in lines:
            self.dialogue.typed(line)

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    @property
    def measured(self) -> list[tuple[float, float]]:
        return [(round(one.run.reference_kmh, 1), one.run.measured_kmh) for one in self.runs.passes]


# --------------------------------------------------------------------------- drive-by


def test_each_pass_is_shown_asked_about_and_judged_until_there_are_enough() -> None:
    talk = Talk()
    for reference, measured in ((50.0, 49.9), (51.0, 50.9), (50.0, 50.0)):
        assert not talk.dialogue.done
        talk.pass_by(measured)
        talk.type(f"{reference:g}")
    assert talk.dialogue.done
    assert talk.runs.verdict is Verdict.PASS
    assert talk.measured == [(50.0, 49.9), (51.0, 50.9), (50.0, 50.0)]
    assert "1: approaching 49.9 km/h" in talk.said
    assert "  reference of 1 in km/h? (x: not mine, r: repeat)" in talk.said
    assert "run 1: 50.0 read as 49.9 (-0.1)" in talk.said
    assert "  2 more before anything can be said" in talk.said
    assert any(line.startswith("  factor 0.99") for line in talk.said)


def test_not_mine_goes_on_to_the_nearest_in_time_and_repeat_forgets_all() -> None:
    talk = Talk()
    talk.pass_by(49.0)
    talk.pass_by(62.0)
    talk.pass_by(55.0)
    assert "  asked about 1; if 2 was it: 2=50" in talk.said
    talk.type("x")
    assert talk.said[-1].startswith("  reference of 3 ")
    talk.type("X")
    assert talk.said[-1].startswith("  reference of 2 ")
    talk.type("r", "50")
    assert talk.said[-2:] == ["drive past again", "nobody has passed yet"]
    assert talk.measured == []


def test_a_vehicle_can_be_named_by_its_number() -> None:
    talk = Talk()
    talk.pass_by(30.0)
    talk.pass_by(50.2)
    talk.type("2=50")
    assert talk.measured == [(50.0, 50.2)]
    talk.pass_by(50.1)
    talk.type("1=50", "9=50")
    assert talk.said[-1] == "there is no 9 to be named"
    assert len(talk.measured) == 1


def test_a_reference_far_from_what_was_measured_is_doubted_and_can_be_insisted_on() -> None:
    talk = Talk()
    talk.pass_by(31.0)
    talk.type("50")
    assert talk.said[-1] == "  31.0 against 50.0 km/h: another car? x; else 50!"
    assert talk.measured == []
    talk.type("50!")
    assert talk.measured == [(50.0, 31.0)]


def test_a_run_that_fits_badly_is_named_left_out_and_taken_in_again() -> None:
    talk = Talk(wanted=60)
    for measured in (49.9, 50.1, 50.0, 56.0, 50.0):
        talk.pass_by(measured)
        talk.type("50")
    assert "  run 4 fits badly: another car? d4 leaves it out" in talk.said
    talk.type("d4")
    assert "run 4 is left out" in talk.said
    assert len(talk.runs.counted) == 4
    assert talk.runs.passes[3].as_json()["left_out"] is True
    assert talk.runs.verdict is Verdict.PASS
    talk.type("d 4", "d9")
    assert "run 4 counts again" in talk.said
    assert talk.said[-1] == "there is no run 9"
    assert len(talk.runs.counted) == 5


def test_the_other_direction_is_nobody_and_flags_are_shown() -> None:
    talk = Talk()
    talk.pass_by(50.0, Direction.RECEDING)
    assert talk.said == []
    talk.pass_by(50.0, Direction.UNKNOWN, "few")
    assert talk.said[0] == "1: unknown 50.0 km/h (few)"


def test_what_is_no_answer_changes_nothing() -> None:
    talk = Talk()
    talk.type("x", "hello", "nan", "=", "50")
    talk.pass_by(50.0)
    talk.type("fast", "0", "-5", "", "?", "a=50")
    assert talk.measured == []
    assert "'hello' is no speed; ? for help" in talk.said
    assert talk.said.count(HELP[0]) == 2
    talk.type("q")
    assert talk.dialogue.done


def test_references_in_miles() -> None:
    talk = Talk(unit=Unit.MPH)
    talk.pass_by(50.0)
    assert "  reference of 1 in mph? (x: not mine, r: repeat)" in talk.said
    talk.type("31")
    assert talk.measured == [(49.9, 50.0)]


@given(
    st.lists(st.one_of(st.floats(5, 250), st.text(alphabet="xrdq?=!0123456789. ", max_size=8)), max_size=40)
)
def test_whatever_passes_and_is_typed_the_talk_goes_on(events: list[float | str]) -> None:
    talk = Talk()
    for event in events:
        if isinstance(event, float):
            talk.pass_by(event)
        else:
            talk.type(event)
    assert len(talk.runs.passes) <= sum(isinstance(event, float) for event in events)
    assert all(len(line) <= 110 for line in talk.said)


# --------------------------------------------------------------------------- fork


def test_a_held_fork_is_averaged_whatever_direction_the_radar_says() -> None:
    fork = fork_of("50 km/h", 24.125)
    said: list[str] = []
    held = Held(fork, said.append)
    for i in range(40):
        way = Direction.APPROACHING if i % 2 else Direction.RECEDING
        held.events(i / 10, [Reading(i / 10, 50.0 + 0.1 * (i % 3), way), Reading(i / 10, 12.0, way, rank=1)])
    held.events(4.0, [Rejected(4.0, "too weak"), Reply(4.0, {})])
    assert said == ["   20 readings, 50.1 km/h", "   40 readings, 50.1 km/h"]
    assert held.directions == {"approaching": 20, "receding": 20}
    reading = judge(held.kmh, fork.kmh, directions=held.ways)
    assert verdict_of(reading) is Verdict.PASS
    assert "the direction changes as a fork's does" in lines_of(reading, {})
    assert "rejected 1: too weak" in lines_of(reading, held.rejected)
    assert sentence_of(fork, reading).endswith("1 km/h are allowed: within.")


@pytest.mark.parametrize(
    ("readings", "verdict", "said"),
    [
        ([], Verdict.UNDECIDED, "the radar does not see the fork"),
        ([50.0] * 4, Verdict.UNDECIDED, "4 readings are too few; 10 are needed"),
        ([53.0] * 30, Verdict.FAIL, "reads 53.00 km/h, +3.00 from 50.00; 1 km/h are allowed: outside"),
        ([31.1] * 30, Verdict.FAIL, "outside"),
        ([50.0] * 20 + [80.0] * 20, Verdict.UNDECIDED, "sees something else as well"),
    ],
)
def test_what_a_fork_can_come_to(readings: list[float], verdict: Verdict, said: str) -> None:
    fork = fork_of("50km/h", 24.125)
    reading = judge(readings, fork.kmh, alone=True)
    assert verdict_of(reading) is verdict
    assert said in sentence_of(fork, reading)


def test_what_may_have_been_a_car_proves_nothing() -> None:
    fork = fork_of("50km/h", 24.125)
    reading = judge([53.0] * 30, fork.kmh, directions=[Direction.APPROACHING] * 30)
    assert verdict_of(reading) is Verdict.UNDECIDED
    assert "may have been a car" in sentence_of(fork, reading)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2,000Hz", "2,000 may mean 2000 or 2.000: write one of these"),
        ("2.000Hz", "thousands have no comma or point: 2000Hz"),
        ("1Hz", "1Hz reads as no speed of a car, 5 to 300 km/h"),
        ("0.5 km/h", "no speed of a car"),
        ("12,345mph", "12,345 may mean 12345 or 12.345"),
        ("2 000Hz", "is no fork"),
        ("٢٠٠٠Hz", "is no fork"),
    ],
)
def test_what_is_no_fork_of_a_car_s_speed_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fork_of(text, 24.125)


def test_forks_by_frequency_stamp_and_band() -> None:
    assert fork_of("2235Hz", 24.125).kmh == pytest.approx(50.0, abs=0.02)
    assert fork_of("31,07 MPH", 24.125).kmh == pytest.approx(50.0, abs=0.01)
    assert fork_of("35mph", 24.125, 10.525).kmh == pytest.approx(35 * 1.609344 * 10.525 / 24.125)


def test_the_steps_of_a_radar_are_seen_in_its_readings() -> None:
    assert step_of([50.0, 51.0, 12.0]) == 1.0
    assert step_of([round(one * 1.609344, 3) for one in (31, 32, 40)]) == 1.609344
    assert step_of([50.0, 50.3]) == 0.1
    assert step_of([]) == 0.1


# --------------------------------------------------------------------------- traffic


def _collect(driver: str, cars: int, wanted: int, short: int = 0) -> tuple[Passages, list[str], bool]:
    """The first `short` of the cars turn off early."""
    said: list[str] = []

    async def main() -> tuple[Passages, bool]:
        stop = asyncio.Event()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        passages = Passages(driver, TrackingParams(), wanted, stop, said.append)
        t_s = 0.0
        for number in range(cars):
            along_m = 90.0
            while along_m > (80.0 if number < short else 8.0):
                radial = 50.0 * along_m / (along_m**2 + 36.0) ** 0.5
                passages.events(t_s, [Reading(t_s, round(radial, 1), Direction.APPROACHING, 50.0)])
                passages.events(t_s, [Reading(t_s, 70.0, Direction.RECEDING, 20.0, rank=1)])  # one by one
                t_s += 0.05
                along_m -= 50.0 / 3.6 * 0.05
            t_s += 6.0
            passages.events(t_s, [])
            await asyncio.sleep(0)  # a look at the cars begins when it is due,
            await asyncio.to_thread(int)  # and has ended: there is one thread
            await asyncio.sleep(0)
            if stop.is_set():
                break
        await passages.end()
        return passages, stop.is_set()

    passages, stopped = run(main())
    return passages, said, stopped


def test_cars_are_counted_and_it_stops_when_there_are_enough() -> None:
    passages, said, stopped = _collect("ops243", 35, wanted=35)
    assert stopped
    assert len(passages.heard.approaches) == 35
    assert "   1 of 35 cars" in said
    assert any(line.startswith("  30 of 35 cars: ") and " deg, " in line for line in said)
    assert max(map(len, said)) <= 40
    judgement = passages.heard.judged()
    assert judgement.usable_deg is not None


def test_cars_that_cannot_be_used_are_made_up_for() -> None:
    """Of 30, five are of no use: 35 come before an angle is told, and it waits for them."""
    passages, said, stopped = _collect("ops243", 36, wanted=30, short=5)
    assert stopped
    assert "  30 of 30 cars: not yet" in said
    assert passages.heard.judged().usable_deg is not None


def test_it_does_not_wait_for_ever_for_cars_that_can_be_used() -> None:
    passages, _, stopped = _collect("ops243", 60, wanted=30, short=60)
    assert stopped
    assert len(passages.heard.approaches) == 60
    assert passages.heard.judged().usable_deg is None


def test_fewer_cars_do_not_stop_it() -> None:
    passages, _, stopped = _collect("ops243", 3, wanted=30)
    assert not stopped
    assert passages.heard.judged().usable_deg is None


def test_a_radar_that_says_that_it_corrects_ends_it_at_once() -> None:
    stop = asyncio.Event()
    passages = Passages("ops243", TrackingParams(), 200, stop, lambda _text: None)
    passages.introduced({"InboundSensorAngleDegrees": "0.0", "OutboundSensorAngleDegrees": "0.0"})
    assert not stop.is_set()
    passages.events(0.0, [Reply(0.0, {"InboundSensorAngleDegrees": "15.0"})])
    assert stop.is_set()
    assert passages.refusal is not None
    assert "corrects for 15 degrees (approaching) itself" in passages.refusal


def test_a_radar_without_directions_is_told_from_one_without_cars() -> None:
    passages, _, _ = _collect("ops243", 1, wanted=30)
    heard = passages.heard
    heard.undirected = heard.readings
    assert "tells no direction" in str(heard.judged().found)


# --------------------------------------------------------------------------- brightness


def test_brighter_dimmer_good() -> None:
    eye = ByEye(8, 3)
    assert eye.typed("+") is None
    assert eye.typed("++") is None
    assert eye.step == 6
    assert eye.typed("+++") is None
    assert eye.step == 7
    assert eye.typed("brighter") == "it is at its brightest already"
    assert eye.typed("what?") is not None
    assert eye.typed("+-") is not None
    assert eye.typed(" Dimmer ") is None
    assert eye.words == "step 7 of 8 [+ brighter, - dimmer, y good, q quit]"
    assert eye.typed("Y") is None
    assert (eye.good, eye.ended, eye.seen) == (True, True, [3, 4, 6, 7, 6])
    assert eye.level == 6 / 7


SIGN = '[sign]\nid = "abc"\nlimit_kmh = 50\n{}[radar]\ndriver = "ops243"\nport = "x"\n'
PANEL = '[display]\ndriver = "dm56a04"\nport = "y"\n'
RIGA = "latitude = 56.95\nlongitude = 24.1\n"
NOON = datetime(2026, 6, 21, 10, 30, tzinfo=UTC)


def test_the_light_is_told_by_the_option_the_sun_or_nobody() -> None:
    here = parse_config(SIGN.format(RIGA) + PANEL, "here")
    light = light_known(here, None, NOON)
    assert light is not None
    assert light.by == "sun"
    assert light.lux == pytest.approx(112_000, rel=0.05)
    told = light_known(here, 12.0, NOON)
    assert told is not None
    assert (told.lux, told.by) == (12.0, "option")
    with pytest.raises(UsageError, match=r"clock is not to be believed.*--lux"):
        light_known(here, None, None)
    fixed = light_known(parse_config(SIGN.format("") + PANEL, "nowhere"), None, None)
    assert fixed is not None
    assert fixed.lux is None
    sensor = parse_config(SIGN.format("") + PANEL + "[brightness.sensor]\nunit = 12\naddress = 0\n", "sensor")
    assert light_known(sensor, None, None) is None
    by_sensor_no_place = replace(here, sign=replace(here.sign, latitude=None))
    with pytest.raises(UsageError, match="--lux"):
        light_known(replace(by_sensor_no_place, brightness=replace(here.brightness, by="sun")), None, NOON)
