"""The health message: what is known, in words for programs, never more than 1 KB."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from speedsign.machine import MachineFacts
from speedsign.model import ClockQuality, Coverage, Fault
from telemetry import health
from telemetry.calibration import Standing, State
from telemetry.health import LastDay, Vitals, health_body, last_day
from telemetry.message import messages
from telemetry.message.models import Health
from telemetry.rows import to_ms
from telemetry.store import SqliteStore
from tests.messages.made import EPOCH, SIGN, WHO
from tests.telemetry.samples import BAUSKA, QUARTER, T0, passed

NOW_S = to_ms(T0) // 1000
QUIET = Vitals(at_s=NOW_S, clock_ok=True, up_s=61.4, machine_up_s=100.0)


VALID = Standing(State.VALID, "the drive-by was passed", T0, date(2027, 5, 4))


def read(now: Vitals) -> messages.Health:
    payload = messages.encode(messages.health(WHO, EPOCH, 41, health_body(now)))
    Health.model_validate_json(payload)
    return messages.parse_health(payload, SIGN)


def test_what_is_not_known_is_not_there() -> None:
    assert health_body(QUIET) == {
        "at": NOW_S, "clk": "ok", "up_s": 61, "machine_up_s": 100, "faults": [],
    }  # fmt: skip
    assert read(QUIET).clock_ok


def test_all_that_a_sign_can_know() -> None:
    now = replace(
        QUIET,
        clock_ok=False,
        radar={"frames": 99, "bad": 1, "overflow": 0, "bytes": 12_345},
        frames_per_h=71_999.6,
        panel={"writes": 5, "retries": 2},
        panel_mode="on",
        store={"waiting": 0, "done": 9, "retries": 1},
        store_bytes=12_345_678,
        mqtt={
            "connections": 3,
            "queue_agg": 2,
            "queue_raw": 7,
            "dropped_raw": 100,
            "last_ack_age_s": 12,
            "queue_bytes": 4500,
        },
        machine=MachineFacts(
            48.312, ("was_under_voltage",), 12.74, 81, False, 512_345_678, 0.61234, 41_000_000
        ),
        day=LastDay(NOW_S, 5012, 0.99812),
        faults=[Fault("radar", "silent", "radar /dev/ttyUSB0: …"), Fault("mqtt", "hub_silent", "…")],
        commands={"taken": 1, "refused_key": 2, "refused_role": 3, "ignored": 4},
        calibration=VALID,
    )
    assert read(now).body == {
        "at": NOW_S, "clk": "unknown", "up_s": 61, "machine_up_s": 100,
        "day": {"until": NOW_S, "vehicles": 5012, "coverage": 0.9981},
        "radar": {"frames_h": 72000, "bad": 1, "overflow": 0},
        "panel": {"mode": "on", "retries": 2},
        "store": {"mb": 12.3, "waiting": 0, "retries": 1},
        "mqtt": {"connections": 3, "ack_age_s": 12, "queue_kb": 5},
        "queue": {"agg": 2, "raw": 7}, "dropped": {"raw": 100},
        "machine": {"temp_c": 48.3, "troubles": ["was_under_voltage"], "supply_v": 12.74,
                    "battery_percent": 81, "mains": False, "disk_free_mb": 512.3, "disk_free": 0.612,
                    "memory_mb": 41.0},
        "faults": ["radar/silent", "mqtt/hub_silent"],
        "commands": {"taken": 1, "refused": 5, "ignored": 4},
        "calibration": {"state": "valid", "at": NOW_S, "due": "2027-05-04"},
    }  # fmt: skip


def test_before_the_hub_s_first_word_there_is_no_age_of_it() -> None:
    assert "mqtt" not in health_body(replace(QUIET, mqtt={"last_ack_age_s": -1}))


def test_a_fault_s_sentence_stays_at_the_sign_and_each_kind_comes_once() -> None:
    faults = [Fault("display", "no_reply", "unit 1 at /dev/ttyUSB1"), Fault("display", "no_reply", "unit 2")]
    assert health_body(replace(QUIET, faults=faults))["faults"] == ["display/no_reply"]


numbers = st.integers(-5, 2**70) | st.integers(0, 999)
counters = st.dictionaries(
    st.sampled_from([*health._RADAR, *health._PANEL, *health._STORE, *health._MQTT, "queue_bytes"]), numbers
)
kinds = st.dictionaries(
    st.builds(str.__add__, st.sampled_from(["queue_", "dropped_"]), st.text("abc", max_size=40)),
    numbers,
    max_size=60,
)
words = st.text("abc_", max_size=40)


@example({}, {}, [Fault("d" * 20, "c" * 20, "")])
@given(counters, kinds, st.lists(st.builds(Fault, words, words, st.just("")), max_size=40))
def test_it_is_at_most_a_kilobyte_and_can_always_be_read(
    counts: dict[str, int], waiting: dict[str, int], faults: list[Fault]
) -> None:
    now = replace(
        QUIET,
        radar=counts,
        panel=counts,
        panel_mode="unknown",
        store=counts,
        mqtt=counts | waiting,
        machine=MachineFacts(-12.3, ("under_voltage",) * 8, 12.74, 100, True, 10**12, 1.0, 10**9),
        day=LastDay(NOW_S, 10**6, 0.12345),
        store_bytes=10**10,
        frames_per_h=1e9,
        faults=faults,
        commands={"taken": 10**20, "refused_key": 10**20, "ignored": 10**20},
        calibration=VALID,
    )
    payload = messages.encode(messages.health(replace(WHO, sign="s" * 40), EPOCH, 2**40, health_body(now)))
    assert len(payload) <= 1024
    assert "day" in messages.parse_health(payload, "s" * 40).body


# --------------------------------------------------------------------------- the last day


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "sign.db", SIGN)


def test_the_last_day_is_of_whole_quarters(store: SqliteStore) -> None:
    store.begin(BAUSKA, T0 - timedelta(days=3))
    for hours in (1, 2, 30):
        store.add_vehicle(passed(at=T0 - timedelta(hours=hours)), [])
    for quarter in range(1, 49):
        store.add_coverage([Coverage(T0 - quarter * QUARTER, 900.0)])
    store.add_vehicle(passed(at=T0 + timedelta(minutes=1)), [])
    seen = last_day(store.path, NOW_S + 100)
    store.close()
    assert seen == LastDay(NOW_S, 2, 0.5)


def test_a_sign_that_stands_since_an_hour_is_not_blamed_for_the_day(store: SqliteStore) -> None:
    store.begin(BAUSKA, T0 - timedelta(hours=1))
    for quarter in range(1, 5):
        store.add_coverage([Coverage(T0 - quarter * QUARTER, 900.0, ClockQuality.OK)])
    seen = last_day(store.path, NOW_S)
    store.close()
    assert seen == LastDay(NOW_S, 0, 1.0)


def test_a_store_that_has_only_just_begun(store: SqliteStore) -> None:
    assert last_day(store.path, NOW_S) is None
    store.begin(BAUSKA, T0)
    seen = last_day(store.path, NOW_S + 10)
    store.close()
    assert seen == LastDay(NOW_S, 0, None)


def test_a_store_that_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"no database" * 1000)
    assert last_day(tmp_path / "bad.db", NOW_S) is None
    assert last_day(tmp_path / "none.db", NOW_S) is None
