"""docs/integrator.md: its messages are valid, its SQL runs, its tables and faults are those there are."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

from simulator.stand import fault_words
from telemetry.message.asyncapi import KINDS
from telemetry.schema import SCHEMA_VERSION
from tests.docs import pages
from tests.docs.field import make_database
from tests.messages.describe import examples

PAGE = pages.text("docs/integrator.md")
BLOCKS = pages.FENCE.findall(PAGE)


def test_its_messages_are_the_recorded_ones_of_every_kind() -> None:
    shown = dict(re.findall(r"^\*\*(\w+)\*\*.*?```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
    recorded = examples()
    body = recorded.pop("command")
    assert {kind: json.loads(text) for kind, text in shown.items()} == recorded
    assert f"`{json.dumps(body)}`" in PAGE


def test_every_topic_is_in_its_table() -> None:
    rows = [row for row in pages.table_rows(pages.section(PAGE, "## MQTT")) if row[0].startswith("`…/")]
    assert {row[0] for row in rows} == {
        f"`…/{'up' if kind.from_sign else 'down'}/{kind.word}`" for kind in KINDS
    }
    assert {row[0].split("/")[-1].strip("`") for row in rows if row[1] == "yes"} == {
        kind.word for kind in KINDS if kind.retained
    }


def test_the_queries_answer(tmp_path: Path) -> None:
    make_database(tmp_path / "sign.db")
    queries = [body for kind, body in BLOCKS if kind == "sql"]
    assert len(queries) == 2
    with contextlib.closing(sqlite3.connect(tmp_path / "sign.db")) as db:
        hours, coverage = (db.execute(query).fetchall() for query in queries)
    assert sum(vehicles for _, vehicles, _ in hours) == 300
    assert {round(share, 2) for _, share in coverage} == {1.0, 0.67}


def test_every_table_and_column_is_named(tmp_path: Path) -> None:
    make_database(tmp_path / "sign.db")
    named = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2]))
        for row in pages.table_rows(pages.section(PAGE, "## The database"))
    }
    with contextlib.closing(sqlite3.connect(tmp_path / "sign.db")) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        there = {
            name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")}
            for name in tables
            if not name.startswith("sqlite_")
        }
    assert set(named) == set(there)
    for table, columns in there.items():
        assert columns <= named[table], table
    assert f"now {SCHEMA_VERSION};" in PAGE


def test_every_fault_of_the_simulator_is_explained() -> None:
    rows = pages.table_rows(pages.section(PAGE, "## Simulated devices for your own tests"))
    named = [word for row in rows for word in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(fault_words())
