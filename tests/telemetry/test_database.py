"""Files that are old, new, foreign, damaged or gone; and a writer that is killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from speedsign.errors import StoreError
from speedsign.model import ClockQuality
from telemetry import schema
from telemetry.command import ledger
from telemetry.database import StoreDamaged, open_for_reading
from telemetry.hub.store import SqliteHubStore
from telemetry.message.messages import Ack, parse_aggregate, parse_place, parse_vehicles
from telemetry.outbox.outbox import RetireOn
from telemetry.query import read_counts, read_installations, read_intervals, vehicles_since
from telemetry.store import SqliteStore, open_or_replace
from tests.hub import said
from tests.hub.traffic import make_hub, make_sign, said_by
from tests.telemetry.samples import BAUSKA, QUARTER, T0, measured, passed

VERSION_1 = Path(__file__).with_name("schema_1.sql")
VERSION_2 = Path(__file__).with_name("schema_2.sql")
VERSION_3 = Path(__file__).with_name("schema_3.sql")
VERSION_4 = Path(__file__).with_name("schema_4.sql")
HUB_4 = Path(__file__).with_name("schema_4_hub.sql")
VERSION_5 = Path(__file__).with_name("schema_5.sql")
HUB_5 = Path(__file__).with_name("schema_5_hub.sql")
OLD = {1: VERSION_1, 2: VERSION_2, 3: VERSION_3, 4: VERSION_4, 5: VERSION_5}


OLD_INTERVAL = (
    "id, start_s, duration_s, installation_id, measured_s, clock, state, revision, scaled, heard_from"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sign.db"


def load(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(sql)


def filled(path: Path) -> str:
    """A store with one vehicle; its epoch."""
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50), [measured(T0, 60)])
        return store.epoch


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --------------------------------------------------------------------------- versions


def test_a_file_of_version_1_opens_and_goes_on(path: Path) -> None:
    load(path, VERSION_1.read_text())
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store.epoch == "5bd1e995a10c2f37"
        assert store.installation == BAUSKA
        store.add_vehicle(passed(52), [])
        (closed,) = store.close_intervals(T0 + QUARTER, None)
        assert closed.revision == 2
        assert dict(closed.cells[0].counts) == {50: 1, 52: 1}
        waiting = [(row.seq, row.kind) for row in store.pending(9)]
        assert waiting == [(4, "place"), (5, "agg"), (3, "agg")]
    assert [number for number, _ in vehicles_since(path, 0)] == [1, 2]
    assert vehicles_since(path, 0)[0][1] == replace(passed(50), face="")  # nobody wrote it down then


def test_a_file_of_version_2_opens_and_goes_on(path: Path) -> None:
    load(path, VERSION_2.read_text())
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store.installation == BAUSKA
        newer = replace(BAUSKA, display_profile="number")
        assert store.begin(newer, T0 + 2 * QUARTER) == 1  # what an update of the program learns is no move
        assert store.begin(replace(newer, limit_kmh=30), T0 + 2 * QUARTER) == 2
    (first, second) = read_installations(path)
    assert (first.sign, first.imported, first.to_utc) == ("bauska-3", False, second.from_utc)
    assert first.facts.display_profile == "number"


@pytest.mark.parametrize("version", OLD)
def test_old_files_are_read_as_they_are_and_left_so(version: int, path: Path) -> None:
    """An officer's copy of years ago, perhaps on a medium that cannot be written."""
    load(path, OLD[version].read_text())
    before = digest(path)
    five = {0: 1, 47: 1, 50: 2, 131: 1}
    found = {1: {50: 1}}.get(version, five)
    assert read_counts(path, T0, T0 + 4 * QUARTER).counts["both"] == found
    assert len(vehicles_since(path, 0)) == sum(found.values())
    assert digest(path) == before


def test_a_file_of_version_3_opens_and_goes_on(path: Path) -> None:
    load(path, VERSION_3.read_text())
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert store.installation is not None
        assert store.begin(store.installation, T0 + 2 * QUARTER) == 1
        place, aggregate = store.pending(9)
        assert (place.seq, place.kind, aggregate.seq, aggregate.kind) == (2, "place", 1, "agg")
        assert parse_place(json.loads(place.body)).facts == store.installation  # which it never told before
        told = parse_aggregate(json.loads(aggregate.body))
        assert (told.revision, sum(cell.n for cell in told.cells)) == (1, 4)
        assert "id" not in json.loads(aggregate.body)  # its name is put before it when it is sent
        store.prepare(RetireOn.HUB)
        assert store.epoch == "5bd1e995a10c2f37"  # nothing had gone to anybody else


def test_a_file_of_version_4_opens_and_goes_on(path: Path) -> None:
    load(path, VERSION_4.read_text())
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        assert (store.epoch, store.boot) == ("5bd1e995a10c2f37", 2)
        assert store.installation is not None
        assert store.begin(store.installation, T0 + 2 * QUARTER) == 1
        assert [(row.seq, row.kind) for row in store.pending(9)] == [(2, "place"), (1, "agg")]
        with store.transaction() as db:
            assert ledger.floor(db, bytes(range(32))) == 7
            assert db.execute("SELECT count(*) FROM calibration").fetchone() == (0,)
    assert [(one.facts.site, one.imported) for one in read_installations(path)] == [
        ("Bauska 2020", True),
        ("Bauska, Rīgas iela", False),
    ]


def test_a_file_of_version_5_opens_and_goes_on(path: Path) -> None:
    """Intervals are made anew with another identity: their cells, revisions and numbers stay."""
    load(path, VERSION_5.read_text())
    with contextlib.closing(sqlite3.connect(path)) as db:
        before = db.execute(f"SELECT {OLD_INTERVAL} FROM interval ORDER BY id").fetchall()
        cells = db.execute("SELECT * FROM cell ORDER BY 1, 2, 3").fetchall()
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        db = store._db
        assert db.execute(f"SELECT {OLD_INTERVAL} FROM interval ORDER BY id").fetchall() == before
        assert db.execute("SELECT * FROM cell ORDER BY 1, 2, 3").fetchall() == cells
        assert db.execute("SELECT count(*) FROM calibration").fetchone() == (1,)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE cell SET interval_id = 999")
        undated = replace(passed(77, T0, clock=ClockQuality.UNKNOWN), boot="b" * 32)
        store.add_vehicle(undated, [])
        assert store.date_boot("b" * 32, T0, T0 + QUARTER) == 1
        assert db.execute("SELECT count(*) FROM vehicle WHERE boot IS NULL").fetchone() == (5,)
    found = read_counts(path, T0, T0 + 4 * QUARTER).counts["both"]
    assert found == {0: 1, 47: 1, 50: 2, 77: 1, 131: 1}


def test_what_is_undated_and_open_in_version_5_shares_nothing_with_what_is_dated(path: Path) -> None:
    """The program is upgraded in the middle of a quarter-hour, and the time becomes known in it."""
    load(path, VERSION_5.read_text())
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE interval SET clock = 'unknown' WHERE id IN (1, 2)")
        db.commit()
        ((start_s, state),) = db.execute("SELECT start_s, state FROM interval WHERE id = 2")
    assert state == "open"
    at = T0 + QUARTER
    assert start_s == at.timestamp()
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        own = (
            "SELECT clock, boot, length(group_concat(speeds, '')) FROM interval JOIN cell ON interval_id = id"
        )
        before = store._db.execute(f"{own} WHERE id = 2").fetchall()
        assert [tuple(row)[:2] for row in before] == [("unknown", "0" * 16)]
        store.add_vehicle(passed(77, at), [])
        assert store._db.execute(f"{own} WHERE id = 2").fetchall() == before
        ((clock, n),) = store._db.execute(
            "SELECT clock, length(speeds) FROM interval JOIN cell ON interval_id = id"
            " WHERE start_s = ? AND boot = ''",
            (start_s,),
        ).fetchall()
        assert (clock, n) == ("ok", 1)
        closed = store.close_intervals(at + QUARTER, None)
        assert sorted((one.boot, one.clock.value) for one in closed) == [("", "ok"), ("0" * 16, "unknown")]
        told = store._db.execute("SELECT boot FROM interval WHERE id = 1").fetchone()
        assert told[0] == "", "what was told keeps its name"


def test_a_table_that_cannot_be_made_anew_stays_as_it_was(path: Path) -> None:
    load(path, VERSION_5.read_text())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("CREATE TABLE interval_6 (id)")  # in the way
        before = tables(db)
        with pytest.raises(sqlite3.OperationalError):
            schema.migrate(db, 5)
        assert tables(db) == before
        assert db.execute("PRAGMA user_version").fetchone() == (5,)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("frozen", [HUB_4, HUB_5], ids=["4", "5"])
def test_a_hubs_older_file_opens_and_goes_on(frozen: Path, path: Path) -> None:
    load(path, frozen.read_text())
    with contextlib.closing(SqliteHubStore(path)) as store:
        taken = store.take([said.agg(3, said.quarter(3), epoch=said.OTHER)])
        assert taken.acks == ((said.SIGN, Ack(said.OTHER, 3)),)
    (standing,) = read_installations(path)
    assert standing.sign == said.SIGN
    assert sum(read_counts(path, T0, T0 + 4 * QUARTER).counts["both"].values()) == 4 * 4
    with contextlib.closing(sqlite3.connect(path)) as db:
        for table in ("also_installation", "loss", "refused", "reply", "sign", "span"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)


def test_a_file_whose_messages_went_to_a_broker_owes_the_hub_a_new_epoch(path: Path) -> None:
    """The hub would wait for ever for the numbers that are gone."""
    load(path, VERSION_1.read_text())
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        before = store.epoch
        assert store.prepare(RetireOn.PUBACK).epoch == before
        facts = store.prepare(RetireOn.HUB)
        assert facts.epoch == store.epoch != before
        assert sorted((row.seq, row.kind) for row in store.pending(9)) == [(1, "agg"), (2, "place")]
        assert store.prepare(RetireOn.HUB).epoch == facts.epoch


def test_counts_of_version_2_keep_their_interval_direction_and_display(path: Path) -> None:
    load(path, VERSION_2.read_text())
    first, second = read_intervals(path, T0, T0 + 4 * QUARTER)
    assert [(cell.direction.value, cell.display.value, cell.counts) for cell in first.cells] == [
        ("approaching", "shown", {47: 1, 50: 2}),
        ("receding", "blank", {0: 1}),
    ]
    assert [(cell.display.value, cell.counts) for cell in second.cells] == [("dark", {131: 1})]


def test_the_view_has_plain_numbers(path: Path) -> None:
    load(path, VERSION_2.read_text())
    SqliteStore(path, "bauska-3").close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute(
            "SELECT interval_id, direction, display, speed_kmh, n FROM speed_count ORDER BY 1, 2, 3, 4"
        ).fetchall()
    assert rows == [
        (1, "approaching", "shown", 47, 1),
        (1, "approaching", "shown", 50, 2),
        (1, "receding", "blank", 0, 1),
        (2, "approaching", "dark", 131, 1),
    ]


@pytest.mark.parametrize("version", OLD)
def test_the_frozen_file_is_what_its_version_writes(version: int, path: Path, tmp_path: Path) -> None:
    """If this fails, a released step was edited: add a further one instead."""
    load(tmp_path / "frozen.db", OLD[version].read_text())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in (statement for step in schema.MIGRATIONS[:version] for statement in step):
            db.execute(statement)
        made = tables(db)
    with contextlib.closing(sqlite3.connect(tmp_path / "frozen.db")) as db:
        assert tables(db) == made


def tables(db: sqlite3.Connection) -> dict[str, str]:
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'")
    return {name: re.sub(r"\s+", " ", re.sub(r"--.*", "", sql)) for name, sql in rows}


def test_steps_run_forward_in_order_and_only_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    more = (("ALTER TABLE vehicle ADD COLUMN lane INTEGER",), ("UPDATE vehicle SET lane = 2",))
    newest = len(schema.MIGRATIONS) + 2
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + more)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", newest)
    for _ in range(2):
        with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
            assert store._db.execute("SELECT lane FROM vehicle").fetchall() == [(2,)]
            assert store._db.execute("PRAGMA user_version").fetchone() == (newest,)


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    more = (("ALTER TABLE vehicle ADD COLUMN lane INTEGER", "this is not SQL"),)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + more)
        patch.setattr(schema, "SCHEMA_VERSION", len(schema.MIGRATIONS))
        with pytest.raises(StoreError):
            SqliteStore(path, "bauska-3")
    with contextlib.closing(SqliteStore(path, "bauska-3")) as store:
        names = [row[1] for row in store._db.execute("PRAGMA table_info(vehicle)")]
        assert "lane" not in names


# --------------------------------------------------------------------------- not ours


def test_a_newer_file_is_refused_and_left_untouched(path: Path) -> None:
    filled(path)
    load(path, "PRAGMA user_version = 99")
    before = digest(path)
    for attempt in (
        lambda: SqliteStore(path, "bauska-3"),
        lambda: open_or_replace(path, "bauska-3", at_utc=T0),
        lambda: open_for_reading(path),
    ):
        with pytest.raises(StoreError, match=r"sign\.db was written by a newer speedsign \(schema 99"):
            attempt()
    assert digest(path) == before
    assert not list(path.parent.glob("*damaged*"))


def test_a_file_of_another_program_is_refused_and_left_untouched(path: Path) -> None:
    load(path, "CREATE TABLE photos (name TEXT)")
    before = digest(path)
    for attempt in (lambda: open_or_replace(path, "bauska-3", at_utc=T0), lambda: open_for_reading(path)):
        with pytest.raises(StoreError, match="another program"):
            attempt()
    assert digest(path) == before


@pytest.mark.parametrize("heard", [True, False])
def test_a_hubs_file_is_no_signs_and_the_hub_still_takes_it(heard: bool, tmp_path: Path) -> None:
    sent = said_by(make_sign(tmp_path / "1.db", "bauska-1", 2), "bauska-1")
    path = make_hub(tmp_path / "hub.db", *([sent] if heard else []))
    before = digest(path)
    with pytest.raises(StoreError, match=r"a hub's database; give \[store\] path another name") as refused:
        open_or_replace(path, "bauska-1", at_utc=T0)
    assert not isinstance(refused.value, StoreDamaged)
    assert digest(path) == before
    assert not [*tmp_path.glob("*damaged*")]
    make_hub(path, sent)


def test_what_cannot_be_read_is_a_sentence(path: Path) -> None:
    with pytest.raises(StoreError, match=r"sign\.db does not exist"):
        read_counts(path, T0, T0 + QUARTER)
    path.touch()
    with pytest.raises(StoreError, match="empty"):
        read_counts(path, T0, T0 + QUARTER)
    path.write_bytes(b"time,direction,speed_kmh\n" * 100)
    with pytest.raises(StoreDamaged, match=r"sign\.db is damaged or not a database"):
        read_counts(path, T0, T0 + QUARTER)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"folder .* does not exist"):
        SqliteStore(tmp_path / "no" / "sign.db", "bauska-3")


def test_a_folder_in_the_files_place_is_a_sentence(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"sign\.db"):
        open_or_replace(path, "bauska-3", at_utc=T0)


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    assert filled(path)


# --------------------------------------------------------------------------- damage


@pytest.mark.parametrize("damage", ["garbage", "torn", "middle"])
def test_a_damaged_file_is_moved_aside_and_a_new_epoch_begins(path: Path, damage: str) -> None:
    epoch = filled(path)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "garbage": os.urandom(20_000),
            "torn": whole[: len(whole) // 2 // 4096 * 4096],
            "middle": whole[:4096] + b"\xa5" * (len(whole) - 4096),
        }[damage]
    )
    broken = digest(path)
    store, fault = open_or_replace(path, "bauska-3", at_utc=T0)
    with contextlib.closing(store):
        assert store.epoch != epoch
        assert fault is not None
        assert (fault.device, fault.code) == ("store", "damaged")
        assert "sign.db.damaged-1" in fault.text
        assert digest(path.with_name("sign.db.damaged-1")) == broken
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50), [])
    path.write_bytes(b"again " * 1000)
    store, _ = open_or_replace(path, "bauska-3", at_utc=T0, previous=store)
    with contextlib.closing(store):
        assert store.installation == BAUSKA  # so that counting goes on under it
        assert path.with_name("sign.db.damaged-2").exists()
    assert [standing.facts for standing in read_installations(path)] == [BAUSKA]


def test_a_sound_file_is_kept(path: Path) -> None:
    epoch = filled(path)
    store, fault = open_or_replace(path, "bauska-3", at_utc=T0)
    with contextlib.closing(store):
        assert (store.epoch, fault) == (epoch, None)


def test_a_damaged_log_does_not_take_the_sign_down(path: Path) -> None:
    filled(path)
    path.with_name("sign.db-wal").write_bytes(os.urandom(50_000))
    store, _ = open_or_replace(path, "bauska-3", at_utc=T0)
    with contextlib.closing(store):
        store.begin(BAUSKA, T0)
        store.add_vehicle(passed(50), [])


def test_two_stores_never_share_an_epoch(tmp_path: Path) -> None:
    assert len({filled(tmp_path / f"{n}.db") for n in range(5)}) == 5


# --------------------------------------------------------------------------- kill

WRITER = """
import sys
from datetime import timedelta
from telemetry.store import SqliteStore
from tests.telemetry.samples import BAUSKA, T0, measured, passed
store = SqliteStore(sys.argv[1], "bauska-3", vehicles=True)
store.begin(BAUSKA, T0)
n = 0
while True:
    at = T0 + timedelta(seconds=20 * n)
    store.add_vehicle(passed(30 + n % 50, at), [measured(at, 20.0)])
    if n % 60 == 59:
        store.close_intervals(at, T0)
    n += 1
    print(n, flush=True)
"""


def check_outbox(store: SqliteStore) -> None:
    """What was closed or put into a batch is in the outbox, and the other way round; no number is missing."""
    rows = sorted(store.pending(100_000), key=lambda row: row.seq)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].kind == "place"
    closed = store._db.execute("SELECT coalesce(sum(revision), 0) FROM interval").fetchone()[0]
    assert sum(row.kind == "agg" for row in rows) == closed
    batches = [parse_vehicles(json.loads(row.body)).records for row in rows if row.kind == "raw"]
    told = [record.vehicle.speed_kmh for batch in batches for record in batch]
    assert told == [float(30 + n % 50) for n in range(len(told))]
    assert str(len(told)) == store._meta("vehicles_up_to")


@pytest.mark.wires
def test_what_was_acknowledged_is_there_after_kill_9(path: Path) -> None:
    acknowledged = 0
    for round_ in range(4):
        command: list[str | Path] = [
            sys.executable,
            "-c",
            WRITER.replace("n = 0\n", f"n = {acknowledged}\n"),
            path,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            for line in writer.stdout:
                if int(line) >= acknowledged + 60 + 37 * round_:
                    os.kill(writer.pid, signal.SIGKILL)
                    break
            rest = writer.stdout.read().split("\n")[:-1]  # a torn last line was no acknowledgement
            acknowledged = int(rest[-1]) if rest else int(line)
        with contextlib.closing(SqliteStore(path, "bauska-3", vehicles=True)) as store:
            assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            check_outbox(store)
        kept = len(vehicles_since(path, 0, 100_000))
        assert kept in (acknowledged, acknowledged + 1)  # one may be committed and not yet acknowledged
        acknowledged = kept
        counts = read_counts(path, T0, T0 + 4000 * QUARTER)
        assert sum(counts.counts["both"].values()) == kept
        assert counts.measured_s == 20.0 * kept
        assert all(i.clock is ClockQuality.OK for i in read_intervals(path, T0, T0 + 4000 * QUARTER))
