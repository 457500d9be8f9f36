"""A running sign's health message: from its real parts, without ever waiting for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from speedsign.daemon import Daemon
from speedsign.machine import Machine
from speedsign.model import BLANK, ClockQuality, Face, Fault
from speedsign.sign_health import SignHealth
from telemetry.calibration import Standing, State, keep
from telemetry.clock_past import ClockPast
from telemetry.health import LastDay
from tests.telemetry.calibrations import record


class Clock:
    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def now_utc(self) -> datetime:
        return datetime(2026, 5, 4, 7, 0, tzinfo=UTC)

    def trusted(self) -> bool:
        return False

    def boot_id(self) -> str:
        return "b007" * 8


class Recorder:
    """Keeps what it is asked, and does it when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[Callable[[Any], object], Any]] = []

    def submit(self, what: str, call: Callable[[Any], object], on_done: Any = None) -> None:
        self.asked.append((call, on_done))

    def health(self) -> Mapping[str, int]:
        return {"waiting": 2, "done": 40}


class Part:
    """A radar, a panel or a publisher."""

    def __init__(self, **counters: int) -> None:
        self.counters = counters
        self.face: Face | None = BLANK
        self.wrong: list[Fault] = []

    def health(self) -> Mapping[str, int]:
        return self.counters

    def faults(self) -> list[Fault]:
        return self.wrong

    def lit(self) -> Face | None:
        return self.face


def made(tmp_path: Path, **parts: Part) -> tuple[SignHealth, Clock, Recorder, SimpleNamespace]:
    clock, recorder = Clock(), Recorder()
    health = SignHealth(tmp_path / "sign.db", clock, recorder, Machine(tmp_path))
    daemon = SimpleNamespace(
        parts=SimpleNamespace(
            **{"radar": Part(), "display": None, "telemetry": None, "remote": None} | parts
        ),
        clock_quality=lambda: ClockQuality.UNKNOWN,
        rules=SimpleNamespace(dark=False),
        faults=lambda: [Fault("radar", "silent", "radar /dev/ttyUSB0: nothing for 9 s")],
    )
    return health, clock, recorder, daemon


def test_before_there_is_a_daemon(tmp_path: Path) -> None:
    health, clock, _, _ = made(tmp_path)
    clock.now_s += 5
    assert health()["up_s"] == 5


def test_what_its_parts_say(tmp_path: Path) -> None:
    radar, panel, mqtt = Part(frames=7200, bad=1), Part(retries=3), Part(queue_agg=4)
    health, clock, _, daemon = made(tmp_path, radar=radar, display=panel, telemetry=mqtt)
    health.watch(cast("Daemon", daemon))
    clock.now_s += 1800
    told = health()
    assert told["radar"] == {"frames_h": 14400, "bad": 1}
    assert told["panel"] == {"mode": "on", "retries": 3}
    assert told["store"] == {"waiting": 2}
    assert told["queue"] == {"agg": 4}
    assert (told["clk"], told["faults"]) == ("unknown", ["radar/silent"])
    daemon.clock_quality = lambda: ClockQuality.OK
    assert health()["clk"] == "ok"


def test_reports_an_hour_are_of_the_time_since_the_last_message(tmp_path: Path) -> None:
    radar = Part(frames=7200)
    health, clock, _, daemon = made(tmp_path, radar=radar)
    health.watch(cast("Daemon", daemon))
    clock.now_s += 3600
    health()
    clock.now_s += 3600
    radar.counters["frames"] += 10
    assert cast("dict[str, object]", health()["radar"])["frames_h"] == 10


def test_a_panel_s_mode(tmp_path: Path) -> None:
    panel = Part()
    health, _, _, daemon = made(tmp_path, display=panel)
    health.watch(cast("Daemon", daemon))

    def mode() -> object:
        return cast("dict[str, object]", health()["panel"])["mode"]

    assert mode() == "on"
    daemon.rules.dark = True
    assert mode() == "dark"
    panel.wrong = [Fault("display", "no_reply", "…")]
    assert mode() == "unknown"
    panel.wrong, panel.face = [], None
    assert mode() == "unknown"


def test_the_last_day_is_asked_of_the_store_and_told_with_the_next_message(tmp_path: Path) -> None:
    health, _, recorder, daemon = made(tmp_path)
    health.watch(cast("Daemon", daemon))
    assert not recorder.asked  # a sign that tells nobody need not look
    health, _, recorder, daemon = made(tmp_path, telemetry=Part())
    health.watch(cast("Daemon", daemon))
    call, on_done = recorder.asked[0]
    day, calibration, past = cast("tuple[Any, Standing, Any]", call(object()))  # there is no file yet
    assert (day, calibration.state, past) == (None, State.NONE, None)
    on_done((day, calibration, past))
    assert not {"day", "clock"} & health().keys()
    assert health()["calibration"] == {"state": "none"}
    recorder.asked[-1][1]((LastDay(1_777_878_000, 12, 1.0), calibration, ClockPast(1_777_870_000, 2, 31)))
    assert health()["day"] == {"until": 1_777_878_000, "vehicles": 12, "coverage": 1.0}
    assert health()["clock"] == {"boots": 2, "vehicles": 31, "known": 1_777_870_000}
    recorder.asked[-1][1]((None, calibration, ClockPast(1_777_870_000)))  # could not be read this time
    assert "day" in health()
    assert "clock" not in health(), "everything has its time"


def test_what_is_overdue_is_told_only_where_the_clock_is_to_be_believed(tmp_path: Path) -> None:
    keep(tmp_path / "sign.db", record(at=datetime(2025, 4, 1, tzinfo=UTC)))
    health, _, recorder, daemon = made(tmp_path, telemetry=Part())
    health.watch(cast("Daemon", daemon))

    def told() -> object:
        health()
        call, on_done = recorder.asked[-1]
        on_done(call(object()))
        return health()["calibration"]

    known = {"at": 1_743_465_600, "due": "2026-04-01"}
    assert told() == {"state": "undated", **known}
    daemon.clock_quality = lambda: ClockQuality.OK
    assert told() == {"state": "overdue", **known}


def test_commands_that_came_are_counted(tmp_path: Path) -> None:
    desk = Part(taken=3, refused_replay=2, refused_signature=40, ignored=5)
    health, _, _, daemon = made(tmp_path, remote=desk)
    health.watch(cast(Daemon, daemon))
    assert health()["commands"] == {"taken": 3, "ignored": 5, "refused": 42}
    desk.counters = {"taken": 0, "ignored": 0}
    assert "commands" not in health(), "nothing came"
