"""Makes the simulated captures of the golden cases, with what really drove past in their headers.

    .venv/bin/python -m tests.cli.record

The same seeds give the same files; run it only when a case is added or the simulator is meant to change.
Then read what `rebuild_golden` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.line import ignore
from simulator.radar_end import RadarFault
from simulator.world import make_demo
from speedsign.capture import CaptureHeader, CaptureWriter
from speedsign.registry import load_radar

GOLDEN = Path(__file__).parent / "golden"
STEP_S = 0.05
GLUED_S = 0.15
NOW_S = 1e-6
Chunk = tuple[float, bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """One recording: which radar, how it is set, what goes wrong, how the chunks are cut."""

    name: str
    radar: str = "ops243"
    profile: str | None = None
    commands: bytes = b""
    unit: str | None = None
    seed: int = 1
    seconds: float = 22.0
    faults: frozenset[RadarFault] = frozenset()
    cut: Callable[[list[Chunk]], list[Chunk]] = list


class RecordingLine:
    """A line whose other end is a notebook."""

    def __init__(self) -> None:
        self.on_data: Callable[[bytes], None] = ignore
        self.plugged = True
        self.chunks: list[Chunk] = []
        self.t_s = 0.0

    def write(self, data: bytes) -> None:
        self.chunks.append((round(self.t_s, 3), data))

    def plug(self) -> None:
        self.plugged = True

    def unplug(self) -> None:
        self.plugged = False


def record(case: Case) -> tuple[list[Chunk], list[tuple[str, float]]]:
    """The chunks, and (direction, km/h) of every vehicle that left the view."""
    line = RecordingLine()
    driver = load_radar(case.radar, case.profile)
    world = make_demo(line, radar=case.radar, profile=case.profile, seed=case.seed, until_s=case.seconds)
    for command in (*driver.opening, case.commands):
        line.on_data(command)
    world.radar_end.faults |= case.faults
    asked_s = 0.0
    while world.t_s < case.seconds:
        line.t_s = world.t_s + STEP_S  # what is said in a step is read at its end
        world.process(STEP_S)
        if driver.poll and line.t_s >= asked_s + driver.poll_s - NOW_S:
            asked_s = line.t_s
            line.on_data(driver.poll)
    truth = [(vehicle.direction.value, round(vehicle.mean_kmh, 1)) for vehicle in world.truth()]
    return line.chunks, truth


def write(case: Case) -> None:
    """The case's capture.jsonl."""
    chunks, truth = record(case)
    folder = GOLDEN / case.name
    folder.mkdir(parents=True, exist_ok=True)
    extra: dict[str, object] = {"notes": f"simulated, seed {case.seed}", "passed": truth}
    if case.faults:
        extra["faults"] = sorted(case.faults)
    header = CaptureHeader(
        case.radar, started="2026-05-04T07:00:00Z", unit=case.unit, profile=case.profile, extra=extra
    )
    with (folder / "capture.jsonl").open("w", encoding="utf-8") as file:
        writer = CaptureWriter(file, header, 0.0)
        for t_s, data in case.cut(chunks):
            writer.add(data, t_s)


def glued(chunks: Sequence[Chunk]) -> list[Chunk]:
    """As a busy controller reads: two or three reports at once, and the end of the last with the next."""
    out: list[Chunk] = []
    waiting, due_s = b"", 0.0
    for t_s, data in chunks:
        waiting += data
        if t_s >= due_s:
            out.append((t_s, waiting[:-3]))
            waiting, due_s = waiting[-3:], t_s + GLUED_S
    return [*out, (chunks[-1][0], waiting)]


def byte_by_byte(chunks: Sequence[Chunk]) -> list[Chunk]:
    """As a slow line delivers."""
    return [(t_s, data[at : at + 1]) for t_s, data in chunks for at in range(len(data))]


def without_line_ends(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Every third line end is lost on the way."""
    return [(t_s, data.rstrip() if n % 3 == 0 else data) for n, (t_s, data) in enumerate(chunks)]


def with_acknowledgements(chunks: Sequence[Chunk]) -> list[Chunk]:
    """As a Decatur answers somebody's commands: in the middle of a number."""
    return [
        (t_s, data[:2] + b"OK\n\r" + data[2:] if n % 9 == 0 else data) for n, (t_s, data) in enumerate(chunks)
    ]


def with_nuls(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The firmware's stray NULs, and FF where the line turns round."""
    return [(t_s, b"\xff" + data[:9] + b"\x00" + data[9:]) for t_s, data in chunks]


HOUSTON_KMH = bytes.fromhex("F3 17 00 55 4E 01 00 26 2E FC")  # UN = 1
HOUSTON_UNIT = bytes.fromhex("F3 18 00 55 4E 24 C6 FC")  # UN?
HOUSTON_LIVE = bytes.fromhex("F3 17 00 54 41 01 00 A3 74 FC")  # TA = 1: averaged over a second

KLD2_SETUP = b"$S040A\r\n$W00\r\n"  # 12800 Hz, from the restart on

# In its envelope: 100 m, both directions, from 8 km/h, no hold.
LD2451_BOTH = bytes.fromhex(
    "FD FC FB FA 04 00 FF 00 01 00 04 03 02 01"
    "FD FC FB FA 06 00 02 00 64 02 08 00 04 03 02 01"
    "FD FC FB FA 02 00 FE 00 04 03 02 01"
)
KLD7_SETUP = bytes.fromhex(
    "52 53 50 49 04 00 00 00 03 00 00 00"  # RSPI = 3: 100 km/h
    "52 52 41 49 04 00 00 00 03 00 00 00"  # RRAI = 3: 100 m
    "4D 41 52 41 04 00 00 00 64 00 00 00"  # MARA = 100 %
    "47 52 50 53 00 00 00 00"  # GRPS: what it is set to now
)

CASES = (
    Case("ops243-json-kmh", commands=b"UKOJOMOUF1", seed=1),
    Case("ops243-json-mph", commands=b"USOJOMOUF1", seed=2),
    Case("ops243-json-many-objects-glued", commands=b"UKOJOMF1", unit="km/h", seed=3, cut=glued),
    Case("ops243-plain-kmh", commands=b"UKF1", unit="km/h", seed=3),
    Case("ops243-plain-unit-in-the-line", commands=b"USOUF1", seed=4),
    Case("ops243-plain-factory-settings", commands=b"U?", seed=5),
    Case("ops243-csv-time-magnitude-mps", commands=b"OTOMUMF2", unit="m/s", seed=6),
    Case("ops243-csv-human-time-kmh", commands=b"OHOMOUUKF1", seed=7, seconds=14.0),
    Case("ops243-nuls", commands=b"UKOJOMOUF1", seed=1, cut=with_nuls),
    Case("ops243-cut-lines", commands=b"UKOJOMOUF1", seed=1, faults=frozenset({RadarFault.CUT})),
    Case("ld2415h", radar="ld2415h", seed=2),
    Case("ld2415h-glued", radar="ld2415h", seed=3, cut=glued),
    Case("ld2415h-no-line-ends", radar="ld2415h", seed=2, cut=without_line_ends),
    Case("ld2415h-cut", radar="ld2415h", seed=4, faults=frozenset({RadarFault.CUT})),
    Case("ld2415h-bad-bytes", radar="ld2415h", seed=6, faults=frozenset({RadarFault.BAD_BYTES})),
    Case("ld2415h-byte-by-byte", radar="ld2415h", seed=5, cut=byte_by_byte, seconds=12.0),
    Case("csr", radar="csr", profile="2-byte", seed=2, seconds=30.0),
    Case("csr-1-byte", radar="csr", profile="1-byte", seed=3, seconds=30.0),
    Case("csr-cut", radar="csr", profile="2-byte", seed=4, faults=frozenset({RadarFault.CUT})),
    Case("tsr20", radar="tsr20", seed=2, seconds=30.0),
    Case("tsr20-byte-by-byte", radar="tsr20", seed=5, cut=byte_by_byte),
    Case("tsr20-cut", radar="tsr20", seed=4, faults=frozenset({RadarFault.CUT})),
    Case("mph-kmh", radar="mph", profile="standard", unit="km/h", seed=2, seconds=38.0),
    Case("mph-ds4-mph", radar="mph", profile="ds4", seed=3, seconds=38.0),
    Case(
        "houston-kmh", radar="houston", commands=HOUSTON_KMH + HOUSTON_LIVE, unit="km/h", seed=2, seconds=30.0
    ),
    Case("houston-mph", radar="houston", commands=HOUSTON_LIVE + HOUSTON_UNIT, seed=3, seconds=30.0),
    Case("ascii-houston", radar="ascii", profile="houston", seed=2, seconds=32.0),
    Case("ascii-houston-unsigned", radar="ascii", commands=b"RS:35\n", seed=3, seconds=32.0),
    Case("ascii-houston-no-line-ends", radar="ascii", seed=4, seconds=32.0, cut=without_line_ends),
    Case(
        "ascii-houston-bad-bytes",
        radar="ascii",
        seed=2,
        seconds=32.0,
        faults=frozenset({RadarFault.BAD_BYTES}),
    ),
    Case("ascii-icoms", radar="ascii", profile="icoms", seed=5, seconds=32.0),
    Case("ascii-si3", radar="ascii", profile="si3", seed=6, seconds=32.0, cut=with_acknowledgements),
    Case("ascii-si3-mph", radar="ascii", profile="si3", commands=b"C,0\r", unit="mph", seed=7, seconds=32.0),
    Case("ascii-stalker", radar="ascii", profile="stalker", seed=8, seconds=32.0),
    Case("ascii-csr", radar="ascii", profile="csr", seed=2, seconds=32.0),
    Case("kld2", radar="kld2", commands=KLD2_SETUP, seed=2, seconds=32.0),
    Case("kld2-byte-by-byte", radar="kld2", commands=KLD2_SETUP, seed=3, seconds=12.0, cut=byte_by_byte),
    Case(
        "kld2-cut",
        radar="kld2",
        commands=KLD2_SETUP,
        seed=4,
        seconds=32.0,
        faults=frozenset({RadarFault.CUT}),
    ),
    Case("ld2451", radar="ld2451", commands=LD2451_BOTH, seed=2, seconds=32.0),
    Case("ld2451-glued", radar="ld2451", commands=LD2451_BOTH, seed=3, seconds=32.0, cut=glued),
    Case(
        "ld2451-bad-bytes",
        radar="ld2451",
        commands=LD2451_BOTH,
        seed=4,
        seconds=32.0,
        faults=frozenset({RadarFault.BAD_BYTES}),
    ),
    Case("kld7", radar="kld7", commands=KLD7_SETUP, seed=2, seconds=36.0),
    Case(
        "kld7-cut",
        radar="kld7",
        commands=KLD7_SETUP,
        seed=4,
        seconds=32.0,
        faults=frozenset({RadarFault.CUT}),
    ),
    Case("isys4001", radar="isys4001", seed=2, seconds=32.0),
    Case("isys4001-byte-by-byte", radar="isys4001", seed=3, seconds=16.0, cut=byte_by_byte),
    Case("isys4001-cut", radar="isys4001", seed=4, seconds=32.0, faults=frozenset({RadarFault.CUT})),
    Case("ascii-csr-byte-by-byte", radar="ascii", profile="csr", seed=3, seconds=12.0, cut=byte_by_byte),
)

# Not golden: a radar that reports neighbouring lines of one vehicle's spectrum as targets of their own.
THREE_TARGETS = Case("ops243-three-targets", commands=b"USOJOMOUF1O3", seed=2)


if __name__ == "__main__":
    for one in CASES:
        write(one)
