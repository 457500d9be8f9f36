"""OPS243: the commands of the manual, and what the answers to them mean."""

from __future__ import annotations

import pytest

from drivers.radar import ops243_setup
from drivers.radar.ops243 import Ops243
from speedsign.errors import DriverError
from speedsign.model import Reply, Unit
from speedsign.ports import RadarSettings, Setting
from tests.radar.vectors import vectors


def by_name(wanted: RadarSettings) -> dict[str, Setting]:
    return {setting.name: setting for setting in Ops243().settings(wanted)}


def test_commands_are_the_manuals() -> None:
    built = {
        "ops-15": by_name(RadarSettings())["unit"].write,
        "ops-16": ops243_setup.number_command("R>", 10),
        "ops-17": ops243_setup.angle_command("+", 15),
    }
    # The recordings end numbers with LF, the manual asks for CR: the radar takes both.
    for vector in vectors("ops243", "tx"):
        assert built[vector.id].replace(b"\r", b"\n") == vector.data


def test_what_is_sent_by_default() -> None:
    sent = b" ".join(setting.write for setting in Ops243().settings(RadarSettings()))
    assert sent == b"UK S2 M>20\r R>8\r ^/+0.0\r ^/-0.0\r OJ OM OT OU O1 R<0\r M<0\r R| K+ OZ PA"


def test_nothing_is_ever_saved_to_flash_or_reset() -> None:
    for unit in Unit:
        for setting in Ops243().settings(RadarSettings(unit=unit, targets=12)):
            assert not setting.write.startswith((b"A", b"P!"))


def test_what_can_be_asked_for_is_asked_for() -> None:
    asked = {setting.name: setting.query for setting in Ops243().settings(RadarSettings()) if setting.query}
    assert asked == {
        "unit": b"U?",
        "sampling rate": b"??",
        "least magnitude": b"M?",
        "least speed": b"R?",
        "inbound angle": b"^?",
        "outbound angle": b"^?",
    }


@pytest.mark.parametrize(
    ("name", "values", "verdict"),
    [
        ("unit", {"Units": "km-per-hr"}, True),
        ("unit", {"Units": "mph"}, False),
        ("unit", {"Version": "1.3.9"}, None),
        ("sampling rate", {"SamplingRate": "20000", "resolution": "0.0607"}, True),
        ("sampling rate", {"SamplingRate": "10000"}, False),
        ("sampling rate", {"SamplingRate": "x"}, None),
        ("sampling rate", {"SampleSize": "1024"}, None),
        ("least magnitude", {"Squelch": "20"}, True),
        ("least magnitude", {"Squelch": "100"}, False),
        ("least speed", {"RequiredMinSpeed": "8.000"}, True),
        ("least speed", {"RequiredMinSpeed": "0.000"}, False),
        ("inbound angle", {"InboundSensorAngleDegrees": "0.00", "OutboundSensorAngleDegrees": "20.00"}, True),
        (
            "outbound angle",
            {"InboundSensorAngleDegrees": "0.00", "OutboundSensorAngleDegrees": "20.0"},
            False,
        ),
        ("OJ", {}, None),
    ],
)
def test_what_an_answer_means(name: str, values: dict[str, str], verdict: bool | None) -> None:
    setting = by_name(RadarSettings()).get(name) or by_name(RadarSettings())["JSON lines"]
    assert setting.matches(Reply(0.0, values)) is verdict


def test_the_least_speed_is_in_the_current_unit() -> None:
    setting = by_name(RadarSettings(unit=Unit.MPH, min_speed_kmh=8.0))["least speed"]
    assert setting.write == b"R>4.97\r"
    assert setting.matches(Reply(0.0, {"RequiredMinSpeed": "4.970"})) is True
    assert setting.matches(Reply(0.0, {"RequiredMinSpeed": "8.000"})) is False


@pytest.mark.parametrize(
    ("max_kmh", "rate"), [(100.0, b"SX"), (112.0, b"SX"), (113.0, b"S2"), (224.0, b"S2")]
)
def test_the_sampling_rate_measures_what_is_wanted(max_kmh: float, rate: bytes) -> None:
    assert by_name(RadarSettings(max_speed_kmh=max_kmh))["sampling rate"].write == rate


@pytest.mark.parametrize(("targets", "command"), [(1, b"O1"), (9, b"O9"), (10, b"O=10\r"), (16, b"O=16\r")])
def test_the_number_of_reports(targets: int, command: bytes) -> None:
    assert by_name(RadarSettings(targets=targets))["reports"].write == command


@pytest.mark.parametrize(
    "wanted",
    [
        RadarSettings(max_speed_kmh=225.0),
        RadarSettings(targets=0),
        RadarSettings(targets=17),
        RadarSettings(min_strength=-1.0),
        RadarSettings(min_speed_kmh=-1.0),
    ],
)
def test_what_the_radar_cannot_do_is_refused(wanted: RadarSettings) -> None:
    with pytest.raises(DriverError, match="ops243"):
        Ops243().settings(wanted)
