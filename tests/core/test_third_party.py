"""The driver that docs/drivers.md shows, installed as another package: found, recorded, replayed, set up."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import reduce
from operator import xor
from pathlib import Path

import pytest

from drivers.radar.detect import Ear, candidates
from simulator.line import PtyLine
from speedsign.model import Direction, Idle, Reading, Rejected, Unit
from speedsign.ports import LineSettings
from speedsign.registry import load_radar, radar_names
from tests.cli.command import SPEEDSIGN, environment, speedsign
from tests.docs import pages
from tests.radar.streams import at_every_split, spoilt
from tests.support import run


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As pip leaves it: a module, and the entry point beside it."""
    folder = tmp_path / "site-packages"
    info = folder / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    source = next(
        body for kind, body in pages.FENCE.findall(pages.text("docs/drivers.md")) if kind == "python"
    )
    (folder / "acme_radar.py").write_text(source, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[speedsign.radars]\nacme24 = acme_radar:Acme24\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "acme_radar", raising=False)
    return folder


def line(body: str) -> bytes:
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n".encode()


class Acme:
    """The radar itself: ten reports a second, a question, two commands."""

    def __init__(self, device: PtyLine) -> None:
        self._line, self._unit = device, "M"
        device.on_data = self._take

    def _take(self, data: bytes) -> None:
        for command in data.split(b"\r"):
            if command == b"U?":
                self._line.write(line(f"U={self._unit}"))
            elif command in (b"UK", b"UM"):
                self._unit = chr(command[1])

    async def drive_past(self) -> None:
        n = 0
        while True:
            n += 1
            self._line.write(line("+000" if n < 5 or n % 40 > 30 else "+052"))
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("package")
def test_its_own_example_in_the_text_is_what_it_reads() -> None:
    assert line("+052") == b"$+052*1C\r\n"
    driver = load_radar("acme24")
    decoder = driver.decoder(Unit.KMH)
    assert [type(event) for event in decoder.feed(line("+052") + line("+000"), 1.0)] == [Rejected, Idle]
    decoder.unit_confirmed = True
    assert decoder.feed(line("+052"), 2.0) == [Reading(2.0, 52.0, Direction.APPROACHING)]
    assert decoder.feed(line("-031"), 3.0) == [Reading(3.0, 31.0, Direction.RECEDING)]
    assert decoder.feed(b"$+053*1C\r\n", 4.0) == []
    assert decoder.counters.values == {"bytes": 50, "frames": 4, "bad": 1}


@pytest.mark.usefixtures("package")
def test_it_keeps_the_rules_of_a_decoder() -> None:
    driver = load_radar("acme24")
    assert len(at_every_split(lambda: driver.decoder(None), line("+000") + line("U=K") + line("-000"))) == 3
    decoder = driver.decoder(Unit.KMH)
    for data in spoilt([line("+052"), line("U=K")], seed=1, length=20_000):
        decoder.feed(data, 0.0)
    decoder.feed(b"\n", 0.0)
    assert len(decoder.feed(line("+000"), 1.0)) == 1


@pytest.mark.usefixtures("package")
def test_it_is_recognised_like_one_of_ours() -> None:
    assert "acme24" in radar_names()
    ear = Ear(candidates(), LineSettings(19_200))
    for n in range(6):
        ear.feed(line("+052"), n / 10)
    verdict = ear.verdict()
    assert verdict.best is not None
    assert "acme24" in {one.candidate.name for one in (verdict.best, *verdict.rivals)}


@pytest.mark.usefixtures("package")
def test_the_config_knows_it_and_what_it_cannot_do(tmp_path: Path) -> None:
    config = tmp_path / "sign.toml"
    text = '[sign]\nid="abc"\nlimit_kmh=50\n[radar]\ndriver="acme24"\nport="/dev/x"\n'
    config.write_text(text)
    assert speedsign("check", "--config", config).exit_code == 0
    config.write_text(text + 'unit = "m/s"\n')
    result = speedsign("check", "--config", config)
    assert result.exit_code == 2
    assert 'it speaks km/h and mph; set unit, not "m/s"' in result.stderr


@pytest.mark.wires
def test_it_is_recorded_and_replayed_by_the_commands(package: Path, tmp_path: Path) -> None:
    """In a process of its own, as on a sign: it finds the package by its entry point alone."""

    def tool(*args: object) -> str:
        command = [*SPEEDSIGN, *map(str, args)]
        place = {**environment(), "PYTHONPATH": str(package)}
        return subprocess.run(command, env=place, text=True, check=True, stdout=subprocess.PIPE).stdout

    async def main() -> None:
        device = PtyLine(tmp_path / "radar")
        device.plug()
        driving = asyncio.create_task(Acme(device).drive_past())
        which = ("--port", device.link, "--driver", "acme24")
        try:
            done = json.loads(await asyncio.to_thread(tool, "radar", "setup", *which, "--json"))
            assert [one["outcome"] for one in done["settings"]] == ["changed"]
            capture = tmp_path / "capture.jsonl"
            live = json.loads(
                await asyncio.to_thread(
                    tool, "radar", "capture", capture, *which, "--unit", "km/h", "--for", 3, "--json"
                )
            )
            again = json.loads(await asyncio.to_thread(tool, "replay", capture, "--json"))
        finally:
            driving.cancel()
            await asyncio.wait([driving])
            device.unplug()
        assert again["radar"] == "acme24"
        assert again["vehicles"]
        assert again["vehicles"] == live["vehicles"]
        assert again["vehicles"][0]["speed_kmh"] == 52.0

    run(main())
