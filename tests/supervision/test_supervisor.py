"""What systemd is told from second to second, and by what the sign ends."""

from __future__ import annotations

import pytest

from speedsign.beats import Beats
from speedsign.errors import GrownTooFar, PartStuck
from speedsign.leaks import RESTS_S, WARM_S, Use
from speedsign.model import BLANK, Face
from speedsign.status import Sight
from speedsign.supervisor import READY_WITHOUT_PANEL_S, Means, Supervisor

DARK = Sight(lit=BLANK)


class Watched:
    """A supervisor and what it said; `use` is what the process holds."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.last: list[str] = []
        self.beats = Beats()
        self.held = Use(20, 40 << 20, 4)
        means = Means(self.beats, Use(1024, 192 << 20, 64), lambda: self.held, self.last.append)
        self.supervisor = Supervisor(self.said.append, means, 0.0)

    def run(self, from_s: int, to_s: int, sight: Sight = DARK) -> None:
        for second in range(from_s, to_s):
            self.supervisor.tick(float(second), sight)

    @property
    def fed(self) -> int:
        return self.said.count("WATCHDOG=1")


def test_ready_comes_with_the_panel_once() -> None:
    watched = Watched()
    watched.run(0, 3, Sight())
    assert "READY=1" not in watched.said
    watched.run(3, 20)
    assert watched.said.count("READY=1") == 1
    assert watched.fed == 20


@pytest.mark.parametrize("sight", [Sight(), Sight(has_display=False)])
def test_ready_comes_without_a_panel_too(sight: Sight) -> None:
    watched = Watched()
    watched.run(0, 60, sight)
    assert watched.said.count("READY=1") == 1
    ready_after = watched.said[: watched.said.index("READY=1")].count("WATCHDOG=1")
    assert ready_after == (READY_WITHOUT_PANEL_S if sight.has_display else 0)


def test_the_status_is_said_when_it_changes_and_only_then() -> None:
    watched = Watched()
    watched.run(0, 10)
    watched.run(10, 20, Sight(lit=Face(47)))
    told = [line for line in watched.said if line.startswith("STATUS=")]
    assert [line.partition(";")[0] for line in told] == [
        "STATUS=dark, nobody to be shown a speed",
        "STATUS=showing 47",
    ]


def test_a_part_that_is_stuck_starves_the_watchdog_and_ends_the_sign() -> None:
    watched = Watched()
    beat = watched.beats.part("display", 5.0)
    for second in range(100):
        beat()
        watched.run(second, second + 1)
    with pytest.raises(PartStuck, match="display has not gone round for"):
        watched.run(100, 120)
    assert 100 <= watched.fed <= 106
    assert watched.said[-1].startswith("STATUS=ending: display has not gone round")
    assert len(watched.last) == 1, "where it hangs was written down"


def test_a_leak_ends_the_sign_by_plan() -> None:
    watched = Watched()
    watched.run(0, int(WARM_S) + 120)
    watched.held = Use(400, 40 << 20, 4)
    watched.run(int(WARM_S) + 120, int(WARM_S) + 180)
    assert [fault.code for fault in watched.supervisor.faults()] == ["files"]
    with pytest.raises(GrownTooFar, match="holds 400 open files, it needs 20; it restarts by itself"):
        watched.run(int(WARM_S) + 180, int(RESTS_S) + 120)
    assert watched.last == [], "nothing hangs"


def test_telemetry_that_is_stuck_is_a_fault_and_no_end() -> None:
    watched = Watched()
    watched.beats.part("telemetry", 60.0, vital=False)
    watched.run(0, 600)
    (fault,) = watched.supervisor.faults()
    assert (fault.device, fault.code) == ("supervisor", "late")
    assert watched.fed == 600


def test_the_codes_are_those_of_the_page() -> None:
    assert (PartStuck.exit_code, GrownTooFar.exit_code) == (70, 75)
