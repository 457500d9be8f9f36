"""Renews the golden vehicles after a change that is meant to change them, and shows the difference.

    .venv/bin/python -m tests.cli.rebuild_golden [CASE ...]

Read the difference before it is committed: each line is a vehicle that is counted, or timed, otherwise than
before. A case is a folder in `golden/` with a capture.jsonl; the vehicles.csv beside it is what
`speedsign replay --csv` has to print, byte for byte, with the folder's config.toml where it has one.
"""

from __future__ import annotations

import difflib
import sys
from dataclasses import replace
from pathlib import Path

from speedsign.capture import CaptureReader, open_capture
from speedsign.cli.replay import to_csv
from speedsign.config.load import load_config
from speedsign.config.wanted import tracking_params
from speedsign.replay import Replay, decoder_for, replay
from speedsign.tracking import TrackingParams

GOLDEN = Path(__file__).parent / "golden"
CONFIG = "config.toml"


def cases() -> list[Path]:
    """Every folder of a golden case."""
    return sorted(path.parent for path in GOLDEN.glob("*/capture.jsonl"))


def vehicles_csv(capture: Path) -> str:
    """What the replay of a capture has to print, without the command around it."""
    with open_capture(capture) as lines:
        reader = CaptureReader(lines, str(capture))
        params, inverted = TrackingParams(), False
        if (path := capture.with_name(CONFIG)).exists():
            config = load_config(path)
            params, inverted = tracking_params(config.tracking), config.radar.invert_direction
        params = replace(params, mounting_angle_deg=reader.header.mounting_angle_deg)
        decoder = decoder_for(reader.header)
        return to_csv(replay(reader, decoder, params, Replay(), invert_direction=inverted))


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


def _main(names: list[str]) -> int:
    """Rebuild the named cases, or all; 1 where a name is no case."""
    there_are = {folder.name: folder for folder in cases()}
    changed = 0
    for name in names or there_are:
        if name not in there_are:
            print(f"there is no case {name}: make golden/{name}/capture.jsonl first")  # noqa: T201  a tool
            return 1
        if difference := rebuild(there_are[name]):
            changed += 1
            print(difference)  # noqa: T201  a tool for developers
    print(f"{changed} of {len(names or there_are)} cases have changed")  # noqa: T201  as above
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
