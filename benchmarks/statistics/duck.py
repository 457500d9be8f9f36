"""Another way to the same numbers: DuckDB and SQL.

duck.py load FILE.csv FILE.duckdb     typed rows into a database
duck.py stats FILE.duckdb             the numbers of each direction and of both
"""

from __future__ import annotations

import json
import sys

_LOAD = """
CREATE TABLE vehicle AS SELECT * FROM read_csv(?, columns = {
    'time': 'TIMESTAMPTZ', 'direction': 'VARCHAR', 'speed_kmh': 'DOUBLE', 'display': 'VARCHAR'})
"""
_STATS = """
WITH one AS (SELECT direction, floor(speed_kmh + 0.5)::INT AS speed, count(*) AS n FROM vehicle GROUP BY ALL),
counted AS (
    SELECT direction, speed, n FROM one
    UNION ALL SELECT 'both', speed, sum(n) FROM one GROUP BY speed),
risen AS (
    SELECT *, sum(n) OVER (PARTITION BY direction ORDER BY speed) AS upto,
        sum(n) OVER (PARTITION BY direction) AS total FROM counted),
class AS (
    SELECT direction, min(speed) AS speed FROM risen WHERE upto >= 0.85 * total GROUP BY direction),
v85 AS (
    SELECT direction, speed - 0.5 + (0.85 * total - (upto - n))::DOUBLE / n AS v85_kmh
    FROM risen JOIN class USING (direction, speed))
SELECT direction, sum(n)::BIGINT AS n, sum(n * speed)::DOUBLE / sum(n) AS mean_kmh, any_value(v85_kmh),
    (sum(n) FILTER (speed > ?))::DOUBLE / sum(n) AS over_limit_share
FROM counted JOIN v85 USING (direction) GROUP BY direction
"""
_KEYS = ("n", "mean_kmh", "v85_kmh", "over_limit_share")


def main(task: str, *paths: str) -> None:
    import duckdb

    if task == "load":
        with duckdb.connect(paths[1]) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.execute(_LOAD, [paths[0]])
        return
    with duckdb.connect(paths[0], read_only=True) as db:
        rows = db.execute(_STATS, [50]).fetchall()
    print(json.dumps({row[0]: dict(zip(_KEYS, row[1:], strict=True)) for row in rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
