"""The store's thread beats while it is idle, tries again or works on a statement; not while it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from speedsign.beats import OPEN_DEADLINE_S, STORE_DEADLINE_S, Beat
from speedsign.errors import StoreError
from speedsign.model import Fault
from telemetry import recorder as recorder_module
from telemetry import store as store_module
from telemetry.recorder import ThreadRecorder
from telemetry.store import SqliteStore
from tests.support import run, until
from tests.telemetry.samples import BAUSKA, T0, passed


class AnyStore:
    """Does what the item says."""

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "TURN_S", 0.01)
    monkeypatch.setattr(recorder_module, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(recorder_module, "RETRY_CAP_S", 0.01)


@contextlib.asynccontextmanager
async def running(
    beat: Beat, opened: Callable[[object], tuple[AnyStore, Fault | None]] = lambda _old: (AnyStore(), None)
) -> AsyncIterator[ThreadRecorder[AnyStore]]:  # type: ignore[type-var]  # a store that does nothing
    recorder: ThreadRecorder[AnyStore] = ThreadRecorder(opened, beat=beat, stop_timeout_s=1.0)  # type: ignore[type-var]
    going = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        going.cancel()
        await asyncio.wait([going])


def test_an_idle_store_beats() -> None:
    async def main() -> None:
        beat = Beat(STORE_DEADLINE_S)
        async with running(beat):
            await until(lambda: beat.turns > 10)
            assert beat.allowed_s == STORE_DEADLINE_S

    run(main())


def test_a_store_that_fails_and_is_tried_again_beats() -> None:
    async def main() -> None:
        beat = Beat(STORE_DEADLINE_S)

        def full(_store: object) -> None:
            raise StoreError("the card is full")

        async with running(beat) as recorder:
            recorder.submit("vehicle", full)
            await until(recorder.faults)
            before = beat.turns
            await until(lambda: beat.turns > before + 10)
            assert recorder.waiting == 1
            await until(lambda: beat.allowed_s > STORE_DEADLINE_S, what="a pause longer than the deadline")

    run(main())


def test_an_item_that_hangs_does_not_beat() -> None:
    async def main() -> None:
        beat, go, began = Beat(STORE_DEADLINE_S), threading.Event(), threading.Event()

        def hang(_store: object) -> None:
            began.set()
            go.wait(20)

        async with running(beat) as recorder:
            recorder.submit("vehicle", hang)
            await until(began.is_set)
            before = beat.turns
            await asyncio.sleep(0.1)  # ten turns of an idle one
            assert beat.turns == before
            assert beat.allowed_s == STORE_DEADLINE_S
            go.set()
            await until(lambda: beat.turns > before + 3)

    run(main())


def test_opening_may_take_as_long_as_a_big_file_takes() -> None:
    async def main() -> None:
        beat, go, began = Beat(STORE_DEADLINE_S), threading.Event(), threading.Event()

        def open_slowly(_old: object) -> tuple[AnyStore, None]:
            began.set()
            go.wait(20)
            return AnyStore(), None

        async with running(beat, open_slowly):
            await until(began.is_set)
            assert beat.allowed_s == OPEN_DEADLINE_S
            go.set()
            await until(lambda: beat.allowed_s == STORE_DEADLINE_S)

    run(main())


def test_a_statement_that_works_beats(tmp_path: Path) -> None:
    store, beat = SqliteStore(tmp_path / "sign.db", "beats"), Beat(STORE_DEADLINE_S)
    store.on_progress(beat)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
    assert store._db.execute(f"{numbers} SELECT count(*) FROM n").fetchone()[0] == 300_000
    store.close()
    assert beat.turns > 3


def test_however_many_vehicles_are_too_old_they_go_by_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PRUNED_AT_ONCE", 10)
    store = SqliteStore(tmp_path / "sign.db", "prunes")
    store.begin(BAUSKA, T0)
    for second in range(35):
        store.add_vehicle(passed(50.0, T0 + timedelta(seconds=second)), [])
    begun: list[str] = []
    store._db.set_trace_callback(lambda text: begun.append(text) if text.startswith("BEGIN") else None)
    assert store.prune(T0 + timedelta(seconds=31)) in (30, 31, 32)
    assert len(begun) == 4
    assert store.prune(T0 + timedelta(days=1)) in (3, 4, 5)
    assert store.prune(T0 + timedelta(days=1)) == 0
    store.close()
