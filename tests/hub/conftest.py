"""A hub's database for the length of a test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.hub.store import SqliteHubStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteHubStore]:
    with contextlib.closing(SqliteHubStore(path)) as found:
        yield found
