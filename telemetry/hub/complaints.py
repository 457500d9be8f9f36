"""What is wrong with messages, without filling the log: said once, then how often it was the same again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

EVERY_S = 3600.0
MOST = 100  # lines in that time, whatever comes


class Complaints:
    """Sentences in, those that are worth a line out; `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._since_s = 0.0
        self._more: dict[str, int] = {}  # beginning of a sentence -> how often it was not said again
        self._unsaid = 0  # because there were too many different ones

    def of(self, sentences: Iterable[str]) -> list[str]:
        """The lines to write now."""
        now_s = self._now_s()
        lines = []
        if self._more and now_s - self._since_s >= EVERY_S:
            lines = self._summary()
        for sentence in sentences:
            key = _key(sentence)
            if key in self._more:
                self._more[key] += 1
            elif len(self._more) >= MOST:
                self._unsaid += 1
            else:
                self._since_s = self._since_s if self._more else now_s
                self._more[key] = 0
                lines.append(f"refused: {sentence}")
        return lines

    def _summary(self) -> list[str]:
        """The time is over: how often it was the same, in one line, and all may be said again."""
        again = sum(self._more.values()) + self._unsaid
        self._more, self._unsaid = {}, 0
        return [f"refused: {again} more like these since the last line"] if again else []


def _key(sentence: str) -> str:
    """The sign, and the kind of message without its number."""
    sign, _, rest = sentence.partition(":")
    return f"{sign}:{''.join(one for one in rest.partition(':')[0] if not one.isdigit())}"
