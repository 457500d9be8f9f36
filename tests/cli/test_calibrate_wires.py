"""speedsign calibrate … as processes on ptys: test cars, tuning forks, panels, and who presses Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.hidden import Hidden
from simulator.stand import Stand, Traffic
from tests.cli.bench import Bench, bench
from tests.cli.calibrations import Desk
from tests.cli.command import SPEEDSIGN, environment
from tests.cli.wires import config_text
from tests.support import run, until

pytestmark = pytest.mark.wires
NOBODY = Traffic(vehicles_per_hour=0.0)
SYSTEMCTL = """#!/bin/sh
echo "$@" >> {calls}
case $1 in
is-active) cat {state} ;;
stop) echo inactive > {state} ;;
start | restart) echo active > {state} ;;
esac
"""


class Child:
    """A command that is typed to and read from while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out = ""

    @classmethod
    async def start(cls, *args: object, env: dict[str, str] | None = None) -> Child:
        pipe = asyncio.subprocess.PIPE
        environ = {**environment(), "PYTHONUNBUFFERED": "1", **(env or {})}
        words = [*SPEEDSIGN, *map(str, args)]
        return cls(
            await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe, env=environ)
        )

    async def says(self, text: str, within_s: float = 20.0) -> None:
        """Read until it has said this after what was awaited before."""
        assert self.process.stdout is not None
        seen = ""
        try:
            async with asyncio.timeout(within_s):
                while text not in seen:
                    data = await self.process.stdout.read(4096)
                    assert data, f"it ended without {text!r}: {self.out}{await self._errors()}"
                    seen += data.decode()
                    self.out += data.decode()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not said within {within_s:g} s: {self.out}") from None

    async def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()

    async def end(self, typed: str = "") -> tuple[int, str, str]:
        """Exit code, all output, errors."""
        out, err = await self.process.communicate(typed.encode())
        assert self.process.returncode is not None
        return self.process.returncode, self.out + out.decode(), err.decode()

    async def _errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


class Road:
    """A stand, and a sign's folder beside it."""

    def __init__(self, stand: Stand, folder: Path) -> None:
        self.stand, self.desk = stand, Desk(folder)

    async def calibrate(self, *args: object) -> Child:
        return await Child.start("calibrate", *args, "--config", self.desk.config)


Scene = Callable[[Road], Awaitable[None]]
SCENES: dict[str, tuple[Scene, Hidden, str]] = {}


def scene(radar: str = "ld2415h", hidden: Hidden | None = None) -> Callable[[Scene], Scene]:
    def keep(test: Scene) -> Scene:
        SCENES[getattr(test, "__name__", "")] = test, hidden or Hidden(), radar
        return test

    return keep


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each scene that was asked for; all at once, most of their time is waiting."""
    wanted = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    ]

    async def one(name: str) -> BaseException | None:
        test, hidden, radar = SCENES[name]
        folder = tmp_path_factory.mktemp("road")
        stand = Stand.on_ptys(folder, seed=2, radar=radar, traffic=NOBODY, hidden=hidden)
        async with stand:
            driving = asyncio.create_task(stand.run())
            try:
                await test(Road(stand, folder))
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  told by its own test
                return error
            finally:
                driving.cancel()
                await asyncio.wait([driving])
        return None

    async def main() -> dict[str, Any]:
        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

    return run(main(), timeout_s=120.0)


@pytest.mark.parametrize(
    "name",
    ["cars_of_known_speed", "beside_the_sign", "a_fork", "a_car_and_no_fork", "a_sensor_that_corrects"],
)
def test_on_the_road(name: str, outcomes: dict[str, Any]) -> None:
    if (error := outcomes[name]) is not None:
        raise error


@scene()
async def cars_of_known_speed(road: Road) -> None:
    """At the radar's own port: the car is seen, asked about, judged; Ctrl-C keeps what there is."""
    road.desk.write(driver="ld2415h", port=str(road.desk.folder / "radar"))
    child = await road.calibrate("drive-by", "--passes", "3")
    await child.says("Your name:")
    await child.type("Anna\n")
    await child.says("drive past")
    for n in (1, 2):
        road.stand.fault("drive 90")
        await child.says("reference of ")
        await child.type("90\n")
        await child.says(f"run {n}: 90.0 read as ")
    child.process.send_signal(signal.SIGINT)
    await child.says("Keep the runs so far as undecided? [Y/n]")
    code, out, err = await child.end("\n")
    assert code == 1, err
    assert "2 runs are too few for a verdict" in out
    record = road.desk.record
    assert record["verdict"] == "undecided"
    assert [abs(one["measured_kmh"] - 90.0) < 2.0 for one in record["runs"]] == [True, True]


@scene()
async def beside_the_sign(road: Road) -> None:
    """The sign keeps its port and goes on; what it measures is what is judged."""
    folder = road.desk.folder
    text = config_text(folder / "radar", folder / "panel", folder / "sign.db", "ld2415h")
    road.desk.config.write_text(f'{text}[live]\nsocket = "{folder}/live.sock"\n[clock]\ntrust = "always"\n')
    sign = await Child.start("run", "--config", road.desk.config)
    try:
        await until((folder / "live.sock").exists, 15.0, "the sign's socket")
        child = await road.calibrate("drive-by", "--by", "Anna")
        await child.says("listening to the running sign test-sign")
        road.stand.fault("drive 90")
        await child.says("reference of ")
        await child.type("90\nq\n")
        code, out, err = await child.end()
        assert code == 1, err
        assert "run 1: 90.0 read as " in out
        assert road.desk.record["device"]["by"] == "sign"
        panel = await road.calibrate("panel", "--by", "Anna", "--no-questions")
        code, _, err = await panel.end()
        assert code == 1
        assert "in use by another program" in err
    finally:
        sign.process.terminate()
        await sign.end()


@scene("ops243")
async def a_fork(road: Road) -> None:
    """A radar just switched on speaks m/s: it is set up first. The right fork passes, another does not."""
    road.desk.write(port=str(road.desk.folder / "radar"))
    road.stand.fault("fork 2235")
    child = await road.calibrate("fork", "--fork", "2235Hz", "--for", "4", "--by", "Anna")
    code, out, err = await child.end()
    assert code == 0, out + err
    assert "1 km/h are allowed: within." in out
    other = await road.calibrate("fork", "--fork", "60km/h", "--for", "4", "--by", "Anna")
    code, out, err = await other.end()
    assert code == 1, out + err
    assert "outside" in out
    road.stand.fault("fork off")
    gone = await road.calibrate("fork", "--fork", "60km/h", "--for", "2", "--by", "Anna")
    code, out, _ = await gone.end()
    assert code == 1
    assert [one["verdict"] for one in road.desk.records] == ["pass", "fail", "undecided"]
    first = road.desk.records[0]
    assert abs(first["result"]["mean_kmh"] - 50.0) < 0.3
    assert first["runs"][0]["kmh"]


@scene("ops243")
async def a_car_and_no_fork(road: Road) -> None:
    """Neither Ctrl-C nor the end of the time makes a fork of a car that is being read."""
    road.desk.write(port=str(road.desk.folder / "radar"))
    child = await road.calibrate("fork", "--fork", "45km/h", "--by", "Anna")
    await child.says("strike it")
    road.stand.fault("drive 60")
    await child.says("   20 readings")
    child.process.send_signal(signal.SIGINT)
    await child.says("Keep what was read as undecided? [Y/n]")
    code, out, err = await child.end("y\n")
    assert code == 1, err
    assert "A fork of 2012 Hz: stopped before its time, and not judged." in out
    child = await road.calibrate("fork", "--fork", "45km/h", "--by", "Anna", "--for", "3")
    await child.says("strike it")
    road.stand.fault("drive 60")
    code, out, err = await child.end("\n")
    assert code == 1, err
    assert "outside" not in out
    assert [one["verdict"] for one in road.desk.records] == ["undecided", "undecided"]


@scene("ops243", Hidden(sensor_angle_deg=15.0))
async def a_sensor_that_corrects(road: Road) -> None:
    """It is asked before it is set up, which would hide it."""
    road.desk.write(port=str(road.desk.folder / "radar"))
    child = await road.calibrate("traffic", "--by", "Anna", "--for", "5")
    code, out, err = await child.end()
    assert code == 1, out
    assert "the radar corrects for 15 degrees" in err
    assert road.desk.records == []


# --------------------------------------------------------------------------- the panel


class Panel:
    """A panel on its line, a sign's config for it, and a service that only writes down what it is told."""

    def __init__(self, one: Bench, desk: Desk) -> None:
        self.bench, self.desk = one, desk
        self.calls, self.state = desk.folder / "calls", desk.folder / "state"
        folder = desk.folder / "bin"
        folder.mkdir()
        (folder / "systemctl").write_text(SYSTEMCTL.format(calls=self.calls, state=self.state))
        (folder / "systemctl").chmod(0o755)
        self.path = str(folder)
        self.state.write_text("inactive\n")

    def write(self, more: str = "") -> None:
        self.desk.write(more=f'[display]\ndriver = "dm56a04"\nport = "{self.bench.port}"\n{more}')

    async def calibrate(self, *args: object) -> Child:
        env = {"PATH": f"{self.path}:{environment()['PATH']}"}
        return await Child.start("calibrate", *args, "--config", self.desk.config, env=env)

    @property
    def told(self) -> list[str]:
        """What the service was told, without questions."""
        return [line for line in self.calls.read_text().splitlines() if not line.startswith("is-active")]


@contextlib.asynccontextmanager
async def panel(folder: Path) -> AsyncIterator[Panel]:
    async with bench(folder) as one:
        yield Panel(one, Desk(folder))


def test_the_answers_about_the_panel_are_kept_and_the_service_runs_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with panel(tmp_path) as one:
            one.write()
            one.state.write_text("active\n")
            child = await one.calibrate("panel", "--pause", "0")
            code, out, err = await child.end("Anna\ny\n" + "y\n" * 20)
            assert code == 0, out + err
            assert "The sign runs and has the panel. Stop it meanwhile? [Y/n]" in out
            assert one.told == ["stop speedsign", "restart speedsign"] or one.told == [
                "stop speedsign",
                "start speedsign",
            ]
            record = one.desk.record
            assert (record["kind"], record["verdict"], record["driver"]) == ("panel", "pass", "dm56a04")
            assert {run["answer"] for run in record["runs"]} == {"yes"}
            assert one.bench.seen[-1].strip() == ""
            child = await one.calibrate("panel", "--pause", "0", "--by", "Anna")
            code, out, _ = await child.end("y\ny\nn\n" + "y\n" * 20)
            assert code == 1
            assert "Not as they have to be: " in out
            assert one.desk.records[1]["verdict"] == "fail"

    run(main(), 60.0)


def test_ctrl_c_leaves_the_panel_dark_the_service_running_and_the_answers_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with panel(tmp_path) as one:
            one.write()
            one.state.write_text("active\n")
            before = one.desk.text
            child = await one.calibrate("panel", "--by", "Anna", "--pause", "0")
            await child.type("y\ny\n")
            await child.says("[y/n/s/a/q]")
            await child.says("[y/n/s/a/q]")
            child.process.send_signal(signal.SIGINT)
            await child.says("Keep the answers so far as undecided?")
            assert one.state.read_text().strip() == "active"
            assert one.bench.seen[-1].strip() == ""
            child.process.send_signal(signal.SIGINT)
            code, _, err = await child.end()
            assert code == 1
            assert "stopped: no record was kept, and the config is as it was" in err
            assert one.desk.records == []
            assert one.desk.text == before
            refused = await one.calibrate("panel", "--by", "Anna")
            code, _, err = await refused.end("n\n")
            assert code == 1
            assert "the sign keeps its ports; later: sudo systemctl stop speedsign" in err

    run(main(), 60.0)


def test_brightness_by_eye_becomes_a_point_of_the_curve(tmp_path: Path) -> None:
    async def main() -> None:
        async with panel(tmp_path) as one:
            one.write()
            here = "latitude = 56.95\nlongitude = 24.1\n"
            one.desk.config.write_text(one.desk.text.replace("[radar]", f"{here}[radar]"))
            child = await one.calibrate("brightness", "--lux", "45000", "--by", "Anna", "--json")
            code, out, err = await child.end("-\n--\nbright\n+\ny\ny\n")
            assert code == 0, err
            assert "step 8 of 8" in err
            found = json.loads(out)
            assert found["config_written"] is True
            assert [one["step"] for one in found["record"]["runs"]] == [8, 7, 5, 6]
            assert "curve = [[4.0, 0.006]" in one.desk.text
            assert "[45000.0, 0.714]]" in one.desk.text
            assert one.bench.seen[-1].strip() == ""
            night = await one.calibrate("brightness", "--lux", "0.001", "--by", "Anna", "--write")
            code, out, err = await night.end("+++++++\ny\nn\n")
            assert code == 1, out + err
            assert "does not go with 0.714 at 45000 lx, which was set before" in out
            assert "--replace takes it out" in err
            assert one.desk.records[1]["verdict"] == "undecided"
            quit_ = await one.calibrate("brightness", "--lux", "10", "--by", "Anna")
            code, _, err = await quit_.end("")
            assert code == 2
            assert "nobody says how bright it is" in err

    run(main(), 60.0)


def test_the_light_sensor_says_how_light_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        stand = Stand.on_ptys(tmp_path, board=True, traffic=NOBODY)
        async with stand:
            living = asyncio.create_task(stand.run())
            desk = Desk(tmp_path)
            panel_port = tmp_path / "panel"
            sensor = "[supply]\nunit = 11\ncoil = 0\n[brightness.sensor]\nunit = 12\naddress = 0\n"
            desk.write(more=f'[display]\ndriver = "dm56a04"\nport = "{panel_port}"\n{sensor}')
            child = await Child.start(
                "calibrate", "brightness", "--by", "Anna", "--config", desk.config, "--write"
            )
            code, out, err = await child.end("y\n")
            living.cancel()
            await asyncio.wait([living])
            assert code == 0, out + err
            assert "10000 lx by the light sensor" in out
            assert desk.record["result"]["lux"] == 10_000.0
            assert "[10000.0, " in desk.text

    run(main(), 60.0)
