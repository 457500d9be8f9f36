"""speedsign doctor on real files, real locks and real lines; nothing is changed by it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from simulator.stand import Stand, Traffic
from speedsign.calibration.record import Verdict
from speedsign.capture import CaptureReader
from speedsign.cli import doctor_looks
from speedsign.cli.doctor_patient import Options, admit, ask, writer_of
from speedsign.clock import SystemClock
from speedsign.doctor.finding import State
from telemetry.calibration import keep, log_path
from telemetry.database import open_for_writing
from telemetry.lock import sole_writer
from telemetry.schema import SCHEMA_VERSION
from telemetry.store import SqliteStore
from tests.cli.command import SPEEDSIGN, as_json, environment, process, speedsign
from tests.docs.field import BEGIN, HERE
from tests.support import run
from tests.telemetry.broker import Broker
from tests.telemetry.calibrations import record
from tests.telemetry.certificates import Authority, mutual_tls

DEVICES = ("--only", "port", "--only", "radar", "--only", "panel")


def config(folder: Path, more: str = "", radar: str = "ops243", driver: str = "dm56a04") -> Path:
    path = folder / "sign.toml"
    path.write_text(
        f'[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "{radar}"\nport = "{folder}/radar"\n'
        f'[display]\ndriver = "{driver}"\nport = "{folder}/panel"\n[store]\npath = "{folder}/sign.db"\n'
        f'[live]\nsocket = "{folder}/live.sock"\n{more}'
    )
    return path


def made_store(folder: Path) -> Path:
    store = SqliteStore(folder / "sign.db", "test-sign")
    store.begin(HERE, BEGIN)
    store.close()
    return folder / "sign.db"


def looked(*args: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
    result = speedsign("doctor", "--json", *args)
    assert set(json.loads(result.stdout)[0]) == {"check", "state", "what", "do", "facts"}
    return result.exit_code, {one["check"]: one for one in as_json(result)}


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(one): (one.stat().st_mtime_ns, one.read_bytes()) for one in folder.rglob("*") if one.is_file()
    }


# --------------------------------------------------------------------------- the command


def test_everything_is_looked_at_and_nothing_changed(tmp_path: Path) -> None:
    made_store(tmp_path)
    path = config(tmp_path)
    before = snapshot(tmp_path)
    code, found = looked("--config", path)
    assert snapshot(tmp_path) == before
    assert code == 1
    assert found["port radar"]["state"] == "wrong"
    assert (found["config"]["state"], found["store"]["state"]) == ("ok", "ok")
    topics = {name.split()[0] for name in found}
    silent = {"queue", "light", "beacon", "supply"}  # nothing of it is in this config
    assert topics >= set(doctor_looks.TOPICS) - silent


@pytest.mark.parametrize("width", ["32", "40", "80"])
def test_lines_fit_the_screen(tmp_path: Path, width: str) -> None:
    result = speedsign("doctor", "--config", config(tmp_path), env={"COLUMNS": width})
    assert max(map(len, result.stdout.splitlines())) <= int(width)
    assert " wrong" in result.stdout.splitlines()[-2] + result.stdout.splitlines()[-1]


def test_a_config_that_is_wrong_keeps_nothing_from_being_looked_at(tmp_path: Path) -> None:
    made_store(tmp_path)
    path = config(tmp_path)
    path.write_text(path.read_text().replace("limit_kmh = 50", "limit_kmh = 500"))
    code, found = looked("--config", path)
    assert code == 2
    assert "must be at most 130" in found["config"]["what"]
    assert found["store"]["state"] == "ok"
    path.write_text(path.read_text() + "no toml at all\n")
    code, found = looked("--config", path)
    assert (code, found["config"]["state"], found["store"]["state"]) == (2, "wrong", "ok")
    assert "not valid TOML" in found["config"]["what"]


def test_a_table_that_is_wrong_is_not_replaced_by_a_guess(tmp_path: Path) -> None:
    path = config(tmp_path)
    path.write_text(path.read_text().replace(f'path = "{tmp_path}/sign.db"', "path = 5"))
    _, found = looked("--config", path, "--only", "store", "--only", "disk")
    assert (found["store"]["state"], found["disk"]["state"]) == ("unknown", "unknown")


def test_without_any_config_the_machine_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    code, found = looked("--config", path)
    assert code == 2
    assert found["config"]["state"] == "wrong"
    assert found["config"]["do"].startswith(f"sudo speedsign commission --config {path}; it makes one")
    assert found["memory"]["state"] in ("ok", "warning")
    assert found["port"]["state"] == "unknown"  # nobody knows which: one line for all of them
    assert not {"radar", "panel", "broker", "certificate", "secret"} & set(found)
    _, found = looked("--config", path, "--only", "broker")
    assert found["broker"]["state"] == "unknown"


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    path = config(tmp_path)
    _, found = looked("--config", path, "--only", "secret", "--only", "clock")
    assert {name.split()[0] for name in found} == {"secret", "clock"}
    wrong = speedsign("doctor", "--config", path, "--only", "weather")
    assert wrong.exit_code == 2
    assert "'weather' is not one of" in wrong.output


@pytest.mark.wires
def test_ctrl_c_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # a broker that never says a word
        path = config(tmp_path, f'[mqtt]\nhost = "127.0.0.1"\nport = {mute.getsockname()[1]}\n')
        with process("doctor", "--config", path, "--only", "config", "--only", "broker") as child:
            assert child.stdout is not None
            while "good" not in child.stdout.readline():
                pass
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=5)
    assert (child.returncode, out, err) == (1, "", "speedsign doctor: stopped; nothing was changed\n")


# --------------------------------------------------------------------------- the store


def test_a_flipped_byte_in_the_database(tmp_path: Path) -> None:
    path = made_store(tmp_path)
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 997):
        data[at] ^= 0x55
    path.write_bytes(data)
    before = snapshot(tmp_path)
    code, found = looked("--config", config(tmp_path), "--only", "store")
    assert (code, found["store"]["state"]) == (1, "wrong")
    assert "moves a damaged file aside" in found["store"]["do"]
    assert {one: data for one, data in snapshot(tmp_path).items() if not one.endswith(".toml")} == before


def test_thorough_quick_and_what_was_moved_aside(tmp_path: Path) -> None:
    path = made_store(tmp_path)
    path.with_name("sign.db.damaged-1").write_bytes(b"old")
    _, found = looked("--config", config(tmp_path), "--only", "store", "--thorough")
    assert found["store damaged"]["facts"]["damaged"] == ["sign.db.damaged-1"]
    assert found["store damaged"]["facts"]["thorough"]
    _, found = looked("--config", config(tmp_path), "--only", "store", "--quick")
    assert found["store damaged"]["facts"]["check"] == ""
    assert found["store damaged"]["facts"]["schema"] == SCHEMA_VERSION


def test_calibrations_are_those_of_the_database_and_what_the_file_lost_is_told(tmp_path: Path) -> None:
    made_store(tmp_path)
    path, store = config(tmp_path), tmp_path / "sign.db"
    here: dict[str, Any] = {"sign": "test-sign", "site": HERE.site, "driver": HERE.radar}
    here["mounting_angle_deg"] = HERE.mounting_angle_deg
    keep(store, record(1, **here))
    keep(store, record(2, verdict=Verdict.FAIL, **here))
    log = log_path(store)
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"verdict":"fail"', b'"verdict":"pass"'))
    _, found = looked("--config", path, "--only", "calibration")
    assert found["calibration"]["what"].startswith("the drive-by of 2026-05-04 failed")
    assert "the database has another record" in found["calibration file"]["what"]
    for left in (whole[: whole.index(b"\n") + 1], None):
        log.write_bytes(left) if left else log.unlink()
        _, found = looked("--config", path, "--only", "calibration")
        assert "the database has what the file has not: " in found["calibration file"]["what"]
        assert found["calibration"]["facts"]["records"] == 2


def test_another_programs_file_and_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "sign.db"
    for content in (b"", b"text of somebody " * 500):
        path.write_bytes(content)
        code, found = looked("--config", config(tmp_path), "--only", "store")
        assert (code, found["store"]["state"]) == (1, "wrong")


def test_what_waits_to_be_sent(tmp_path: Path) -> None:
    made_store(tmp_path)
    with contextlib.closing(open_for_writing(tmp_path / "sign.db")) as db:
        db.execute("INSERT INTO outbox (kind, created_ms, body, rank) VALUES ('agg', 1000, x'7b7d', 1)")
        db.execute("INSERT INTO meta VALUES ('dropped_agg', '3')")
    _, found = looked("--config", config(tmp_path, '[mqtt]\nhost = "127.0.0.1"\n'), "--only", "queue")
    assert found["queue"]["state"] == "warning"
    assert found["queue"]["facts"]["dropped"] == 3
    assert found["queue"]["facts"]["queue"] == 2  # and where the sign stands


def test_what_this_user_may_not_look_at_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(tmp_path, "[beacon]\ncoil = 1\nunit = 11\n")
    made_store(tmp_path)
    for name in ("radar", "panel"):
        (tmp_path / name).write_text("")
    usual = os.access

    def access(file: str | Path, *more: Any, **named: Any) -> bool:
        return str(file).endswith(".toml") and usual(file, *more, **named)

    monkeypatch.setattr(os, "access", access)
    _, found = looked("--config", path, "--only", "radar", "--only", "panel", "--only", "calibration")
    assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(
        ("radar", "panel", "calibration"), "unknown"
    )
    assert all("sudo" in one["do"] for one in found.values())


# --------------------------------------------------------------------------- locks and programs


def test_whether_the_sign_runs_is_seen_by_its_lock_without_taking_it(tmp_path: Path) -> None:
    path = made_store(tmp_path)
    assert writer_of(Path("/"), path) is None
    with sole_writer(path):
        assert writer_of(Path("/"), path) == os.getpid()
        patient = admit(config(tmp_path), SystemClock(), Options())
        assert patient.runs
        assert "live.sock" in patient.mute
        looks = doctor_looks.looks(patient)
        assert ("sign",) in [one.topics for one in looks]
        assert not {"radar", "panel"} & {topic for one in looks for topic in one.topics}
    assert not admit(config(tmp_path), SystemClock(), Options()).runs


def test_a_program_that_is_not_there_fails_or_hangs() -> None:
    assert ask("no-such-program-at-all") is None
    assert ask(sys.executable, "-c", "raise SystemExit(3)") is None
    assert ask(sys.executable, "-c", "input()", most_s=10.0) is None  # nobody answers it
    assert ask(sys.executable, "-c", "import signal; signal.pause()", most_s=0.3) is None
    assert ask(sys.executable, "-c", "print('a' * 50); print('end')", most=20) == "end\n"


# --------------------------------------------------------------------------- devices


@pytest.mark.wires
def test_devices_of_a_stopped_sign_and_then_the_running_one(tmp_path: Path) -> None:
    async def scene() -> dict[str, Any]:
        stand = Stand.on_ptys(tmp_path, seed=2, radar="ops243", traffic=Traffic())
        async with stand:
            driving = asyncio.create_task(stand.run())
            try:
                return await asyncio.to_thread(_tour, tmp_path, stand)
            finally:
                driving.cancel()
                await asyncio.wait([driving])

    seen = run(scene(), timeout_s=120.0)
    good, other, held, running = seen["good"], seen["other"], seen["held"], seen["running"]
    assert (good["port radar"]["state"], good["panel 1"]["state"]) == ("ok", "ok")
    assert "dm56a04" not in good["panel 1"]["do"]
    assert good["radar"]["state"] in ("ok", "note")
    assert seen["writes"] == 0  # the panel was only read
    assert other["panel 1"]["state"] == "wrong"
    assert "dm56a04 by its answers" in other["panel 1"]["what"]
    assert other["radar"]["state"] == "wrong"
    assert "a ops243" in other["radar"]["what"]
    assert sum(map(len, seen["captured"])) > 0
    assert held["port radar"]["state"] == "wrong"
    assert "in use by" in held["port radar"]["what"]
    assert running["port radar"]["facts"]["sign_has_it"]
    assert (running["radar"]["state"], running["panel"]["state"]) == ("ok", "ok")
    assert "sign" not in running


HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY), fcntl.LOCK_EX)
print(flush=True)
input()
"""


def _tour(folder: Path, stand: Stand) -> dict[str, Any]:
    """Each state of the bench, and what doctor says of it."""
    seen: dict[str, Any] = {"good": looked_apart(config(folder), *DEVICES)}
    seen["writes"] = stand.display_writes
    seen["other"] = looked_apart(config(folder, radar="ld2451", driver="fema"), *DEVICES)
    seen["captured"] = captured(folder)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{folder}/radar"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        seen["held"] = looked_apart(config(folder), "--only", "port")
        holder.communicate(b"\n")
    with subprocess.Popen(
        [*SPEEDSIGN, "run", "--config", str(config(folder))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as sign:
        try:
            for _ in range(200):
                seen["running"] = looked_apart(config(folder), *DEVICES)
                states = {one["state"] for one in seen["running"].values()}
                if "sign" not in seen["running"] and "wrong" not in states and "radar" in seen["running"]:
                    break
        finally:
            sign.terminate()
    return seen


def captured(folder: Path) -> list[bytes]:
    """Chunks of the radar in a bug report, read as a capture."""
    words = ["dump", "--config", str(config(folder)), "--offline", "--capture", "1.5", "--out", "-"]
    done = subprocess.run(
        [*SPEEDSIGN, *words], capture_output=True, env=environment(), check=True, timeout=90
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        part = archive.extractfile(
            next(name for name in archive.getnames() if name.endswith("capture.jsonl"))
        )
        assert part is not None
        reader = CaptureReader(io.StringIO(part.read().decode()), "capture.jsonl")
        return [data for _, data in reader]


def looked_apart(path: Path, *args: str) -> dict[str, Any]:
    words = [*SPEEDSIGN, "doctor", "--json", "--config", str(path), *args]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False, timeout=90)
    assert done.stderr == ""
    return {one["check"]: one for one in json.loads(done.stdout)}


# --------------------------------------------------------------------------- broker


@pytest.mark.wires
def test_a_broker_with_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, sign = authority.server(), authority.client("test-sign", (-1.0, 200.0))
    stranger = Authority(tmp_path / "other", "Other CA").client("test-sign")
    with Broker(tmp_path, *mutual_tls(authority, server, tmp_path), anonymous=False) as broker:

        def table(who: Any) -> str:
            return (
                f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nca_file = "{authority.file}"\n'
                f'certificate_file = "{who.certificate}"\nkey_file = "{who.key}"\n'
            )

        only = ("--only", "broker", "--only", "certificate", "--only", "secret")
        code, found = looked("--config", config(tmp_path, table(sign)), *only)
        assert code == 0
        assert found["broker"]["facts"]["reached"] == "subscribed"
        assert found["certificate certificate_file"]["state"] == "ok"
        assert found["secret key_file"]["state"] == "ok"
        code, found = looked("--config", config(tmp_path, table(stranger)), *only)
        assert (code, found["broker"]["state"]) == (1, "wrong")
        sign.key.chmod(0o644)
        code, found = looked("--config", config(tmp_path, table(sign)), *only)
        assert (found["secret key_file"]["state"], found["broker"]["state"]) == ("wrong", "unknown")
        sign.key.chmod(0o600)
        sign.key.write_bytes(stranger.key.read_bytes())
        code, found = looked("--config", config(tmp_path, table(sign)), *only)
        assert found["certificate key"]["state"] == "wrong"
        _, found = looked("--config", config(tmp_path, table(sign)), *only, "--offline")
        assert found["broker"]["state"] == State.UNKNOWN
        sign_again = authority.client("test-sign")
        with sole_writer(made_store(tmp_path)):  # the sign runs: no second client is made
            _, found = looked("--config", config(tmp_path, table(sign_again)), *only)
        assert found["broker"]["facts"]["reached"] == "tls"
        assert "MQTT was not tried" in found["broker"]["what"]
