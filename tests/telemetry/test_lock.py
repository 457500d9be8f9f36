"""One writer a store, whoever ends and however."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.lock import StoreInUse, sole_writer


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    store = tmp_path / "state" / "sign.db"
    told = rf"in use by another speedsign \(process {os.getpid()}\)"
    with sole_writer(store), pytest.raises(StoreInUse, match=told), sole_writer(store):
        pytest.fail("two writers")
    with sole_writer(store):
        pass


@pytest.mark.wires
def test_a_killed_writer_holds_nothing(tmp_path: Path) -> None:
    store = tmp_path / "sign.db"
    hold = f"with sole_writer(Path({str(store)!r})): print('held', flush=True); input()"
    code = f"from telemetry.lock import *\n{hold}"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUse, match=f"process {holder.pid}"), sole_writer(store):
            pytest.fail("two writers")
        holder.kill()
        holder.wait(10)
    with sole_writer(store):
        pass


def test_where_no_lock_can_be_made_the_sign_still_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = False
    with sole_writer(tmp_path / "file" / "sign.db"):
        ran = True
    assert ran
