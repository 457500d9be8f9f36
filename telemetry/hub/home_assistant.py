"""Signs as devices of Home Assistant, by its MQTT discovery for whole devices.

The hub says what there is (`{prefix}/device/speedsign_{sign}/config`, retained) and what it is now
(`speedsign/1/{sign}/hub/now`, retained). The sign's own topics would not do: intervals come late and out of
order, and the broker's word on a lost sign can be an old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from telemetry.calibration.proof import State
from telemetry.hub.hub import Publish
from telemetry.hub.port import Latest
from telemetry.message.messages import VERSION, encode, parse_health
from telemetry.mqtt.shapes import Will

PREFIX = "homeassistant"
ONLINE, OFFLINE = b"online", b"offline"
STATES = ("on", "off", "lost", "unknown")
CALIBRATION = tuple(state.value for state in State)


@dataclass(frozen=True, slots=True)
class _Sensor:
    key: str  # in the message, and of the component
    name: str
    unit: str | None = None
    device_class: str | None = None
    measured: bool = True
    diagnostic: bool = False
    options: tuple[str, ...] = ()


_SENSORS = (
    _Sensor("state", "State", device_class="enum", measured=False, options=STATES),
    _Sensor("vehicles", "Vehicles in the last interval", "vehicles"),
    _Sensor("mean_kmh", "Mean speed", "km/h", "speed"),
    _Sensor("v85_kmh", "V85", "km/h", "speed"),
    _Sensor("interval_end", "Counted up to", device_class="timestamp", measured=False),
    _Sensor("measured_percent", "Measured", "%", diagnostic=True),
    _Sensor("waiting", "Messages waiting at the sign", "messages", diagnostic=True),
    _Sensor("disk_free_percent", "Free space", "%", diagnostic=True),
    _Sensor("temperature_c", "Temperature", "°C", "temperature", diagnostic=True),
    _Sensor("calibration", "Calibration", None, "enum", measured=False, diagnostic=True, options=CALIBRATION),
)


class HomeAssistant:
    """`telemetry.hub.hub.Shown`; says the same only once in a run of the hub."""

    def __init__(self, hub: str, prefix: str = PREFIX, version: str = "") -> None:
        self._prefix, self._version = prefix, version
        self._there = f"speedsign/hub/{hub}/state"
        self.will = Will(self._there, OFFLINE)
        self._said: dict[str, bytes] = {}

    def connected(self, publish: Publish) -> None:
        publish(self._there, ONLINE, True)

    def born(self, latest: Latest, publish: Publish) -> None:
        topic = f"{self._prefix}/device/speedsign_{latest.sign}/config"
        self._say(topic, encode(discovery(latest, self._there, self._version)), publish)

    def changed(self, latest: Latest, publish: Publish) -> None:
        self._say(now_topic(latest.sign), encode(now(latest)), publish)

    def _say(self, topic: str, payload: bytes, publish: Publish) -> None:
        if self._said.get(topic) != payload:
            self._said[topic] = payload
            publish(topic, payload, True)


def now_topic(sign: str) -> str:
    """The hub's own topic about a sign.

    >>> now_topic("bauska-3")
    'speedsign/1/bauska-3/hub/now'
    """
    return f"speedsign/{VERSION}/{sign}/hub/now"


def discovery(latest: Latest, there: str, version: str) -> dict[str, object]:
    """What Home Assistant is told once of a sign; `there`: the topic that says whether the hub is."""
    device = {
        "identifiers": [f"speedsign_{latest.sign}"],
        "name": latest.site or latest.sign,
        "manufacturer": "speedsign",
        "model": "Speed display sign",
        "serial_number": latest.sign,
    }
    if latest.software:
        device["sw_version"] = latest.software
    return {
        "device": device,
        "origin": {"name": "speedsign hub", **({"sw_version": version} if version else {})},
        "components": {sensor.key: _component(latest.sign, sensor) for sensor in _SENSORS},
        "state_topic": now_topic(latest.sign),
        "availability_topic": there,
        "qos": 1,
    }


def _component(sign: str, sensor: _Sensor) -> dict[str, object]:
    found: dict[str, object] = {
        "platform": "sensor",
        "name": sensor.name,
        "unique_id": f"speedsign_{sign}_{sensor.key}",
        "value_template": "{{ value_json." + sensor.key + " }}",
    }
    if sensor.unit:
        found["unit_of_measurement"] = sensor.unit
    if sensor.device_class:
        found["device_class"] = sensor.device_class
    if sensor.options:
        found["options"] = list(sensor.options)
    if sensor.measured:
        found["state_class"] = "measurement"
    if sensor.diagnostic:
        found["entity_category"] = "diagnostic"
    return found


def now(latest: Latest) -> dict[str, object]:
    """What the sensors show; null: not known."""
    health = parse_health(latest.health.encode(), latest.sign).body if latest.health else {}
    machine, queue = health.get("machine", {}), health.get("queue")
    calibration = health.get("calibration", {}).get("state")
    end_s = latest.interval_end_s
    return {
        "state": latest.state or "unknown",
        "vehicles": latest.vehicles,
        "mean_kmh": latest.mean_kmh,
        "v85_kmh": latest.v85_kmh,
        "interval_end": None if end_s is None else datetime.fromtimestamp(end_s, UTC).isoformat(),
        "measured_percent": _percent(latest.measured_share),
        "waiting": None if queue is None else sum(queue.values()),
        "disk_free_percent": _percent(machine.get("disk_free")),
        "temperature_c": machine.get("temp_c"),
        "calibration": calibration if calibration in CALIBRATION else None,
    }


def _percent(share: object) -> float | None:
    return round(100 * share, 1) if isinstance(share, int | float) else None
