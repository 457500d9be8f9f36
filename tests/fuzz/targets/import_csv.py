"""Files for `speedsign import`: every row is taken or named; what was taken is in the database."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from zoneinfo import ZoneInfo

from speedsign.errors import StoreError
from telemetry.exchange import interval_rows, vehicle_rows
from telemetry.exchange.csv_file import CsvFile
from telemetry.exchange.importing import BadRows, Wanted, _take
from telemetry.schema import migrate
from tests.exchange.files import HERE
from tests.fuzz.kit import one_sentence

LONGEST = 6000
COLUMNS = (*vehicle_rows.REQUIRED, *vehicle_rows.OPTIONAL, *interval_rows.REQUIRED, *interval_rows.OPTIONAL)
WORDS = (
    *(column.encode() for column in COLUMNS), b"2026-05-04T07:30:12+03:00", b"2026-03-29 03:30:00",
    b"2026-10-25T03:30:00", b"approaching", b"receding", b";", b"\t", b",", b'"', b"\r", b"\xef\xbb\xbf",
    b"\xff\xfe", b"50,5", b"50.5", b"shown", b"unknown", b"1e5", b"-1", b"\xd9\xa3",
    b"0001-01-01T00:00:00+00:00", b"9999-12-31T23:59:59-23:59", b"few", b"0123456789abcdef", b"900",
    b"\xe2\x80\xa8", b"\x00", b"\x0b", b"\x1c", b"2026-05-04T07:30:12.999999999+03:00",
)  # fmt: skip
BEGIN_MS, END_MS = 631_065_600_000, 4_102_531_200_000  # 1990 to 2099 of any time zone: a day more each way
ZONES = (None, ZoneInfo("Europe/Riga"))


@cache
def database() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, 0)
    return db


def close() -> None:
    database().close()
    database.cache_clear()


def target(data: bytes) -> None:
    """The first byte chooses the options."""
    if not data:
        return
    wanted = Wanted(HERE, times=ZONES[data[0] & 1], words={"in": "approaching"}, skip_bad=bool(data[0] & 2))
    if data[0] & 4:
        wanted = replace(wanted, gap_s=3600.0, keep_vehicles=False)
    db = database()
    db.execute("BEGIN")
    try:
        file = CsvFile(io.BytesIO(data[1:]), "old.csv", {*vehicle_rows.REQUIRED, *interval_rows.REQUIRED})
        if not {"start", "n"} <= set(file.columns):
            file.places(vehicle_rows.REQUIRED)
        found = _take(db, file, wanted, lambda _bytes, _vehicles: None)
        check(db, found.vehicles, found.measured_s, kept=wanted.keep_vehicles and found.kind == "vehicles")
    except BadRows as error:
        named(error)
    except StoreError as error:
        one_sentence(error)
    finally:
        db.execute("ROLLBACK")


def named(error: BadRows) -> None:
    """Some of the rows, each with what is wrong with it."""
    assert 0 < len(error.rows) <= min(error.n, 20)
    for row in error.rows:
        one_sentence(row)


def check(db: sqlite3.Connection, vehicles: int, measured_s: float, *, kept: bool) -> None:
    """Counts add up, whichever way they are asked for."""
    assert db.execute("SELECT total(n) FROM speed_count").fetchone()[0] == vehicles
    told_s, odd = db.execute(
        "SELECT total(measured_s), total(measured_s > duration_s) FROM interval"
    ).fetchone()
    assert abs(told_s - measured_s) < 1
    assert not odd
    beyond = "SELECT count(*) FROM vehicle WHERE clock != 'unknown' AND (first_ms < ? OR last_ms > ?)"
    assert not db.execute(beyond, (BEGIN_MS, END_MS)).fetchone()[0], "a year that is none"
    if kept:
        assert db.execute("SELECT count(*) FROM vehicle").fetchone()[0] == vehicles


def seeds() -> Iterator[bytes]:
    """In every dialect, with few columns and with all; and our own intervals."""
    rows = ["time,direction,speed_kmh,length_m", "2026-05-04T07:30:12+03:00,approaching,50.5,4.2",
            "2026-05-04 07:31:00+03:00,receding,61,", "2026-10-25T03:30:00+02:00,in,40,0"]  # fmt: skip
    full = [
        ",".join(("time", "direction", "speed_kmh", *vehicle_rows.OPTIONAL)),
        "2026-05-04T07:30:12+03:00,approaching,50.5,4.2,shown,2.5,ok,52,49,52,30,3.5,few,3,over,50.1,50.2,,1,measured",
    ]  # fmt: skip
    own = [
        ",".join(interval_rows.REQUIRED), "2026-05-04T07:30:00+00:00,900,871.5,ok,approaching,shown,48,2",
        "2026-05-04T07:30:00+00:00,900,871.5,ok,receding,dark,44,1",
        "2026-05-04T07:45:00+00:00,900,900,ok,,,,0",
    ]  # fmt: skip
    for lines in (rows, full, own):
        text = "\n".join(lines) + "\n"
        for first in range(8):
            yield bytes([first]) + text.encode()
        yield b"\x01" + text.replace(",", ";").replace("50.5", "50,5").replace("\n", "\r\n").encode(
            "utf-8-sig"
        )
        yield b"\x03" + text.replace(",", "\t").replace("+03:00", "").encode()
        yield (
            b"\x02" + "\n".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"' for line in lines).encode()
        )
