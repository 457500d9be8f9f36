"""Asks the questions of `drivers.display.scan` on a real line, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from drivers.display.maps import FIRST
from drivers.display.scan import Plan, Search, Step, answer_s, search
from drivers.display.scan_frames import Answer, Heard, Question, read_rtu, read_tcp, rtu_frame, tcp_frame
from drivers.modbus_rules import parse_target, silent_interval_s
from speedsign.ports import BytePort, LineSettings

MakePort = Callable[[str, LineSettings], BytePort]

_LEAST_GAP_S = 0.004  # LED panels take 4 ms of silence for a frame's end at any rate
_REST_S = 0.06  # after what was no reply: the rest of it
_MODBUS_TCP_PORT = 502


class Line:
    """One setting of a port: a question, and what came back within the time."""

    def __init__(self, port: BytePort, line: LineSettings | None, *, tcp: bool) -> None:
        self._port, self._line, self._tcp = port, line, tcp
        self._gap_s = max(silent_interval_s(line), _LEAST_GAP_S) if line else 0.0
        self._heard = bytearray()
        self._came = asyncio.Event()
        self._lost: Exception | None = None
        self._transaction = 0

    async def open(self) -> None:
        """Raises PortError."""
        await self._port.open(self._on_data, self._on_lost)

    def close(self) -> None:
        self._port.close()

    async def ask(self, step: Step) -> Answer:
        """Send one question and wait for its answer; raises PortError when the port goes away."""
        await asyncio.sleep(self._gap_s)
        self._heard.clear()
        self._transaction = self._transaction % 0xFFFF + 1
        sent = self._frame(step.unit, step.question)
        self._port.write(sent)
        loop = asyncio.get_running_loop()
        sent_s = loop.time()
        deadline_s = sent_s + max(answer_s(self._line, step.question), step.least_s)
        answer = self._read(step, sent)
        while not answer.somebody and loop.time() < deadline_s:
            await self._more(deadline_s - loop.time())
            answer = self._read(step, sent)
        if answer.heard in (Heard.GARBLED, Heard.OTHER):
            await asyncio.sleep(_REST_S)
            return answer
        return replace(answer, took_s=loop.time() - sent_s)

    async def _more(self, wait_s: float) -> None:
        """Until more bytes have come, or for so long."""
        self._came.clear()
        timer = asyncio.get_running_loop().call_later(wait_s, self._came.set)
        try:
            await self._came.wait()
        finally:
            timer.cancel()
        if self._lost is not None:
            raise self._lost

    def _frame(self, unit: int, question: Question) -> bytes:
        return tcp_frame(unit, question, self._transaction) if self._tcp else rtu_frame(unit, question)

    def _read(self, step: Step, sent: bytes) -> Answer:
        heard = bytes(self._heard)
        if self._tcp:
            return read_tcp(step.unit, step.question, self._transaction, heard)
        return read_rtu(step.unit, step.question, sent, heard)

    def _on_data(self, data: bytes) -> None:
        self._heard += data
        self._came.set()

    def _on_lost(self, error: Exception) -> None:
        self._lost = error
        self._came.set()


async def scan(target: str, plan: Plan, make_port: MakePort, say: Callable[[str], None]) -> Search:
    """Ask everything that `plan` says; `say` is told of each rate. Raises PortError, DriverError."""
    scheme, _, _ = parse_target(target)
    asker = _Asker(target, scheme, plan.parity, make_port, say)
    found = Search()
    steps = search(plan, found)
    try:
        step = next(steps)
        while True:
            step = steps.send(await asker.ask(step))
    except StopIteration:
        pass
    finally:
        asker.close()
    return found


class _Asker:
    """Keeps one setting of the port open for as long as it is asked for."""

    def __init__(
        self, target: str, scheme: str, parity: str, make_port: MakePort, say: Callable[[str], None]
    ) -> None:
        self._target, self._scheme, self._parity = target, scheme, parity
        self._make_port, self._say = make_port, say
        self._at: int | None = None
        self._line: Line | None = None

    async def ask(self, step: Step) -> Answer:
        if self._line is None or self._at != step.baud:
            self.close()
            self._line, self._at = await self._opened(step), step.baud
        return await self._line.ask(step)

    async def _opened(self, step: Step) -> Line:
        baud = step.baud
        at = "" if baud is None else f" at {baud} 8{self._parity}1"
        what = "" if step.question == FIRST else f" for {step.question}"
        self._say(f"{self._target}: asking{at}{what}")
        line = LineSettings(baud, parity=self._parity) if baud is not None else None
        port = self._make_port(_byte_address(self._target), line or LineSettings(9600))
        opened = Line(port, line, tcp=self._scheme == "tcp")
        await opened.open()
        return opened

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _byte_address(target: str) -> str:
    """The same place as a line of bytes: rtu+tcp://host:4001 -> tcp://host:4001."""
    if "://" not in target:
        return target
    url = urlsplit(target)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"tcp://{host}:{url.port or _MODBUS_TCP_PORT}"
