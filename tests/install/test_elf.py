"""Compiled modules: what is for another machine, a newer system or one Python alone ends the build."""

from __future__ import annotations

import contextlib
import importlib.util
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package.elf import DAMAGED, check_modules, newest_glibc
from package.wheels import TARGETS
from speedsign.errors import SpeedsignError

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SPEC = importlib.util.find_spec("pydantic_core._pydantic_core")
assert SPEC is not None
assert SPEC.origin is not None
REAL = Path(SPEC.origin)
DATA = REAL.read_bytes()
(MACHINE,) = (name for name, number in (("x86_64", 62), ("aarch64", 183)) if DATA[18] == number)


def test_this_environments_own_modules_fit(tmp_path: Path) -> None:
    (tmp_path / REAL.name).write_bytes(DATA)
    assert check_modules(tmp_path, MACHINE, [PYTHON]) == [tmp_path / REAL.name]
    assert (2, 2) < newest_glibc(DATA) <= (2, 36)


def test_every_target_has_its_processor() -> None:
    (other,) = {target.wheel for target in TARGETS.values()} - {MACHINE}
    with pytest.raises(SpeedsignError, match=f"not for {other} "):
        check_modules(REAL.parent, other, [PYTHON])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x7fELF\x01\x01" + DATA[6:], "no 64-bit little-endian ELF file"),
        (b"#!/bin/sh\n", "no 64-bit little-endian ELF file"),
        (DATA.replace(b"GLIBC_2.14\0", b"GLIBC_2.41\0"), "needs glibc 2.41, and bookworm has 2.36"),
        (DATA[:40] + struct.pack("<Q", len(DATA)) + DATA[48:], "its ELF sections are damaged"),
    ],
)
def test_a_module_that_does_not_fit_is_named(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "lib.abi3.so").write_bytes(data)
    with pytest.raises(SpeedsignError, match=f"lib.abi3.so: {sentence}"):
        check_modules(tmp_path, MACHINE, [PYTHON])


def test_each_module_is_there_for_each_python(tmp_path: Path) -> None:
    for name in ("_a.cpython-311-x-linux-gnu.so", "_a.cpython-313-x-linux-gnu.so", "_b.abi3.so", "libz.so.1"):
        (tmp_path / name).write_bytes(DATA)
    assert len(check_modules(tmp_path, MACHINE, ["3.11", "3.13"])) == 4
    (tmp_path / "_a.cpython-311-x-linux-gnu.so").unlink()
    with pytest.raises(SpeedsignError, match=r"_a: there is none for Python 3\.11"):
        check_modules(tmp_path, MACHINE, ["3.11", "3.13"])


@given(st.binary(max_size=400), st.integers(0, 63))
def test_damaged_ones_are_refused_or_read(junk: bytes, at: int) -> None:
    data = DATA[:at] + junk + DATA[at + len(junk) : 4096]
    with contextlib.suppress(*DAMAGED):
        assert newest_glibc(data) >= (0, 0)
