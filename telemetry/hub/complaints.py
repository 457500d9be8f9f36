"""What is wrong with messages, without filling the log: said once, then how often it was the same again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

EVERY_S = 3600.0
MOST = 100  # lines in that time, whatever comes
MOST_A_SIGN = 10  # of these, and of what is news


class Complaints:
    """Sentences in, those that are worth a line out; `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._since_s = 0.0
        self._more: dict[str, int] = {}  # beginning of a sentence -> how often it was not said again
        self._signs: Counter[str] = Counter()  # lines of each
        self._unsaid = 0  # because there were too many different ones

    def of(self, sentences: Iterable[str]) -> list[str]:
        """The lines to write now."""
        now_s = self._now_s()
        lines = []
        if self._more and now_s - self._since_s >= EVERY_S:
            lines = self._summary()
        for sentence in sentences:
            key, sign = _key(sentence), sentence.partition(":")[0]
            if key in self._more:
                self._more[key] += 1
            elif len(self._more) >= MOST or self._signs[sign] >= MOST_A_SIGN:
                self._unsaid += 1
            else:
                self._signs[sign] += 1
                self._since_s = self._since_s if self._more else now_s
                self._more[key] = 0
                lines.append(f"refused: {sentence}")
        return lines

    def _summary(self) -> list[str]:
        """The time is over: how often it was the same, in one line, and all may be said again."""
        again = sum(self._more.values()) + self._unsaid
        self._more, self._unsaid = {}, 0
        self._signs.clear()
        return [f"refused: {again} more like these since the last line"] if again else []


class News:
    """What is worth a line of a sign, as long as it is not very much of one."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._since_s = -EVERY_S
        self._said: Counter[str] = Counter()

    def of(self, sentences: Iterable[str]) -> list[str]:
        """The lines to write now."""
        if sentences and self._now_s() - self._since_s >= EVERY_S:
            self._since_s = self._now_s()
            self._said.clear()
        lines = []
        for sentence in sentences:
            sign = sentence.partition(":")[0]
            self._said[sign] += 1
            if self._said[sign] <= MOST_A_SIGN:
                lines.append(sentence)
            elif self._said[sign] == MOST_A_SIGN + 1:
                lines.append(
                    f"{sign}: there is more news of it, which is not written for the rest of the hour"
                )
        return lines


def _key(sentence: str) -> str:
    """The sign, and the kind of message without its number."""
    sign, _, rest = sentence.partition(":")
    return f"{sign}:{''.join(one for one in rest.partition(':')[0] if not one.isdigit())}"
