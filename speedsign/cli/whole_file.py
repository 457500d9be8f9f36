"""Files that are there whole or not at all: written beside their name, then renamed."""

from __future__ import annotations

import os
from pathlib import Path

from speedsign.errors import UsageError

_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")  # of a database, what is its own


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path`. What was there stays until the new one is whole; OSError where it cannot be."""
    made = path.with_name(f".{path.name}.part")
    try:
        made.write_bytes(data)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def refuse_database(output: Path, database: Path) -> None:
    """UsageError where `output` is the database that is read, or a file that belongs to it, by any name."""
    for base in (database, Path(os.path.realpath(database))):
        for side in _BESIDE:
            own = base.with_name(base.name + side)
            if _same(output, own):
                what = f"belongs to the database {database}" if side else "is the database itself"
                raise UsageError(f"{output} {what}; name another file")


def _same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    return one.exists() and other.exists() and one.samefile(other)  # a hard link
