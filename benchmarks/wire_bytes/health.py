"""A health message of a sign that has all there is to tell: every device, a supply, a queue, a fault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from speedsign.machine import MachineFacts
from speedsign.model import Fault
from telemetry.calibration import Standing, State
from telemetry.health import LastDay, Vitals, health_body


def sample() -> Mapping[str, object]:
    """Its body."""
    radar = {"bad": 12, "overflow": 0, "reopened": 1, "restarts": 0, "unanswered": 3}
    panel = {"retries": 41, "timeouts": 7, "bad_replies": 2, "mismatches": 0, "reconnects": 1}
    store = {"waiting": 0, "retries": 0, "dropped": 0, "lost": 0, "rejected": 0}
    mqtt = {
        "connections": 31,
        "connections_ended": 30,
        "refused": 0,
        "ack_age_s": 12,
        "queue_agg": 2,
        "queue_raw": 1,
        "dropped_raw": 0,
    }
    machine = MachineFacts(
        temperature_c=48.3,
        troubles=("under-voltage since boot",),
        supply_v=12.61,
        battery_percent=87,
        on_mains=False,
        disk_free_bytes=21_400_000_000,
        disk_free_share=0.771,
        memory_bytes=41_000_000,
    )
    return health_body(
        Vitals(
            at_s=1_777_900_000,
            clock_ok=True,
            up_s=812_345.0,
            machine_up_s=812_401.0,
            faults=(Fault("radar", "silent", "no reading for 90 s"),),
            radar=radar,
            frames_per_h=36_000.0,
            panel=panel,
            panel_mode="on",
            store=store,
            store_bytes=61_000_000,
            mqtt=mqtt,
            machine=machine,
            day=LastDay(1_777_899_600, 5012, 0.9981),
            calibration=Standing(State.VALID, "", datetime(2026, 5, 4, 7, 0, tzinfo=UTC), date(2027, 5, 4)),
        )
    )
