"""Gathers what `speedsign.doctor.ports` judges; opens no port."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from speedsign.doctor.files import lines, text
from speedsign.doctor.ports import PortFacts

_PTYS = "/dev/pts/"  # whoever made one has it open too


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may open things; `gids` all of his groups."""

    name: str
    uid: int
    gids: frozenset[int]

    def may(self, found: os.stat_result, wanted: int = 0o6) -> bool:
        """By the bits of the mode; `wanted`: 4 to read, 2 to write."""
        if self.uid == 0:
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.gids else 0
        return found.st_mode >> shift & wanted == wanted


def myself() -> User:
    uid = os.geteuid()
    return User(_name(uid), uid, frozenset((os.getegid(), *os.getgroups())))


def user_named(name: str, more_groups: Sequence[str] = ()) -> User | None:
    """A user of this machine with its groups, and more that its service has; None: there is no such one."""
    try:
        found = pwd.getpwnam(name)
        gids = set(os.getgrouplist(name, found.pw_gid))
    except (KeyError, OSError):
        return None
    for group in more_groups:
        gid = _gid(group)
        if gid is not None:
            gids.add(gid)
    return User(name, found.pw_uid, frozenset(gids))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all ports. `holders` tells who has a device open, "name (pid)"."""

    me: User
    service: User | None
    sign_pid: int | None
    stable_names: Mapping[str, str]
    known: tuple[str, ...]
    holders: Callable[[str], list[str]]
    root: Path = Path("/")


def port_facts(role: str, name: str, around: Surroundings) -> PortFacts:
    if "://" in name:
        return PortFacts(role, name, "network")
    path = Path(name)
    device = os.path.realpath(name)
    try:
        found = path.stat()
    except PermissionError:
        return PortFacts(role, name, "device", device, may=False, user=around.me.name)
    except OSError:
        kind = "broken" if path.is_symlink() else "missing"
        return PortFacts(role, name, kind, known=around.known)
    if not stat.S_ISCHR(found.st_mode):
        return PortFacts(role, name, "no_tty", known=around.known)
    service = around.service
    opened = [] if device.startswith(_PTYS) else around.holders(name)
    own, others = _sorted_holders([*opened, *_lockers(around.root, found)], around.sign_pid)
    return PortFacts(
        role,
        name,
        "device",
        device,
        next((link for link, target in around.stable_names.items() if target == device), None),
        os.access(name, os.R_OK | os.W_OK, effective_ids=True),
        around.me.name,
        _group(found.st_gid) if found.st_mode & 0o060 == 0o060 else "",
        service.name if service else "",
        service.may(found) if service else None,
        others,
        own,
        Path(device).name in _consoles(around.root),
        around.known,
    )


def _sorted_holders(holders: Sequence[str], sign_pid: int | None) -> tuple[bool, tuple[str, ...]]:
    """Whether the sign is among them; the others. Not we ourselves: other checks run beside this one."""
    ours = f"({os.getpid()})"
    found = [one for one in dict.fromkeys(holders) if not one.endswith(ours)]
    sign = f"({sign_pid})"
    return any(one.endswith(sign) for one in found), tuple(one for one in found if not one.endswith(sign))


def locker_of(root: Path, found: os.stat_result) -> list[int]:
    """The processes that hold a lock (flock) on a file, which everybody may know (proc_locks(5))."""
    inode = f":{found.st_ino}"
    pids = []
    for line in lines(root / "proc/locks"):
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[5].endswith(inode) and words[4].isdecimal():
            pids.append(int(words[4]))
    return [one for one in dict.fromkeys(pids) if one > 0]


def _lockers(root: Path, found: os.stat_result) -> list[str]:
    """Who has a port for itself alone, as most programs with serial ports say by a lock."""
    return [f"{text(root / f'proc/{pid}/comm', 64) or 'process'} ({pid})" for pid in locker_of(root, found)]


def _consoles(root: Path) -> set[str]:
    """Serial devices that the kernel or a login writes to."""
    found = {line.split()[0] for line in lines(root / "proc/consoles") if line.split()}
    running = root / "run/systemd/units"
    try:
        names = [one.name for one in running.iterdir()]
    except OSError:
        names = []
    prefix = "invocation:serial-getty@"
    found |= {one.removeprefix(prefix).removesuffix(".service") for one in names if one.startswith(prefix)}
    return {name for name in found if name.startswith("tty") and len(name) > len("tty0")}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _gid(name: str) -> int | None:
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        return None
