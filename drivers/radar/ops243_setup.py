"""What an OPS24x has to be set to, and the commands for it (OmniPreSense AN-010, summary of commands).

A command is two characters, acted on at the second; one that carries a number ends with CR. Nothing is
saved to the radar's flash (`A!`): it wears, and output forms are not among what it saves.

Direction is not filtered in the radar: its filter leaks, and the sign has to see what it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.radar.units import KMH_PER_UNIT_WORD
from speedsign.errors import DriverError
from speedsign.model import Reply, Unit
from speedsign.ports import RadarSettings, Setting

DEFAULT_MAGNITUDE = 20.0  # OPS243-A's own; below it noise at the end of the spectrum is reported
MAX_REPORTS = 16

_UNIT_COMMANDS = {Unit.KMH: b"UK", Unit.MPH: b"US", Unit.MPS: b"UM"}
# (km/h that can be measured, samples a second, command); faster traffic folds back to a wrong speed.
_RATES = ((31.1 * 3.6, 10_000, b"SX"), (62.2 * 3.6, 20_000, b"S2"))
_VOLATILE: tuple[tuple[str, bytes, str], ...] = (
    ("JSON lines", b"OJ", "on"),
    ("magnitude", b"OM", "on"),
    ("time", b"OT", "on"),
    ("unit in each line", b"OU", "on"),
    # Filters that somebody has left in the flash would hide the fast and the near ones without a word.
    ("greatest speed", b"R<0\r", "no limit"),
    ("greatest magnitude", b"M<0\r", "no limit"),
    ("both directions", b"R|", "on"),
    ("peak averaging", b"K+", "on"),
    ("USB watchdog off", b"OZ", "on"),  # it would reset the radar while the host is busy
    ("power", b"PA", "active"),
)


def number_command(command: str, value: float, decimals: int = 2) -> bytes:
    """A command that carries a number.

    >>> number_command("R>", 10)
    b'R>10\\r'
    """
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return f"{command}{text}\r".encode("ascii")


def angle_command(way: str, angle_deg: float) -> bytes:
    """The sensor-side cosine angle; `way` is + for inbound, - for outbound.

    >>> angle_command("+", 15)
    b'^/+15.0\\r'
    """
    return f"^/{way}{angle_deg:.1f}\r".encode("ascii")


def reports_command(n: int) -> bytes:
    """How many speeds a report has: O1 to O9, O=n to 16."""
    if not 1 <= n <= MAX_REPORTS:
        raise DriverError(f"radar ops243: {n} targets a report is not possible; set 1 to {MAX_REPORTS}")
    return f"O{n}".encode("ascii") if n <= 9 else f"O={n}\r".encode("ascii")


def settings_for(wanted: RadarSettings) -> list[Setting]:
    """What has to be set, the unit first: until it is known, lines without one are not used.

    Raises DriverError where the radar cannot do what is wanted.
    """
    _, samples, rate = _rate_for(wanted.max_speed_kmh)
    magnitude = DEFAULT_MAGNITUDE if wanted.min_strength is None else wanted.min_strength
    if magnitude < 0 or wanted.min_speed_kmh < 0:
        raise DriverError("radar ops243: the least speed and the least strength cannot be negative")
    least = wanted.min_speed_kmh / wanted.unit.kmh
    settings = [
        Setting("unit", b"U?", _unit_is(wanted.unit), _UNIT_COMMANDS[wanted.unit], wanted.unit.value),
        Setting("sampling rate", b"??", _number_is("SamplingRate", samples, 0.5), rate, f"{samples}/s"),
        Setting(
            "least magnitude",
            b"M?",
            _number_is("Squelch", magnitude, 0.5),
            number_command("M>", magnitude),
            f"{magnitude:g}",
        ),
        Setting(
            "least speed",
            b"R?",
            # The radar keeps it in steps of its own spectrum and answers in the current unit.
            _number_is("RequiredMinSpeed", least, max(0.05, 0.01 * least)),
            number_command("R>", least),
            f"{least:.2f} {wanted.unit.value}",
        ),
    ]
    settings += [_no_angle("Inbound", "+"), _no_angle("Outbound", "-")]
    settings += [Setting(name, None, _unasked, command, wish) for name, command, wish in _VOLATILE[:4]]
    settings.append(Setting("reports", None, _unasked, reports_command(wanted.targets), str(wanted.targets)))
    settings += [Setting(name, None, _unasked, command, wish) for name, command, wish in _VOLATILE[4:]]
    return settings


def _rate_for(max_speed_kmh: float) -> tuple[float, int, bytes]:
    for rate in _RATES:
        if max_speed_kmh <= rate[0] + 0.1:  # the manual rounds: 112 and 224 km/h
            return rate
    raise DriverError(
        f"radar ops243: max_speed_kmh {max_speed_kmh:g} is more than the radar can measure;"
        f" set at most {_RATES[-1][0]:.0f}"
    )


def _no_angle(way: str, sign: str) -> Setting:
    """The angle is corrected in the sign alone: one in the radar would be applied twice."""
    key = f"{way}SensorAngleDegrees"
    return Setting(f"{way.lower()} angle", b"^?", _number_is(key, 0.0, 0.005), angle_command(sign, 0), "0")


def _unit_is(unit: Unit) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        word = reply.values.get("Units")
        return None if word is None else KMH_PER_UNIT_WORD.get(word.lower()) == unit.kmh

    return matches


def _number_is(key: str, wanted: float, within: float) -> Callable[[Reply], bool | None]:
    def matches(reply: Reply) -> bool | None:
        value = _number(reply.values, key)
        return None if value is None else abs(value - wanted) <= within

    return matches


def _number(values: Mapping[str, str], key: str) -> float | None:
    """The number under a key; None where there is none, so that a damaged answer is asked for again."""
    try:
        return float(values[key])
    except (KeyError, ValueError):
        return None


def _unasked(_reply: Reply) -> None:
    """No answer says anything about what cannot be asked for."""
