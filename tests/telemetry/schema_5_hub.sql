-- A hub's database as schema version 5 left it: schema_4_hub.sql brought forward.
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
INSERT INTO "also_installation" VALUES(2,1,1,1);
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
CREATE TABLE cell (
        interval_id INTEGER NOT NULL REFERENCES interval (id),
        direction TEXT NOT NULL,
        display TEXT NOT NULL,
        speeds TEXT NOT NULL,
        suspects TEXT NOT NULL DEFAULT '', -- those of speeds that a flag of the tracker is against
        PRIMARY KEY (interval_id, direction, display)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "cell" VALUES(1,'approaching','shown','SSS','S');
INSERT INTO "cell" VALUES(1,'receding','blank','^','');
INSERT INTO "cell" VALUES(2,'approaching','shown','SSS','S');
INSERT INTO "cell" VALUES(2,'receding','blank','^','');
INSERT INTO "cell" VALUES(3,'approaching','shown','SSS','S');
INSERT INTO "cell" VALUES(3,'receding','blank','^','');
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
CREATE TABLE command_counter (
        public_key TEXT PRIMARY KEY,       -- as in the config: a key that gets another name stays used
        counter INTEGER NOT NULL           -- the highest that was taken; never again one at or below it
    ) STRICT, WITHOUT ROWID;
CREATE TABLE correction (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        from_deg REAL NOT NULL,
        to_deg REAL NOT NULL,
        recomputed INTEGER NOT NULL,       -- vehicles by their own record
        scaled INTEGER NOT NULL            -- vehicles of which only the count was left
    ) STRICT;
CREATE TABLE import (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL,              -- of the file, so that it is not taken twice
        name TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        vehicles INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id)
    ) STRICT;
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
INSERT INTO "installation" VALUES(1,1777878000000,'Bauska, Rīgas iela',50,12.5,'ops243','Europe/Riga','uz centru','uz Rīgu',1,'speed over 10 km/h','bauska-1','measured',NULL,0,1,1,1);
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
INSERT INTO "interval" VALUES(1,1777878000,900,1,900.0,'ok','closed',1,0,1);
INSERT INTO "interval" VALUES(2,1777878900,900,1,900.0,'ok','closed',1,0,1);
INSERT INTO "interval" VALUES(3,1777879800,900,1,900.0,'ok','closed',1,0,2);
CREATE TABLE loss (
        id INTEGER PRIMARY KEY,
        source_id INTEGER NOT NULL REFERENCES source (id),
        at_ms INTEGER NOT NULL,            -- when the hub noticed
        kind TEXT NOT NULL,                -- '': not known, the sign has them no more
        first_seq INTEGER NOT NULL,        -- all of them are in this range
        last_seq INTEGER NOT NULL,
        messages INTEGER NOT NULL          -- less those that came later all the same
    ) STRICT;
INSERT INTO "loss" VALUES(1,1,1777900000000,'raw',4,4,1);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('hub','x');
CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    , rank INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE refused (
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        payload BLOB NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (source_id, seq)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "refused" VALUES(1,7,'agg',1777900000000,X'7B2276223A312C226964223A22626175736B612D31222C2265706F6368223A2230313233343536373839616263646566222C22736571223A372C22726576223A312C227374617274223A313737373837383030302C22647572223A372C226D656173757265645F73223A3930302E302C22636C6B223A226F6B222C22696E7374616C6C6174696F6E223A312C2267726F757073223A5B7B22646972223A22617070726F616368696E67222C22646973706C6179223A2273686F776E222C226E223A332C226D65616E223A35302E302C226D6178223A35302C2268697374223A7B2277223A312C226C6F223A35302C2263223A5B335D7D2C22737573223A7B2277223A312C226C6F223A35302C2263223A5B315D7D7D2C7B22646972223A227265636564696E67222C22646973706C6179223A22626C616E6B222C226E223A312C226D65616E223A36312E302C226D6178223A36312C2268697374223A7B2277223A312C226C6F223A36312C2263223A5B315D7D7D5D7D','dur 7 is none of (60, 300, 900, 3600)');
CREATE TABLE reply (
        sign TEXT NOT NULL,
        number INTEGER NOT NULL,           -- 1, 2, … as they came
        source_id INTEGER NOT NULL REFERENCES source (id),
        seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (sign, number)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "reply" VALUES('bauska-1',1,1,6,1777900000000,'{"at":1777878600,"key":"office","counter":1,"action":"dark","outcome":"applied"}');
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
INSERT INTO "sign" VALUES('bauska-1','on',2,1777900000000,'{"v":1,"id":"bauska-1","epoch":"fedcba9876543210","boot":2,"sw":"0.2.0","schema":1,"radar":"ops243","display":"dm56a04","cfg":"c0ffee","installation":{"id":1,"site":"Bauska, Rīgas iela","limit_kmh":50,"angle_deg":12.5,"tz":"Europe/Riga","approaching":"uz centru","receding":"uz Rīgu","rounds":true,"radar":"ops243","profile":"speed over 10 km/h"}}',1777900000000,'{"v":1,"id":"bauska-1","epoch":"0123456789abcdef","boot":1,"at":1777900000,"clk":"ok","up_s":60}',1777900000000,2,20577,2,2,2);
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
INSERT INTO "source" VALUES(1,'bauska-1','0123456789abcdef',1777900000000,1777900000000,7,7,0,1,0,NULL,1);
INSERT INTO "source" VALUES(2,'bauska-1','fedcba9876543210',1777900000000,1777900000000,2,2,0,0,0,NULL,2);
CREATE TABLE span (
        source_id INTEGER NOT NULL REFERENCES source (id),
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        PRIMARY KEY (source_id, first_seq)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "span" VALUES(1,10,10);
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
INSERT INTO "vehicle" VALUES(1,1,1777877996750,1777878000000,'ok',0.0,3.25,0,'approaching',50.0,52.0,49.0,52.5,31,810.0,NULL,'shown','["merged"]','tracker 1','within',NULL,NULL);
INSERT INTO "vehicle" VALUES(2,1,1777878056750,1777878060000,'ok',0.0,3.25,0,'approaching',47.0,49.0,46.0,49.5,31,810.0,NULL,'shown','["merged"]','tracker 1','within',NULL,NULL);
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
CREATE INDEX interval_of_installation ON interval (installation_id, start_s);
CREATE INDEX vehicle_of_installation ON vehicle (installation_id, last_ms);
CREATE INDEX calibration_by_time ON calibration (at_ms);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('vehicle',2);
COMMIT;
