"""What all looks of `speedsign doctor` share: the good part of the config, the service, the running sign."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from speedsign.cli.believed import believed
from speedsign.config.tables import Tables, good_tables
from speedsign.doctor.files import text, there
from speedsign.doctor.finding import Finding, unknown
from speedsign.doctor.port_facts import User, locker_of, myself, user_named
from speedsign.doctor.service import PROPERTIES, ServiceFacts, parse_show
from speedsign.errors import PortError
from speedsign.live.client import greeting
from speedsign.ports import Clock

ASK_S = 5.0  # a program of the system's that answers questions


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    service: str = "speedsign"
    offline: bool = False
    quick: bool = False
    thorough: bool = False


@dataclass(frozen=True, slots=True)
class Patient:
    """`root`: below it stand the kernel's files; another one in tests."""

    config_path: Path
    tables: Tables
    clock: Clock
    options: Options = Options()
    root: Path = Path("/")
    service: ServiceFacts = field(default_factory=lambda: ServiceFacts("speedsign"))
    sign_pid: int | None = None  # of the running sign
    socket: Path | None = None  # by which it can be asked; None: it cannot
    mute: str = ""  # why not, where it runs
    mend: str = ""  # and what to do about that

    @property
    def blind(self) -> bool:
        """Whether nothing at all is known of what the config says: there is none, or none for this user."""
        path = self.config_path
        return self.tables.whole is None and not os.access(path, os.R_OK, effective_ids=True)

    @property
    def runs(self) -> bool:
        return self.sign_pid is not None or self.socket is not None

    @property
    def knows_time(self) -> bool:
        """Whether its clock is believed."""
        tables = self.tables
        return believed(self.clock, tables.store.path, always=tables.clock.trust == "always").trusted()

    @property
    def me(self) -> User:
        return myself()

    @property
    def sign_user(self) -> User | None:
        """The user that the service runs as; None: there is no service."""
        if not self.service.loaded:
            return None
        return user_named(self.service.user or "root", self.service.groups)


def admit(config_path: Path, clock: Clock, options: Options, root: Path = Path("/")) -> Patient:
    """Everything that the looks start from; takes seconds at most."""
    tables = good_tables(config_path)
    socket, mute = _socket(tables)
    pid = writer_of(root, tables.store.path)
    mend = ""
    if pid is not None and socket is None and not mute:
        mute = f"there is no {tables.live.socket}" if tables.live.on else "[live] on is false"
        again = f"restart it, so that it goes by {config_path} as it is now"
        mend = f"{again}; its log says more: journalctl -u {options.service} -e"
    service = service_facts(options.service)
    return Patient(config_path, tables, clock, options, root, service, pid, socket, mute, mend)


def _socket(tables: Tables) -> tuple[Path | None, str]:
    if not tables.live.on:
        return None, ""
    try:
        found = greeting(tables.live.socket)
    except PortError as error:
        return None, str(error)
    return (None, "") if found is None else (tables.live.socket, "")


def writer_of(root: Path, store: Path) -> int | None:
    """The sign that writes a store, by the lock it holds; no lock is tried, which would be in its way."""
    lock = store.with_name(store.name + ".lock")
    try:
        found = lock.stat()
    except OSError:
        return None
    for pid in locker_of(root, found):
        return pid
    return None


def service_facts(name: str) -> ServiceFacts:
    said = ask("systemctl", "show", name, f"--property={PROPERTIES}")
    return ServiceFacts(name) if said is None else parse_show(name, said)


def ask(*words: str, most_s: float = ASK_S, most: int = 1_000_000) -> str | None:
    """What a program of the system's prints; None: it is not here, or fails, or takes too long."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=most_s, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    said = done.stdout
    if len(said) > most:  # whole lines: half a secret would not be known as one
        said = said[-most:].partition(b"\n")[2]
    return said.decode("utf-8", "replace")


def not_for_us(check: str, port: str) -> Finding | None:
    """What is said of a device whose port this user may not open; None: he may, or it is not there at all."""
    if "://" in port or not there(Path(port)) or os.access(port, os.R_OK | os.W_OK, effective_ids=True):
        return None
    return unknown(check, f"{port} may not be opened by this user", "look with sudo; see the port above")


def board_of(root: Path) -> str:
    """What a board calls itself; "" where it does not."""
    return text(root / "proc/device-tree/model", 200) or ""
