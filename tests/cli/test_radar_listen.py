"""Whom a person's tool believes of a radar's unit, in virtual time: the radar before the person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.line import MemoryLine
from simulator.radars.ops243 import Ops243Twin
from simulator.virtual_time import VirtualClock, VirtualLoop, run_virtual
from speedsign.cli import radar_line
from speedsign.cli.radar_line import Chosen
from speedsign.cli.radar_listen import listen
from speedsign.config.schema import RadarConfig, TrackingConfig
from speedsign.model import RadarEvent, Reading, Rejected, Unit, Vehicle
from speedsign.registry import load_radar
from speedsign.replay import Replay

LINE = b'{"speed":"12.5"}\r\n'  # of what unit it does not say


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.readings_kmh: list[float] = []
        self.rejected: list[str] = []

    def chunk(self, t_s: float, data: bytes, events: Sequence[RadarEvent]) -> None:
        self.readings_kmh += [event.speed_kmh for event in events if isinstance(event, Reading)]
        self.rejected += [event.reason for event in events if isinstance(event, Rejected)]

    def vehicles(self, found: Sequence[Vehicle]) -> None: ...

    def introduced(self, said: dict[str, str]) -> None: ...


def heard_of(
    monkeypatch: pytest.MonkeyPatch,
    unit: Unit | None,
    *,
    set_to: bytes = b"",
    mute: bool = False,
    may_ask: bool = True,
    looks: bool = True,
) -> Heard:
    """An OPS243 that reports as soon as the line is open, again and again; it is set to m/s at first."""
    heard = Heard()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        line, twin = MemoryLine("radar"), Ops243Twin()
        twin.on_bytes(set_to)

        def answer(data: bytes) -> None:
            loop.call_later(0.05, line.write, twin.on_bytes(data))

        async def report() -> None:
            while True:
                await asyncio.sleep(0.01)
                line.write(LINE)

        if not mute:
            line.on_data = answer
        monkeypatch.setattr(radar_line, "radar_line", lambda *_of: line.port)
        monkeypatch.setattr(VirtualLoop, "add_signal_handler", lambda *_of: None)
        radar = RadarConfig(driver="ops243", port="radar", unit=unit or Unit.KMH)
        choice = Chosen(load_radar("ops243", None), radar, TrackingConfig(), unit)
        clock = VirtualClock(loop, datetime(2026, 5, 4, tzinfo=UTC))
        reporting = asyncio.create_task(report())
        try:
            await listen(choice, heard, clock, 1.0, may_ask=may_ask, result=Replay(), looks=looks)
        finally:
            reporting.cancel()

    run_virtual(main())
    return heard


def test_no_reading_is_believed_before_a_radar_that_is_set_otherwise_has_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = heard_of(monkeypatch, Unit.KMH)
    assert heard.readings_kmh == []
    assert heard.rejected[0].startswith("unit not confirmed")
    assert heard.rejected[-1].startswith("unit differs")


def test_one_that_says_what_the_person_said_is_believed_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = heard_of(monkeypatch, Unit.KMH, set_to=b"UK")
    assert set(heard.readings_kmh) == {12.5}
    assert {reason.split(":")[0] for reason in heard.rejected} == {"unit not confirmed"}


def test_of_one_that_says_nothing_the_persons_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = heard_of(monkeypatch, Unit.KMH, mute=True)
    assert heard.rejected
    assert set(heard.readings_kmh) == {12.5}


@pytest.mark.parametrize(
    "how", [{"may_ask": False}, {"looks": False, "mute": True}], ids=["not asked", "a capture"]
)
def test_where_nobody_asks_and_in_a_capture_it_counts_at_once(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    assert heard_of(monkeypatch, Unit.KMH, **how).rejected == []


def test_without_a_persons_word_each_line_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = heard_of(monkeypatch, None)
    assert heard.rejected == []
    assert set(heard.readings_kmh) == {12.5, 45.0}, "km/h at first, then what the radar says that it is"
