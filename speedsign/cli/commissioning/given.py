"""The answers by option: each belongs to a step, and some do not go together. None is dropped silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from speedsign.errors import UsageError

_OF = {
    "sign": ("id", "site", "name", "limit", "language", "timezone", "coordinates", "approaching_name",
             "receding_name", "store"),
    "radar": ("radar_port", "radar_driver", "radar_profile", "radar_baud", "radar_unit", "listen_s"),
    "panel": ("panel_port", "panel_driver", "panel_profile", "panel_baud", "panel_unit"),
    "direction": ("invert", "wait_s"),
    "mounting": ("lateral", "height", "aim", "read_at", "angle", "cars"),
    "rules": ("show", "minimum", "ceiling", "within", "over", "too_fast_from", "too_fast"),
    "broker": ("broker", "broker_port", "tls", "allow_plain", "ca_file", "certificate_file", "key_file",
               "username", "password_file"),
    "test": ("trial_s",),
}  # fmt: skip
_STEP_OF = {name: step for step, names in _OF.items() for name in names}
_SPELLED = {"listen_s": "--listen", "wait_s": "--wait", "trial_s": "--test-for"}
_TLS_FILES = ("ca_file", "certificate_file", "key_file")
_NOT_LOOKED_FOR = ("radar_profile", "radar_baud", "panel_driver", "panel_profile", "panel_baud", "panel_unit")
_TAPE = ("lateral", "height", "aim", "read_at")

Answers = Mapping[str, Any]


def option(name: str, value: object = None) -> str:
    """As a person types it.

    >>> option("invert", False), option("trial_s", 8.0)
    ('--no-invert', '--test-for')
    """
    return _SPELLED.get(name, f"--{'no-' if value is False else ''}{name.replace('_', '-')}")


def of_step(given: Answers, step: str) -> dict[str, str]:
    """The options of one step that were used, as they can be kept in a draft."""
    return {name: str(given[name]) for name in _OF.get(step, ()) if given.get(name) is not None}


def check(given: Answers, names: Iterable[str]) -> None:
    """Raises UsageError for options that would do nothing, or that say two things. `names`: the steps."""
    _check_letters(given)
    _check_steps(given, tuple(names))
    _check_looking(given)
    _check_panel(given)
    _check_angle(given)
    _check_broker(given)


def _used(given: Answers, names: Iterable[str]) -> list[str]:
    return [option(name, given[name]) for name in names if given.get(name) is not None]


def _check_letters(given: Answers) -> None:
    """Bytes that are no letters stand in a text as surrogates; nor are control characters kept."""
    for name, value in given.items():
        if isinstance(value, str) and not value.isprintable():
            raise UsageError(f"{option(name)}: {value!r} has what is no letter; write it in UTF-8")


def _check_steps(given: Answers, names: tuple[str, ...]) -> None:
    if not names:
        return
    strange: dict[str, list[str]] = {}
    for name, step in _STEP_OF.items():
        if step not in names and given.get(name) is not None:
            strange.setdefault(step, []).append(option(name, given[name]))
    if strange:
        which = "; ".join(f"{', '.join(found)}: of the step {step}" for step, found in strange.items())
        raise UsageError(f"{which}, which is not named: name it too, or leave that out")


def _check_looking(given: Answers) -> None:
    """What is found need not be said, and where nothing is opened nothing can be measured."""
    if given.get("no_probe"):
        if given.get("cars") is not None:
            raise UsageError("--cars needs the radar, and --no-probe opens nothing; leave one of them out")
    elif found := _used(given, _NOT_LOOKED_FOR):
        raise UsageError(f"{', '.join(found)}: only with --no-probe; without it that is found by looking")


def _check_panel(given: Answers) -> None:
    others = _used(given, ("panel_driver", "panel_profile", "panel_baud", "panel_unit"))
    if given.get("panel_port") == "none" and others:
        raise UsageError(f"--panel-port none says that there is no panel; leave out {', '.join(others)}")


def _check_angle(given: Answers) -> None:
    others = _used(given, (*_TAPE, "cars"))
    if given.get("angle") is not None and others:
        raise UsageError(f"--angle is the last word on the angle; leave out it, or {', '.join(others)}")


def _check_broker(given: Answers) -> None:
    others = _used(given, (name for name in _OF["broker"] if name != "broker"))
    if (given.get("broker") or "").strip().lower() in ("none", "-") and others:
        raise UsageError(f"--broker none says that there is no broker; leave out {', '.join(others)}")
    files = _used(given, _TLS_FILES)
    if given.get("tls") is False and files:
        raise UsageError(f"{', '.join(files)}: for TLS, which --no-tls forbids; leave one of them out")
    if given.get("allow_plain") and given.get("tls") is not False:
        raise UsageError("--allow-plain alone means nothing: with --no-tls, or leave it out")
