"""The database's tables, and the steps that bring an older file forward.

`user_version` says how many of `MIGRATIONS` a file has seen; `application_id` says that it is ours.
A step that was released is never edited: what changes is a further step at the end, with a frozen
file of the version before it in tests/telemetry.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from speedsign.errors import StoreError

APPLICATION_ID = 0x73706473  # "spds"

_VERSION_1 = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE installation (
        id INTEGER PRIMARY KEY,
        from_ms INTEGER NOT NULL,          -- ms since 1970, UTC; it ends where the next one begins
        site TEXT NOT NULL,
        limit_kmh INTEGER NOT NULL,
        mounting_angle_deg REAL NOT NULL,
        radar TEXT NOT NULL,
        timezone TEXT NOT NULL,
        approaching_name TEXT NOT NULL,
        receding_name TEXT NOT NULL,
        rounds INTEGER NOT NULL
    ) STRICT""",
    # AUTOINCREMENT: an id is never used again, so that "what came since" stays right after pruning.
    """CREATE TABLE vehicle (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        first_ms INTEGER NOT NULL,         -- ms since 1970, UTC
        last_ms INTEGER NOT NULL,
        clock TEXT NOT NULL,
        first_mono_s REAL NOT NULL,        -- seconds of the boot it was seen in
        last_mono_s REAL NOT NULL,
        track_id INTEGER NOT NULL,
        direction TEXT NOT NULL,
        speed_kmh REAL NOT NULL,           -- corrected with the installation's angle, as are the next three
        entry_kmh REAL NOT NULL,
        exit_kmh REAL NOT NULL,
        max_kmh REAL NOT NULL,
        readings INTEGER NOT NULL,
        strength REAL,
        length_m REAL,
        display TEXT NOT NULL,
        flags TEXT NOT NULL,               -- a JSON list
        tracker TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX vehicle_by_time ON vehicle (last_ms)",
    # Two installations can share a quarter of an hour, and a sign can be set to another duration.
    """CREATE TABLE interval (
        id INTEGER PRIMARY KEY,
        start_s INTEGER NOT NULL,          -- seconds since 1970, UTC
        duration_s INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        measured_s REAL NOT NULL DEFAULT 0,
        clock TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
        revision INTEGER NOT NULL DEFAULT 0,  -- how often it has been closed
        UNIQUE (start_s, installation_id, duration_s)
    ) STRICT""",
    "CREATE INDEX interval_open ON interval (start_s) WHERE state = 'open'",
    """CREATE TABLE count (
        interval_id INTEGER NOT NULL REFERENCES interval (id),
        direction TEXT NOT NULL,
        display TEXT NOT NULL,
        speed_kmh INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (interval_id, direction, display, speed_kmh)
    ) STRICT, WITHOUT ROWID""",
    # (sign, store epoch, seq) names a message for ever; AUTOINCREMENT keeps a seq from coming twice.
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
)

_VERSION_2 = (
    # within, over, too_fast; '': shown nothing, or not known
    "ALTER TABLE vehicle ADD COLUMN face TEXT NOT NULL DEFAULT ''",
)

# Counts as one row per speed were the most of the file, and most of the time of a year's statistics.
# Now one row holds a direction and display state of an interval: a character for each vehicle, by rising
# speed, code point 33 + km/h ("!" is 0 km/h, "S" is 50). The view `speed_count` has them in plain numbers.
_VERSION_3 = (
    """CREATE TABLE cell (
        interval_id INTEGER NOT NULL REFERENCES interval (id),
        direction TEXT NOT NULL,
        display TEXT NOT NULL,
        speeds TEXT NOT NULL,
        suspects TEXT NOT NULL DEFAULT '', -- those of speeds that a flag of the tracker is against
        PRIMARY KEY (interval_id, direction, display)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO cell (interval_id, direction, display, speeds)
        SELECT interval_id, direction, display,
            group_concat(replace(hex(zeroblob(n)), '00', char(33 + speed_kmh)), '')
        FROM (SELECT * FROM count WHERE n > 0 ORDER BY interval_id, direction, display, speed_kmh)
        GROUP BY interval_id, direction, display""",
    "DROP TABLE count",
    """CREATE VIEW speed_count AS
        WITH RECURSIVE place (interval_id, direction, display, speeds, speed_kmh) AS (
            SELECT interval_id, direction, display, speeds, unicode(speeds) - 33 FROM cell WHERE speeds != ''
            UNION ALL
            SELECT interval_id, direction, display, ltrim(speeds, char(33 + speed_kmh)),
                unicode(ltrim(speeds, char(33 + speed_kmh))) - 33
            FROM place WHERE ltrim(speeds, char(33 + speed_kmh)) != ''
        )
        SELECT interval_id, direction, display, speed_kmh,
            length(speeds) - length(ltrim(speeds, char(33 + speed_kmh))) AS n FROM place""",
    "ALTER TABLE interval ADD COLUMN scaled INTEGER NOT NULL DEFAULT 0",  # 1: by an angle corrected later
    "ALTER TABLE installation ADD COLUMN display_profile TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE installation ADD COLUMN sign TEXT NOT NULL DEFAULT ''",
    # measured: by this sign; the others come from a file. imported: it says neither when its device was
    # measuring nor what the panel did; recorded: not when; copied: it says both
    "ALTER TABLE installation ADD COLUMN origin TEXT NOT NULL DEFAULT 'measured'",
    "ALTER TABLE installation ADD COLUMN to_ms INTEGER",  # NULL: until the next one begins
    "ALTER TABLE vehicle ADD COLUMN radial_kmh REAL",
    "ALTER TABLE vehicle ADD COLUMN along_kmh REAL",
    """CREATE TABLE import (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL,              -- of the file, so that it is not taken twice
        name TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        vehicles INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id)
    ) STRICT""",
    """CREATE TABLE correction (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        from_deg REAL NOT NULL,
        to_deg REAL NOT NULL,
        recomputed INTEGER NOT NULL,       -- vehicles by their own record
        scaled INTEGER NOT NULL            -- vehicles of which only the count was left
    ) STRICT""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3)
SCHEMA_VERSION = len(MIGRATIONS)


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The file's schema version, 0 when it is empty; StoreError when it is not ours or newer than us."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    application: int = db.execute("PRAGMA application_id").fetchone()[0]
    empty = not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if empty and version == 0 and application == 0:
        return 0
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; give [store] path another name")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer speedsign (schema {version}, this one knows {SCHEMA_VERSION}); "
            "install that version again or give [store] path another name"
        )
    return version


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an open file from `version` to ours in one transaction: all of it or nothing."""
    if version == SCHEMA_VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[version:]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
