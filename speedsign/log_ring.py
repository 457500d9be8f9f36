"""The last lines of the daemon's own log, in memory, for whoever asks from afar. Secrets are never logged."""

from __future__ import annotations

import logging
import time
from collections import deque

KEPT = 400  # lines
LONGEST = 300  # characters of a line


class LogRing(logging.Handler):
    """A handler of the root logger; may be asked from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self._lines: deque[str] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record).partition("\n")[0]  # a traceback stays on the machine
        self._lines.append(
            text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
        )

    def lines(self, most: int) -> list[str]:
        """The last ones, the newest last."""
        return [line[:LONGEST] for line in list(self._lines)[-most:]]
