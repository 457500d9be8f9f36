"""speedsign doctor with trouble that looks like health: what is not heard, not read, not ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from simulator.stand import Stand, Traffic
from telemetry.database import open_for_writing
from telemetry.schema import SCHEMA_VERSION
from tests.cli.command import speedsign
from tests.cli.test_doctor import config, looked, looked_apart, made_store
from tests.support import run


@pytest.mark.wires
def test_a_radar_that_does_not_hear_and_a_panel_that_refuses(tmp_path: Path) -> None:
    async def scene() -> dict[str, Any]:
        stand = Stand.on_ptys(tmp_path, seed=2, radar="ops243", traffic=Traffic())
        async with stand:
            driving = asyncio.create_task(stand.run())
            try:
                for fault in ("radar mute", "panel exception"):
                    stand.fault(fault)
                only = ("--only", "radar", "--only", "panel")
                return await asyncio.to_thread(looked_apart, config(tmp_path), *only)
            finally:
                driving.cancel()
                await asyncio.wait([driving])

    found = run(scene(), timeout_s=120.0)
    assert found["radar"]["state"] == "wrong"
    assert "does not hear" in found["radar"]["what"]
    assert "TX" in found["radar"]["do"]
    assert found["panel 1"]["state"] == "warning"
    assert "exception 4 (device failure)" in found["panel 1"]["what"]


def test_a_newer_database_and_a_folder_are_left_alone(tmp_path: Path) -> None:
    path = made_store(tmp_path)
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    _, found = looked("--config", config(tmp_path), "--only", "store")
    assert found["store"]["do"].startswith("install that version again")
    assert "damaged" not in found["store"]["do"]
    for one in tmp_path.glob("sign.db*"):
        one.unlink()
    path.mkdir()
    _, found = looked("--config", config(tmp_path), "--only", "store")
    assert found["store"]["what"] == f"{path} is a folder, no database"
    assert found["store"]["do"] == f'name a file in it: [store] path = "{path}/speedsign.db"'


def test_a_config_that_this_user_may_not_read_is_our_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path)
    access, read = os.access, Path.read_bytes

    def forbidden(file: Any, *more: Any, **named: Any) -> bool:
        return str(file) != str(path) and access(file, *more, **named)

    def unread(file: Path) -> bytes:
        if file == path:
            raise PermissionError(13, "Permission denied", str(file))
        return read(file)

    monkeypatch.setattr(os, "access", forbidden)
    monkeypatch.setattr(Path, "read_bytes", unread)
    code, found = looked("--config", path, "--offline")
    assert code == 2
    assert found["config"]["what"] == f"{path} may not be read by this user"
    assert found["memory"]["state"] in ("ok", "warning")
    made = speedsign("dump", "--config", path, "--offline", "--out", tmp_path / "a.tar.gz")
    assert made.exit_code == 0, made.output
    watched = speedsign("watch", "--config", path)
    assert watched.exit_code == 2
    sentence = f"speedsign watch: {path}: cannot be read: Permission denied; look with sudo"
    assert watched.output.startswith(sentence)


def test_secrets_that_are_none(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    path = config(tmp_path, f'[mqtt]\nhost = "127.0.0.1"\nusername = "a"\npassword_file = "{secret}"\n')
    secret.touch(0o640)
    for text in ("", "\n", "\nhunter2\n"):
        secret.write_text(text)
        _, found = looked("--config", path, "--only", "secret")
        assert found["secret password_file"]["what"] == f"{secret} is empty"
    secret.write_text("hunter2\n")
    _, found = looked("--config", path, "--only", "secret")
    assert found["secret password_file"]["state"] == "ok"
    secret.unlink()
    secret.mkdir()
    _, found = looked("--config", path, "--only", "secret")
    assert found["secret password_file"]["what"] == f"{secret} is a folder, no file"


def test_a_name_that_is_too_long_for_a_socket_is_refused_by_check(tmp_path: Path) -> None:
    path = config(tmp_path)
    for n, code in ((107, 0), (108, 2)):
        path.write_text(config(tmp_path).read_text().replace(f"{tmp_path}/live.sock", "/" + "x" * (n - 1)))
        checked = speedsign("check", "--config", path)
        assert ("107 bytes" in checked.output) == (code == 2), checked.output
