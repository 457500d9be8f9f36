"""A sign's desk for commands without the sign: a real store, a clock that is moved, keys that sign."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

from speedsign.config.load import parse_config
from speedsign.config.schema import Config
from speedsign.model import Installation
from speedsign.remote import NOTHING_SET, RemoteSettings, Wish
from telemetry.command.desk import Desk, Effects
from telemetry.command.model import PURPOSE, Action, Command, encode_body, seal
from telemetry.command.signature import PrivateKey, public_text
from telemetry.recorder import InlineRecorder
from telemetry.store import SqliteStore
from tests.texts import DARK_NIGHTS, SIGN

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
CONFIG = (
    SIGN
    + DARK_NIGHTS
    + """
[store]
path = "{folder}/sign.db"
[mqtt]
host = "localhost"
[remote]
groups = ["town"]
limit_min_kmh = 30
limit_max_kmh = 60
confirm_minutes = 10
[[remote.key]]
id = "officer"
public = "{officer}"
roles = ["read", "display"]
[[remote.key]]
id = "reader"
public = "{reader}"
roles = ["read"]
[[remote.key]]
id = "technician"
public = "{technician}"
roles = ["read", "display", "restart"]
[[remote.profile]]
name = "quiet"
dark = true
[[remote.profile]]
name = "early"
too_fast_kmh = 55
"""
)


@cache
def key(name: str) -> PrivateKey:
    """The same key for the same name, in one run of the tests."""
    return PrivateKey.new()


def config(folder: Path | str = "/nowhere") -> Config:
    publics = {name: public_text(key(name).public) for name in ("officer", "reader", "technician")}
    return parse_config(CONFIG.format(folder=folder, **publics), "sign.toml")


def signed(command: Command, by: str = "officer", key_id: str | None = None) -> bytes:
    """The command as it is sent."""
    body = encode_body(command)
    return seal(key_id or by, body, key(by).sign(PURPOSE + body))


def signed_text(body: dict[str, Any] | bytes, by: str = "officer") -> bytes:
    """Any body at all, with a signature that holds."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return seal(by, data, key(by).sign(PURPOSE + data))


@dataclass
class MovedClock:
    """A clock that the test moves."""

    mono_s: float = 1000.0
    utc: datetime = NOW
    known: bool = True

    def monotonic(self) -> float:
        return self.mono_s

    def now_utc(self) -> datetime:
        return self.utc

    def trusted(self) -> bool:
        return self.known

    def boot_id(self) -> str:
        return "b007" * 8

    def move(self, seconds: float) -> None:
        self.mono_s += seconds
        self.utc += timedelta(seconds=seconds)


class Office:
    """`with Office(folder) as office`: commands are taken at once, on this thread."""

    def __init__(self, folder: Path, *, clock: MovedClock | None = None) -> None:
        self.config = config(folder)
        self.clock = clock or MovedClock()
        self.applied: list[RemoteSettings] = []
        self.restarts = self.greetings = self.wakes = 0
        self.store = SqliteStore(self.config.store.path, "street-1")
        self.store.begin(HERE, self.clock.now_utc())
        self.desk = self._desk(NOTHING_SET)
        self.counter = NOW_S * 1000

    def _desk(self, settings: RemoteSettings) -> Desk:
        def restart() -> None:
            self.restarts += 1

        def greet() -> None:
            self.greetings += 1

        def wake() -> None:
            self.wakes += 1

        effects = Effects(
            self.applied.append, restart, greet, wake, lambda: {"faults": []}, lambda n: ["a", "b", "c"][-n:]
        )
        desk = Desk(self.config, InlineRecorder(self.store), self.clock, effects, settings)
        desk.begin()
        return desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.store.close()

    def start_again(self, settings: RemoteSettings) -> None:
        """The daemon ends, or is killed, and starts with what it finds."""
        self.store.close()
        self.store = SqliteStore(self.config.store.path, "street-1")
        self.applied.clear()
        self.desk = self._desk(settings)

    # ------------------------------------------------------------------ asking

    def command(
        self, action: Action, wish: Wish | None = None, numbers: dict[str, int] | None = None, **given: Any
    ) -> Command:
        """A good one of now, with the next counter; `given` are fields that are to be otherwise."""
        self.counter += 1
        not_after_s = int(self.clock.utc.timestamp()) + 600
        good = Command("street-1", self.counter, action, wish or Wish(), numbers or {}, not_after_s)
        return replace(good, **given)

    def ask(self, action: Action, by: str = "officer", **given: Any) -> dict[str, Any]:
        """Send it; the answer, empty when there is none."""
        return self.send(signed(self.command(action, **given), by))

    def send(self, payload: bytes) -> dict[str, Any]:
        before = len(self.replies())
        self.desk.take(payload)
        return (self.replies()[before:] or [{}])[0]

    def set(self, by: str = "officer", *, dry_run: bool = False, **wish: Any) -> dict[str, Any]:
        return self.ask(Action.SET, by, wish=Wish(**wish), dry_run=dry_run)

    def confirm(self, counter: int, by: str = "officer") -> dict[str, Any]:
        return self.ask(Action.CONFIRM, by, numbers={"counter": counter})

    def replies(self) -> list[dict[str, Any]]:
        """All answers so far, oldest first."""
        rows = self.store._db.execute("SELECT body FROM outbox WHERE kind = 'reply' ORDER BY seq")
        return [json.loads(row[0]) for row in rows]

    def record(self) -> list[tuple[Any, ...]]:
        """(key, counter, action, outcome, reason) of every line."""
        rows = self.store._db.execute(
            "SELECT key_id, counter, action, outcome, reason FROM command ORDER BY id"
        )
        return rows.fetchall()


HERE = Installation("a street", 50, 0.0, "ops243", "Europe/Riga")
