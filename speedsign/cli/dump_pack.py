"""A bug report as one tar.gz: each part bounded, with a manifest of what is in it and what was taken out."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import secrets
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from speedsign.cli.dump_parts import to_json
from speedsign.doctor.redact import Redactor
from speedsign.errors import UsageError

MOST_BYTES = 5_000_000  # of all parts, before they are compressed
MOST_OF_A_PART = 1_500_000
_THERE = "{} is there already; name another file with --out, or say --force"
CUT = b"\n(cut here: it was longer)\n"

README = """A bug report of a speed display sign, made by `speedsign dump`. Nothing was sent anywhere.
manifest.json lists every file, and what was taken out of them: secrets, names, places, addresses.
Look through it before you hand it on.
"""


class Pack:
    """Parts by name; what is too much is cut, and said so."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._parts: dict[str, bytes] = {}
        self._about: dict[str, str] = {}
        self._cut: list[str] = []

    def add_json(self, name: str, about: str, value: object) -> None:
        self._add(name, about, to_json(self._redactor.value(value)))

    def add_text(self, name: str, about: str, text: str) -> None:
        """The end of what is too long is worth more than its beginning."""
        self._add(name, about, self._redactor.text(text).encode(), keep_end=True)

    def add_bytes(self, name: str, about: str, data: bytes) -> None:
        """As it is: nothing of it is text that anybody wrote."""
        self._add(name, about, data)

    def _add(self, name: str, about: str, data: bytes, *, keep_end: bool = False) -> None:
        room = min(MOST_OF_A_PART, MOST_BYTES - sum(map(len, self._parts.values())))
        if len(data) > room:
            self._cut.append(name)
            most = max(room - len(CUT), 0)
            data = CUT + data[len(data) - most :] if keep_end else data[:most] + CUT
        self._parts[name] = data
        self._about[name] = about

    def manifest(self, head: Mapping[str, object]) -> dict[str, object]:
        files = [
            {
                "file": name,
                "about": self._about[name],
                "bytes": len(data),
                "cut": name in self._cut,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for name, data in self._parts.items()
        ]
        return {**head, "files": files, "removed": dict(sorted(self._redactor.removed.items()))}

    def write(self, out: IO[bytes], folder: str, manifest: Mapping[str, object], at_s: int) -> None:
        """All of it into one archive, below one folder."""
        parts = {"README.txt": README.encode(), "manifest.json": to_json(manifest), **self._parts}
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=at_s) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, data in parts.items():
                info = tarfile.TarInfo(f"{folder}/{name}")
                info.size, info.mtime, info.mode = len(data), at_s, 0o600
                archive.addfile(info, io.BytesIO(data))


def write_new(path: Path, data: bytes, *, replace: bool) -> None:
    """For its owner alone; UsageError where there is such a file and it is not to be replaced.

    Written beside its name under one that nobody can have guessed and put something at, then renamed.
    """
    refuse_what_is_there(path, replace=replace)
    made = path.with_name(f".speedsign-dump-{secrets.token_hex(8)}.part")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            made.replace(path)
            return
        try:
            path.hardlink_to(made)  # unlike a rename it replaces nothing that came there meanwhile
        except FileExistsError:
            raise UsageError(_THERE.format(path)) from None
        except OSError:  # FAT has no such links
            refuse_what_is_there(path, replace=False)
            made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def refuse_what_is_there(path: Path, *, replace: bool) -> None:
    """UsageError where there is something of that name that is not to be replaced, or that is no file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not replace:
        raise UsageError(_THERE.format(path))
    if not stat.S_ISREG(mode) and not path.is_file():
        raise UsageError(f"{path} is no file; name another one with --out")
