"""What can be wrong with a panel and its line, and how long a wrong number may stay lit then."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.panel_end import PanelFault

WHILE_ALIVE_S = 2.0  # where the sign can do something
DETECTED_S = 5.0  # where it only finds out


@dataclass(frozen=True, slots=True)
class Case:
    """One thing wrong for a while, with a sign that goes on showing numbers.

    `bound_s`: None where no software can help; then the page says so.
    """

    name: str
    what: str
    bound_s: float | None = WHILE_ALIVE_S
    faults: frozenset[PanelFault] = frozenset()
    slow_s: float = 0.4
    panels: int = 1  # alike, on one line; the first is at fault
    same_id: bool = False  # … and both answer to one id
    supply: str = ""  # "on" or "pulse": a relay in the panels' supply, on the same line
    unplug: bool = False  # the adapter goes away
    moment: bool = False  # over at once, as one event
    power: str = ""  # "dip": off and on again at once; "off": without power for a while
    tcp: bool = False
    code: str = "no_reply"  # the fault that must be told; empty: none


def _panel(name: str, what: str, fault: PanelFault, **more: object) -> Case:
    return Case(name, what, faults=frozenset({fault}), **more)  # type: ignore[arg-type]  # as Case has them


F = PanelFault
CASES = (
    _panel("wire-cut", "Data wire to the panel cut, panel lit", F.DEAD, bound_s=None),
    _panel("wire-cut-supply", "… with a supply relay", F.DEAD, supply="on"),
    Case("line-cut-pulse", "Adapter unplugged, with a supply relay held by pulses", supply="pulse",
         unplug=True, code="port"),
    Case("unplugged", "Adapter of the panel unplugged, panel lit", None, unplug=True, code="port"),
    _panel("late", "Panel answers 0.16 s after the time-out, while the next request is on its way", F.SLOW),
    _panel("very-late", "Panel answers after 0.8 s", F.SLOW, slow_s=0.8),
    _panel("bad-crc", "Replies with a wrong checksum", F.BAD_CRC),
    _panel("cut-replies", "The end of each reply is lost", F.CUT),
    _panel("glitch", "A stray byte in front of each reply", F.GLITCH, code=""),
    _panel("noise", "Noise on the line between the frames", F.NOISE, code=""),
    _panel("twice", "Every reply comes twice", F.REPEAT, code=""),
    _panel("echo", "The adapter echoes", F.ECHO, code=""),
    Case("echo-dead", "The adapter echoes, and the panel is dead but lit", None, frozenset({F.ECHO, F.DEAD})),
    Case("echo-dead-supply", "… with a supply relay", faults=frozenset({F.ECHO, F.DEAD}), supply="on"),
    _panel("exception", "The panel refuses everything", F.EXCEPTION, bound_s=None, code="bad_reply"),
    _panel("exception-supply", "… with a supply relay", F.EXCEPTION, supply="on", code="bad_reply"),
    _panel("wrong-id", "Replies come from another unit id", F.WRONG_ID),
    _panel("lying", "The panel acknowledges and does nothing", F.LYING, bound_s=None, code="mismatch"),
    _panel("lying-supply", "… with a supply relay", F.LYING, supply="on", code="mismatch"),
    _panel("stuck", "The panel hangs on what it shows, and acknowledges", F.STUCK, bound_s=None,
           code="mismatch"),
    _panel("stuck-supply", "… with a supply relay", F.STUCK, supply="on", code="mismatch"),
    Case("power-dip", "The panel's power is gone for a moment", power="dip", code=""),
    Case("power-off", "The panel is without power and comes back", power="off"),
    _panel("two-panels", "Two panels on one line, one of them dead and lit", F.DEAD, panels=2, bound_s=None),
    _panel("two-panels-supply", "… with a supply relay", F.DEAD, panels=2, supply="on"),
    Case("same-id", "Two panels answer to one id", panels=2, same_id=True),
    _panel("tcp-reset", "A gateway resets the connection once", F.RESET, tcp=True, moment=True, code="port"),
    _panel("tcp-resets", "A gateway resets every connection at the first request", F.RESET, tcp=True,
           bound_s=None, code="port"),
    _panel("tcp-silent", "A gateway that goes silent", F.DEAD, tcp=True, bound_s=None),
)  # fmt: skip
