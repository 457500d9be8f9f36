"""The sign as a process, started on a database that is broken in each way: lit in time, told, no restarts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.power.test_damaged import (
    UP_WITHIN_S,
    digest,
    filled,
    garbage,
    torn,
    unmerged,
)
from tests.power.vfs import FULL, IOERR_READ, IOERR_WRITE
from tests.scenes import Outcomes, Together, believe
from tests.support import until
from tests.telemetry.broker import Broker, Listener
from tests.telemetry.test_database import OLD
from tests.wires.rig import Rig

pytestmark = pytest.mark.wires

STREET = [(0.0, 0, 47.0, "car")]
READ_ONLY = 8  # SQLITE_READONLY


@dataclass(frozen=True)
class Case:
    """A way to be broken, and what has to come of it."""

    break_: Callable[[Path], object]
    code: str = ""  # of the store's fault
    refuses: tuple[str, int] | None = None  # what the card does not do, and how SQLite calls that
    aside: bool = False  # the file is set aside, and a new one with a new epoch begun
    keeps: bool = True  # the vehicle that passes is stored
    health_s: float = 0.0  # within so long the fault stands in a health message, too


def old(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(OLD[1].read_text())


def truncated_log(path: Path) -> None:
    unmerged(path, logged=8)
    log = path.with_name(path.name + "-wal")
    os.truncate(log, log.stat().st_size // 2)


def broken(damage: Callable[[Path], None], path: Path) -> None:
    filled(path)
    damage(path)


CASES = {
    # A store that gives no answer is waited for before the hub is told without it.
    "EIO when written": Case(filled, "failing", ("write", IOERR_WRITE), keeps=False, health_s=60.0),
    "garbage": Case(partial(broken, garbage), "damaged", aside=True, health_s=20.0),
    "torn": Case(partial(broken, torn), "damaged", aside=True, health_s=20.0),
    "truncated WAL": Case(truncated_log),
    "old schema": Case(old),
    "read-only": Case(filled, "failing", ("write", READ_ONLY), keeps=False),
    "disk full": Case(filled, "full", ("write", FULL), keeps=False),
    "EIO when synced": Case(filled, "failing", ("sync", IOERR_WRITE), keeps=False),
    "EIO when read": Case(filled, "failing", ("read", IOERR_READ), keeps=False),
}


class OnBadCard(Rig):
    """Starts the same program, where wanted with a layer under its database that refuses."""

    def __init__(self, folder: Path, refuses: tuple[str, int] | None, broker_port: int) -> None:
        super().__init__(folder, STREET, broker_port=broker_port)
        self._refuses = refuses

    async def start(self) -> None:
        """Until it has begun: how long a busy machine takes to load a program is not its affair."""
        if self._refuses is None:
            await super().start()
        else:
            await self._start_refused(*self._refuses)
        await self.said("starts", timeout_s=60.0)

    async def _start_refused(self, what: str, code: int) -> None:
        words = ("-m", "tests.power.refusing_sign", str(self._config), what, str(code))
        with self.log.open("ab") as log:
            self._daemon = await asyncio.create_subprocess_exec(
                sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )


async def starts(folder: Path, case: Case) -> None:
    path = folder / "sign.db"
    case.break_(path)
    before, epoch = digest(path), epoch_of(path)
    with Broker(folder) as broker, contextlib.closing(Listener(broker.port)) as listener:
        rig = OnBadCard(folder, case.refuses, broker.port)
        async with asyncio.timeout(120):
            async with rig:
                assert rig.t_s < UP_WITHIN_S
                await rig.panel_shows(44, 48)
                if case.code:
                    await rig.said("fault: ")
                if case.health_s:
                    fault = f"store/{case.code}"
                    await until(
                        lambda: fault in told(listener), case.health_s, f"{fault} in a health message"
                    )
                await rig.passed(1)
                await (rig.kept(2 if not case.aside else 1) if case.keeps else rig.panel_dark())
                assert rig._daemon
                assert rig._daemon.returncode is None, "it goes on, whatever the store says"
                assert rig.log.read_text().count("starts") == 1
                assert await rig.stop() == 0
    set_aside = path.with_name("sign.db.damaged-1")
    assert set_aside.exists() == case.aside
    assert not path.with_name("sign.db.damaged-2").exists(), "once"
    assert not case.aside or digest(set_aside) == before
    assert (epoch_of(path) != epoch) == case.aside


def told(listener: Listener) -> set[str]:
    """Faults in the health messages."""
    messages = [json.loads(payload) for topic, payload, _ in list(listener.heard) if topic.endswith("health")]
    return {code for message in messages for code in message.get("faults", [])}


def epoch_of(path: Path) -> str:
    """'': it has none."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return str(db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])
    except sqlite3.Error:
        return ""


together = Together(at_once=4)
for name, one in CASES.items():
    together.add(name, partial(starts, case=one))


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return together.play(request, tmp_path_factory)


@pytest.mark.parametrize("name", CASES)
def test_a_sign_starts_whatever_its_database_is(name: str, outcomes: Outcomes) -> None:
    believe(outcomes[name])
