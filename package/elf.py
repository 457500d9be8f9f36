"""Compiled modules: is each one for the machines that the package is for?

ELF (System V gABI, chapters 4 and 5): the header names the processor, .gnu.version_r the versions of glibc
that are needed (Linux Standard Base, symbol versioning). File names have the Python (PEP 3149).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from speedsign.errors import SpeedsignError

MACHINES = {"x86_64": 62, "aarch64": 183}  # e_machine
OLDEST_GLIBC = (2, 36)  # bookworm's
DAMAGED = (struct.error, IndexError, ValueError, OverflowError)
_SHT_GNU_VERNEED = 0x6FFFFFFE
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")
_PYTHON = re.compile(r"\.(?:cpython-(\d)(\d+)[a-z]*-[\w-]+|(abi3))\.so$")


def check_modules(site: Path, machine: str, pythons: Sequence[str]) -> list[Path]:
    """All compiled modules below a folder. Raises SpeedsignError where one does not fit, or one is missing.

    `machine`: as wheels name it; `pythons`: "3.11", for each of which every module must be there.
    """
    found = sorted(path for path in site.rglob("*.so*") if path.is_file() and not path.is_symlink())
    for path in found:
        _check(path, path.read_bytes(), machine)
    for module, have in _pythons_of(found).items():
        missing = set(pythons) - have
        if missing and "abi3" not in have:
            raise SpeedsignError(f"{module}: there is none for Python {', '.join(sorted(missing))}")
    return found


def _check(path: Path, data: bytes, machine: str) -> None:
    if data[:6] != b"\x7fELF\x02\x01":
        raise SpeedsignError(f"{path}: no 64-bit little-endian ELF file")
    (found,) = struct.unpack_from("<H", data, 18)
    if found != MACHINES[machine]:
        raise SpeedsignError(f"{path}: for processor {found}, not for {machine} ({MACHINES[machine]})")
    try:
        needed = newest_glibc(data)
    except DAMAGED:
        raise SpeedsignError(f"{path}: its ELF sections are damaged; download the wheel anew") from None
    if needed > OLDEST_GLIBC:
        raise SpeedsignError(f"{path}: needs glibc {needed[0]}.{needed[1]}, and bookworm has 2.36")


def newest_glibc(data: bytes) -> tuple[int, int]:
    """The newest version of glibc that a 64-bit module asks for; (0, 0): none.

    Raises one of DAMAGED where the file is.
    """
    names = b"\n".join(_needed_versions(data))
    return max(((int(major), int(minor)) for major, minor in _GLIBC.findall(names)), default=(0, 0))


def _needed_versions(data: bytes) -> Iterator[bytes]:
    sections = list(_sections(data))
    for kind, offset, size, link in sections:
        if kind != _SHT_GNU_VERNEED:
            continue
        _, strings, length, _ = sections[link]
        text = data[strings : strings + length]
        at = offset
        while at < offset + size:
            _, count, _, first, following = struct.unpack_from("<HHIII", data, at)
            entry = at + first
            for _ in range(count):
                _, _, _, name, step = struct.unpack_from("<IHHII", data, entry)
                yield text[name : text.index(b"\0", name)]
                entry += step
            if not following:
                break
            at += following


def _sections(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Of each section: type, offset, size, link."""
    (table,) = struct.unpack_from("<Q", data, 40)
    size, number = struct.unpack_from("<HH", data, 58)
    for index in range(number):
        kind, _, _, offset, length, link = struct.unpack_from("<IQQQQI", data, table + index * size + 4)
        yield kind, offset, length, link


def _pythons_of(paths: Sequence[Path]) -> dict[str, set[str]]:
    """Module -> the Pythons that it is there for."""
    found: dict[str, set[str]] = {}
    for path in paths:
        name = _PYTHON.search(path.name)
        if name:  # others are libraries that a module brings along
            python = name[3] or f"{name[1]}.{name[2]}"
            found.setdefault(str(path.parent / path.name[: name.start()]), set()).add(python)
    return found
