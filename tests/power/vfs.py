"""A layer under the sqlite3 module: notes every change of a file on its way to the card, and can refuse it.

It is a VFS (sqlite.org/vfs.html) in the very library that the sqlite3 module stands on: SQLite's own files
with four of their methods put in front. So the store runs as it is, through the module that it uses on a
sign. An APSW VFS would sit in APSW's own copy of SQLite, another version, and the store would need an
adapter to it.
"""

from __future__ import annotations

import _sqlite3
import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK, IOERR_READ, IOERR_WRITE, FULL = 0, 10 | 1 << 8, 10 | 3 << 8, 13
_NAME = b"speedsign-noted"
_p, _i, _i64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_Open = ctypes.CFUNCTYPE(_i, _p, _p, _p, _i, _p)
_Delete = ctypes.CFUNCTYPE(_i, _p, ctypes.c_char_p, _i)
_Transfer = ctypes.CFUNCTYPE(_i, _p, _p, _i, _i64)
_Truncate = ctypes.CFUNCTYPE(_i, _p, _i64)
_Sync = ctypes.CFUNCTYPE(_i, _p, _i)


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _i), ("szOsFile", _i), ("mxPathname", _i), ("pNext", _p), ("zName", ctypes.c_char_p),
        ("pAppData", _p), ("xOpen", _p), ("xDelete", _p), *((f"x{n}", _p) for n in range(14)),
    ]  # fmt: skip


class _Methods(ctypes.Structure):
    _fields_ = [
        ("iVersion", _i), ("xClose", _p), ("xRead", _p), ("xWrite", _p), ("xTruncate", _p), ("xSync", _p),
        *((f"x{n}", _p) for n in range(13)),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a file: `make`, `write`, `truncate`, `sync`, `delete`; or `ack`, said by the test."""

    what: str
    name: str = ""
    offset: int = 0  # of a write; the new size of a truncate; of a delete 1: and the folder was synced
    data: bytes = b""


@dataclass
class Noted:
    """What came by. `refuse` may answer a read, write or sync with an error code of SQLite's."""

    changes: list[Change] = field(default_factory=list)
    refuse: Callable[[str, str], int] = lambda _what, _name: OK
    syncs: bool = True  # False: none is passed on, for tests that need no card
    keep: bool = True  # False: nothing is noted

    def note(self, what: str, name: str, offset: int = 0, data: bytes = b"") -> None:
        if self.keep:
            self.changes.append(Change(what, name, offset, data))


class _Layer:
    """Callbacks for SQLite; they stay alive as long as this does."""

    def __init__(self, library: ctypes.CDLL, noted: Noted) -> None:
        self.noted = noted
        self._names: dict[int, str] = {}  # of open files, by their address
        self._originals: dict[int, _Methods] = {}  # by the address of a file
        self._tables: dict[int, tuple[_Methods, _Methods]] = {}  # SQLite's and ours, by the former's address
        self._base = _Vfs.from_address(library.sqlite3_vfs_find(None))
        self._open_base = _Open(self._base.xOpen)
        self._delete_base = _Delete(self._base.xDelete)
        self._callbacks = (
            _Open(self._open), _Delete(self._delete), _Transfer(self._read), _Transfer(self._write),
            _Truncate(self._truncate), _Sync(self._sync),
        )  # fmt: skip
        self.vfs = _Vfs.from_buffer_copy(self._base)
        self.vfs.zName, self.vfs.pNext = _NAME, None
        self.vfs.xOpen, self.vfs.xDelete = (ctypes.cast(one, _p) for one in self._callbacks[:2])

    @property
    def base(self) -> _Vfs:
        return self._base

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out_flags: int | None) -> int:
        text = Path(os.fsdecode(ctypes.string_at(name))) if name else None
        was_there = text is not None and text.exists()
        code: int = self._open_base(ctypes.addressof(self._base), name, file, flags, out_flags)
        slot = _p.from_address(file)
        if code == OK and text is not None and slot.value:
            if not was_there:
                self.noted.note("make", text.name)
            original, ours = self._table(slot.value)
            self._names[file], self._originals[file] = text.name, original
            slot.value = ctypes.addressof(ours)
        return code

    def _table(self, address: int) -> tuple[_Methods, _Methods]:
        if address not in self._tables:
            original = _Methods.from_address(address)
            ours = _Methods.from_buffer_copy(original)
            ours.xRead, ours.xWrite, ours.xTruncate, ours.xSync = (
                ctypes.cast(one, _p) for one in self._callbacks[2:]
            )
            self._tables[address] = (original, ours)
        return self._tables[address]

    def _delete(self, _vfs: int, name: bytes, sync_folder: int) -> int:
        code: int = self._delete_base(ctypes.addressof(self._base), name, sync_folder and self.noted.syncs)
        if code == OK:
            self.noted.note("delete", Path(os.fsdecode(name)).name, int(bool(sync_folder)))
        return code

    def _read(self, file: int, buffer: int, size: int, offset: int) -> int:
        refused = self.noted.refuse("read", self._names[file])
        return refused or int(_Transfer(self._originals[file].xRead)(file, buffer, size, offset))

    def _write(self, file: int, buffer: int, size: int, offset: int) -> int:
        name = self._names[file]
        if refused := self.noted.refuse("write", name):
            return refused
        self.noted.note("write", name, offset, ctypes.string_at(buffer, size) if self.noted.keep else b"")
        return int(_Transfer(self._originals[file].xWrite)(file, buffer, size, offset))

    def _truncate(self, file: int, size: int) -> int:
        self.noted.note("truncate", self._names[file], size)
        return int(_Truncate(self._originals[file].xTruncate)(file, size))

    def _sync(self, file: int, flags: int) -> int:
        name = self._names[file]
        if refused := self.noted.refuse("sync", name):
            return refused
        self.noted.note("sync", name)
        return int(_Sync(self._originals[file].xSync)(file, flags)) if self.noted.syncs else OK


def _library() -> ctypes.CDLL:
    """The SQLite that the sqlite3 module calls; where it is built in, its names are the program's."""
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    library.sqlite3_vfs_find.restype = _p
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    library.sqlite3_vfs_register.argtypes = [_p, _i]
    library.sqlite3_vfs_unregister.argtypes = [_p]
    return library


@contextlib.contextmanager
def noted_files(**options: Any) -> Iterator[Noted]:
    """Every database that is opened inside, by whatever thread, is noted; close them before the end."""
    library, noted = _library(), Noted(**options)
    layer = _Layer(library, noted)
    library.sqlite3_vfs_register(ctypes.addressof(layer.vfs), 1)
    try:
        yield noted
    finally:
        library.sqlite3_vfs_register(ctypes.addressof(layer.base), 1)
        library.sqlite3_vfs_unregister(ctypes.addressof(layer.vfs))
