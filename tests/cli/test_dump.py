"""speedsign dump: all that helps, and nothing of what was planted everywhere."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from speedsign.calibration.record import Calibration, Kind, Verdict
from speedsign.cli import dump_parts
from speedsign.cli.dump_pack import MOST_BYTES, MOST_OF_A_PART, Pack
from speedsign.doctor.redact import Redactor
from speedsign.model import ClockQuality
from telemetry.calibration import keep
from telemetry.store import SqliteStore
from tests.cli.command import SPEEDSIGN, as_json, environment, speedsign
from tests.docs.field import BEGIN, HERE
from tests.telemetry.certificates import Authority

PASSWORD, USER, PERSON, MAIL = "Zx9-geheim-W0rt", "bauska-user-17", "Annemarija Zilgalve", "anna.z@example.lv"
PLACE, HOST, OFFICER, TYPO = (
    "Rīgas iela 5, Zilkalni",
    "mqtt.zilkalni.example",
    "officer-ilze",
    "hunter2-in-the-config",
)
ADDRESS, MAC = "203.0.113.77", "b8:27:eb:12:34:56"
PLANTED = (
    PASSWORD,
    USER,
    PERSON,
    MAIL,
    PLACE,
    HOST,
    OFFICER,
    TYPO,
    ADDRESS,
    MAC,
    "56.40741",
    "24.19423",
    "Zilkalni",
)


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal in which somebody was careless."""

    def ask(*words: str, **_more: object) -> str | None:
        if words[0] == "journalctl":
            return (
                f"2026-11-22T12:00:00+0200 speedsign[7]: INFO: sign started\n"
                f"... tried {PASSWORD} as {USER} at {HOST} ({ADDRESS}, {MAC})\n"
                f"... {PERSON} <{MAIL}> was at {PLACE}, 56.40741\n"
                f"... password={TYPO}\n"
            )
        if words[0] == "dmesg":
            return f"[1] usb 1-1: new device {MAC}\n[2] wlan0: {ADDRESS}\n[3] Under-voltage detected!\n"
        return None

    monkeypatch.setattr(dump_parts, "ask", ask)


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A sign with a secret in every corner; its config."""
    folder = tmp_path / "sign"
    folder.mkdir()
    issued = Authority(folder / "ca").client("bauska-3")
    password = folder / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    store = SqliteStore(folder / "sign.db", "bauska-3")
    store.begin(HERE, BEGIN)
    store.close()
    record = Calibration(
        key="0" * 32,
        kind=Kind.FORK,
        at_utc=datetime(2026, 11, 1, tzinfo=UTC),
        clock=ClockQuality.OK,
        by=PERSON,
        tool="speedsign 0.1.0",
        sign="bauska-3",
        site=PLACE,
        driver="ops243",
        mounting_angle_deg=0.0,
        device={"said": f"by {PERSON}"},
        runs=({"heard_kmh": 50.0, "note": MAIL},),
        verdict=Verdict.PASS,
        sentence=f"the radar is right, says {PERSON}",
        note=f"write to {MAIL}",
    )
    keep(folder / "sign.db", record)
    config = folder / "sign.toml"
    config.write_text(f"""# {PERSON} <{MAIL}>, the password is {PASSWORD}
[sign]
id = "bauska-3"
limit_kmh = 50
name = "{PLACE}"
site = "Zilkalni"
latitude = 56.40741
longitude = 24.19423
[radar]
driver = "ops243"
port = "{folder}/radar"
[store]
path = "{folder}/sign.db"
[live]
socket = "{folder}/live.sock"
[mqtt]
host = "{HOST}"
username = "{USER}"
password_file = "{password}"
certificate_file = "{issued.certificate}"
key_file = "{issued.key}"
[[remote.key]]
id = "{OFFICER}"
public = "ed25519:{"A" * 43}="
roles = ["read"]
""")
    return config


def files_of(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for info in archive:
            part = archive.extractfile(info)
            assert part is not None
            assert info.uid == 0
            found[info.name.partition("/")[2]] = part.read().decode()
    return found


def dumped(config: Path, out: Path, *more: str) -> dict[str, str]:
    result = speedsign("dump", "--config", config, "--offline", "--out", out, *more)
    assert result.exit_code == 0, result.output
    return files_of(out.read_bytes())


def nothing_planted(files: dict[str, str], config: Path) -> None:
    key = (config.parent / "ca" / "bauska-3.key").read_text().splitlines()[1]
    for name, text in files.items():
        for secret in (*PLANTED, key, key[:40], OFFICER.upper()):
            assert secret not in text, f"{secret} is in {name}"
            assert json.dumps(secret)[1:-1] not in text, f"{secret} is in {name}"


def test_nothing_that_was_planted_is_in_it(sign: Path, tmp_path: Path) -> None:
    files = dumped(sign, tmp_path / "a.tar.gz")
    nothing_planted(files, sign)
    removed = json.loads(files["manifest.json"])["removed"]
    assert {"secret", "name", "e-mail address", "IP address", "MAC address"} <= set(removed)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + f'[surprise]\npassword = "{TYPO}"\n',
        lambda text: text.replace('host = "', f'password = "{TYPO}"\nhost = "'),
        lambda text: text.replace('driver = "ops243"', f'driver = "{TYPO}"'),
        lambda text: text.replace('host = "', 'host = "a b '),
        lambda text: text.replace("limit_kmh = 50", f'limit_kmh = "{TYPO}"'),
        lambda text: text + f'password = "{TYPO}\n',
        lambda text: text.replace(f'username = "{USER}"', f'username = ["{USER}", "{TYPO}"]'),
        lambda text: text.replace('id = "bauska-3"', f'id = "{TYPO} {PERSON}"'),
    ],
)
def test_nor_with_a_config_that_is_wrong(sign: Path, tmp_path: Path, change: Callable[[str], str]) -> None:
    sign.write_text(change(sign.read_text()))
    files = dumped(sign, tmp_path / "a.tar.gz")
    nothing_planted(files, sign)
    assert json.loads(files["config.json"])["problems"]


def test_what_helps_is_there(sign: Path, tmp_path: Path) -> None:
    files = dumped(sign, tmp_path / "a.tar.gz")
    manifest = json.loads(files["manifest.json"])
    assert set(files) == {"README.txt", "manifest.json", *(one["file"] for one in manifest["files"])}
    config = json.loads(files["config.json"])["config"]
    assert (config["sign"]["id"], config["sign"]["latitude"]) == ("bauska-3", 56.4)
    assert config["remote"]["key"][0]["public"] == f"ed25519:{'A' * 43}="
    checks = {one["check"]: one["state"] for one in json.loads(files["doctor.json"])}
    assert (checks["store"], checks["port radar"]) == ("ok", "wrong")
    assert json.loads(files["store.json"])["rows"]["vehicle"] == 0
    (record,) = json.loads(files["calibrations.json"])
    assert (record["kind"], record["verdict"], record["runs"]) == ("fork", "pass", 1)
    assert "sign started" in files["log.txt"]
    assert "Under-voltage" in files["kernel.txt"]
    assert "wlan0" not in files["kernel.txt"]
    assert json.loads(files["machine.json"])["packages"]["pymodbus"]


def test_the_file_is_its_owners_and_never_replaced_by_accident(sign: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.tar.gz"
    dumped(sign, out)
    assert out.stat().st_mode & 0o777 == 0o600
    before = out.read_bytes()
    result = speedsign("dump", "--config", sign, "--offline", "--out", out)
    assert result.exit_code == 2
    assert "is there already" in result.output
    assert out.read_bytes() == before
    dumped(sign, out, "--force")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.tar.gz", "sign"]


def test_its_way_there_cannot_be_laid_by_somebody_else(sign: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".a.tar.gz.part").hardlink_to(victim)
    os.mkfifo(tmp_path / ".b.tar.gz.part")
    for name in ("a.tar.gz", "b.tar.gz"):
        dumped(sign, tmp_path / name)
    assert victim.read_text() == "mine"
    assert (tmp_path / "a.tar.gz").stat().st_nlink == 1
    (tmp_path / "c.tar.gz").symlink_to(tmp_path / "nowhere")
    refused = speedsign("dump", "--config", sign, "--offline", "--out", tmp_path / "c.tar.gz")
    assert (refused.exit_code, (tmp_path / "nowhere").exists()) == (2, False)
    assert len(list(tmp_path.iterdir())) == 7


@pytest.mark.parametrize(
    "own",
    ["sign.toml", "sign.db", "sign.db-wal", "sign.db.lock", "calibrations.jsonl", "password", "key", "link"],
)
def test_force_does_not_replace_what_the_sign_needs(sign: Path, own: str) -> None:
    folder = sign.parent
    (folder / "link").hardlink_to(folder / "password")
    (key,) = (folder / "ca").glob("bauska-3.key")
    out = key if own == "key" else folder / own
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    refused = speedsign("dump", "--config", sign, "--offline", "--force", "--out", out)
    assert refused.exit_code == 2, refused.output
    assert "name another file" in refused.output
    assert {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()} == before


def test_into_a_folder_and_by_its_own_name(sign: Path, tmp_path: Path) -> None:
    result = speedsign("dump", "--config", sign, "--offline", "--out", tmp_path, "--json")
    facts = as_json(result)
    (made,) = tmp_path.glob("speedsign-dump-bauska-3-*.tar.gz")
    assert facts["file"] == str(made)
    assert facts["bytes"] == made.stat().st_size


def test_to_the_standard_output(sign: Path) -> None:
    words = [*SPEEDSIGN, "dump", "--config", str(sign), "--offline", "--out", "-"]
    done = subprocess.run(words, capture_output=True, env=environment(), timeout=60, check=True)
    assert "doctor.json" in files_of(done.stdout)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--out", "-", "--json"], "name a file with --out"),
        (["--out", "no/such/folder/a.tar.gz"], "does not exist"),
        (["--capture", "0"], "--capture"),
        (["--capture", "nan"], "--capture"),
        (["--lines", "-1"], "--lines"),
    ],
)
def test_used_wrongly(sign: Path, tmp_path: Path, args: list[str], words: str) -> None:
    result = speedsign("dump", "--config", sign, "--offline", *args)
    assert result.exit_code == 2
    assert words in result.output


def test_a_radar_that_is_not_there_is_a_sentence(sign: Path, tmp_path: Path) -> None:
    result = speedsign(
        "dump", "--config", sign, "--offline", "--out", tmp_path / "a.tar.gz", "--capture", "1"
    )
    assert result.exit_code == 1
    assert "no such device" in result.output
    assert not (tmp_path / "a.tar.gz").exists()


def test_without_config_there_is_a_report_too(tmp_path: Path) -> None:
    files = dumped(tmp_path / "none.toml", tmp_path / "a.tar.gz")
    assert json.loads(files["config.json"])["config"] is None


def test_its_size_is_bounded() -> None:
    pack = Pack(Redactor())
    for n in range(8):
        pack.add_text(f"{n}.txt", "long", "first " + "x" * 3_000_000 + " last")
    manifest: dict[str, Any] = pack.manifest({})
    sizes = [one["bytes"] for one in manifest["files"]]
    assert max(sizes) <= MOST_OF_A_PART
    assert sum(sizes) <= MOST_BYTES + 8 * 40
    out = io.BytesIO()
    pack.write(out, "a", manifest, 0)
    text = files_of(out.getvalue())["0.txt"]
    assert text.endswith(" last")  # the end is what matters
    assert "cut here" in text
    assert all(one["cut"] for one in manifest["files"])


def test_the_log_can_be_left_out(sign: Path, tmp_path: Path) -> None:
    assert dumped(sign, tmp_path / "a.tar.gz", "--lines", "0")["log.txt"] == "left out, as was asked\n"
