"""A paced Modbus line on pymodbus, with every reply checked: the only module that imports pymodbus.

pymodbus does the framing. What it leaves to its user, measured with 3.16.1, is done here:

- silence before a request: it keeps none since 3.8.1 (its issue 2827), RTU slaves need 3.5 characters;
- whether a reply answers the request: over RTU only the device id is compared, so that the late reply
  to one request passes for the success of the next;
- ends: a time-out without retries on the loop's clock, a cancel that is never swallowed, a lost port
  that is told at once, and no reconnecting behind our back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import termios
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from drivers.modbus_rules import (
    MAX_READ,
    READ_HOLDING,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Ask,
    Shape,
    parse_target,
    port_advice,
    silent_interval_s,
)
from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.ports import LineSettings

_log = logging.getLogger(__name__)

_MAX_SILENCE_S = 0.4  # a line that never gets quiet is asked all the same, so that its fault shows
_LATE_S = 5.0  # no reply comes later than this after its request was given up
_HEARD_MAX = 256  # one RTU frame: more is of no use to the technician
_TCP_MISSES = 3  # unanswered requests after which a TCP connection is taken for dead

_Client = AsyncModbusSerialClient | AsyncModbusTcpClient


@dataclass(frozen=True, slots=True)
class BusSettings:
    """How patient a bus is. With the defaults two tries and the quiet between them end within 0.6 s."""

    timeout_s: float = 0.24  # an FC16 of 4 registers takes 30 ms at 9600 baud; the rest is the panel's
    quiet_s: float = 0.1  # after a time-out, a cancel or a bad reply: late bytes are drained
    min_gap_s: float = 0.004  # LED panels take 4 ms of silence for a frame's end at any baud rate
    connect_timeout_s: float = 2.0
    local_echo: bool = False  # the adapter hears what it sends; only FC6 needs to be told
    resync: bool = True  # after a lost reply, ask a harmless read first (False: the panel cannot be read)


class PymodbusBus:
    """A `speedsign.ports.ModbusBus`; `target` is one of

    - `/dev/ttyUSB0`: a serial line, set as `line` says;
    - `tcp://host:502`: Modbus TCP;
    - `rtu+tcp://host:4001`: RTU frames through a serial gateway.
    """

    def __init__(
        self, target: str, line: LineSettings | None = None, settings: BusSettings | None = None
    ) -> None:
        self.name = target
        self.settings = settings or BusSettings()
        self._line = line or LineSettings(9600)
        self._scheme, self._host, self._port = parse_target(target)
        gap_s = max(silent_interval_s(self._line), self.settings.min_gap_s)
        self._gap_s = 0.0 if self._scheme == "tcp" else gap_s
        self._turn = asyncio.Lock()
        self._client: _Client | None = None
        self._made = asyncio.Event()
        self._refused: Exception | None = None
        self._closed_why = "not connected"
        self._awaiting: Ask | None = None
        self._last_activity_s = self._quiet_until_s = 0.0
        self._unanswered: Ask | None = None  # the last such
        self._owed: dict[Shape, float] = {}  # replies that may still come, and until when
        self._misses = 0
        self._anew = False  # the connection was given up by us: make another before the next request
        self._sent = b""
        self._heard = bytearray()  # since the request was sent

    # ------------------------------------------------------------------ connecting

    async def connect(self) -> None:
        """Open the line; raises PortError with a sentence that says what to do. Harmless when open."""
        if self._client is not None and self._client.connected:
            return
        self._drop()
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # our own lines say it once
        self._made.clear()
        self._refused = None
        self._client = client = self._build()
        refused: str | None
        try:
            async with asyncio.timeout(self.settings.connect_timeout_s):
                refused = await self._open(client)
        except (OSError, ValueError) as error:
            refused = port_advice(error)
        except BaseException:
            self._drop()
            raise
        if refused:
            self._drop()
            raise PortError(self.name, refused)
        self._misses, self._anew = 0, False
        self._closed_why = "not connected"
        if self._scheme == "tcp":
            self._owed.clear()  # what was asked on another connection is not answered on this one
        self._last_activity_s = asyncio.get_running_loop().time()

    async def _open(self, client: _Client) -> str | None:
        """What is in the way, in words; None when open."""
        if await client.connect():
            await self._made.wait()
            return None
        # The error's traceback holds the port open when it was set up halfway: let go of it.
        refused, self._refused = self._refused, None
        return port_advice(refused or OSError("it could not be opened"))

    def _build(self) -> _Client:
        # No time-out of the library's: it waits with asyncio.wait_for, which swallows a cancel that
        # arrives together with the reply (Python 3.11) and costs a loop turn. Ours is `_expire`.
        common: dict[str, Any] = {
            "timeout": None,
            "retries": 0,
            "reconnect_delay": 0,  # no task of its own
            "name": self.name,
            "trace_connect": self._on_connect,
        }
        client: _Client
        if self._scheme:
            framer = FramerType.SOCKET if self._scheme == "tcp" else FramerType.RTU
            client = AsyncModbusTcpClient(self._host, port=self._port, framer=framer, **common)
        else:
            client = AsyncModbusSerialClient(
                self._host,
                baudrate=self._line.baud,
                bytesize=self._line.bytesize,
                parity=self._line.parity,
                stopbits=self._line.stopbits,
                handle_local_echo=self.settings.local_echo,
                **common,
            )
        self._hook(client)
        return client

    def _hook(self, client: _Client) -> None:
        """Stand at the three places where the library's engine meets the line."""
        ctx = client.ctx
        create, parse, send = ctx.call_create, ctx.callback_data, ctx.send

        async def call_create() -> Any:
            try:
                return await create()
            except termios.error as error:  # pyserial lets it through, pymodbus does not expect it
                self._refused = OSError(*error.args)
                raise self._refused from error
            except OSError as error:
                self._refused = error  # pymodbus only logs it
                raise

        def callback_data(data: bytes, addr: tuple[Any, ...] | None = None) -> int:
            return self._on_data(data, lambda rest: parse(rest, addr))

        def low_level_send(data: bytes, addr: tuple[Any, ...] | None = None) -> None:
            self._sent = data
            _write_through(ctx.transport)
            send(data, addr)

        ctx.call_create = call_create
        ctx.callback_data = callback_data  # type: ignore[method-assign]  # instance hook, see above
        ctx.low_level_send = low_level_send

    def _on_connect(self, made: bool) -> None:
        if made:
            self._made.set()
            return
        _log.info("%s: connection lost", self.name)
        self._closed_why = "the port went away; check the cable or the adapter"
        self._fail(PortError(self.name, self._closed_why))

    async def close(self) -> None:
        """Close the line; harmless when closed already."""
        self._anew = False
        self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if self._made.is_set():
            client.close()
        else:  # the serial transport sets itself up in a later turn of the loop: close after that
            asyncio.get_running_loop().call_soon(client.close)

    # ------------------------------------------------------------------ requests

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Write holding registers (FC16) and wait for the panel's word that it took them."""
        words = tuple(values)
        await self._exchange(Ask(unit, WRITE_MULTIPLE, address, len(words), words))

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Write one register (FC6), for what knows no FC16.

        Its reply repeats the request, so an adapter that echoes passes for a panel: prefer FC16.
        """
        await self._exchange(Ask(unit, WRITE_SINGLE, address, 1, (value,)))

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Read holding registers (FC3)."""
        reply = await self._exchange(Ask(unit, READ_HOLDING, address, count))
        return list(reply.registers)

    async def ready(self) -> None:
        """Wait until the next request would be sent at once: for silence, and for no late reply."""
        if not self._owed and not self._turn.locked() and self._silence_s() <= 0:
            return
        async with self._turn:
            await self._ready()

    async def _exchange(self, ask: Ask) -> ModbusPDU:
        async with self._turn:
            await self._ready()
            reply = await self._ask(ask)
            if isinstance(reply, ExceptionResponse):
                self._stay_quiet()
                raise BadReply(self.name, ask.refusal(reply.exception_code))
            return reply

    async def _ready(self) -> None:
        if self._owed:
            now_s = asyncio.get_running_loop().time()
            self._owed = {shape: until_s for shape, until_s in self._owed.items() if until_s > now_s}
            if self._unanswered and self._owed and self.settings.resync:
                await self._resync(self._unanswered)
        await self._silence()

    async def _resync(self, ask: Ask) -> None:
        """Make sure that no reply to an earlier request is under way any more.

        A write's reply does not say what was written, so a late one could pass for the next. A slave
        answers in order: once it has answered a read of a size that nobody waits for, all before is past.
        """
        try:
            await self._probe(ask)
        except BadReply:  # most likely what was late: it has come now
            await self._probe(ask)
        self._owed.clear()

    async def _probe(self, ask: Ask) -> None:
        owed_reads = [shape for shape in self._owed if shape[1] == READ_HOLDING]
        sizes = {shape[3] for shape in owed_reads}
        count = next((n for n in range(1, MAX_READ) if n not in sizes), MAX_READ)
        reply = await self._ask(Ask(ask.unit, READ_HOLDING, ask.address, count))
        if isinstance(reply, ExceptionResponse) and owed_reads:  # a refusal of which read?
            for shape in owed_reads:
                del self._owed[shape]
            self._stay_quiet()
            raise BadReply(self.name, ask.refusal(reply.exception_code))

    async def _ask(self, ask: Ask) -> ModbusPDU:
        """One request, one reply to it: an exception reply or what was asked for."""
        await self._silence()
        if self._anew:
            await self.connect()
        client = self._client
        if client is None or not client.connected:
            raise PortError(self.name, self._closed_why)
        client.ctx.sent_buffer = b""  # an echo that never came must not be looked for now
        self._heard.clear()
        self._awaiting = ask
        timer = asyncio.get_running_loop().call_later(self.settings.timeout_s, self._expire, ask)
        answered = False
        try:
            reply = await _send(client, ask)
            if wrong := ask.mismatch(reply):
                raise BadReply(self.name, f"unit {ask.unit} answered something else: {wrong}")
            answered = True
        except ConnectionException as error:
            raise PortError(self.name, self._closed_why) from error
        except ModbusException as error:
            raise BadReply(self.name, f"unit {ask.unit} answered something else: {error}") from error
        except OSError as error:
            raise PortError(self.name, port_advice(error)) from error
        finally:
            timer.cancel()
            self._awaiting = None
            if not answered:  # also when cancelled
                self._unanswered = ask
                self._owed[ask.reply_shape] = asyncio.get_running_loop().time() + _LATE_S
                self._stay_quiet()
        self._misses = 0
        return reply

    async def _silence(self) -> None:
        """Leave the line quiet for as long as the slaves need to see that a frame has ended."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _MAX_SILENCE_S
        while (wait_s := min(self._silence_s(), give_up_s - loop.time())) > 0:  # noqa: ASYNC110  bytes may come
            await asyncio.sleep(wait_s)
        self._quiet_until_s = 0.0

    def _silence_s(self) -> float:
        """How much longer the line has to be quiet; zero or less: no longer."""
        due_s = max(self._quiet_until_s, self._last_activity_s + self._gap_s)
        return due_s - asyncio.get_running_loop().time()

    def _stay_quiet(self) -> None:
        self._quiet_until_s = asyncio.get_running_loop().time() + self.settings.quiet_s

    # ------------------------------------------------------------------ called by the loop

    def _on_data(self, data: bytes, parse: Callable[[bytes], int]) -> int:
        """All bytes received since the request; returns how many are dealt with."""
        self._last_activity_s = asyncio.get_running_loop().time()
        ask = self._awaiting
        if ask is None:
            _log.debug("%s: late bytes thrown away: %s", self.name, data.hex(" "))
            return len(data)
        self._heard[:] = data[:_HEARD_MAX]
        begin = 0
        if self._scheme != "tcp":
            begin = ask.reply_begins(data, self._sent, echo_told=self.settings.local_echo)
        if begin == len(data):
            return 0
        try:
            used = parse(data[begin:])
            return used and begin + used
        except ModbusIOException:  # a whole frame with a right CRC, of contents that do not decode
            self._fail(BadReply(self.name, f"an answer that is none: {bytes(self._heard).hex(' ')}"))
            return len(data)
        except Exception as error:  # noqa: BLE001  the library's decoders raise anything on garbage
            _log.debug("%s: not a frame yet: %s (%s)", self.name, data.hex(" "), error)
            return 0

    def _expire(self, ask: Ask) -> None:
        self._misses += 1
        self._fail(NoReply(self.name, f"unit {ask.unit} did not answer: {self._what_came()}"))
        if self._scheme and self._misses >= _TCP_MISSES and self._client is not None:
            _log.info("%s: %d requests unanswered, connecting anew", self.name, self._misses)
            self._drop()
            self._anew = True  # a gateway that restarted knows nothing of the old connection

    def _what_came(self) -> str:
        heard = bytes(self._heard)
        if not heard:
            return "nothing came back"
        if heard == self._sent:
            return "only our own request came back: the adapter echoes, the panel is silent"
        return f"what came is not its reply ({heard.hex(' ')})"

    def _fail(self, error: DeviceError) -> None:
        """End the request that is under way with this error."""
        if self._client is None or not self._awaiting:
            return
        future = self._client.ctx.response_future
        if not future.done():
            future.set_exception(error)


def _send(client: _Client, ask: Ask) -> Awaitable[ModbusPDU]:
    if ask.function == READ_HOLDING:
        return client.read_holding_registers(ask.address, count=ask.count, device_id=ask.unit)
    if ask.function == WRITE_SINGLE:
        return client.write_register(ask.address, ask.words[0], device_id=ask.unit)
    return client.write_registers(ask.address, list(ask.words), device_id=ask.unit)


def _write_through(transport: Any) -> None:
    """Let this serial transport put a request on the wire in the same turn of the loop.

    pymodbus's own asks to be called when the port takes bytes, which costs a turn, and pyserial looks
    twice more whether it does. What the port does not take at once, and every error, is left to them.
    """
    port = getattr(transport, "sync_serial", None)
    if port is None or "write" in vars(transport):  # TCP, or done before
        return
    fd, by_the_loop = port.fileno(), transport.write

    def write(data: bytes) -> None:
        sent = 0
        if not transport.intern_write_buffer:
            try:
                sent = os.write(fd, data)
            except OSError:
                sent = 0
        if sent < len(data):
            by_the_loop(data[sent:])

    transport.write = write
