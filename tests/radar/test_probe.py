"""Finding the radar on a port, in virtual time: listen, then ask; wrong baud rates, echoes, lost ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from drivers.radar.detect import candidates
from drivers.radar.probe import Finding, How, Probe
from simulator.line import MemoryLine
from simulator.uart import garbled
from simulator.virtual_time import VirtualClock, run_virtual
from simulator.world import World, make_demo
from speedsign.errors import PortError
from speedsign.ports import LineSettings

ALL = candidates()
PORT = "/dev/ttyUSB0"


class WiredPort:
    """A port set to one baud rate on a line whose other end is set to another."""

    def __init__(self, bench: Bench, line: LineSettings) -> None:
        self.name = PORT
        self._bench, self._line = bench, line

    async def open(self, on_data: Callable[[bytes], None], on_lost: Callable[[Exception], None]) -> None:
        if self._line.baud in self._bench.refused:
            raise PortError(PORT, "this adapter cannot do that")

        def through(data: bytes) -> None:
            on_data(self._read(data, self._bench.line_settings.baud, self._line.baud))

        await self._bench.line.port.open(through, on_lost)

    def _read(self, data: bytes, sent: int, read: int) -> bytes:
        return data if sent == read else garbled(data, sent, read)

    def write(self, data: bytes) -> None:
        self._bench.sent.append((asyncio.get_running_loop().time(), self._line, data))
        if self._bench.echoes:
            self._bench.line.write(data)
        self._bench.line.port.write(self._read(data, self._line.baud, self._bench.line_settings.baud))

    def close(self) -> None:
        self._bench.line.port.close()


class Bench:
    """A radar on a line."""

    def __init__(self, line: LineSettings) -> None:
        self.line = MemoryLine(PORT)
        self.line_settings = line
        self.sent: list[tuple[float, LineSettings, bytes]] = []
        self.echoes = False
        self.refused: set[int] = set()

    async def find(self, *, listen_s: float = 4.0, may_ask: bool = True) -> Finding:
        clock = VirtualClock(asyncio.get_running_loop(), datetime(2026, 5, 4, tzinfo=UTC))
        probe = Probe(
            lambda _name, line: WiredPort(self, line), clock, ALL, listen_s=listen_s, may_ask=may_ask
        )
        return await probe.look_at(PORT)


def found(
    radar: str,
    baud: int,
    *,
    profile: str | None = None,
    traffic: bool = True,
    parity: str = "N",
    prepare: Callable[[Bench, World], None] = lambda _bench, _world: None,
    **options: object,
) -> tuple[Finding, Bench]:
    """What is found on a line with this simulated radar."""

    async def main() -> tuple[Finding, Bench]:
        bench = Bench(LineSettings(baud, parity=parity))
        world = make_demo(bench.line, radar=radar, profile=profile, seed=2)
        if not traffic:
            world.road.process = _nobody_comes  # type: ignore[method-assign]
        prepare(bench, world)
        driving = asyncio.create_task(world.run())
        try:
            return await bench.find(**options), bench  # type: ignore[arg-type]  # passed on
        finally:
            driving.cancel()
            await asyncio.wait([driving])

    return run_virtual(main())


def _nobody_comes(dt_s: float) -> None:
    """An empty road."""


def named(finding: Finding) -> tuple[str, int] | None:
    if finding.hearing is None or finding.line is None:
        return None
    return finding.hearing.candidate.name, finding.line.baud


# --------------------------------------------------------------------------- silent ones are asked


@pytest.mark.parametrize("baud", [9_600, 19_200, 57_600, 115_200, 230_400])
def test_a_silent_ops243_answers_at_whatever_baud_rate_it_is_set_to(baud: int) -> None:
    finding, bench = found("ops243", baud, traffic=False)
    assert named(finding) == ("ops243", baud)
    assert finding.how is How.ANSWERED
    assert finding.certain
    assert b"Version" in finding.sample
    assert {data for _, line, data in bench.sent if line.baud == baud and data == b"?V"}


def test_a_silent_ld2415h_answers() -> None:
    finding, _ = found("ld2415h", 9_600, traffic=False)
    assert (named(finding), finding.how, finding.certain) == (("ld2415h", 9_600), How.ANSWERED, True)
    assert finding.sample.startswith(b"No.:")


@pytest.mark.parametrize(
    ("radar", "baud", "parity"), [("kld7", 115_200, "E"), ("kld2", 38_400, "N"), ("isys4001", 115_200, "N")]
)
def test_one_that_only_speaks_when_asked(radar: str, baud: int, parity: str) -> None:
    finding, _ = found(radar, baud, parity=parity)
    assert (named(finding), finding.how) == ((radar, baud), How.ANSWERED)
    assert finding.certain


# --------------------------------------------------------------------------- others are heard


@pytest.mark.parametrize(
    ("radar", "profile", "baud"),
    [
        ("mph", "standard", 1_200),
        ("ld2451", None, 115_200),
        ("ascii", "houston", 9_600),
        ("ascii", "icoms", 9_600),
    ],
)
def test_one_that_streams_is_heard_and_never_asked(radar: str, profile: str | None, baud: int) -> None:
    finding, bench = found(radar, baud, profile=profile, listen_s=20.0)
    assert (named(finding), finding.how, finding.certain) == ((radar, baud), How.HEARD, True)
    assert bench.sent == []


@pytest.mark.parametrize("baud", [9_600, 115_200, 57_600, 1_200])
def test_its_baud_rate_is_found_where_it_was_changed(baud: int) -> None:
    finding, _ = found("ascii", baud, profile="houston")
    assert named(finding) == ("ascii", baud)


def test_plain_numbers_are_settled_by_a_question() -> None:
    """They could be of two radars; only one of them answers to ?V."""

    def one_decimal(_bench: Bench, world: World) -> None:
        world.radar_end.twin.on_bytes(b"UKF1")

    finding, bench = found("ops243", 19_200, listen_s=30.0, prepare=one_decimal)
    assert (named(finding), finding.how, finding.certain) == (("ops243", 19_200), How.ANSWERED, True)
    assert {data for _, _, data in bench.sent} == {b"?V"}


def test_plain_numbers_stay_open_where_nothing_may_be_asked() -> None:
    finding, bench = found("ascii", 9_600, profile="si3", listen_s=30.0, may_ask=False)
    assert finding.hearing is not None
    assert {finding.hearing.candidate.name, *(one.name for one in finding.rivals)} == {"ascii", "ops243"}
    assert not finding.certain
    assert bench.sent == []


def test_who_could_have_answered_and_did_not_is_the_worse_explanation() -> None:
    finding, bench = found("ascii", 9_600, profile="si3", listen_s=30.0)
    assert named(finding) == ("ascii", 9_600)
    assert {one.name for one in finding.other_drivers} == {"ops243"}
    assert not finding.certain, "the wire that carries the question may be broken"
    assert {data for _, _, data in bench.sent} == {b"?V"}


# --------------------------------------------------------------------------- what must not happen


def test_nothing_is_sent_before_it_has_been_listened_to() -> None:
    async def main() -> None:
        bench = Bench(LineSettings(9_600))
        began_s = asyncio.get_running_loop().time()
        finding = await bench.find(listen_s=3.0)
        assert named(finding) is None
        assert bench.sent[0][0] - began_s >= 3.0
        assert finding.asked >= 8
        assert finding.seconds < 60.0, "a technician waits for it"

    run_virtual(main())


def test_listening_only_sends_nothing() -> None:
    finding, bench = found("ops243", 19_200, traffic=False, may_ask=False)
    assert named(finding) is None
    assert bench.sent == []


def test_an_adapter_that_echoes_is_no_radar() -> None:
    async def main() -> None:
        bench = Bench(LineSettings(9_600))
        bench.echoes = True
        finding = await bench.find()
        assert named(finding) is None
        assert finding.echo

    run_virtual(main())


def test_a_radar_behind_an_adapter_that_echoes() -> None:
    def echo(bench: Bench, _world: World) -> None:
        bench.echoes = True

    finding, _ = found("ld2415h", 9_600, traffic=False, prepare=echo)
    assert named(finding) == ("ld2415h", 9_600)
    assert finding.echo


def test_a_port_that_is_not_there() -> None:
    async def main() -> None:
        bench = Bench(LineSettings(9_600))
        bench.line.plugged = False
        finding = await bench.find()
        assert finding.error is not None
        assert "check the cable" in str(finding.error)

    run_virtual(main())


def test_a_port_that_goes_away_meanwhile() -> None:
    def pull(bench: Bench, _world: World) -> None:
        asyncio.get_running_loop().call_later(2.0, bench.line.unplug)

    finding, _ = found("ops243", 19_200, traffic=False, prepare=pull)
    assert finding.error is not None


def test_an_adapter_need_not_know_every_baud_rate() -> None:
    def refuse(bench: Bench, _world: World) -> None:
        bench.refused = {38_400, 256_000, 230_400}

    finding, _ = found("ops243", 57_600, traffic=False, prepare=refuse)
    assert named(finding) == ("ops243", 57_600)
