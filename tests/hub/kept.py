"""What a hub's database holds."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any


def ask(path: Path, question: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()
