"""What a street hides: each of it is really so, and what cannot be is a sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drivers.serial_port import SerialPort
from simulator.hidden import Hidden, Way
from simulator.line import PtyLine
from simulator.modbus_pdu import RegisterDevice
from simulator.panels.catalogue import make_panel
from simulator.radar_physics import Echo
from simulator.radars.ld2415h import Ld2415hTwin, listing
from simulator.radars.ld2451 import Ld2451Twin
from simulator.radars.ops243 import Ops243Twin
from simulator.stand import Stand, Traffic
from simulator.tcp_line import TcpLine
from speedsign.ports import LineSettings
from tests.support import run, until

COMES, GOES = Echo(10.0, 90.0, 30.0, 1), Echo(-12.0, 50.0, 40.0, 2)


def stand(folder: Path, **options: Any) -> Stand:
    hidden = Hidden(**options.pop("hidden"))
    return Stand.on_ptys(folder, traffic=Traffic(vehicles_per_hour=0.0), hidden=hidden, **options)


def test_an_inverted_radar_changes_the_ways_and_nothing_else() -> None:
    assert Way()([COMES, GOES]) == [COMES, GOES]
    turned = Way(inverted=True)([COMES, GOES])
    assert [one.radial_mps for one in turned] == [-10.0, 12.0]
    assert [one._replace(radial_mps=0.0) for one in turned] == [
        one._replace(radial_mps=0.0) for one in (COMES, GOES)
    ]


def test_a_fork_is_louder_than_traffic_steady_and_of_both_directions() -> None:
    way = Way()
    way.hold("2235")
    told = [way([COMES])[0] for _ in range(100)]
    assert all(abs(one.radial_mps) * 3.6 == pytest.approx(50.0, abs=0.02) for one in told)
    assert all(one.strength > COMES.strength for one in told)
    assert min(Counter(one.radial_mps > 0 for one in told).values()) > 25
    way.hold("off")
    assert way([COMES]) == [COMES]


@pytest.mark.parametrize("word", ["99", "20001", "nan", "inf", "tuned", "9" * 500, ""])
def test_what_is_no_fork_is_refused(word: str) -> None:
    way = Way()
    way.hold("2235")
    with pytest.raises(ValueError, match='a fork has 100 to 20000 Hz: "fork 2235" reads 50 km/h'):
        way.hold(word)
    assert way.fork_hz == 2235


def test_what_the_radar_has_been_set_to_outlives_its_power() -> None:
    hidden = Hidden(sensor_angle_deg=20.0, approaching_only=True)
    ops, hilink, many = Ops243Twin(), Ld2415hTwin(), Ld2451Twin()
    hidden.set_radar("ops243", ops)
    hidden.set_radar("ld2415h", hilink)
    Hidden(approaching_only=True).set_radar("ld2451", many)
    for twin in (ops, hilink, many):
        twin.power_cycle()
    ops.process(2.0, [])
    assert b'"InboundSensorAngleDegrees" : 20.00' in ops.on_bytes(b"^?")
    assert ops.sensor.settings.direction == "+"
    assert b"X2:14" in listing(hilink.sensor)
    assert hilink.sensor.parameters[4] == 1
    assert many.sensor.settings[0x02][1] == 1
    (told,) = ops.sensor.measure([COMES, GOES])
    assert told.speed == pytest.approx(10.0 / 0.9397, rel=0.01)


def test_a_panel_that_begins_dim_does_so_at_every_start(tmp_path: Path) -> None:
    panel = stand(tmp_path, hidden={"dim": True, "worn": 0.4}).panel
    assert (panel.brightness, panel.light) == (1, 0.4 / 8)
    panel.write(9, [8])
    assert (panel.brightness, panel.light) == (8, 0.4)
    panel.power_cycle()
    assert panel.brightness == 1


def test_a_change_of_brightness_is_noted_once(tmp_path: Path) -> None:
    here = stand(tmp_path, hidden={"dim": True})
    for step in (3, 3, 8):
        here.panel.write(9, [step])
    assert [(one.step, one.light) for one in here.log.dimmed] == [(3, 0.375), (8, 1.0)]


@pytest.mark.parametrize(
    ("name", "profile", "unit_at", "baud_at", "code"),
    [
        ("dm56a04", None, 0xFD, 0xFE, 4),
        ("tm1650", None, 5, 4, 4),
        ("led485", "2024", 2, 3, 5),
        ("led485", "2014", 0x23, None, None),
    ],
)
def test_a_panel_knows_who_it_was_set_to_be(
    name: str, profile: str | None, unit_at: int, baud_at: int | None, code: int | None
) -> None:
    panel: Any = make_panel(name, profile)
    panel.be(5, 19_200)
    panel.power_cycle()
    assert panel._registers[unit_at] == 5
    if baud_at is not None:
        assert panel._registers[baud_at] == code


def test_who_has_no_brightness_register_has_no_light() -> None:
    fema = make_panel("fema")
    fema.be(7, 19_200)
    assert (fema.steps, fema.light, fema.brightness) == (None, None, None)
    dimmest, brightest = make_panel("tm1650"), make_panel("tm1650")
    device: RegisterDevice = dimmest  # type: ignore[assignment]  # it has them all
    device.write(2, [0])
    assert (dimmest.light, brightest.light) == (0.125, 1.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"panel": "fema", "hidden": {"dim": True}}, "the simulated fema has no brightness"),
        ({"radar": "csr", "hidden": {"sensor_angle_deg": 3.0}}, "the simulated csr does not correct"),
        (
            {"radar": "mph", "hidden": {"approaching_only": True}},
            "the simulated mph cannot be set to tell one",
        ),
        ({"board": True, "hidden": {"panel_unit": 12}}, "unit 12 is taken by the board"),
        ({"radar": "kld7", "hidden": {"angle_deg": 5.0}}, "the simulated kld7: this antenna does not read"),
    ],
)
def test_what_these_devices_cannot_hide(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        stand(tmp_path, **options)


def test_over_tcp_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="over TCP there is no baud rate"):
        Stand(TcpLine(), TcpLine(), hidden=Hidden(panel_baud=9600))


@pytest.mark.wires
@pytest.mark.parametrize("rate", [9600, 256_000])
def test_a_port_that_is_opened_at_another_rate_hears_and_says_garbage(tmp_path: Path, rate: int) -> None:
    async def check() -> None:
        line = PtyLine(tmp_path / "radar")
        line.rate = rate
        asked: list[bytes] = []
        line.on_data = asked.append
        line.plug()
        try:
            for theirs in (rate, 19_200, rate):
                heard: list[bytes] = []
                port = SerialPort(tmp_path / "radar", LineSettings(theirs))
                await port.open(heard.append, lambda _error: None)
                asked.clear()
                port.write(b"??V")
                line.write(b"V+050.0\r\n")
                await until(lambda: asked and heard)  # noqa: B023  of this round
                port.close()
                right = theirs == rate
                assert (b"".join(asked) == b"??V") is right
                assert (b"".join(heard) == b"V+050.0\r\n") is right
        finally:
            line.unplug()

    run(check())


def test_a_test_car_and_a_fork_are_words_of_the_stand(tmp_path: Path) -> None:
    here = stand(tmp_path, hidden={"angle_deg": 20.0})
    assert here.aim is not None
    assert here.world.road.shape.lanes[0].offset_m == here.aim.offset_m
    assert here.world.physics.parameters.aim_deg == here.aim.turned_deg
    here.fault("drive 50 2")
    here.fault("fork 2235")
    assert len(here.way([])) == 1
    for wrong in ("drive", "drive fast", "drive 50 2.5", "drive 50 1 2", "drive nan", "fork", "fork 1 2"):
        with pytest.raises(ValueError, match=r"a test car drives|is no fault"):
            here.fault(wrong)
    here.world.process(6.0)
    (car,) = here.world.truth()
    assert car.mean_kmh == pytest.approx(50.0)
    here.fault("fork off")
    assert here.way([]) == []
    here.drives.forget()
    here.world.process(20.0)
    assert len(here.world.truth()) <= 2
    assert not here.world.road.closed
