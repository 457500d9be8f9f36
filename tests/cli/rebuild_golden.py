"""Renews the golden vehicles after a change that is meant to change them, and shows the difference.

    .venv/bin/python -m tests.cli.rebuild_golden [CASE ...]

Read the difference before it is committed: each line is a vehicle that is counted, or timed, otherwise than
before. A case is a folder in `golden/` with a capture.jsonl; the vehicles.csv beside it is what
`speedsign replay --csv` has to print, byte for byte.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from speedsign.capture import CaptureReader, open_capture
from speedsign.cli.replay import to_csv
from speedsign.replay import Replay, decoder_for, replay
from speedsign.tracking import TrackingParams

GOLDEN = Path(__file__).parent / "golden"


def cases() -> list[Path]:
    """Every folder of a golden case."""
    return sorted(path.parent for path in GOLDEN.glob("*/capture.jsonl"))


def vehicles_csv(capture: Path) -> str:
    """What the replay of a capture has to print, without the command around it."""
    with open_capture(capture) as lines:
        reader = CaptureReader(lines, str(capture))
        params = TrackingParams(mounting_angle_deg=reader.header.mounting_angle_deg)
        return to_csv(replay(reader, decoder_for(reader.header), params, Replay()))


def rebuild(folder: Path) -> str:
    """Write the case's golden; the difference to the one before."""
    golden = folder / "vehicles.csv"
    before = golden.read_text(encoding="utf-8") if golden.exists() else ""
    after = vehicles_csv(folder / "capture.jsonl")
    golden.write_text(after, encoding="utf-8")
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), folder.name, folder.name, lineterm=""
    )
    return "\n".join(lines)


def _main(names: list[str]) -> None:
    for folder in cases():
        if not names or folder.name in names:
            difference = rebuild(folder)
            print(difference or f"{folder.name}: as before")  # noqa: T201  a tool for developers


if __name__ == "__main__":
    _main(sys.argv[1:])
