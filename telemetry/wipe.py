"""Everything that a sign's database leaves on the disk, to be deleted when the sign changes hands."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from telemetry.ballast import ballast_path
from telemetry.calibration.log import log_path

_BESIDE = ("-wal", "-shm", "-journal")


def files_of_store(path: Path) -> list[Path]:
    """The database, what SQLite keeps beside it, damaged ones that were moved away, the file of calibrations,
    the reserve for a full card.

    Side files first and the database after them: should it end in between, what is left opens as what it is.
    """
    folder = path.parent
    if not folder.is_dir():
        return []
    damaged = sorted(folder.glob(f"{_literal(path.name)}.damaged-*"))
    names = [ballast_path(path), *(path.with_name(path.name + beside) for beside in _BESIDE)]
    return [name for name in (*damaged, log_path(path), *names, path) if name.is_file() or name.is_symlink()]


def _literal(name: str) -> str:
    """A name with what a pattern takes for something else put in brackets."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def delete(files: Iterable[Path]) -> list[str]:
    """Delete them; a sentence for each that could not be."""
    problems = []
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            problems.append(f"{file}: cannot be deleted: {error.strerror}")
    return problems
