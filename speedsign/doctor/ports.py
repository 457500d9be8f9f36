"""The ports of the config: are they there, may they be opened, who else has them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from speedsign.doctor.finding import Finding, note, ok, warning, wrong

RADAR = "radar"

# Programs that open serial ports by themselves, and how to get rid of them.
PROWLERS = {
    "ModemManager": "it probes serial ports: sudo systemctl disable --now ModemManager",
    "brltty": "it takes USB adapters for Braille displays: sudo apt remove brltty",
}


@dataclass(frozen=True, slots=True)
class PortFacts:
    """One port, and what it is for. `kind`: device, missing, broken (a link to nothing), no_tty, network."""

    role: str
    name: str
    kind: str
    device: str = ""  # without links
    stable: str | None = None  # its name under by-id, where it has one
    may: bool | None = None  # whether this user may open it
    user: str = ""
    group: str = ""  # that may open it; "": none
    service_user: str = ""
    service_may: bool | None = None  # None: not known, or no service
    holders: tuple[str, ...] = ()  # without the sign
    sign_has_it: bool = False
    console: bool = False  # the kernel or a login talks there
    known: tuple[str, ...] = ()  # the ports there are


def judge_ports(ports: Sequence[PortFacts], running: Sequence[str] = ()) -> list[Finding]:
    """`running`: names of programs that run on this machine."""
    found = [_judge(one) for one in ports]
    found += _shared(ports)
    prowlers = [name for name in PROWLERS if name in running]
    serial = any(one.kind != "network" for one in ports)
    held = {holder.split(" ")[0] for one in ports for holder in one.holders}
    found += [
        warning(f"port {name}", f"{name} runs on this machine", PROWLERS[name], {"program": name})
        for name in prowlers
        if serial and name not in held
    ]
    return found


def _judge(port: PortFacts) -> Finding:
    check = f"port {port.role}"
    told = _told(port)
    if port.kind == "network":
        return ok(check, f"{port.name} is on the network", told)
    trouble = _not_there(port) or _forbidden(port) or _taken(port)
    if trouble:
        return wrong(check, f"{port.name}: {trouble[0]}", trouble[1], told)
    if _unstable(port):
        do = f"name it {port.stable}" if port.stable else "name it by /dev/serial/by-id"
        return warning(check, f"{port.name} can become another device after a restart", do, told)
    if port.may is False:
        what = f"{port.name}: {port.user} may not open it, the sign's user {port.service_user} may"
        do = f"to use the field tools: sudo usermod -aG {port.group} {port.user}, then log in again"
        return note(check, what, do, told)
    held = ", the sign has it" if port.sign_has_it else ""
    return ok(check, f"{port.name}{held}", told)


def _told(port: PortFacts) -> dict[str, object]:
    return {
        "port": port.name,
        "kind": port.kind,
        "device": port.device,
        "stable_name": port.stable,
        "may_open": port.may,
        "service_user": port.service_user,
        "service_may_open": port.service_may,
        "holders": list(port.holders),
        "sign_has_it": port.sign_has_it,
    }


def _not_there(port: PortFacts) -> tuple[str, str] | None:
    there = ", ".join(port.known) or "none"
    if port.kind == "missing":
        return "no such device", f"check the cable and its power; ports found: {there}"
    if port.kind == "broken":
        return "a link that leads nowhere", f"plug the adapter in; ports found: {there}"
    if port.kind == "no_tty":
        return "not a serial device", f"correct the name in the config; ports found: {there}"
    return None


def _forbidden(port: PortFacts) -> tuple[str, str] | None:
    """The sign's own user matters most; without a service it is whoever asks."""
    if port.service_may is False:
        user = port.service_user
    elif port.may is False and port.service_may is None:
        user = port.user
    else:
        return None
    if not port.group:
        return f"{user} may not open it, nor may any group", 'give it a group by a udev rule: GROUP="dialout"'
    return (
        f"{user} may not open it",
        f"sudo usermod -aG {port.group} {user}, then restart the sign or log in again",
    )


def _taken(port: PortFacts) -> tuple[str, str] | None:
    if port.console:
        return (
            "the system's console or a login uses it",
            "switch that off: sudo raspi-config, Interface Options, Serial Port: no login shell; then reboot",
        )
    if port.holders:
        who = ", ".join(port.holders)
        program = port.holders[0].split(" ")[0]
        return f"in use by {who}", PROWLERS.get(program, "stop that program; a port has one reader")
    return None


def _unstable(port: PortFacts) -> bool:
    name = port.name.rpartition("/")
    return name[0] == "/dev" and name[2].startswith(("ttyUSB", "ttyACM"))


def _shared(ports: Sequence[PortFacts]) -> list[Finding]:
    """One device under two names, or for two things that cannot share it."""
    found = []
    real = [one for one in ports if one.device]
    for at, one in enumerate(real):
        for other in real[at + 1 :]:
            if one.device != other.device or one.name == other.name:
                continue
            roles = f"{one.role} and {other.role}"
            told: dict[str, object] = {"ports": [one.name, other.name], "device": one.device}
            what = f"{one.name} and {other.name} are the same device, for {roles}"
            if RADAR in (one.role, other.role):
                do = "the radar needs an adapter of its own; correct one of the two names"
            else:
                do = "write the same name for both, so that they take turns"
            found.append(wrong(f"port {one.role}", what, do, told))
    return found
