"""Folders for targets that read files: in memory where that can be, since a disk is slow and wears."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")


def scratch() -> Path:
    """A new folder, which goes when the process does."""
    in_memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    found = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if in_memory else None))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found
