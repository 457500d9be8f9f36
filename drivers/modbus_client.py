"""One connection of pymodbus's engine, for the bus: the only module that imports pymodbus.

pymodbus does transport and framing. What a request asks for and whether a reply answers it is ours
(`drivers.modbus_rules`): its own classes take a coil for a bool, and leave lengths unchecked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import termios
from collections.abc import Callable
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from drivers.modbus_rules import FUNCTIONS, READS, Ask, Reply, port_advice
from speedsign.errors import DeviceError
from speedsign.ports import LineSettings

Parse = Callable[[bytes], int]  # gives the engine bytes; how many are dealt with


class NotConnected(Exception):  # noqa: N818  the situation is its name
    """The connection is not there, or went away."""


class Unreadable(Exception):  # noqa: N818  the situation is its name
    """A whole frame came, of contents that make no sense."""


class _Request(ModbusPDU):
    """Any request, with its data as it is."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(dev_id=ask.unit)
        self.function_code = ask.function
        self._body = ask.body

    def encode(self) -> bytes:
        return self._body


class _Reply(ModbusPDU):
    """Any reply that is no exception, with its data as it is."""

    body: bytes

    def decode(self, data: bytes) -> None:
        self.body = data


# How long a reply is: a read says so behind the function code, the others are 8 bytes with unit and CRC.
_REPLIES = [
    type(
        f"_Reply{code}",
        (_Reply,),
        {"function_code": code} | ({"rtu_byte_count_pos": 2} if code in READS else {"rtu_frame_size": 8}),
    )
    for code in FUNCTIONS
]


def intact(frame: bytes) -> bool:
    """Whether an RTU frame's CRC is right."""
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


class ModbusClient:
    """A connection, made once. `scheme`: "tcp", "rtu+tcp", or nothing for a serial port.

    `on_data(data, parse)` gets all bytes since the request each time that there are more, hands to
    `parse` what may be the reply, and says how many are dealt with. `on_lost()` is called when the line
    goes away by itself.
    """

    def __init__(
        self,
        name: str,
        target: tuple[str, str, int],
        line: LineSettings,
        *,
        local_echo: bool,
        on_data: Callable[[bytes, Parse], int],
        on_lost: Callable[[], None],
    ) -> None:
        self.sent = b""  # the last request, as it went out
        self._scheme, self._host, self._port = target
        self._on_data, self._on_lost = on_data, on_lost
        self._made = asyncio.Event()
        self._refused: Exception | None = None
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # the bus's own lines say it once
        self._engine = self._build(name, line, local_echo)
        for reply in _REPLIES:
            self._engine.register(reply)
        self._hook()

    @property
    def connected(self) -> bool:
        return self._engine.connected

    async def open(self) -> str | None:
        """What is in the way, in words; None when open. Also raises OSError and ValueError."""
        if await self._engine.connect():
            await self._made.wait()
            return None
        # The error's traceback holds the port open when it was set up halfway: let go of it.
        refused, self._refused = self._refused, None
        return port_advice(refused or OSError("it could not be opened"))

    def close(self) -> None:
        if self._made.is_set():
            self._engine.close()
        else:  # the serial transport sets itself up in a later turn of the loop: close after that
            asyncio.get_running_loop().call_soon(self._engine.close)

    async def ask(self, ask: Ask) -> Reply:
        """Send a request; the first reply of its unit, whatever it is. Waits until `fail` ends that.

        Raises NotConnected, Unreadable, OSError, and what `fail` is given.
        """
        self._engine.ctx.sent_buffer = b""  # an echo that never came must not be looked for now
        try:
            reply: Any = await self._engine.execute(False, _Request(ask))
        except ConnectionException as error:
            raise NotConnected from error
        except ModbusException as error:
            raise Unreadable(str(error)) from error
        if isinstance(reply, ExceptionResponse):
            reply.body = bytes([reply.exception_code])  # type: ignore[attr-defined]
        return reply  # type: ignore[no-any-return]

    def fail(self, error: DeviceError) -> None:
        """End the request that is under way with this error."""
        future = self._engine.ctx.response_future
        if not future.done():
            future.set_exception(error)

    # ------------------------------------------------------------------ the engine

    def _build(
        self, name: str, line: LineSettings, local_echo: bool
    ) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
        # No time-out of the library's: it waits with asyncio.wait_for, which swallows a cancel that
        # arrives together with the reply (Python 3.11) and costs a loop turn. The bus has its own.
        common: dict[str, Any] = {
            "timeout": None,
            "retries": 0,
            "reconnect_delay": 0,  # no task of its own
            "name": name,
            "trace_connect": self._on_connect,
        }
        if self._scheme:
            framer = FramerType.SOCKET if self._scheme == "tcp" else FramerType.RTU
            return AsyncModbusTcpClient(self._host, port=self._port, framer=framer, **common)
        return AsyncModbusSerialClient(
            self._host,
            baudrate=line.baud,
            bytesize=line.bytesize,
            parity=line.parity,
            stopbits=line.stopbits,
            handle_local_echo=local_echo,
            **common,
        )

    def _hook(self) -> None:
        """Stand at the three places where the library's engine meets the line."""
        ctx = self._engine.ctx
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
            return self._on_data(data, lambda rest: _parsed(parse, rest, addr))

        def low_level_send(data: bytes, addr: tuple[Any, ...] | None = None) -> None:
            self.sent = data
            _write_through(ctx.transport)
            send(data, addr)

        ctx.call_create = call_create
        ctx.callback_data = callback_data  # type: ignore[method-assign]  # instance hook, see above
        ctx.low_level_send = low_level_send

    def _on_connect(self, made: bool) -> None:
        if made:
            self._made.set()
        else:
            self._on_lost()


def _parsed(parse: Callable[..., int], data: bytes, addr: tuple[Any, ...] | None) -> int:
    try:
        return parse(data, addr)
    except ModbusIOException as error:  # a whole frame with a right CRC, of contents that do not decode
        raise Unreadable(str(error)) from error


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
