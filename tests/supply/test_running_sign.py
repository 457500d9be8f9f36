"""A whole sign, assembled from its config: its own version's troubles reach log, health and the broker."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from speedsign.assemble import Sign
from speedsign.assemble_telemetry import identity
from speedsign.build import Build, this_build
from speedsign.config.load import parse_config
from speedsign.daemon import Daemon
from speedsign.sign_health import SignHealth
from speedsign.software import Software
from tests.supply.test_build import HandClock

OLD = Build("0.1.0", "c" * 40, date(2020, 1, 1))


@pytest.fixture
def sign(tmp_path: Path) -> Sign:
    text = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/radar"\n'
    return Sign(parse_config(f'{text}[store]\npath = "{tmp_path}/sign.db"\n', "sign.toml"))


def test_a_sign_looks_after_its_own_version(sign: Sign) -> None:
    assert isinstance(sign.daemon.parts.software, Software)
    assert identity(sign.config).software == this_build().name


def test_what_is_wrong_with_the_version_is_a_fault_like_others_and_stops_nothing(
    sign: Sign, tmp_path: Path
) -> None:
    (tmp_path / "refused").write_text("0.2.0-1.abcd1234\n")
    clock = HandClock(datetime(2026, 11, 23, tzinfo=UTC))
    software = Software(OLD, clock, update_state=tmp_path)
    daemon = Daemon(sign.daemon.plan, replace(sign.daemon.parts, software=software))
    codes = {f"{fault.device}/{fault.code}" for fault in daemon.faults()}
    assert {"update/refused", "software/unsupported"} <= codes
    health = SignHealth(tmp_path / "sign.db", clock, sign.recorder)
    health.watch(daemon)
    told = health()["faults"]
    assert isinstance(told, list)
    assert {"update/refused", "software/unsupported"} <= set(told)
    assert daemon.rules == sign.daemon.rules
