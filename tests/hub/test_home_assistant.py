"""What Home Assistant is told, against the rules of its MQTT discovery for whole devices.

The rules as of its version 2025.1 (homeassistant/components/mqtt: schemas.py, sensor.py): `device` with an
identifier, `origin` with a name, `components` with a platform and a unique id each; enum sensors have options
and neither unit nor state class; timestamps have no unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.hub.home_assistant import STATES, HomeAssistant, discovery, now, now_topic
from telemetry.hub.port import Latest
from telemetry.hub.store import SqliteHubStore
from tests.hub.said import SIGN, agg, birth, health, place, quarter, state

THERE = "speedsign/hub/main/state"
DEVICE_KEYS = {
    *("identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version"),
    *("serial_number", "sw_version", "via_device", "suggested_area", "configuration_url"),
}
KNOWN = {"speed": {"km/h"}, "temperature": {"°C"}, "enum": {None}, "timestamp": {None}, None: None}


@pytest.fixture
def latest(tmp_path: Path) -> Iterator[Latest]:
    store = SqliteHubStore(tmp_path / "hub.db")
    body = {"queue": {"agg": 2, "raw": 1}, "machine": {"temp_c": 41.5, "disk_free": 0.731}}
    body |= {"calibration": {"state": "overdue", "at": 1, "due": "2026-05-03"}}
    store.take([birth(), state("on"), place(1), agg(2), agg(3, quarter(1, 5)), health(body)])
    yield store.latest(SIGN)
    store.close()


def test_the_device_is_as_it_has_to_be(latest: Latest) -> None:
    told: dict[str, Any] = json.loads(json.dumps(discovery(latest, THERE, "0.2.0")))
    assert set(told["device"]) <= DEVICE_KEYS
    assert told["device"]["identifiers"] == ["speedsign_bauska-1"]
    assert told["device"]["name"] == "Bauska, Rīgas iela"
    assert told["origin"]["name"]
    assert told["state_topic"] == "speedsign/1/bauska-1/hub/now"
    assert told["availability_topic"] == THERE
    assert told["qos"] == 1


def test_each_sensor_is_as_it_has_to_be(latest: Latest) -> None:
    components: dict[str, Any] = dict(discovery(latest, THERE, "")["components"])  # type: ignore[call-overload]
    assert len({one["unique_id"] for one in components.values()}) == len(components)
    for one in components.values():
        assert one["platform"] == "sensor"
        assert one["name"]
        units = KNOWN[one.get("device_class")]
        assert units is None or one.get("unit_of_measurement") in units
        assert one.get("state_class") in (None, "measurement")
        assert one.get("entity_category") in (None, "diagnostic")
        is_enum = one.get("device_class") == "enum"
        assert is_enum == ("options" in one)
        if is_enum or one.get("device_class") == "timestamp":
            assert "state_class" not in one


def test_every_value_has_its_sensor_and_the_other_way_round(latest: Latest) -> None:
    components: dict[str, Any] = dict(discovery(latest, THERE, "")["components"])  # type: ignore[call-overload]
    told = now(latest)
    templates = [one["value_template"] for one in components.values()]
    named = {template.removeprefix("{{ value_json.").removesuffix(" }}") for template in templates}
    assert named == set(told)
    assert told == {
        "state": "on",
        "vehicles": 6,
        "mean_kmh": 51.8,
        "v85_kmh": 60.6,
        "interval_end": "2026-05-04T07:30:00+00:00",
        "measured_percent": 100.0,
        "waiting": 3,
        "disk_free_percent": 73.1,
        "temperature_c": 41.5,
        "calibration": "overdue",
    }


def test_what_is_not_known_is_null_and_the_state_is_one_of_its_words() -> None:
    told = now(Latest(SIGN, "", "", ""))
    assert told["state"] == "unknown"
    assert {value for key, value in told.items() if key != "state"} == {None}
    assert {"on", "off", "lost", "unknown"} == set(STATES)


def test_the_same_is_said_once_and_all_of_it_is_retained(latest: Latest) -> None:
    said: list[tuple[str, bool]] = []
    shown = HomeAssistant("main", "homeassistant", "0.2.0")

    def publish(topic: str, payload: bytes, retain: bool) -> None:
        assert len(payload) < 8192
        said.append((topic, retain))

    shown.connected(publish)
    for _ in range(3):
        shown.born(latest, publish)
        shown.changed(latest, publish)
    assert said == [
        (THERE, True),
        ("homeassistant/device/speedsign_bauska-1/config", True),
        (now_topic(SIGN), True),
    ]
    assert (shown.will.topic, shown.will.payload) == (THERE, b"offline")
