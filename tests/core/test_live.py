"""What a running sign tells those who look at it: the lines, who is told, and that nobody costs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.virtual_time import run_virtual
from speedsign.live import why
from speedsign.live.shapes import Line, decode, encode, event_of, line_of, passed, vehicle_of
from speedsign.live.teller import LiveTeller
from speedsign.model import (
    Direction,
    Idle,
    RadarEvent,
    Reading,
    Rejected,
    Reply,
    Restarted,
    Vehicle,
    VehicleRecord,
)
from speedsign.rules import LIT
from telemetry.query import read_vehicles
from tests.core.street import START, Street
from tests.docs import pages

speeds = st.floats(0.0, 400.0).map(lambda value: round(value, 3))
maybe = st.none() | speeds
times = st.floats(0.0, 1e7).map(lambda value: round(value, 4))
readings = st.builds(Reading, times, speeds, st.sampled_from(Direction), maybe, maybe, st.integers(0, 9))
events = st.one_of(
    readings,
    st.builds(Rejected, times, st.text()),
    st.builds(Reply, times, st.dictionaries(st.text(), st.text(), max_size=4)),
    st.builds(Restarted, times, st.text()),
)
vehicles = st.builds(
    Vehicle, st.integers(1), st.sampled_from(Direction), times, times, speeds, speeds, speeds, speeds,
    st.integers(1, 9999), maybe, maybe, st.lists(st.text()).map(tuple), maybe, maybe,
)  # fmt: skip


# --------------------------------------------------------------------------- lines


@given(events)
def test_what_the_radar_said_arrives_as_it_was(event: RadarEvent) -> None:
    line = line_of(event)
    assert line is not None
    data = encode(line)
    assert data.count(b"\n") == 1
    back = decode(data)
    assert back is not None
    assert event_of(back) == event
    assert vehicle_of(back) is None


@given(vehicles)
def test_a_vehicle_arrives_as_it_was(vehicle: Vehicle) -> None:
    back = decode(encode(passed(vehicle, 12.0, "shown", "over")))
    assert back is not None
    assert vehicle_of(back) == vehicle
    assert event_of(back) is None


def test_nothing_is_told_of_an_idle_radar() -> None:
    assert line_of(Idle(1.0)) is None


@given(st.binary(), st.dictionaries(st.sampled_from(["t_s", "reason", "values", "rank", "id"]), st.text()))
def test_what_is_no_line_is_nothing(data: bytes, extra: dict[str, str]) -> None:
    line = decode(data)
    assert line is None or isinstance(line["event"], str)
    for event in ("reading", "rejected", "reply", "restarted", "vehicle", "news"):
        broken: Line = {"event": event, **extra}
        assert vehicle_of(broken) is None
        if "t_s" not in extra:
            assert event_of(broken) is None


# --------------------------------------------------------------------------- the daemon


class Notebook:
    """A `Live` that writes down what it is told."""

    def __init__(self, *, listening: bool) -> None:
        self.listening = listening
        self.calls: list[str] = []
        self.street: Street | None = None
        self.behind: list[float] = []

    def heard(self, events: Sequence[RadarEvent]) -> None:
        self.calls.append("heard")
        last = next((one for one in reversed(events) if isinstance(one, Reading)), None)
        assert self.street is not None
        target = self.street.daemon.shown
        if last is not None and target.track_id is not None and not target.face.is_blank:
            self.behind.append(last.t_mono_s - target.seen_mono_s)

    def passed(self, _record: VehicleRecord) -> None:
        self.calls.append("passed")

    def tick(self) -> None:
        self.calls.append("tick")

    async def run(self) -> None:
        """Never run here."""


def street_with(folder: Path, live: Any, seconds: float = 300.0) -> Street:
    async def main() -> Street:
        street = Street(folder)
        street.daemon.parts = replace(street.daemon.parts, live=live)
        if isinstance(live, Notebook):
            live.street = street
        else:
            live.watch(street.daemon)
            live._greeting()  # somebody comes
        await street.run(seconds)
        return street

    folder.mkdir(exist_ok=True)
    return run_virtual(main())


def test_nothing_is_made_for_nobody(tmp_path: Path) -> None:
    nobody = Notebook(listening=False)
    street_with(tmp_path, nobody)
    assert nobody.calls == []


def test_who_listens_is_told_after_the_panel_was(tmp_path: Path) -> None:
    somebody = Notebook(listening=True)
    street = street_with(tmp_path, somebody)
    assert somebody.calls.count("passed") == street.daemon.vehicles > 5
    assert somebody.calls.count("tick") == pytest.approx(300, abs=2)
    assert somebody.calls.count("heard") > 500
    assert somebody.behind.count(0.0) > 50, "what is shown had been decided by the reading that is told"


class Collected:
    """Instead of the server: always somebody there."""

    listening = True

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def tell(self, lines: Iterable[Line]) -> None:
        for line in lines:
            back = decode(encode(line))
            assert back is not None
            self.lines.append(back)


def told(folder: Path) -> tuple[list[Line], Street]:
    teller = LiveTeller(folder / "live.sock", {"sign": "test"}, dict)
    collected = Collected()
    teller._server = collected  # type: ignore[assignment]
    return collected.lines, street_with(folder, teller)


def test_to_be_looked_at_changes_nothing(tmp_path: Path) -> None:
    _, watched = told(tmp_path / "watched")
    alone = street_with(tmp_path / "alone", Notebook(listening=False))

    def kept(street: Street) -> list[VehicleRecord]:
        return [record for _, record in read_vehicles(street.path, START, START.replace(year=2027))]

    assert kept(watched) == kept(alone)
    assert watched.lit == alone.lit


# The contract of docs/integrator.md: a key may be added, none may go.
KEYS = {
    "reading": {"event", "t_s", "direction", "speed_kmh", "strength", "range_m", "rank"},
    "vehicle": {
        "event", "t_s", "id", "direction", "t_first_s", "t_last_s", "speed_kmh", "entry_kmh", "exit_kmh",
        "max_kmh", "readings", "strength", "length_m", "flags", "radial_kmh", "along_kmh", "display", "zone",
    },
    "tracks": {"event", "t_s", "tracks"},
    "shown": {"event", "t_s", "face", "lit", "id", "zone", "why", "text"},
    "state": {
        "event", "t_s", "utc", "clock", "faults", "panel", "limit_kmh", "radar", "tracker", "noise_kmh",
        "noise_level", "measured_s", "running_s", "vehicles",
    },
    "reply": {"event", "t_s", "values"},
}  # fmt: skip
TRACK_KEYS = {
    "id", "direction", "speed_kmh", "readings", "confirmed", "shown", "age_s", "unseen_s", "strength",
    "range_m", "flags",
}  # fmt: skip
FACE_KEYS = {"number", "word", "blink", "beacon"}


def test_every_kind_of_line_has_its_keys(tmp_path: Path) -> None:
    lines, street = told(tmp_path / "sign")
    for event, keys in KEYS.items():
        of_kind = [line for line in lines if line["event"] == event]
        assert of_kind, f"no {event}"
        assert {frozenset(line) for line in of_kind} == {frozenset(keys)}
    tracks = [track for line in lines if line["event"] == "tracks" for track in line["tracks"]]
    assert {frozenset(track) for track in tracks} == {frozenset(TRACK_KEYS)}
    shown = [line for line in lines if line["event"] == "shown"]
    assert {frozenset(line["face"]) for line in shown} == {frozenset(FACE_KEYS)}
    assert {line["why"] for line in shown} >= {"nobody", "not_confirmed", "other_way", "within", "over"}
    numbers = [line["lit"]["number"] for line in shown if line["lit"] and line["lit"]["number"] is not None]
    assert {f"{number:04d}"[-2:] for number in numbers} >= {
        text[-2:] for _, text in street.lit if text.strip("0")
    }
    assert sum(line["event"] == "vehicle" for line in lines) == street.daemon.vehicles
    times = [line["t_s"] for line in lines if line["event"] != "vehicle"]
    assert max(before - after for before, after in pairwise(times)) < 0.05, "in order"


def test_a_greeting_says_who_speaks(tmp_path: Path) -> None:
    async def main() -> list[Line]:
        street = Street(tmp_path)
        teller = LiveTeller(tmp_path / "live.sock", {"sign": "a", "radar": "b"}, lambda: {"Units": "km/h"})
        assert teller._greeting() == [], "no daemon yet"
        teller.watch(street.daemon)
        found = teller._greeting()
        street.store.close()
        assert teller._looking is not None
        teller._looking.cancel()
        return found

    hello, *rest = run_virtual(main())
    assert hello["event"] == "hello"
    assert (hello["live"], hello["sign"], hello["radar"]) == (1, "a", "b")
    assert (hello["says"], hello["mounting_angle_deg"]) == ({"Units": "km/h"}, 0.0)
    assert [line["event"] for line in rest] == ["state", "tracks", "shown"]
    assert rest[2]["why"] == "panel_unknown"


def test_the_contract_is_on_its_page() -> None:
    part = pages.section(pages.text("docs/integrator.md"), "## The live socket")
    for keys in (*KEYS.values(), TRACK_KEYS, FACE_KEYS):
        for key in keys - {"event"}:
            assert f"`{key}`" in part, key
    source = Path(why.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'Why\(\s*"(\w+)"', source)) | {zone.value for zone in LIT}
    assert len(codes) > 12
    for code in codes:
        assert f"`{code}`" in part, code
