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
import errno
import logging
import select
import socket
import termios
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from speedsign.errors import BadReply, DeviceError, DriverError, NoReply, PortError
from speedsign.ports import LineSettings

_log = logging.getLogger(__name__)

READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE = 3, 6, 16  # function codes we use
_MAX_WRITE, _MAX_READ = 123, 125  # registers in one request (Modbus application protocol 6.3, 6.12)
_MAX_SILENCE_S = 0.4  # a line that never gets quiet is asked all the same, so that its fault shows
_LATE_S = 5.0  # no reply comes later than this after its request was given up
_HEARD_MAX = 256  # one RTU frame: more is of no use to the technician
_TCP_MISSES = 3  # unanswered requests after which a TCP connection is taken for dead

_EXCEPTIONS = {  # Modbus application protocol, section 7
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}

_Client = AsyncModbusSerialClient | AsyncModbusTcpClient
_Shape = tuple[int, int, int, int]  # what tells replies apart: unit, function, address, count


@dataclass(frozen=True, slots=True)
class BusSettings:
    """How patient a bus is. With the defaults two tries and the quiet between them end within 0.6 s."""

    timeout_s: float = 0.24  # an FC16 of 4 registers takes 30 ms at 9600 baud; the rest is the panel's
    quiet_s: float = 0.1  # after a time-out, a cancel or a bad reply: late bytes are drained
    min_gap_s: float = 0.004  # LED panels take 4 ms of silence for a frame's end at any baud rate
    connect_timeout_s: float = 2.0
    local_echo: bool = False  # the adapter hears what it sends; only FC6 needs to be told
    resync: bool = True  # after a lost reply, ask a harmless read first (False: the panel cannot be read)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request, and what its reply has to look like."""

    unit: int
    function: int
    address: int
    count: int
    send: Callable[[_Client], Awaitable[ModbusPDU]]
    value: int | None = None  # of a single register: its reply repeats it

    @property
    def reply_shape(self) -> _Shape:
        """What tells this reply from others on the wire: a read's reply does not name its address."""
        return (self.unit, self.function, 0 if self.function == READ_HOLDING else self.address, self.count)


def silent_interval_s(line: LineSettings) -> float:
    """t3.5: 3.5 characters up to 19200 baud, 1.75 ms above (Modbus over serial line V1.02, 2.5.1.1)."""
    if line.baud > 19200:
        return 0.00175
    bits = 1 + line.bytesize + (line.parity != "N") + line.stopbits
    return 3.5 * bits / line.baud


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
        self._scheme, self._host, self._port = _parse(target)
        gap_s = max(silent_interval_s(self._line), self.settings.min_gap_s)
        self._gap_s = 0.0 if self._scheme == "tcp" else gap_s
        self._turn = asyncio.Lock()
        self._client: _Client | None = None
        self._made = asyncio.Event()
        self._refused: Exception | None = None
        self._closed_why = "not connected"
        self._awaiting = False
        self._last_activity_s = self._quiet_until_s = 0.0
        self._unanswered: _Ask | None = None  # the last such
        self._owed: dict[_Shape, float] = {}  # replies that may still come, and until when
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
        try:
            async with asyncio.timeout(self.settings.connect_timeout_s):
                await self._open(client)
        except (OSError, ValueError) as error:
            self._drop()
            raise PortError(self.name, _advice(error)) from error
        except BaseException:
            self._drop()
            raise
        self._misses, self._anew = 0, False
        self._closed_why = "not connected"
        if self._scheme == "tcp":
            self._owed.clear()  # what was asked on another connection is not answered on this one
        self._last_activity_s = asyncio.get_running_loop().time()

    async def _open(self, client: _Client) -> None:
        if not await client.connect():
            raise self._refused or OSError("it could not be opened")
        await self._made.wait()

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
            send(data, addr)
            _flush(ctx.transport)

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
        words = list(values)
        _check(unit, address, len(words), _MAX_WRITE, words)
        await self._exchange(
            _Ask(
                unit,
                WRITE_MULTIPLE,
                address,
                len(words),
                lambda client: client.write_registers(address, words, device_id=unit),
            )
        )

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Write one register (FC6), for what knows no FC16.

        Its reply repeats the request, so an adapter that echoes passes for a panel: prefer FC16.
        """
        _check(unit, address, 1, 1, [value])
        await self._exchange(
            _Ask(
                unit,
                WRITE_SINGLE,
                address,
                1,
                lambda client: client.write_register(address, value, device_id=unit),
                value,
            )
        )

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Read holding registers (FC3)."""
        _check(unit, address, count, _MAX_READ, [])
        reply = await self._exchange(_read(unit, address, count))
        return list(reply.registers)

    async def ready(self) -> None:
        """Wait until the next request would be sent at once: for silence, and for no late reply."""
        async with self._turn:
            await self._ready()

    async def _exchange(self, ask: _Ask) -> ModbusPDU:
        async with self._turn:
            await self._ready()
            reply = await self._ask(ask)
            if isinstance(reply, ExceptionResponse):
                self._stay_quiet()
                raise BadReply(self.name, _refusal(ask, reply.exception_code))
            return reply

    async def _ready(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._owed = {shape: until_s for shape, until_s in self._owed.items() if until_s > now_s}
        if self._unanswered and self._owed and self.settings.resync:
            await self._resync(self._unanswered)
        await self._silence()

    async def _resync(self, ask: _Ask) -> None:
        """Make sure that no reply to an earlier request is under way any more.

        A write's reply does not say what was written, so a late one could pass for the next. A slave
        answers in order: once it has answered a read of a size that nobody waits for, all before is past.
        """
        try:
            await self._probe(ask)
        except BadReply:  # most likely what was late: it has come now
            await self._probe(ask)
        self._owed.clear()

    async def _probe(self, ask: _Ask) -> None:
        owed_reads = [shape for shape in self._owed if shape[1] == READ_HOLDING]
        sizes = {shape[3] for shape in owed_reads}
        count = next((n for n in range(1, _MAX_READ) if n not in sizes), _MAX_READ)
        reply = await self._ask(_read(ask.unit, ask.address, count))
        if isinstance(reply, ExceptionResponse) and owed_reads:  # a refusal of which read?
            for shape in owed_reads:
                del self._owed[shape]
            self._stay_quiet()
            raise BadReply(self.name, _refusal(ask, reply.exception_code))

    async def _ask(self, ask: _Ask) -> ModbusPDU:
        """One request, one reply to it: an exception reply or what was asked for."""
        await self._silence()
        if self._anew:
            await self.connect()
        client = self._client
        if client is None or not client.connected:
            raise PortError(self.name, self._closed_why)
        client.ctx.sent_buffer = b""  # an echo that never came must not be looked for now
        self._heard.clear()
        self._awaiting = True
        timer = asyncio.get_running_loop().call_later(self.settings.timeout_s, self._expire, ask)
        answered = False
        try:
            reply = await ask.send(client)
            self._compare(ask, reply)
            answered = True
        except ConnectionException as error:
            raise PortError(self.name, self._closed_why) from error
        except ModbusException as error:
            raise BadReply(self.name, f"unit {ask.unit} answered something else: {error}") from error
        except OSError as error:
            raise PortError(self.name, _advice(error)) from error
        finally:
            timer.cancel()
            self._awaiting = False
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
        while True:
            due_s = max(self._quiet_until_s, self._last_activity_s + self._gap_s)
            wait_s = min(due_s, give_up_s) - loop.time()
            if wait_s <= 0:
                break
            await asyncio.sleep(wait_s)
        self._quiet_until_s = 0.0

    def _stay_quiet(self) -> None:
        self._quiet_until_s = asyncio.get_running_loop().time() + self.settings.quiet_s

    def _compare(self, ask: _Ask, reply: ModbusPDU) -> None:
        """Raise BadReply unless this can be the reply to that request."""
        wrong = _mismatch(ask, reply)
        if wrong:
            raise BadReply(self.name, f"unit {ask.unit} answered something else: {wrong}")

    # ------------------------------------------------------------------ called by the loop

    def _on_data(self, data: bytes, parse: Callable[[bytes], int]) -> int:
        """All bytes received since the request; returns how many are dealt with."""
        self._last_activity_s = asyncio.get_running_loop().time()
        if not self._awaiting:
            _log.debug("%s: late bytes thrown away: %s", self.name, data.hex(" "))
            return len(data)
        self._heard[:] = data[:_HEARD_MAX]
        echo = self._echo_in(data)
        if echo == len(data):
            return 0
        try:
            used = parse(data[echo:])
            return used and echo + used
        except ModbusIOException:  # a whole frame with a right CRC, of contents that do not decode
            self._fail(BadReply(self.name, f"an answer that is none: {bytes(self._heard).hex(' ')}"))
            return len(data)
        except Exception as error:  # noqa: BLE001  the library's decoders raise anything on garbage
            _log.debug("%s: not a frame yet: %s (%s)", self.name, data.hex(" "), error)
            return 0

    def _echo_in(self, data: bytes) -> int:
        """How many of these bytes are our own request, heard by an adapter that echoes.

        An RTU reply to FC3 or FC16 never begins like the whole request; to FC6 it is the request, so
        there only `local_echo` can tell. What may become an echo has to be waited for.
        """
        if self._scheme == "tcp" or self.settings.local_echo or self._sent[1:2] == bytes([WRITE_SINGLE]):
            return 0
        if data.startswith(self._sent):
            return len(self._sent)
        return len(data) if self._sent.startswith(data) else 0

    def _expire(self, ask: _Ask) -> None:
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


# ---------------------------------------------------------------------- small helpers


def _read(unit: int, address: int, count: int) -> _Ask:
    return _Ask(
        unit,
        READ_HOLDING,
        address,
        count,
        lambda client: client.read_holding_registers(address, count=count, device_id=unit),
    )


def _mismatch(ask: _Ask, reply: ModbusPDU) -> str | None:
    """What about the reply does not fit; None when all does."""
    if reply.dev_id != ask.unit:
        return f"it calls itself unit {reply.dev_id}"
    if reply.function_code & 0x7F != ask.function:
        return f"function {reply.function_code & 0x7F} instead of {ask.function}"
    if isinstance(reply, ExceptionResponse):
        return None
    if ask.function == READ_HOLDING:
        got = len(reply.registers)
        return None if got == ask.count else f"{got} registers instead of {ask.count}"
    if reply.address != ask.address:
        return f"address {reply.address} instead of {ask.address}"
    if ask.function == WRITE_SINGLE:
        return None if list(reply.registers) == [ask.value] else f"value {list(reply.registers)}"
    return None if reply.count == ask.count else f"{reply.count} registers instead of {ask.count}"


def _refusal(ask: _Ask, code: int) -> str:
    meaning = _EXCEPTIONS.get(code, "unknown")
    return (
        f"unit {ask.unit} refused function {ask.function} at register {ask.address}: "
        f"exception {code}, {meaning}"
    )


def _check(unit: int, address: int, count: int, most: int, values: Sequence[object]) -> None:
    """A driver's mistake is told as one, instead of a struct.error from inside the library."""
    if not 0 <= unit <= 255:
        raise DriverError(f"unit {unit} is not a Modbus unit id, 0 to 255")
    if not 1 <= count <= most or not 0 <= address <= 0x10000 - count:
        raise DriverError(f"{count} registers at {address} cannot be asked for at once")
    if not all(isinstance(value, int) and 0 <= value <= 0xFFFF for value in values):
        raise DriverError(f"register values must be integers from 0 to 65535, not {values}")


def _flush(transport: object) -> None:
    """Put the request on the wire in this turn of the loop.

    pymodbus's serial transport only asks to be called when the port takes bytes, which costs a turn.
    Writing is tried only when the port takes bytes now: pyserial would spin on one that does not.
    """
    ready = getattr(transport, "intern_write_ready", None)
    port = getattr(transport, "sync_serial", None)
    if ready is not None and port is not None and select.select((), (port.fileno(),), (), 0)[1]:
        ready()


def _parse(target: str) -> tuple[str, str, int]:
    """`tcp`, `rtu+tcp` or nothing for a serial port; host or path; TCP port."""
    if "://" not in target:
        return "", target, 0
    try:
        url = urlsplit(target)
        scheme, host, port = url.scheme, url.hostname, url.port or 502
    except ValueError:
        scheme, host, port = "", None, 0
    if scheme not in ("tcp", "rtu+tcp") or not host:
        raise DriverError(f"{target!r} is no port; write /dev/…, tcp://host:502 or rtu+tcp://host:4001")
    return scheme, host, port


def _advice(error: Exception) -> str:
    """What happened to the port, and what to do about it."""
    if isinstance(error, TimeoutError):
        return "no answer to the connection; check the address and the network"
    if isinstance(error, socket.gaierror):
        return "the name is not known; check the address"
    code = getattr(error, "errno", None)
    known = {
        errno.ENOENT: "no such port; check that the adapter is plugged in and how it is named",
        errno.ENODEV: "no such port; check that the adapter is plugged in",
        errno.ENXIO: "no such port; check that the adapter is plugged in",
        errno.EACCES: "not permitted; add the user to the group dialout",
        errno.EPERM: "not permitted; add the user to the group dialout",
        errno.EAGAIN: "in use by another program; stop that first",
        errno.EBUSY: "in use by another program; stop that first",
        errno.EIO: "the port went away; check the cable or the adapter",
        errno.ECONNREFUSED: "connection refused; check the address, the port and that the device is on",
        errno.EHOSTUNREACH: "cannot be reached; check the network",
        errno.ENETUNREACH: "cannot be reached; check the network",
    }
    return known.get(code or 0, f"cannot be used: {error}")
