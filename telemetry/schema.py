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

# From the sign to the hub. One schema for both: what reads a sign's file reads a hub's.
_VERSION_4 = (
    # Bodies are kept without their name (v, id, epoch, seq), which is put before them when they are sent.
    """UPDATE outbox
        SET body = CAST(json_remove(CAST(body AS TEXT), '$.v', '$.id', '$.epoch', '$.seq') AS BLOB)
        WHERE json_valid(CAST(body AS TEXT))""",
    "ALTER TABLE outbox ADD COLUMN rank INTEGER NOT NULL DEFAULT 1",  # value to the receiver, 0 the highest
    "CREATE INDEX outbox_by_value ON outbox (rank, seq)",
    # Whether its facts, as they are now, were put into the outbox.
    "ALTER TABLE installation ADD COLUMN announced INTEGER NOT NULL DEFAULT 0",
    # --- commands that came to a sign
    """CREATE TABLE command_counter (
        public_key TEXT PRIMARY KEY,       -- as in the config: a key that gets another name stays used
        counter INTEGER NOT NULL           -- the highest that was taken; never again one at or below it
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE command (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        clock TEXT NOT NULL,
        key_id TEXT NOT NULL,
        counter INTEGER NOT NULL,
        action TEXT NOT NULL,
        body TEXT NOT NULL,                -- what was signed
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    # --- what a hub has heard
    """CREATE TABLE source (
        id INTEGER PRIMARY KEY,
        sign TEXT NOT NULL,
        epoch TEXT NOT NULL,               -- of the sign's database file
        first_ms INTEGER NOT NULL,         -- first and last message, by the hub's clock
        last_ms INTEGER NOT NULL,
        up_to INTEGER NOT NULL DEFAULT 0,  -- every seq up to here was received, or is lost as the sign said
        received INTEGER NOT NULL DEFAULT 0,
        duplicates INTEGER NOT NULL DEFAULT 0,
        refused INTEGER NOT NULL DEFAULT 0,  -- had a name and could not be read
        clashes INTEGER NOT NULL DEFAULT 0,  -- came again under a name and with another content: of a copy
        clash_ms INTEGER,                    -- the last of them
        born INTEGER NOT NULL DEFAULT 0,     -- the higher, the later it greeted as another than before
        UNIQUE (sign, epoch)
    ) STRICT""",
    # Received above up_to, as ranges without overlap: what lies between them is a gap.
    """CREATE TABLE span (
        source_id INTEGER NOT NULL REFERENCES source (id),
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        PRIMARY KEY (source_id, first_seq)
    ) STRICT, WITHOUT ROWID""",
    # What never came: the sign said that it dropped it, being full, or that it has it no more.
    """CREATE TABLE loss (
        id INTEGER PRIMARY KEY,
        source_id INTEGER NOT NULL REFERENCES source (id),
        at_ms INTEGER NOT NULL,            -- when the hub noticed
        kind TEXT NOT NULL,                -- '': not known, the sign has them no more
        first_seq INTEGER NOT NULL,        -- all of them are in this range
        last_seq INTEGER NOT NULL,
        messages INTEGER NOT NULL          -- less those that came later all the same
    ) STRICT""",
    "CREATE INDEX loss_of_source ON loss (source_id)",
    # Messages with a name that could not be read, kept as they came; acknowledged, else they come for ever.
    """CREATE TABLE refused (
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        payload BLOB NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (source_id, seq)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE sign (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL DEFAULT '',    -- on, off, lost; '': not heard yet
        boot INTEGER NOT NULL DEFAULT 0,
        state_ms INTEGER,                  -- by the hub's clock, as the next two
        birth TEXT,                        -- the newest messages, as they came
        birth_ms INTEGER,
        health TEXT,
        health_ms INTEGER,
        stores INTEGER NOT NULL DEFAULT 0, -- database files (epochs) that it was heard with
        stores_day INTEGER NOT NULL DEFAULT 0,  -- days since 1970, by the hub's clock: when the last began
        stores_in_day INTEGER NOT NULL DEFAULT 0,
        source_id INTEGER REFERENCES source (id),  -- in use: of its newest birth
        births INTEGER NOT NULL DEFAULT 0  -- how often that became another one
    ) STRICT, WITHOUT ROWID""",
    # Answers to commands: the sign's own record of who changed what; the newest of each sign.
    """CREATE TABLE reply (
        sign TEXT NOT NULL,
        number INTEGER NOT NULL,           -- 1, 2, … as they came
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (sign, number)
    ) STRICT, WITHOUT ROWID""",
    "ALTER TABLE installation ADD COLUMN source_id INTEGER REFERENCES source (id)",  # NULL: its own
    "ALTER TABLE installation ADD COLUMN remote_id INTEGER",  # its number at the sign
    # Seq of the message that told its facts; NULL in a hub's file: counts came before them, not yet read.
    "ALTER TABLE installation ADD COLUMN facts_seq INTEGER",
    "CREATE UNIQUE INDEX installation_of_source ON installation (source_id, remote_id)",
    # The same installation as another file of its sign tells of it: a copy that began an epoch of its own.
    """CREATE TABLE also_installation (
        source_id INTEGER NOT NULL REFERENCES source (id),
        remote_id INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        facts_seq INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (source_id, remote_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX also_of_installation ON also_installation (installation_id)",
    # In a hub's file: the source that told these counts. A copy can tell others of the same interval.
    "ALTER TABLE interval ADD COLUMN heard_from INTEGER REFERENCES source (id)",
)

# What was measured to see whether the sign measures right (speedsign.calibration.record).
_VERSION_5 = (
    """CREATE TABLE calibration (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,                 -- its name for ever; the same in the file beside the database
        source_id INTEGER REFERENCES source (id),  -- in a hub's file: who told it; NULL: its own
        at_ms INTEGER NOT NULL,            -- ms since 1970, UTC
        clock TEXT NOT NULL,
        kind TEXT NOT NULL,
        verdict TEXT NOT NULL,
        due TEXT,                          -- YYYY-MM-DD; NULL: none
        sign TEXT NOT NULL,
        site TEXT NOT NULL,
        driver TEXT NOT NULL,
        mounting_angle_deg REAL NOT NULL,
        body TEXT,                         -- all of it, as JSON; NULL at a hub, which is told the above only
        UNIQUE (sign, key)
    ) STRICT""",
    "CREATE INDEX calibration_by_time ON calibration (at_ms)",
)

# What a sign knows of its clock. `interval` is made anew, as its identity cannot be changed otherwise
# (sqlite.org/lang_altertable.html, section 7); cells keep their interval ids.
_VERSION_6 = (
    # Starts of the machine, in their order. In a hub's file boot_id has 16 characters, and nothing else is
    # known of them.
    """CREATE TABLE boot (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_id TEXT NOT NULL UNIQUE,
        zero_ms INTEGER,                   -- ms since 1970, UTC, at its boot time 0; NULL: not known
        guess_ms INTEGER,                  -- the same as its undated rows have it, for want of a better one
        set_ms INTEGER NOT NULL DEFAULT 0, -- boot time, ms: when zero_ms became known, or changed
        seen_ms INTEGER NOT NULL DEFAULT 0,  -- boot time, ms: it is known to have run until then
        known_ms INTEGER                   -- ms since 1970, UTC: the last time that was believed and has held
    ) STRICT""",
    # Measured seconds of boots that have no time yet, in pieces small enough for any quarter of an hour.
    """CREATE TABLE boot_coverage (
        boot INTEGER NOT NULL REFERENCES boot (number),
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        minute INTEGER NOT NULL,           -- of boot time
        duration_s INTEGER NOT NULL,       -- of the intervals that were in use
        from_s REAL NOT NULL,              -- boot time: nothing of it lies outside
        to_s REAL NOT NULL,
        measured_s REAL NOT NULL,
        PRIMARY KEY (boot, installation_id, minute, duration_s)
    ) STRICT, WITHOUT ROWID""",
    "ALTER TABLE vehicle ADD COLUMN boot INTEGER REFERENCES boot (number)",  # NULL: not known
    "CREATE INDEX vehicle_undated ON vehicle (boot) WHERE clock = 'unknown'",
    """CREATE TABLE interval_6 (
        id INTEGER PRIMARY KEY,
        start_s INTEGER NOT NULL,          -- seconds since 1970, UTC
        duration_s INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        measured_s REAL NOT NULL DEFAULT 0,
        clock TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
        revision INTEGER NOT NULL DEFAULT 0,  -- how often it has been closed
        scaled INTEGER NOT NULL DEFAULT 0, -- 1: by an angle corrected later
        heard_from INTEGER REFERENCES source (id),  -- in a hub's file: the source that told these counts
        stepped INTEGER NOT NULL DEFAULT 0,  -- 1: the clock was set in it
        boot TEXT NOT NULL DEFAULT '',     -- of an undated one the first 16 characters of boot_id
        UNIQUE (start_s, installation_id, duration_s, boot)
    ) STRICT""",
    # What is undated and goes on counting, no time that becomes known may get into: it is of no known start
    # (telemetry.slots.NOBODYS). What was told already keeps the name by which it was.
    """INSERT INTO interval_6
        (id, start_s, duration_s, installation_id, measured_s, clock, state, revision, scaled, heard_from,
            boot)
        SELECT id, start_s, duration_s, installation_id, measured_s, clock, state, revision, scaled,
            heard_from,
            CASE WHEN clock = 'unknown' AND state = 'open' AND revision = 0
                THEN '0000000000000000' ELSE '' END
        FROM interval""",
    "DROP TABLE interval",
    "ALTER TABLE interval_6 RENAME TO interval",
    "CREATE INDEX interval_open ON interval (start_s) WHERE state = 'open'",
    "CREATE INDEX interval_undated ON interval (boot) WHERE boot != ''",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
)
SCHEMA_VERSION = len(MIGRATIONS)


class NotOurs(StoreError):  # noqa: N818  the situation is its name
    """A database that is whole, and not for this program; it is left as it is."""


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The file's schema version, 0 when it is empty; StoreError when it is not ours or newer than us."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    application: int = db.execute("PRAGMA application_id").fetchone()[0]
    empty = not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if empty and version == 0 and application == 0:
        return 0
    if application != APPLICATION_ID:
        raise NotOurs(f"{path} is a database of another program; give [store] path another name")
    if version > SCHEMA_VERSION:
        raise NotOurs(
            f"{path} was written by a newer speedsign (schema {version}, this one knows {SCHEMA_VERSION}); "
            "install that version again or give [store] path another name"
        )
    return version


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an open file from `version` to ours in one transaction: all of it or nothing."""
    if version == SCHEMA_VERSION:
        return
    # A table that others refer to cannot be made anew while references are watched; inside a transaction that
    # cannot be switched.
    watched = db.execute("PRAGMA foreign_keys").fetchone()[0]
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        _take_steps(db, version)
    finally:
        db.execute(f"PRAGMA foreign_keys = {watched}")


def _take_steps(db: sqlite3.Connection, version: int) -> None:
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
