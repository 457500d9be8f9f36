"""wipe: everything measured and every secret goes, nothing else does, and never by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from speedsign.cli import main
from telemetry.lock import sole_writer
from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign

CONFIG = """[sign]
id = "bauska-3"
limit_kmh = 50

[radar]
driver = "ops243"
port = "/dev/null"

[store]
path = "{folder}/data/sign.db"

[mqtt]
host = "mqtt.example.lv"
username = "bauska-3"
password_file = "{folder}/secret"
certificate_file = "{folder}/sign.crt"
key_file = "{folder}/sign.key"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A sign that has run, was damaged once, and has a neighbour's file beside it."""
    data = tmp_path / "data"
    data.mkdir()
    SqliteStore(data / "sign.db", "bauska-3").close()
    for name in ("sign.db-wal", "sign.db.damaged-1", "sign.db.damaged-1-wal", "sign.db.lock"):
        (data / name).write_text("")
    (data / "sign.dbx").write_text("another's")
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "sign.key").write_text("the sign's own\n")
    (tmp_path / "sign.toml").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path / "sign.toml"


def left(config: Path) -> set[str]:
    return {str(file.relative_to(config.parent)) for file in config.parent.rglob("*") if file.is_file()}


def test_measurements_and_secrets_go_and_the_rest_stays(config: Path) -> None:
    result = speedsign("wipe", "--config", config, "--yes", "--json")
    assert result.exit_code == 0
    assert len(as_json(result)["deleted"]) == 6
    assert left(config) == {"sign.toml", "data/sign.dbx"}


def test_secrets_can_stay(config: Path) -> None:
    speedsign("wipe", "--config", config, "--yes", "--keep-secrets")
    assert left(config) == {"sign.toml", "data/sign.dbx", "secret", "sign.key"}


def test_the_signs_id_has_to_be_typed(config: Path) -> None:
    before = left(config)
    wrong = CliRunner().invoke(main, ["wipe", "--config", str(config)], input="bauska-4\n")
    assert wrong.exit_code == 2
    assert "nothing was deleted" in wrong.stderr
    assert left(config) == before
    right = CliRunner().invoke(main, ["wipe", "--config", str(config)], input="bauska-3\n")
    assert right.exit_code == 0
    assert left(config) == {"sign.toml", "data/sign.dbx"}


def test_a_running_sign_is_left_alone(config: Path) -> None:
    before = left(config)
    with sole_writer(config.parent / "data" / "sign.db"):
        result = speedsign("wipe", "--config", config, "--yes")
    assert result.exit_code == 1
    assert "in use" in result.stderr
    assert left(config) == before


def test_nothing_there_is_nothing_to_do(config: Path) -> None:
    speedsign("wipe", "--config", config, "--yes")
    result = speedsign("wipe", "--config", config)
    assert (result.exit_code, result.stdout) == (0, "nothing was there\n")


def test_what_cannot_be_deleted_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name == "sign.db":
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    result = speedsign("wipe", "--config", config, "--yes", "--json")
    assert result.exit_code == 1
    assert as_json(result)["ok"] is False
    assert "sign.db: cannot be deleted" in as_json(result)["problems"][0]
