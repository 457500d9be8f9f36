"""The sign as a service: is it installed, does it start, does it stay up, does it fit the config?

Source: systemctl(1) `show`, systemd.exec(5) and systemd.resource-control(5).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong

PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,User,SupplementaryGroups,ExecStart,"
    "WatchdogUSec,MainPID,ProtectSystem,ReadWritePaths,StateDirectory,DevicePolicy,DeviceAllow"
)
OFTEN = 10
_DEFAULT_CONFIG = "/etc/speedsign/speedsign.toml"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What systemd says; `loaded` None: it cannot be asked."""

    name: str
    loaded: bool | None = None
    active: str = ""  # active, inactive, failed, activating, …
    sub: str = ""
    enabled: str = ""
    restarts: int = 0
    result: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    config: str = ""  # that it is started with
    watchdog: bool = True
    pid: int | None = None
    writes_below: tuple[str, ...] | None = None  # None: everywhere
    devices: frozenset[str] | None = None  # char-… that it may open; None: all


def parse_show(name: str, output: str) -> ServiceFacts:
    """From the output of `systemctl show`, lines of KEY=VALUE; a key may come several times."""
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found.setdefault(key, []).append(value)

    def one(key: str) -> str:
        return found.get(key, [""])[0]

    if not one("LoadState"):
        return ServiceFacts(name)
    return ServiceFacts(
        name,
        one("LoadState") == "loaded",
        one("ActiveState"),
        one("SubState"),
        one("UnitFileState"),
        _whole(one("NRestarts")) or 0,
        one("Result"),
        one("User"),
        tuple(one("SupplementaryGroups").split()),
        config_of(one("ExecStart")),
        one("WatchdogUSec") not in ("", "0", "infinity"),
        _whole(one("MainPID")) or None,
        _writable(one("ProtectSystem"), one("ReadWritePaths"), one("StateDirectory")),
        _devices(one("DevicePolicy"), found.get("DeviceAllow", ())),
    )


def config_of(exec_start: str) -> str:
    """The config that a service names; the default where it names none.

    >>> config_of("{ path=/a/speedsign ; argv[]=/a/speedsign run --config /etc/a.toml ; ignore_errors=no }")
    '/etc/a.toml'
    """
    command = exec_start.partition("argv[]=")[2].partition(" ; ")[0]
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    for at, word in enumerate(words):
        if word == "--config" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--config="):
            return word.partition("=")[2]
    return _DEFAULT_CONFIG if words else ""


def _writable(protect: str, paths: str, state: str) -> tuple[str, ...] | None:
    if protect != "strict":
        return None
    below = [f"/var/lib/{name}" for name in state.split()]
    return (*below, *(path.lstrip("-+") for path in paths.split()))


def _devices(policy: str, allowed: Iterable[str]) -> frozenset[str] | None:
    if policy not in ("closed", "strict"):
        return None
    names = [word for line in allowed for word in line.split()]
    return frozenset(name for name in names if name.startswith(("char-", "/dev/")))


def judge_service(
    facts: ServiceFacts, config: Path, store: Path | None, devices: Mapping[str, str]
) -> list[Finding]:
    """`devices`: path of each port's device -> the name of its kind in /proc/devices ("ttyUSB")."""
    told: dict[str, object] = {
        "service": facts.name,
        "active": facts.active,
        "enabled": facts.enabled,
        "restarts": facts.restarts,
        "result": facts.result,
        "user": facts.user,
        "config": facts.config,
        "watchdog": facts.watchdog,
    }
    if facts.loaded is None:
        return [unknown("service", "systemd cannot be asked here", facts=told)]
    if not facts.loaded:
        what = f"{facts.name} is not installed, so nothing starts the sign after a power cut"
        do = (
            f"copy systemd/speedsign.service to /etc/systemd/system; sudo systemctl enable --now {facts.name}"
        )
        return [note("service", what, do, told)]
    found = [*_running(facts, told), *_set_up(facts, config, told), *_allowed(facts, store, devices, told)]
    if found:
        return found
    return [ok("service", f"{facts.name} runs and starts by itself, {_again(facts.restarts)}", told)]


def _running(facts: ServiceFacts, told: dict[str, object]) -> list[Finding]:
    log = f"its log says why: journalctl -u {facts.name} -e"
    if facts.active == "failed" or facts.sub == "auto-restart":
        return [wrong("service", f"{facts.name} does not stay up ({facts.result or facts.sub})", log, told)]
    if facts.active not in ("active", "activating", "reloading"):
        return [
            warning(
                "service", f"{facts.name} is stopped", f"start it: sudo systemctl start {facts.name}", told
            )
        ]
    if facts.restarts >= OFTEN:
        what = f"{facts.name} was started again {facts.restarts} times since the machine's start"
        return [warning("service", what, log, told)]
    if facts.restarts:
        return [note("service", f"{facts.name} was {_again(facts.restarts)}", log, told)]
    return []


def _again(times: int) -> str:
    if not times:
        return "never started again by systemd"
    return f"started again by systemd {times} time{'' if times == 1 else 's'}"


def _set_up(facts: ServiceFacts, config: Path, told: dict[str, object]) -> Iterable[Finding]:
    if facts.enabled not in ("enabled", "enabled-runtime", "static", "alias", "generated", "indirect", ""):
        do = f"sudo systemctl enable {facts.name}"
        yield warning("service", f"{facts.name} does not start by itself ({facts.enabled})", do, told)
    if not facts.watchdog:
        what = f"nothing starts {facts.name} again when it hangs"
        yield warning("service", what, f"put WatchdogSec=10 into: sudo systemctl edit {facts.name}", told)
    if facts.config and Path(facts.config) != config.absolute():
        what = f"{facts.name} runs with {facts.config}, and this look is at {config}"
        yield warning("service", what, f"look with --config {facts.config}, or change the service", told)


def _allowed(
    facts: ServiceFacts, store: Path | None, devices: Mapping[str, str], told: dict[str, object]
) -> Iterable[Finding]:
    """What the unit forbids and the config needs."""
    edit = f"sudo systemctl edit {facts.name}"
    below = facts.writes_below
    if store is not None and below is not None and not any(_is_below(store, one) for one in below):
        what = f"{facts.name} may not write to {store.parent}, where [store] path is"
        yield wrong("service", what, f"add ReadWritePaths={store.parent} in: {edit}", told)
    if facts.devices is None:
        return
    for path, kind in devices.items():
        if kind and f"char-{kind}" not in facts.devices and path not in facts.devices:
            what = f"{facts.name} may not open {path}: its unit allows no char-{kind}"
            yield wrong("service", what, f"add DeviceAllow=char-{kind} rw in: {edit}", told)


def _is_below(path: Path, folder: str) -> bool:
    return path.is_relative_to(folder)


def device_kinds(proc_devices: Sequence[str], majors: Mapping[str, int]) -> dict[str, str]:
    """`majors`: path -> major number of its device; by /proc/devices, lines like "188 ttyUSB"."""
    kinds: dict[int, str] = {}
    for line in proc_devices:
        if line.startswith("Block"):
            break
        words = line.split()
        if len(words) == 2 and words[0].isdecimal():
            kinds.setdefault(int(words[0]), words[1])
    return {path: kinds.get(major, "") for path, major in majors.items()}


def _whole(value: str) -> int | None:
    return int(value) if value.isdecimal() else None
