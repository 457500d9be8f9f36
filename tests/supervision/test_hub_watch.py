"""A hub's watchdog: the store and the loop, on a clock that the test moves."""

from __future__ import annotations

import pytest

from speedsign.errors import GrownTooFar
from speedsign.leaks import Use
from speedsign.model import Fault
from telemetry.hub.watch import HubWatch

AWAY = Fault("mqtt", "disconnected", "the broker is away")
FULL = Fault("store", "failed", "hub.db cannot be used: disk is full")


class Hub:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.said: list[str] = []
        self.held = Use(20, 60 << 20, 4)
        self.watch = HubWatch(self.said.append, lambda: self.now_s, 120.0, lambda: self.held)

    def lives(self, *faults: Fault) -> bool:
        fed = self.said.count("WATCHDOG=1")
        self.watch.tick(faults)
        return self.said.count("WATCHDOG=1") > fed


def test_a_hub_that_hears_nothing_for_days_lives() -> None:
    hub = Hub()
    hub.watch.turned(idle=True)
    hub.now_s = 3 * 86_400.0
    assert hub.lives(AWAY)


def test_a_store_that_hangs_starves_it_also_while_others_wait_for_it() -> None:
    hub = Hub()
    hub.watch.called()
    hub.now_s = 60.0
    hub.watch.called()  # a second one waits behind the first
    hub.now_s = 119.0
    assert hub.lives()
    hub.now_s = 121.0
    assert not hub.lives(), "the second one does not make the first look younger"
    hub.watch.answered()
    assert hub.lives()
    hub.now_s = 242.0
    assert not hub.lives(), "now the second one hangs"
    hub.watch.answered()
    hub.now_s = 10_000.0
    assert hub.lives()


def test_batches_that_do_not_go_round_starve_it() -> None:
    hub = Hub()
    hub.watch.turned()
    hub.now_s = 239.0
    assert hub.lives()
    hub.now_s = 241.0
    assert not hub.lives()


def test_what_it_says() -> None:
    hub = Hub()
    hub.watch.tick([], connected=False)
    hub.lives()
    hub.lives(AWAY)
    hub.now_s = 7200.0
    hub.lives(AWAY)
    hub.lives(AWAY, FULL)
    hub.lives()
    assert [text for text in hub.said if text.startswith("STATUS=")] == [
        "STATUS=not connected",
        "STATUS=collecting",
        "STATUS=collecting; broker away",
        "STATUS=collecting; broker away for 2 h",
        "STATUS=hub.db cannot be used: disk is full",
        "STATUS=collecting",
    ]


def test_a_leak_ends_it_by_plan() -> None:
    hub = Hub()

    def goes_on() -> None:
        for minute in range(12 * 60):
            hub.now_s = 60.0 * minute
            hub.held = Use(20 + max(0, minute - 60), 60 << 20, 4)
            hub.lives()

    with pytest.raises(GrownTooFar, match=r"the hub holds \d+ open files, it needs 20"):
        goes_on()
    assert hub.now_s == 6 * 3600.0
    assert hub.said[-1].startswith("STATUS=ending: the hub holds ")
