-- A sign's database as schema version 3 left it: schema_2.sql brought forward, with suspects and the sign's id.
PRAGMA application_id = 1936745587;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
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
    , display_profile TEXT NOT NULL DEFAULT '', sign TEXT NOT NULL DEFAULT '', origin TEXT NOT NULL DEFAULT 'measured', to_ms INTEGER) STRICT;
INSERT INTO "installation" VALUES(1,1777878000000,'Bauska, Rīgas iela',50,12.5,'ops243','Europe/Riga','uz centru','uz Rīgu',1,'approaching 10-100: speed / speed / speed #1f3a9c','bauska-3','measured',NULL);
CREATE TABLE interval (
        id INTEGER PRIMARY KEY,
        start_s INTEGER NOT NULL,          -- seconds since 1970, UTC
        duration_s INTEGER NOT NULL,
        installation_id INTEGER NOT NULL REFERENCES installation (id),
        measured_s REAL NOT NULL DEFAULT 0,
        clock TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
        revision INTEGER NOT NULL DEFAULT 0, scaled INTEGER NOT NULL DEFAULT 0,  -- how often it has been closed
        UNIQUE (start_s, installation_id, duration_s)
    ) STRICT;
INSERT INTO "interval" VALUES(1,1777878000,900,1,240.0,'ok','closed',1,0);
INSERT INTO "interval" VALUES(2,1777878900,900,1,60.0,'ok','open',0,0);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','5bd1e995a10c2f37');
CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO "outbox" VALUES(1,'agg',1777878900000,X'7B2276223A312C226964223A22626175736B612D33222C2265706F6368223A2234623062383962316138393963653738222C22736571223A312C22726576223A312C227374617274223A313737373837383030302C22647572223A3930302C226D656173757265645F73223A3234302E302C22636C6B223A226F6B222C22696E7374616C6C6174696F6E223A312C2267726F757073223A5B7B22646972223A22617070726F616368696E67222C22646973706C6179223A2273686F776E222C226E223A332C226D65616E223A34392E302C226D6178223A35302C2268697374223A7B2277223A312C226C6F223A34372C2263223A5B312C302C302C325D7D7D2C7B22646972223A227265636564696E67222C22646973706C6179223A22626C616E6B222C226E223A312C226D65616E223A302E302C226D6178223A302C2268697374223A7B2277223A312C226C6F223A302C2263223A5B315D7D7D5D7D',0);
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('vehicle',5);
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
COMMIT;
