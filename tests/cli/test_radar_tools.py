"""speedsign radar …: the field tools as processes, on ptys, with the simulated radars at the other end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simulator.radar_end import RadarFault
from simulator.stand import Stand, Traffic
from simulator.traffic import scripted
from speedsign.capture import CaptureReader, open_capture
from speedsign.config.load import parse_config
from tests.cli.command import SPEEDSIGN, environment
from tests.cli.wires import config_text
from tests.scenes import Outcomes, Together, believe
from tests.support import until

pytestmark = pytest.mark.wires
AT_ONCE = 5
NOBODY = Traffic(vehicles_per_hour=0.0)


def two_cars() -> Traffic:
    """One each way, soon and fast."""
    return Traffic(script=scripted([(0.4, 0, 90.0, "car"), (1.5, 1, 100.0, "car")]))


class Bench:
    """A stand, and the tools on its radar's port."""

    def __init__(self, stand: Stand, folder: Path) -> None:
        self.stand, self.folder = stand, folder
        self.port = str(folder / "radar")
        self.asked: list[bytes] = []
        self.children: list[subprocess.Popen[str]] = []

    def start(self, *args: object) -> subprocess.Popen[str]:
        words = [str(arg).replace("PORT", self.port) for arg in args]
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            [*SPEEDSIGN, *words],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=environment(),
        )
        self.children.append(child)
        return child

    async def end(self, child: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Exit code, output, errors; the stand lives on meanwhile."""
        out, err = await asyncio.to_thread(child.communicate)
        return child.returncode, out, err

    async def tool(self, *args: object) -> tuple[int, str, str]:
        return await self.end(self.start("radar", *args))

    async def as_json(self, *args: object) -> Any:
        code, out, err = await self.tool(*args, "--json")
        assert code == 0, err
        return json.loads(out)


Scene = Callable[[Bench], Awaitable[None]]
together = Together(AT_ONCE)


def scene(
    radar: str = "ops243", profile: str | None = None, traffic: Traffic = NOBODY, name: str = ""
) -> Callable[[Scene], Scene]:
    """A test on a stand of its own. Several run at the same time: most of their time is waiting."""

    def keep(test: Scene) -> Scene:
        options = {"radar": radar, "profile": profile, "traffic": traffic}
        title = getattr(test, "func", test).__name__  # a partial has none of its own
        together.add(" ".join(filter(None, (title, name))), partial(play, test, options))
        return test

    return keep


async def play(test: Scene, options: dict[str, Any], folder: Path) -> None:
    stand = Stand.on_ptys(folder, seed=2, **options)
    bench = Bench(stand, folder)
    take = stand.radar_line.on_data

    def note(data: bytes) -> None:
        bench.asked.append(data)
        take(data)

    stand.radar_line.on_data = note
    async with stand:
        driving = asyncio.create_task(stand.run())
        try:
            await test(bench)
        finally:
            for child in bench.children:
                child.kill()
                child.communicate()
            driving.cancel()
            await asyncio.wait([driving])


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of each scene that was asked for."""
    return together.play(request, tmp_path_factory)


# --------------------------------------------------------------------------- detect


@scene(radar="ld2451")
async def detect_finds_a_streaming_radar_without_a_byte_sent(bench: Bench) -> None:
    (found,) = await bench.as_json("detect", "--port", "PORT", "--for", "2")
    assert (found["driver"], found["how"], found["certain"]) == ("ld2451", "heard", True)
    assert found["sample_hex"].startswith("f4f3f2f1")
    assert bench.asked == []
    sign = '[sign]\nid = "abc"\nlimit_kmh = 50\n'
    config = parse_config(sign + found["config"], "pasted").radar
    assert (config.driver, config.port, config.baud) == ("ld2451", bench.port, 115_200)


async def detect_asks_a_silent_one_after_listening(bench: Bench, radar: str, question: bytes) -> None:
    began_s = asyncio.get_running_loop().time()
    code, out, err = await bench.tool("detect", "--port", "PORT", "--for", "0.5")
    assert code == 0, out + err
    assert asyncio.get_running_loop().time() - began_s < 40.0
    assert "it answered when it was asked" in out
    assert f'driver = "{radar}"' in out
    assert f'port = "{bench.port}"' in out
    assert any(question in data for data in bench.asked)
    assert err.index("listening") < err.index("asking")


@scene(radar="ascii", profile="si3", traffic=two_cars())
async def detect_says_what_it_cannot_tell_apart(bench: Bench) -> None:
    """A driver named, so that there is nobody to ask; plain numbers have no sender."""
    (found,) = await bench.as_json("detect", "--port", "PORT", "--for", "5", "--listen-only")
    names = {found["driver"], *(one["driver"] for one in found["could_also_be"])}
    assert names == {"ascii", "ops243"}
    assert found["certain"] is False
    assert bench.asked == []


@scene(radar="ld2415h", traffic=NOBODY)
async def detect_of_a_dead_line_says_what_to_do(bench: Bench) -> None:
    bench.stand.fault("radar silence")
    code, out, _ = await bench.tool("detect", "--port", "PORT", "--for", "0.5", "--driver", "ld2415h")
    assert code == 1
    assert "silent, and nothing answered 1 questions; check power and wires" in out
    code, out, _ = await bench.tool("detect", "--port", bench.folder / "none")
    assert code == 1
    assert "no such device" in out


@scene(radar="mph", traffic=NOBODY)
async def detect_of_noise_shows_it(bench: Bench) -> None:
    bench.stand.world.radar_end.faults.add(RadarFault.GARBAGE)
    code, out, _ = await bench.tool("detect", "--port", "PORT", "--for", "0.5", "--listen-only")
    assert code == 1
    assert "bytes came that no driver understands" in out


for one, asked in (("ops243", b"?V"), ("ld2415h", b"CF\x07" + bytes(11)), ("kld7", b"INIT")):
    scene(one, name=one)(partial(detect_asks_a_silent_one_after_listening, radar=one, question=asked))


# --------------------------------------------------------------------------- setup


@scene(traffic=NOBODY)
async def setup_reads_compares_writes_and_reads_back(bench: Bench) -> None:
    radar = ("--port", "PORT", "--driver", "ops243")
    before = await bench.as_json("setup", *radar, "--dry-run")
    outcomes = {one["name"]: one["outcome"] for one in before["settings"]}
    assert (outcomes["unit"], outcomes["inbound angle"], outcomes["JSON lines"]) == (
        "differs",
        "right",
        "not_asked",
    )
    assert not {b"UK", b"OJ"} & set(bench.asked), "a dry run writes nothing"
    done = await bench.as_json("setup", *radar)
    unit = next(one for one in done["settings"] if one["name"] == "unit")
    assert (unit["outcome"], unit["before"], unit["after"]) == (
        "changed",
        "Units m-per-sec",
        "Units km-per-hr",
    )
    code, out, _ = await bench.tool("setup", *radar, "--dry-run")
    assert code == 0
    assert "unit = km/h: was right (Units km-per-hr)" in out
    assert "set as wanted" in out


@scene(radar="ld2415h", traffic=NOBODY)
async def setup_of_a_radar_that_does_not_hear_is_a_failure(bench: Bench) -> None:
    bench.stand.fault("radar mute")
    code, out, _ = await bench.tool("setup", "--port", "PORT", "--driver", "ld2415h")
    assert code == 1
    assert "2 of 2 settings could not be made; check the wire that carries commands" in out


@scene(radar="ld2415h", traffic=NOBODY)
async def setup_takes_what_the_config_says(bench: Bench) -> None:
    config = bench.folder / "sign.toml"
    config.write_text(
        config_text(bench.port, "/dev/none", bench.folder / "x.db", "ld2415h").replace(
            "[display]", 'unit = "mph"\n[display]'
        )
    )
    done = await bench.as_json("setup", "--config", config)
    assert done["ok"] is True
    first = done["settings"][0]
    assert (first["wanted"], first["outcome"]) == ("both directions, rate 1, mph", "changed")


@scene(radar="mph", traffic=NOBODY)
async def setup_of_one_that_cannot_be_set(bench: Bench) -> None:
    code, out, _ = await bench.tool("setup", "--port", "PORT", "--driver", "mph", "--unit", "mph")
    assert code == 0
    assert "nothing about" in out
    assert bench.asked == []


# --------------------------------------------------------------------------- watch


@scene(radar="ld2415h", traffic=two_cars())
async def watch_shows_readings_vehicles_and_counters(bench: Bench) -> None:
    code, out, err = await bench.tool(
        "watch", "--port", "PORT", "--driver", "ld2415h", "--for", "9", "--json"
    )
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    kinds = [one["event"] for one in events]
    assert {"reply", "reading", "vehicle", "end"} <= set(kinds)
    reading = next(one for one in events if one["event"] == "reading")
    assert 10 < reading["speed_kmh"] < 120
    assert reading["direction"] in ("approaching", "receding")
    end = events[-1]
    assert end["event"] == "end"
    assert end["readings"] == kinds.count("reading")
    assert end["vehicles"] == kinds.count("vehicle")
    assert end["decoder"]["frames"] >= end["readings"]


@scene(traffic=two_cars())
async def watch_says_why_a_reading_is_rejected(bench: Bench) -> None:
    code, out, _ = await bench.tool(
        "watch", "--port", "PORT", "--driver", "ops243", "--unit", "km/h", "--for", "3"
    )
    assert code == 0
    assert "rejected  unit differs: the radar says that it is set to another one" in out
    assert "Units m-per-sec" in out
    assert "0 readings in" in out


@scene(radar="kld2", traffic=two_cars())
async def watch_of_a_polled_radar(bench: Bench) -> None:
    code, out, _ = await bench.tool(
        "watch", "--port", "PORT", "--driver", "kld2", "--for", "3", "--listen-only"
    )
    assert code == 0
    assert " km/h" in out
    assert set(bench.asked) == {b"$C01\r\n"}


@scene(radar="ld2415h", traffic=NOBODY)
async def watch_of_a_silent_line_is_a_failure(bench: Bench) -> None:
    bench.stand.fault("radar silence")
    code, _, err = await bench.tool("watch", "--port", "PORT", "--driver", "ld2415h", "--for", "0.5")
    assert code == 1
    assert err == (f"speedsign radar watch: {bench.port}: nothing was heard; check its power and its wires\n")


@scene(radar="mph", traffic=NOBODY)
async def a_radar_that_is_unplugged_ends_it_with_a_sentence(bench: Bench) -> None:
    child = bench.start("radar", "watch", "--port", "PORT", "--driver", "mph")
    await until(lambda: bool(bench.stand.world.t_s > 1.5))
    bench.stand.fault("radar unplug")
    code, out, err = await bench.end(child)
    assert code == 1
    assert "counters: " in out
    assert err.splitlines()[-1].startswith(f"speedsign radar watch: {bench.port}: went away")


@scene(traffic=NOBODY)
async def a_port_that_the_sign_has_is_said_with_what_to_do(bench: Bench) -> None:
    config = bench.folder / "sign.toml"
    config.write_text(config_text(bench.port, bench.folder / "panel", bench.folder / "x.db"))
    sign = bench.start("run", "--config", config)
    try:
        await until(lambda: bool(bench.asked), what="the sign's first command")
        for args in (("watch",), ("setup",), ("capture", bench.folder / "x.jsonl")):
            code, _, err = await bench.tool(*args, "--config", config)
            assert code == 1
            assert "in use by another program" in err
            assert "sudo systemctl stop speedsign" in err
        assert not (bench.folder / "x.jsonl").exists()
    finally:
        sign.send_signal(signal.SIGTERM)
        await bench.end(sign)


# --------------------------------------------------------------------------- capture


async def a_capture_replays_to_the_vehicles_that_were_seen_live(
    bench: Bench, radar: str, profile: str | None, options: list[str]
) -> None:
    path = bench.folder / "new.jsonl"
    which = ["--driver", radar, *(["--profile", profile] if profile else [])]
    live = await bench.as_json("capture", path, "--port", "PORT", *which, *options, "--for", "6")
    code, out, err = await bench.end(bench.start("replay", path, "--json"))
    assert (code, err) == (0, "")
    again = json.loads(out)
    assert again["vehicles"]
    assert again["vehicles"] == live["vehicles"]
    assert (again["readings"], again["decoder"]) == (live["readings"], live["decoder"])
    with open_capture(path) as lines:
        header = CaptureReader(lines, "new").header
    assert (header.radar, header.profile) == (radar, profile)
    assert header.extra["port"] == bench.port
    assert header.started is not None
    if radar == "ops243" and "--listen-only" not in options:
        assert header.extra["firmware"] == "1.3.9"


for one, dialect, how in (
    ("ld2415h", None, ["--unit", "km/h"]),
    ("ops243", None, []),
    ("ops243", None, ["--setup"]),
    ("ld2451", None, ["--listen-only"]),
    ("kld2", "bins", []),
):
    replayed = partial(
        a_capture_replays_to_the_vehicles_that_were_seen_live, radar=one, profile=dialect, options=how
    )
    scene(one, dialect, two_cars(), name=" ".join((one, *how)))(replayed)


@scene(radar="mph", traffic=NOBODY)
async def ctrl_c_ends_a_capture_cleanly_and_nothing_is_replaced(bench: Bench) -> None:
    path = bench.folder / "new.jsonl"
    args = ("capture", path, "--port", "PORT", "--driver", "mph", "--note", "the school")
    child = bench.start("radar", *args)
    await until(lambda: path.exists() and path.read_text().count("\n") > 4, what="five lines")
    child.send_signal(signal.SIGINT)
    code, out, _ = await bench.end(child)
    assert code == 0
    assert out.startswith(f"{path}: ")
    with open_capture(path) as lines:
        reader = CaptureReader(lines, "new")
        assert reader.header.extra["notes"] == "the school"
        assert len(list(reader)) >= 4
        assert not reader.cut_short
    before = path.read_bytes()
    code, _, said = await bench.tool(*args)
    assert code == 1
    assert "is there already; name another file" in said
    assert path.read_bytes() == before


@scene(radar="mph", traffic=NOBODY)
async def each_chunk_is_in_the_file_as_soon_as_it_has_come(bench: Bench) -> None:
    """A process that is killed leaves what it has heard."""
    path = bench.folder / "new.jsonl"
    child = bench.start("radar", "capture", path, "--port", "PORT", "--driver", "mph")
    await until(lambda: path.exists() and path.read_text().count("\n") > 4, what="five lines")
    child.kill()
    await bench.end(child)
    with open_capture(path) as lines:
        assert len(list(CaptureReader(lines, "new"))) >= 3


@scene(radar="ld2415h", traffic=NOBODY)
async def a_capture_of_a_dead_line_is_a_failure(bench: Bench) -> None:
    bench.stand.fault("radar silence")
    path = bench.folder / "new.jsonl"
    code, _, err = await bench.tool("capture", path, "--port", "PORT", "--driver", "ld2415h", "--for", "0.3")
    assert code == 1
    assert "not a byte arrived" in err


@pytest.mark.parametrize("name", together.scenes)
def test_on_a_stand(name: str, outcomes: Outcomes) -> None:
    believe(outcomes[name])
