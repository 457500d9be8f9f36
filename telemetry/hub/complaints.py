"""What is wrong with messages, without filling the log: said once, then how often it was the same again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

EVERY_S = 3600.0
_MOST = 200  # different ones that are remembered


class Complaints:
    """Sentences in, those that are worth a line out; `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._said: dict[
            str, tuple[float, int]
        ] = {}  # beginning of a sentence -> when it was said, more since

    def of(self, sentences: Iterable[str]) -> list[str]:
        now_s = self._now_s()
        lines = []
        for sentence in sentences:
            key = _key(sentence)
            said_s, more = self._said.get(key, (None, 0))
            if said_s is not None and now_s - said_s < EVERY_S:
                self._said[key] = said_s, more + 1
                continue
            self._make_room()
            self._said[key] = now_s, 0
            lines.append(
                f"refused: {sentence}" + (f" ({more} more like this since the last time)" if more else "")
            )
        return lines

    def _make_room(self) -> None:
        while len(self._said) >= _MOST:
            del self._said[next(iter(self._said))]


def _key(sentence: str) -> str:
    """The sign and the kind of message; numbers and values differ."""
    return ":".join("".join(sign for sign in part if not sign.isdigit()) for part in sentence.split(":")[:2])
