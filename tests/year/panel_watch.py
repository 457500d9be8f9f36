"""What the driver sees, judged at each change and twice a second while a number is lit.

By the plain rule and not by the code under test: a number that the radar has just said of somebody in view,
not above the ceiling, not in a dark hour, not longer than it may be held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from speedsign.model import Direction
from tests.year.breaking import Breaker
from tests.year.stand import Stand
from tests.year.timeline import BEGIN

RECENT_S = 2.0  # how old what justifies a number may be when it is lit
LATENCY_S = 0.35  # an exchange that has begun, and the one that puts the face on
ROUNDED_KMH = 1.5  # one, and the rounding
LOOK_S = 0.5
DARK_WITHIN_S = 2.1  # of a window's beginning: the daemon ticks every two seconds here
RETRY_S = (
    2.5  # docs/safety.md: a panel that hears and cannot be heard is dark at the second try, or takes late
)
RECOVERY_S = 5.0  # the longest pause between tries to reach a port, the try, and a read-back
SURELY_BROKEN = {"dead", "gone", "lying", "stuck", "refuses", "off"}  # lit, and no telegram changes it
SLOWED = {"mute", "slow", "noise", "dip"}
TIMEZONE = ZoneInfo("Europe/Riga")


class PanelError(AssertionError):
    """The panel showed what it must never show."""


@dataclass(slots=True)
class PanelWatch:
    """`begin` first; `judged` counts looks that were not excused."""

    stand: Stand
    breaker: Breaker
    text: str = ""
    since_s: float = 0.0
    judged: int = 0
    excused: int = 0
    shown: int = 0
    _ended: bool = False

    def begin(self) -> None:
        self.stand.panel.on_change = self.changed
        self.text = self.stand.panel.lit().strip()
        self._look()

    def end(self) -> None:
        self._ended = True
        self.stand.panel.on_change = None

    def judge_end(self) -> None:
        """The program has been stopped in order: it left the panel dark."""
        if text := self.stand.panel.lit().strip():
            raise PanelError(f"{text} is lit after the end")

    def changed(self, text: str) -> None:
        now_s = self.stand.loop.time()
        self.text, self.since_s = text.strip(), now_s
        self.stand.say(f"panel {self.text!r}")
        if not self.text:
            return
        self.shown += 1
        try:
            if self._excuse(now_s) is None:
                self._judge_new(now_s)
        except PanelError as error:
            self.stand.failed(error)
        self.stand.loop.call_later(LOOK_S, self._look)

    # ------------------------------------------------------------------ by the rule

    def _judge_new(self, now_s: float) -> None:
        number = int(self.text)
        ceiling = self.stand.config.rules.ceiling_kmh or 0
        if number > ceiling:
            raise PanelError(f"{number} is lit, above the ceiling of {ceiling}")
        allowed_s = RECENT_S + LATENCY_S + (RETRY_S if self._slowed(now_s) else 0.0)
        near = [
            one
            for one in self.stand.street.said
            if one.t_s >= now_s - allowed_s and one.direction is Direction.APPROACHING
        ]
        least = min((one.kmh for one in near), default=0.0) - ROUNDED_KMH
        most = max((one.drives_kmh for one in near), default=0.0) + ROUNDED_KMH
        if not near or not least <= number <= most:
            heard = [round(one.kmh, 1) for one in near]
            raise PanelError(f"{number} is lit, and the radar has said {heard}, of who drives {most:.1f}")

    def _look(self) -> None:
        """While it is lit: may it still?"""
        if self._ended or not self.text:
            return
        now_s = self.stand.loop.time()
        try:
            if self._excuse(now_s) is None:
                self.judged += 1
                self._judge_old(now_s)
            else:
                self.excused += 1
        except PanelError as error:
            self.stand.failed(error)
            return
        if now_s - self.since_s >= LOOK_S - 0.01:
            self.stand.loop.call_later(LOOK_S, self._look)

    def _judge_old(self, now_s: float) -> None:
        hold_s = self.stand.config.rules.hold_s
        slack_s = LATENCY_S + (RETRY_S if self._slowed(now_s) else 0.0)
        last_s = max(
            (one.t_s for one in self.stand.street.said if one.direction is Direction.APPROACHING),
            default=-1e9,
        )
        if now_s - last_s > hold_s + slack_s:
            raise PanelError(
                f"{self.text} is still lit {now_s - last_s:.2f} s after the radar said anything of anybody"
            )
        if self._is_dark_hour(now_s) and self._is_dark_hour(now_s - DARK_WITHIN_S - slack_s):
            raise PanelError(f"{self.text} is lit in a dark hour")

    # ------------------------------------------------------------------ what is excused

    def _excuse(self, now_s: float) -> str | None:
        """Why the panel cannot be told just now, or not be told yet; None: it can."""
        sign = self.stand.sign
        if sign is None or now_s - sign.began_s < RECOVERY_S:
            return "the sign's program was not running"
        for trouble in self.breaker.troubles:
            fault = trouble.fault
            if fault.part == "panel" and fault.what in SURELY_BROKEN and now_s < trouble.until_s + RECOVERY_S:
                return str(fault)
        if self.text == self.stand.panel.power_up and (self._slowed(now_s) or self._blinked(now_s)):
            return "it lights this by itself when power comes"
        return None

    def _blinked(self, now_s: float) -> bool:
        """Whether it was without power for so short that nobody asked it meanwhile."""
        keepalive_s = self.stand.keepalive_s
        return any(
            str(trouble.fault) == "panel off"
            and trouble.until_s - trouble.from_s < keepalive_s
            and now_s < trouble.until_s + keepalive_s + RECOVERY_S
            for trouble in self.breaker.troubles
        )

    def _slowed(self, now_s: float) -> bool:
        return any(
            trouble.fault.part == "panel"
            and trouble.fault.what in SLOWED
            and now_s < trouble.until_s + RECOVERY_S + self.stand.keepalive_s
            for trouble in self.breaker.troubles
        )

    def _is_dark_hour(self, at_s: float) -> bool:
        """By the time that the sign knows; one that does not know it shows numbers at any hour."""
        stand = self.stand
        if stand.config_since_s > at_s or not stand.knew_the_time(at_s - DARK_WITHIN_S, at_s + DARK_WITHIN_S):
            return False
        wall = (BEGIN + timedelta(seconds=at_s)).astimezone(TIMEZONE)
        window = self.stand.config.rules.schedule[0]
        time = f"{wall:%H:%M}"
        if window.start <= window.end:
            return window.start <= time < window.end
        return time >= window.start or time < window.end
