"""The thread that owns the store: order, failures, falling behind, ending."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from speedsign.errors import StoreError
from speedsign.model import Coverage, Fault, Installation, Interval, VehicleRecord
from speedsign.ports import Recorder, Store
from telemetry import recorder as recorder_module
from telemetry.database import StoreDamaged, StoreRejected
from telemetry.query import read_counts, vehicles_since
from telemetry.recorder import InlineRecorder, ThreadRecorder, call
from telemetry.store import SqliteStore, open_or_replace
from tests.support import run, until
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed


class NotedStore:
    """A store that notes what it is asked and fails as it is told."""

    def __init__(self) -> None:
        self.did: list[object] = []
        self.threads: set[str] = set()
        self.failures: list[Exception] = []
        self.gate = threading.Event()
        self.gate.set()
        self.closed = 0

    def do(self, what: object) -> object:
        self.threads.add(threading.current_thread().name)
        self.gate.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        self.did.append(what)
        return what

    def begin(self, installation: Installation, at_utc: datetime) -> int:
        raise NotImplementedError

    def add_vehicle(self, record: VehicleRecord, coverage: Sequence[Coverage]) -> None:
        raise NotImplementedError

    def add_coverage(self, coverage: Sequence[Coverage]) -> None:
        raise NotImplementedError

    def close_intervals(self, before_utc: datetime, since_utc: datetime | None) -> list[Interval]:
        raise NotImplementedError

    def prune(self, before_utc: datetime, at_utc: datetime | None = None) -> int:
        raise NotImplementedError

    def prune_by_boot_time(self, boot_id: str, before_mono_s: float) -> int:
        raise NotImplementedError

    def date_boot(self, boot_id: str, boot_utc: datetime, at_utc: datetime) -> int:
        raise NotImplementedError

    def step(self, from_utc: datetime, to_utc: datetime) -> list[Interval]:
        raise NotImplementedError

    def known_until(self) -> datetime | None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def store() -> NotedStore:
    return NotedStore()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(recorder_module, "RETRY_CAP_S", 0.01)


def recorder_of(
    store: NotedStore, *, limit: int = 100, stop_timeout_s: float = 5.0
) -> ThreadRecorder[NotedStore]:
    return ThreadRecorder(lambda _previous: (store, None), limit=limit, stop_timeout_s=stop_timeout_s)


@contextlib.asynccontextmanager
async def working(recorder: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def doing(what: object) -> Callable[[NotedStore], object]:
    return lambda store: store.do(what)


def test_both_are_the_port_that_the_daemon_expects(store: NotedStore) -> None:
    thread: Recorder = recorder_of(store)
    inline: Recorder = InlineRecorder(store)
    used: list[str] = []

    def any_store(given: Store) -> None:
        used.append(type(given).__name__)

    inline.submit("look", any_store)
    thread.submit("look", any_store)
    assert used == ["NotedStore"]
    assert (thread.health()["waiting"], inline.health()["done"]) == (1, 1)


def test_everything_is_done_in_order_on_one_other_thread(store: NotedStore) -> None:
    async def main() -> None:
        recorder = recorder_of(store)
        recorder.submit("early", doing(-1))  # before it runs
        async with working(recorder):
            for n in range(50):
                recorder.submit("count", doing(n))
            assert await call(recorder.submit, "ask", doing("last")) == "last"
        assert recorder.faults() == []

    run(main())
    assert store.did == [-1, *range(50), "last"]
    assert store.threads == {"store"}
    assert store.closed == 1


def test_submitting_never_waits_for_the_store(store: NotedStore) -> None:
    async def main() -> None:
        store.gate.clear()
        recorder = recorder_of(store)
        async with working(recorder):
            for n in range(50):
                recorder.submit("count", doing(n))
            assert store.did == []
            store.gate.set()
            await until(lambda: len(store.did) == 50)

    run(main())


def test_results_come_back_on_the_loop(store: NotedStore) -> None:
    names: list[str] = []

    async def main() -> None:
        recorder = recorder_of(store)
        async with working(recorder):
            recorder.submit("count", doing(1), lambda _r: names.append(threading.current_thread().name))
            await until(lambda: names)

    run(main())
    assert names == [threading.current_thread().name]


def test_an_item_is_tried_until_the_disk_has_room(
    store: NotedStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> list[Fault]:
        store.failures = [StoreError("sign.db cannot be used: disk is full")] * 5
        recorder = recorder_of(store)
        seen: list[Fault] = []
        async with working(recorder):
            store.gate.clear()
            for n in range(3):
                recorder.submit("count", doing(n))
            store.gate.set()
            while len(store.did) < 3:
                seen += recorder.faults()
                await asyncio.sleep(0.001)
            await until(lambda: recorder.faults() == [])
            assert recorder.health()["retries"] == 5
        return seen

    seen = run(main())
    assert store.did == [0, 1, 2]
    assert {(fault.device, fault.code) for fault in seen} == {("store", "failing")}
    assert "disk is full" in seen[0].text
    warned = [r for r in caplog.records if r.name.startswith("telemetry") and r.levelno == logging.WARNING]
    assert len(warned) == 1  # then it is in the faults, not in the log


def test_what_the_store_can_never_take_does_not_stop_the_rest(store: NotedStore) -> None:
    async def main() -> None:
        store.failures = [StoreRejected("no speed"), RuntimeError("a mistake of ours")]
        recorder = recorder_of(store)
        async with working(recorder):
            with pytest.raises(StoreRejected, match="no speed"):
                await call(recorder.submit, "first", doing(1))
            assert recorder.faults()[0].code == "rejected"
            with pytest.raises(StoreError, match="a mistake of ours"):
                await call(recorder.submit, "second", doing(2))
            assert await call(recorder.submit, "third", doing(3)) == 3
            assert recorder.health()["rejected"] == 2
            assert recorder.faults() == []

    run(main())


def test_behind_drops_the_newest_and_counts_them(store: NotedStore) -> None:
    refused: list[StoreError] = []

    async def main() -> None:
        store.gate.clear()
        recorder = recorder_of(store, limit=10)
        async with working(recorder):
            for n in range(13):
                recorder.submit("count", doing(n), None, refused.append)
            assert recorder.health()["dropped"] == 3
            assert recorder.faults()[0].code == "behind"
            store.gate.set()
            await until(lambda: len(store.did) == 10)
            await until(lambda: recorder.faults() == [])
            recorder.submit("count", doing("again"))

    run(main())
    assert store.did == [*range(10), "again"]
    assert [("behind" in str(error)) for error in refused] == [True] * 3


def test_what_was_submitted_before_the_end_is_done(store: NotedStore) -> None:
    async def main() -> None:
        store.gate.clear()
        store.failures = [StoreError("busy")] * 3
        recorder = recorder_of(store)
        async with working(recorder):
            for n in range(20):
                recorder.submit("count", doing(n))
            asyncio.get_running_loop().call_later(0.02, store.gate.set)
        assert recorder.waiting == 0

    run(main())
    assert store.did == list(range(20))
    assert store.closed == 1


def test_the_end_comes_even_when_the_disk_never_does(store: NotedStore) -> None:
    given_up: list[StoreError] = []

    async def main() -> None:
        store.failures = [StoreError("disk is full")] * 100_000
        recorder = recorder_of(store, stop_timeout_s=0.05)
        async with working(recorder):
            for n in range(3):
                recorder.submit("count", doing(n), None, given_up.append)
        await asyncio.sleep(0)
        assert recorder.health()["lost"] == 3
        recorder.submit("too late", doing(9), None, given_up.append)

    run(main())
    assert store.did == []
    assert store.closed == 1
    assert len(given_up) == 4


def test_a_store_that_cannot_be_opened_is_opened_later(store: NotedStore) -> None:
    async def main() -> None:
        tries = iter([StoreError("no such folder"), StoreError("no such folder")])

        def opener(_previous: NotedStore | None) -> tuple[NotedStore, Fault | None]:
            for error in tries:
                raise error
            return store, Fault("store", "damaged", "was moved aside")

        recorder = ThreadRecorder(opener)
        recorder.submit("count", doing(1))
        async with working(recorder):
            await until(lambda: store.did)
            assert [fault.code for fault in recorder.faults()] == ["damaged"]

    run(main())


def test_ending_without_ever_having_a_store(store: NotedStore) -> None:
    def opener(_previous: NotedStore | None) -> tuple[NotedStore, Fault | None]:
        raise StoreError("no such folder")

    async def main() -> None:
        recorder = ThreadRecorder(opener, stop_timeout_s=0.05)
        recorder.submit("count", doing(1))
        async with working(recorder):
            await until(recorder.faults)
        assert recorder.health()["lost"] == 1

    run(main())


def test_a_store_that_breaks_in_use_is_replaced_and_the_item_kept(store: NotedStore) -> None:
    second = NotedStore()
    asked: list[NotedStore | None] = []

    async def main() -> None:
        def opener(previous: NotedStore | None) -> tuple[NotedStore, Fault | None]:
            asked.append(previous)
            return (second if previous else store), None

        store.failures = [StoreDamaged("malformed")]
        recorder = ThreadRecorder(opener)
        async with working(recorder):
            assert await call(recorder.submit, "count", doing(1)) == 1

    run(main())
    assert asked == [None, store]
    assert (store.did, second.did, store.closed, second.closed) == ([], [1], 1, 1)


def test_a_real_store_that_is_overwritten_while_open_goes_on_in_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"

    async def main() -> None:
        recorder = ThreadRecorder[SqliteStore](
            lambda old: open_or_replace(path, "bauska-3", at_utc=T0, previous=old)
        )
        async with working(recorder):
            await call(recorder.submit, "begin", lambda store: store.begin(BAUSKA, T0))
            await call(recorder.submit, "add", lambda store: store.add_vehicle(passed(50), []))
            await call(recorder.submit, "checkpoint", _checkpoint)
            with path.open("r+b") as file:
                size = path.stat().st_size
                file.write(b"\xa5" * size)
            await call(recorder.submit, "add", lambda store: store.add_vehicle(passed(60), []))
            assert [fault.code for fault in recorder.faults()] == ["damaged"]

    run(main())
    assert read_counts(path, T0, T0 + QUARTER).counts["both"] == {60: 1}
    assert path.with_name("sign.db.damaged-1").exists()


def _checkpoint(store: SqliteStore) -> None:
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._db.execute("PRAGMA shrink_memory")


@pytest.fixture
def inline(tmp_path: Path) -> Iterator[InlineRecorder[SqliteStore]]:
    with contextlib.closing(SqliteStore(tmp_path / "sign.db", "bauska-3")) as store:
        yield InlineRecorder(store)


def test_inline_is_done_when_submit_returns(inline: InlineRecorder[SqliteStore], tmp_path: Path) -> None:
    results: list[object] = []
    inline.submit("add", lambda store: store.add_vehicle(passed(50), []), None, results.append)
    assert isinstance(results.pop(), StoreRejected)
    assert inline.faults()[0].device == "store"
    inline.submit("begin", lambda store: store.begin(BAUSKA, T0), results.append)
    inline.submit("add", lambda store: store.add_vehicle(passed(50), []))
    assert results == [1]
    assert inline.faults() == []
    assert len(vehicles_since(tmp_path / "sign.db", 0)) == 1


def test_inline_closes_its_store_at_the_end(store: NotedStore) -> None:
    async def main() -> None:
        async with working(InlineRecorder(store)):
            assert store.closed == 0

    run(main())
    assert store.closed == 1
