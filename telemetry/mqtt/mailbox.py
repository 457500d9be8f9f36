"""What passes between the event loop and the port's thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import deque
from dataclasses import dataclass

from telemetry.mqtt.shapes import Message, Published


@dataclass(frozen=True, slots=True)
class Job:
    """A message to publish on this connection and no other."""

    connection: object
    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None
    result: asyncio.Future[Published]


class Mailbox:
    """Between the event loop and the thread; all of it may be used from both."""

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self.taken: deque[tuple[object, int]] = deque()  # of a connection: message ids that were dealt with
        self.heard: deque[Message] = deque()
        self.stopping = threading.Event()
        self.bell, self._ring = socket.socketpair()
        self.bell.setblocking(False)
        self._ring.setblocking(False)

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._ring.send(b"\0")

    def answered(self) -> None:
        """The bell was heard."""
        with contextlib.suppress(BlockingIOError):
            self.bell.recv(4096)

    def close(self) -> None:
        self.bell.close()
        self._ring.close()
