"""Several devices on one line, as on RS485: all hear everything, and who talks together is not understood.

    drop = MultiDrop(line)
    panel = PanelEnd(drop.tap(), RtuSlave(1, Dm56a04Twin()))
    relays = PanelEnd(drop.tap(), RtuSlave(2, RelayBoard()))

What is modelled of a collision: replies to the same bytes that begin in the same moment. Where two
drive the line at once a bit is 0 if either says so, and the later of two devices begins `skew` bytes after
the earlier. A reply that runs into the program's next request is not damaged.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.line import DeviceLine, ignore


class Tap:
    """One device's place on the line: a `simulator.line.DeviceLine`."""

    def __init__(self, drop: MultiDrop) -> None:
        self.on_data: Callable[[bytes], None] = ignore
        self.plugged = True
        self._drop = drop

    def write(self, data: bytes) -> None:
        if self.plugged:
            self._drop.take(self, data)

    def unplug(self) -> None:
        """Take this device alone off the line."""
        self.plugged = False

    def plug(self) -> None:
        self.plugged = True

    def reset(self) -> None:
        """Cut the connection that the line goes through, where it is one."""
        self._drop.reset()


class MultiDrop:
    """Joins taps to a line. `echo`: the program's adapter hears what it sends."""

    def __init__(self, line: DeviceLine, *, skew: int = 1) -> None:
        self.line = line
        self.echo = False
        self.skew = skew  # bytes; 0: two devices with the same answer are heard as one
        self.collisions = 0
        self._taps: list[Tap] = []
        self._replies: dict[Tap, bytes] | None = None  # while the line's bytes are given out
        line.on_data = self._on_data

    def tap(self) -> Tap:
        """A place for one more device."""
        tap = Tap(self)
        self._taps.append(tap)
        return tap

    def take(self, tap: Tap, data: bytes) -> None:
        """What a device says: at once, or together with the others that answer the same bytes."""
        if self._replies is None:
            self._say({tap: data})
        else:
            self._replies[tap] = self._replies.get(tap, b"") + data

    def reset(self) -> None:
        reset = getattr(self.line, "reset", None)
        if reset:
            reset()

    def _on_data(self, data: bytes) -> None:
        if self.echo:
            self.line.write(data)
        if replies := self._give_out(data, but={}):
            self._say(replies)

    def _say(self, replies: dict[Tap, bytes]) -> None:
        """Everybody else hears it too; who talks does not listen."""
        self.collisions += len(replies) > 1
        said = self._mixed(list(replies.values()))
        self.line.write(said)
        self._give_out(said, but=replies)  # who takes a reply for a request: his answer is lost

    def _give_out(self, data: bytes, but: dict[Tap, bytes]) -> dict[Tap, bytes]:
        """What is answered at once."""
        self._replies = replies = dict[Tap, bytes]()
        try:
            for tap in self._taps:
                if tap.plugged and tap not in but:
                    tap.on_data(data)
        finally:
            self._replies = None
        return replies

    def _mixed(self, replies: list[bytes]) -> bytes:
        line = bytearray(b"\xff" * max(place * self.skew + len(said) for place, said in enumerate(replies)))
        for place, said in enumerate(replies):
            for at, byte in enumerate(said, place * self.skew):
                line[at] &= byte
        return bytes(line)
