"""What an OPS243 prints: reports in every form of AN-010-AD that a sign meets, answers, the banner.

Wording that no public source shows is not made up: such a command is carried out without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from simulator.radars.ops243_sensor import Measured, Ops243Sensor, Ops243Settings

VERSION = "1.3.9"
BANNER = b'{"Reset" : "Board was reset"}\r\n'
_ZERO = Measured(0.0, 0.0)
_ROUNDING_S = 1e-6  # sums of many small steps may be short of a whole second


def report(sensor: Ops243Sensor, peaks: Sequence[Measured]) -> bytes:
    """One report: nothing, a line, or one line a peak."""
    if not sensor.settings.speed:
        return b""
    if not peaks:
        return _blank(sensor)
    if sensor.settings.json:
        return _json(sensor, peaks)
    return b"".join(_plain(sensor, peak) for peak in peaks)


def _blank(sensor: Ops243Sensor) -> bytes:
    """What the B commands choose for a report without any target."""
    blank = sensor.settings.blank
    if blank == "Z":
        return _json(sensor, [_ZERO]) if sensor.settings.json else _plain(sensor, _ZERO)
    text = {"L": "", "S": " ", "C": ",", "T": f"{sensor.uptime_s:.3f}"}.get(blank)
    return b"" if text is None else _line(text)


def _plain(sensor: Ops243Sensor, peak: Measured) -> bytes:
    settings, parts = sensor.settings, []
    if settings.human_time or settings.time:
        parts.append(_time(sensor))
    if settings.units:
        parts.append(f'"{sensor.unit.short}"')
    if settings.magnitude:
        parts.append(_number(settings, peak.magnitude))
    parts.append(_number(settings, peak.speed))
    return _line(",".join(parts))


def _json(sensor: Ops243Sensor, peaks: Sequence[Measured]) -> bytes:
    """One peak: values are strings; several: arrays of numbers, strongest first."""
    settings, parts = sensor.settings, []
    if settings.human_time or settings.time:
        parts.append(f'"time":"{_time(sensor)}"')
    if settings.units:
        parts.append(f'"unit":"{sensor.unit.short}"')
    if settings.magnitude:
        parts.append(f'"magnitude":{_values(settings, [peak.magnitude for peak in peaks])}')
    parts.append(f'"speed":{_values(settings, [peak.speed for peak in peaks])}')
    return _line("{" + (", " if len(peaks) > 1 else ",").join(parts) + "}")


def _values(settings: Ops243Settings, values: Sequence[float]) -> str:
    texts = [_number(settings, value) for value in values]
    return f'"{texts[0]}"' if len(texts) == 1 else "[" + ", ".join(texts) + "]"


def _number(settings: Ops243Settings, value: float) -> str:
    return f"{round(value, settings.decimals) + 0.0:.{settings.decimals}f}"  # + 0.0: no "-0.00"


def _time(sensor: Ops243Sensor) -> str:
    if not sensor.settings.human_time:
        return f"{sensor.uptime_s:.3f}"
    at = datetime.fromtimestamp(sensor.clock_offset_s + sensor.uptime_s, UTC)
    return f"{at:%a %b} {at.day:2d} {at:%Y %H:%M:%S}.{at.microsecond // 1000:03d} GMT"


def units(sensor: Ops243Sensor) -> bytes:
    return _line(f'{{"Units":"{sensor.unit.name}"}}')


def min_speed(sensor: Ops243Sensor) -> bytes:
    return _line(f'{{"RequiredMinSpeed":"{sensor.settings.min_mps / sensor.unit.mps:.3f}"}}')


def squelch(sensor: Ops243Sensor) -> bytes:
    return _line(f'{{"Squelch":"{sensor.settings.min_magnitude:.0f}"}}')


def angles(sensor: Ops243Sensor) -> bytes:
    inbound, outbound = sensor.settings.inbound_deg, sensor.settings.outbound_deg
    return _line(
        f'{{"InboundSensorAngleDegrees" : {inbound:.2f}, "OutboundSensorAngleDegrees" : {outbound:.2f}}}'
    )


def sampling(sensor: Ops243Sensor) -> bytes:
    return _line(f'{{"SamplingRate":{sensor.settings.rate_hz}, "resolution":{sensor.resolution_mps:.4f}}}')


def clock(sensor: Ops243Sensor) -> bytes:
    return _line(f'{{"Clock":"{int(sensor.clock_offset_s + sensor.uptime_s + _ROUNDING_S)}"}}')


def version() -> bytes:
    return _line(f'{{"Version":"{VERSION}"}}')


def output_feature(letter: str) -> bytes:
    return _line(f'{{"OutputFeature":"{letter}"}}')


def everything(sensor: Ops243Sensor) -> bytes:
    """The answer to `??`: about ten objects, one a line."""
    power = "Continuous" if sensor.active else "Idle"
    return b"".join((
        _line('{"Product":"OPS243"}'),
        version(),
        sampling(sensor),
        _line(f'{{"SampleSize":{sensor.settings.samples}}}'),
        clock(sensor),
        _line(f'{{"Q2COUNT":"{round(sensor.uptime_s * 1000)}"}}'),
        _line(f'{{"PowerMode":"{power}"}}'),
        squelch(sensor),
        min_speed(sensor),
    ))  # fmt: skip


def _line(text: str) -> bytes:
    return text.encode() + b"\r\n"
