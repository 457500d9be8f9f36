"""What tests of `calibrate` share: a sign's folder, its records, captures of a road with a hidden angle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from speedsign.capture import CaptureHeader, CaptureWriter
from speedsign.cli import main
from speedsign.model import Direction, Vehicle

CLEAN = {"SPEEDSIGN_CONFIG": None, "SPEEDSIGN_DEBUG": None}


@dataclass(frozen=True, slots=True)
class Desk:
    """A sign's config and its records in one folder."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "sign.toml"

    @property
    def text(self) -> str:
        return self.config.read_text(encoding="utf-8")

    def write(self, radar: str = "", more: str = "", driver: str = "ops243", port: str = "/dev/none") -> None:
        self.config.write_text(
            '[sign]\nid = "test-sign"  # ours\nlimit_kmh = 50\nsite = "Main Street"\n'
            f'[radar]\ndriver = "{driver}"\nport = "{port}"\n{radar}'
            f'[store]\npath = "{self.folder}/sign.db"\n[live]\nsocket = "{self.folder}/live.sock"\n'
            f'[clock]\ntrust = "always"\n{more}',
            encoding="utf-8",
        )

    def run(self, *args: object, typed: str | None = None) -> Result:
        """`calibrate …` with this config; nothing but what it foresees may be raised."""
        words = [str(arg) for arg in ("calibrate", *args, "--config", self.config)]
        result = CliRunner().invoke(main, words, input=typed, env=CLEAN)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    @property
    def records(self) -> list[dict[str, Any]]:
        path = self.folder / "calibrations.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def record(self) -> dict[str, Any]:
        """The only one."""
        (one,) = self.records
        return one


def passing(
    speed_kmh: float, direction: Direction = Direction.APPROACHING, flags: Sequence[str] = ()
) -> Vehicle:
    """A vehicle that has passed."""
    return Vehicle(
        1, direction, 0.0, 4.0, speed_kmh, speed_kmh, speed_kmh, speed_kmh, readings=40, flags=tuple(flags)
    )


def ld2415h_capture(path: Path, passages: int, beside_m: float, *, corrects: float = 1.0) -> None:
    """Cars that come one after the other at a steady speed, seen from beside their lane, without noise."""
    with path.open("w", encoding="utf-8") as out:
        header = CaptureHeader("ld2415h", baud=9600, started="2026-05-04T07:00:00Z", unit="km/h")
        writer = CaptureWriter(out, header, start_mono_s=0.0)
        for car in range(passages):
            kmh, t_s = 40.0 + car % 21, 12.0 * car
            along_m = 90.0
            while along_m > 1.2 * beside_m:
                radial = corrects * kmh * along_m / (along_m**2 + beside_m**2) ** 0.5
                writer.add(f"V+{radial:05.1f}\r\n".encode(), t_s)
                t_s += 0.05
                along_m -= kmh / 3.6 * 0.05
