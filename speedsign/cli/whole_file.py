"""Files that are there whole or not at all: written beside their name, then renamed."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path`. What was there stays until the new one is whole; OSError where it cannot be."""
    made = path.with_name(f".{path.name}.part")
    try:
        made.write_bytes(data)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
