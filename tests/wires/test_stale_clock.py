"""A sign that starts years off, and a broker with TLS: a real Mosquitto, and OpenSSL by the sign's clock."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import ssl
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.model import ClockQuality, Interval
from telemetry.hub.port import Heard
from telemetry.message import messages
from tests.hub.clocks import hub_of
from tests.hub.test_clocks import kept
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener
from tests.telemetry.certificates import Authority, Issued, mutual_tls
from tests.wires.rig import Rig
from tests.wires.stale_sign import tell

pytestmark = pytest.mark.wires

SIGN = "wired"
STREET = [(0.5 + 2.0 * n, 0, 60.0 + n, "car") for n in range(4)]


def off_to(year: int) -> timedelta:
    """What a clock is off that says the first of March of that year."""
    now = datetime.now(UTC)
    return now.replace(year=year, month=3, day=1) - now


def soon_over() -> timedelta:
    """A clock that is right enough for a certificate, and whose minute has five seconds left."""
    return timedelta(seconds=55 - datetime.now(UTC).timestamp() % 60)


class StaleRig(Rig):
    """The sign knows of the time what `clock` says, and reaches its broker by TLS alone."""

    def __init__(self, folder: Path, broker: Broker, authority: Authority, issued: Issued) -> None:
        super().__init__(folder, STREET, broker_port=broker.port)
        self.clock = folder / "clock"
        files = {"ca_file": authority.file, "certificate_file": issued.certificate, "key_file": issued.key}
        lines = [f'{key} = "{file}"' for key, file in files.items()]
        self._config.write_text(self._config.read_text() + "\n".join(lines) + "\n")

    async def start(self) -> None:
        args = ["-m", "tests.wires.stale_sign", str(self._config), str(self.clock)]
        with self.log.open("ab") as log:
            self._daemon = await asyncio.create_subprocess_exec(
                sys.executable, *args, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )


def named(listener: Listener) -> list[Heard]:
    """What has a name of its own, as often as it passed the broker."""
    heard = [(topic.rpartition("/")[2], payload) for topic, payload, _ in listener.heard]
    return [Heard(SIGN, kind, payload, 0) for kind, payload in heard if kind in messages.RANKS]


def told(listener: Listener) -> int:
    """How many vehicles are in the intervals that were told, each as it was told last."""
    newest: dict[tuple[datetime, str], Interval] = {}
    for one in named(listener):
        if one.kind == messages.AGGREGATE:
            interval = messages.parse_aggregate(one.payload)
            key = interval.start_utc, interval.boot
            newest[key] = max(interval, newest.get(key, interval), key=lambda one: one.revision)
    return sum(cell.n for interval in newest.values() for cell in interval.cells)


def in_outbox(rig: Rig) -> Counter[str]:
    """Messages that wait, by kind."""
    with contextlib.closing(sqlite3.connect(rig.database)) as db:
        return Counter(dict(db.execute("SELECT kind, count(*) FROM outbox GROUP BY kind")))


def with_vehicles(path: Path) -> list[tuple[Any, ...]]:
    return [row for row in kept(path) if row[-1]]


def test_what_waited_for_the_clock_arrives_once_when_it_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    authority = Authority(tmp_path / "ca")
    ears = authority.client("hub")
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(ears.certificate, ears.key)
    lines = mutual_tls(authority, authority.server(), folder)

    async def story(broker: Broker) -> None:
        rig = StaleRig(tmp_path, broker, authority, authority.client(SIGN))
        tell(rig.clock, off_to(2020), trusted=False)
        async with rig:
            listener = Listener(broker.port, "speedsign/1/+/up/#", tls=context)
            try:
                await rig.said(
                    "is not valid yet by this machine's clock, which says 2020-03-01 and is likely"
                )
                tell(rig.clock, off_to(2020), trusted=True)  # a server that is wrong
                await rig.said("fault: the clock is synchronised and says 2020-03-01")
                await rig.kept(2)
                tell(rig.clock, off_to(2036), trusted=False)  # a battery clock that somebody has set
                await rig.said("has expired by this machine's clock, which says 2036-03-01 and is likely")
                await rig.kept(len(STREET))
                assert in_outbox(rig)["agg"], "what was counted in 2020 was to be told"
                assert rig.log.read_text().count("WARNING: mqtt") == 2, "what cannot be is not tried"
                assert listener.heard == [], "nobody was told anything"
                tell(rig.clock, soon_over(), trusted=True)
                await rig.said(f"{len(STREET)} vehicles of this start of the machine have their time now")
                await rig.said("connected")
                await until(lambda: told(listener) == len(STREET), 40.0, "all vehicles")
                await until(lambda: not in_outbox(rig), what="an empty outbox")
            finally:
                listener.close()
            names = [messages.parse_named(one.payload, one.kind, SIGN) for one in named(listener)]
            assert len({(one.epoch, one.seq) for one in names}) == len(names), "each once"
            hub = hub_of(tmp_path / "hub.db", [named(listener)])
            assert with_vehicles(hub) == with_vehicles(rig.database)
            assert {row[2] for row in with_vehicles(hub)} == {ClockQuality.CORRECTED}

    with Broker(folder, *lines, anonymous=False) as broker:
        run(story(broker), 120.0)
