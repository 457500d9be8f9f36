-- A sign's database as schema version 5 left it: schema_4.sql brought forward, with a calibration.
PRAGMA application_id = 1936745587;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE also_installation (
        source_id INTEGER NOT NULL REFERENCES source (id),
        remote_id INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        facts_seq INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (source_id, remote_id)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE calibration (
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
    ) STRICT;
INSERT INTO "calibration" VALUES(1,'00000000000000000000000000000001',NULL,1777878000000,'ok','fork','pass','2027-05-04','bauska-3','Bauska, Rīgas iela','ops243',12.5,'{}');
CREATE TABLE cell (
        interval_id INTEGER NOT NULL REFERENCES interval (id),
        direction TEXT NOT NULL,
        display TEXT NOT NULL,
        speeds TEXT NOT NULL,
        suspects TEXT NOT NULL DEFAULT '', -- those of speeds that a flag of the tracker is against
        PRIMARY KEY (interval_id, direction, display)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "cell" VALUES(1,'approaching','shown','PSS','P');
INSERT INTO "cell" VALUES(1,'receding','blank','!','');
INSERT INTO "cell" VALUES(2,'approaching','dark','¤','¤');
INSERT INTO "cell" VALUES(3,'approaching','fault','M','');
INSERT INTO "cell" VALUES(3,'receding','fault','T','');
CREATE TABLE command (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        clock TEXT NOT NULL,
        key_id TEXT NOT NULL,
        counter INTEGER NOT NULL,
        action TEXT NOT NULL,
        body TEXT NOT NULL,                -- what was signed
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT ''
    ) STRICT;
INSERT INTO "command" VALUES(1,1777878600000,'ok','office',7,'dark','{"action":"dark"}','done','');
CREATE TABLE command_counter (
        public_key TEXT PRIMARY KEY,       -- as in the config: a key that gets another name stays used
        counter INTEGER NOT NULL           -- the highest that was taken; never again one at or below it
    ) STRICT, WITHOUT ROWID;
INSERT INTO "command_counter" VALUES('ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',7);
CREATE TABLE correction (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        from_deg REAL NOT NULL,
        to_deg REAL NOT NULL,
        recomputed INTEGER NOT NULL,       -- vehicles by their own record
        scaled INTEGER NOT NULL            -- vehicles of which only the count was left
    ) STRICT;
INSERT INTO "correction" VALUES(1,1777877990000,1,12.0,12.5,0,0);
CREATE TABLE import (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL,              -- of the file, so that it is not taken twice
        name TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        vehicles INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id)
    ) STRICT;
INSERT INTO "import" VALUES(1,'52d57597ddd0cf03a7c9eeb6d7621d2fb9f5bc6e63131e079d8a10f64328215b','2020.csv',1777878900000,2,2);
CREATE TABLE installation (
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
    , display_profile TEXT NOT NULL DEFAULT '', sign TEXT NOT NULL DEFAULT '', origin TEXT NOT NULL DEFAULT 'measured', to_ms INTEGER, announced INTEGER NOT NULL DEFAULT 0, source_id INTEGER REFERENCES source (id), remote_id INTEGER, facts_seq INTEGER) STRICT;
INSERT INTO "installation" VALUES(1,1777878000000,'Bauska, Rīgas iela',50,12.5,'ops243','Europe/Riga','uz centru','uz Rīgu',1,'approaching 10-100: speed / speed / speed #1f3a9c','bauska-3','measured',NULL,1,NULL,NULL,NULL);
INSERT INTO "installation" VALUES(2,1588575600000,'Bauska 2020',50,10.0,'','Europe/Riga','uz centru','uz Rīgu',1,'','bauska-3','imported',1588576500000,0,NULL,NULL,NULL);
CREATE TABLE interval (
        id INTEGER PRIMARY KEY,
        start_s INTEGER NOT NULL,          -- seconds since 1970, UTC
        duration_s INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        measured_s REAL NOT NULL DEFAULT 0,
        clock TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
        revision INTEGER NOT NULL DEFAULT 0, scaled INTEGER NOT NULL DEFAULT 0, heard_from INTEGER REFERENCES source (id),  -- how often it has been closed
        UNIQUE (start_s, installation_id, duration_s)
    ) STRICT;
INSERT INTO "interval" VALUES(1,1777878000,900,1,240.0,'ok','closed',1,0,NULL);
INSERT INTO "interval" VALUES(2,1777878900,900,1,60.0,'ok','open',0,0,NULL);
INSERT INTO "interval" VALUES(3,1588575600,900,2,900.0,'ok','closed',1,0,NULL);
CREATE TABLE loss (
        id INTEGER PRIMARY KEY,
        source_id INTEGER NOT NULL REFERENCES source (id),
        at_ms INTEGER NOT NULL,            -- when the hub noticed
        kind TEXT NOT NULL,                -- '': not known, the sign has them no more
        first_seq INTEGER NOT NULL,        -- all of them are in this range
        last_seq INTEGER NOT NULL,
        messages INTEGER NOT NULL          -- less those that came later all the same
    ) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('boot','2');
INSERT INTO "meta" VALUES('epoch','5bd1e995a10c2f37');
INSERT INTO "meta" VALUES('remote_began','5bd1e995a10c2f37 1777878000000');
CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    , rank INTEGER NOT NULL DEFAULT 1) STRICT;
INSERT INTO "outbox" VALUES(1,'agg',1777878900000,X'7B22726576223A312C227374617274223A313737373837383030302C22647572223A3930302C226D656173757265645F73223A3234302E302C22636C6B223A226F6B222C22696E7374616C6C6174696F6E223A312C2267726F757073223A5B7B22646972223A22617070726F616368696E67222C22646973706C6179223A2273686F776E222C226E223A332C226D65616E223A34392E302C226D6178223A35302C2268697374223A7B2277223A312C226C6F223A34372C2263223A5B312C302C302C325D7D7D2C7B22646972223A227265636564696E67222C22646973706C6179223A22626C616E6B222C226E223A312C226D65616E223A302E302C226D6178223A302C2268697374223A7B2277223A312C226C6F223A302C2263223A5B315D7D7D5D7D',0,1);
INSERT INTO "outbox" VALUES(2,'place',0,X'7B2266726F6D223A313737373837383030302C22696E7374616C6C6174696F6E223A7B226964223A312C2273697465223A22426175736B612C2052C4AB6761732069656C61222C226C696D69745F6B6D68223A35302C22616E676C655F646567223A31322E352C22747A223A224575726F70652F52696761222C22617070726F616368696E67223A22757A2063656E747275222C227265636564696E67223A22757A2052C4AB6775222C22726F756E6473223A747275652C227261646172223A226F7073323433222C2270726F66696C65223A22617070726F616368696E672031302D3130303A207370656564202F207370656564202F2073706565642023316633613963227D7D',0,0);
CREATE TABLE refused (
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        payload BLOB NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (source_id, seq)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE reply (
        sign TEXT NOT NULL,
        number INTEGER NOT NULL,           -- 1, 2, … as they came
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (sign, number)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE sign (
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
    ) STRICT, WITHOUT ROWID;
CREATE TABLE source (
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
    ) STRICT;
CREATE TABLE span (
        source_id INTEGER NOT NULL REFERENCES source (id),
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        PRIMARY KEY (source_id, first_seq)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE vehicle (
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
    , face TEXT NOT NULL DEFAULT '', radial_kmh REAL, along_kmh REAL) STRICT;
INSERT INTO "vehicle" VALUES(1,1,1777877996750,1777878000000,'ok',1000.25,1003.5,7,'approaching',50.0,52.0,49.0,52.5,31,812.0,NULL,'shown','["merged"]','tracker 1','within',NULL,NULL);
INSERT INTO "vehicle" VALUES(2,1,1777878056750,1777878060000,'ok',1000.25,1003.5,7,'approaching',50.0,52.0,49.0,52.5,31,812.0,NULL,'shown','["merged"]','tracker 1','within',NULL,NULL);
INSERT INTO "vehicle" VALUES(3,1,1777878116750,1777878120000,'ok',1000.25,1003.5,7,'approaching',47.0,49.0,46.0,49.5,31,812.0,NULL,'shown','["merged"]','tracker 1','within',NULL,NULL);
INSERT INTO "vehicle" VALUES(4,1,1777878176750,1777878180000,'ok',1000.25,1003.5,7,'receding',0.2,2.2,0.0,2.7,31,812.0,NULL,'blank','["merged"]','tracker 1','within',NULL,NULL);
INSERT INTO "vehicle" VALUES(5,1,1777878956750,1777878960000,'ok',1000.25,1003.5,7,'approaching',131.4,133.4,130.4,133.9,31,812.0,NULL,'dark','["merged"]','tracker 1','within',NULL,NULL);
CREATE INDEX vehicle_by_time ON vehicle (last_ms);
CREATE INDEX interval_open ON interval (start_s) WHERE state = 'open';
CREATE VIEW speed_count AS
        WITH RECURSIVE place (interval_id, direction, display, speeds, speed_kmh) AS (
            SELECT interval_id, direction, display, speeds, unicode(speeds) - 33 FROM cell WHERE speeds != ''
            UNION ALL
            SELECT interval_id, direction, display, ltrim(speeds, char(33 + speed_kmh)),
                unicode(ltrim(speeds, char(33 + speed_kmh))) - 33
            FROM place WHERE ltrim(speeds, char(33 + speed_kmh)) != ''
        )
        SELECT interval_id, direction, display, speed_kmh,
            length(speeds) - length(ltrim(speeds, char(33 + speed_kmh))) AS n FROM place;
CREATE INDEX outbox_by_value ON outbox (rank, seq);
CREATE INDEX loss_of_source ON loss (source_id);
CREATE UNIQUE INDEX installation_of_source ON installation (source_id, remote_id);
CREATE INDEX also_of_installation ON also_installation (installation_id);
CREATE INDEX calibration_by_time ON calibration (at_ms);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('vehicle',5);
INSERT INTO "sqlite_sequence" VALUES('outbox',2);
COMMIT;
