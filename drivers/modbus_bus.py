"""A paced Modbus line on pymodbus, with every reply checked.

What pymodbus leaves to its user, measured with 3.16.1, is done here:

- silence before a request: it keeps none since 3.8.1 (its issue 2827), RTU slaves need 3.5 characters;
- whether a reply answers the request: over RTU only the device id is compared, so that the late reply
  to one request passes for the success of the next;
- ends: a time-out without retries on the loop's clock, a cancel that is never swallowed, a lost port
  that is told at once, and no reconnecting behind our back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.modbus_client import ModbusClient, NotConnected, Parse, Unreadable, intact
from drivers.modbus_owed import Owed
from drivers.modbus_rules import (
    READ_COILS,
    READ_HOLDING,
    READ_INPUTS,
    WRITE_COIL,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Ask,
    Reply,
    parse_target,
    port_advice,
    silent_interval_s,
)
from speedsign.errors import BadReply, DeviceError, NoReply, PortError
from speedsign.ports import LineSettings, WriteRegisters

_log = logging.getLogger(__name__)

_MAX_SILENCE_S = 0.4  # a line that never gets quiet is asked all the same, so that its fault shows
_HEARD_MAX = 256  # one RTU frame: more is of no use to the technician
_TCP_MISSES = 3  # unanswered requests after which a TCP connection is taken for dead


@dataclass(frozen=True, slots=True)
class BusSettings:
    """How patient a bus is. With the defaults two tries and the quiet between them end within 0.6 s."""

    timeout_s: float = 0.24  # an FC16 of 4 registers takes 30 ms at 9600 baud; the rest is the panel's
    quiet_s: float = 0.1  # after a time-out, a cancel or a bad reply: late bytes are drained
    min_gap_s: float = 0.004  # LED panels take 4 ms of silence for a frame's end at any baud rate
    connect_timeout_s: float = 2.0
    local_echo: bool = False  # the adapter hears what it sends; only FC5 and FC6 need to be told
    resync: bool = True  # after a lost reply, ask a harmless read first (False: nobody can be read)
    unreadable: frozenset[int] = frozenset()  # units that answer no reads: never asked one


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
        self._target = parse_target(target)
        self._scheme = self._target[0]
        gap_s = max(silent_interval_s(self._line), self.settings.min_gap_s)
        self._gap_s = 0.0 if self._scheme == "tcp" else gap_s
        self._turn = asyncio.Lock()
        self._client: ModbusClient | None = None
        self._closed_why = "not connected"
        self._awaiting: Ask | None = None
        self._last_activity_s = self._quiet_until_s = 0.0
        self._owed = Owed()  # replies that may still come
        self._units: set[int] = set()  # that were asked
        self._misses = 0
        self._anew = False  # the connection was given up by us: make another before the next request
        self._heard = bytearray()  # since the request was sent

    # ------------------------------------------------------------------ connecting

    async def connect(self) -> None:
        """Open the line; raises PortError with a sentence that says what to do. Harmless when open."""
        if self._client is not None and self._client.connected:
            return
        self._drop()
        self._client = client = ModbusClient(
            self.name,
            self._target,
            self._line,
            local_echo=self.settings.local_echo,
            on_data=self._on_data,
            on_lost=self._on_lost,
        )
        refused: str | None
        try:
            async with asyncio.timeout(self.settings.connect_timeout_s):
                refused = await client.open()
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

    def _on_lost(self) -> None:
        _log.info("%s: connection lost", self.name)
        self._closed_why = "the port went away; check the cable or the adapter"
        self._fail(PortError(self.name, self._closed_why))

    async def close(self) -> None:
        """Close the line; harmless when closed already."""
        self._anew = False
        self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # ------------------------------------------------------------------ requests

    async def write_registers(self, unit: int, address: int, values: Sequence[int]) -> None:
        """Write holding registers (FC16) and wait for the device's word that it took them."""
        words = tuple(values)
        await self._exchange(Ask(unit, WRITE_MULTIPLE, address, len(words), words))

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Write one register (FC6), for what knows no FC16.

        Its reply repeats the request, so an adapter that echoes passes for a panel: prefer FC16.
        """
        await self._exchange(Ask(unit, WRITE_SINGLE, address, 1, (value,)))

    async def tell(self, unit: int, write: WriteRegisters) -> None:
        """Write at once, also while the reply to an earlier request may still come; proves nothing.

        For what is right whatever was lost. The next request asks what it is owed, as after a lost reply.
        """
        function = WRITE_SINGLE if write.single else WRITE_MULTIPLE
        ask = Ask(unit, function, write.address, len(write.values), write.values)
        async with self._turn:
            reply = await self._ask(ask)
            self._owe(ask)
            if reply.function_code & 0x80:
                self._stay_quiet()
                raise BadReply(self.name, ask.refusal(reply.body[0]))

    async def write_coil(self, unit: int, address: int, value: int) -> None:
        """Write one coil (FC5): `speedsign.ports.COIL_ON`, COIL_OFF, or a word that a maker has added.

        Its reply repeats the request, so an adapter that echoes passes for a relay: read it back.
        """
        await self._exchange(Ask(unit, WRITE_COIL, address, 1, (value,)))

    async def read_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Read holding registers (FC3)."""
        ask = Ask(unit, READ_HOLDING, address, count)
        return ask.words_of(await self._exchange(ask))

    async def read_input_registers(self, unit: int, address: int, count: int) -> list[int]:
        """Read input registers (FC4)."""
        ask = Ask(unit, READ_INPUTS, address, count)
        return ask.words_of(await self._exchange(ask))

    async def read_coils(self, unit: int, address: int, count: int) -> list[bool]:
        """Read coils (FC1)."""
        ask = Ask(unit, READ_COILS, address, count)
        return ask.coils_of(await self._exchange(ask))

    async def ready(self, unit: int | None = None) -> None:
        """Wait until the next request would be sent at once: for silence, and for no late reply.

        Which replies may be late depends on the unit that is to be asked; None: the only one there is. On
        a line with several that are not named, what may be late is waited for in the request.
        """
        if not self._owed and not self._turn.locked() and self._silence_s() <= 0:
            return
        if unit is None and len(self._units) == 1:
            (unit,) = self._units
        async with self._turn:
            await self._ready(unit)

    async def _exchange(self, ask: Ask) -> Reply:
        async with self._turn:
            await self._ready(ask.unit)
            reply = await self._ask(ask)
            if reply.function_code & 0x80:
                self._stay_quiet()
                raise BadReply(self.name, ask.refusal(reply.body[0]))
            return reply

    async def _ready(self, unit: int | None) -> None:
        if self._owed and unit is not None:
            await self._resync(unit)
        await self._silence()

    async def _resync(self, unit: int) -> None:
        """Make sure that no reply to an earlier request to this unit is under way any more."""
        try:
            await self._probe(unit)
        except BadReply:  # most likely what was late: it has come now
            await self._probe(unit)
        self._owed.settle(unit)

    async def _probe(self, unit: int) -> None:
        probe = self._owed.probe(unit, asyncio.get_running_loop().time())
        if probe is None:
            return
        reply = await self._ask(probe, probes=True)
        if reply.function_code & 0x80 and self._owed.is_ambiguous(probe):
            self._stay_quiet()
            raise BadReply(self.name, probe.refusal(reply.body[0]))

    async def _ask(self, ask: Ask, *, probes: bool = False) -> Reply:
        """One request, one reply to it: an exception reply or what was asked for."""
        await self._silence()
        if self._anew:
            await self.connect()
        client = self._client
        if client is None or not client.connected:
            raise PortError(self.name, self._closed_why)
        self._units.add(ask.unit)
        self._heard.clear()
        self._awaiting = ask
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.settings.timeout_s, self._expire, ask)
        answered = False
        try:
            reply = await client.ask(ask)
            if wrong := ask.mismatch(reply):
                raise BadReply(self.name, f"unit {ask.unit} answered something else: {wrong}")
            answered = True
        except NotConnected as error:
            raise PortError(self.name, self._closed_why) from error
        except Unreadable as error:
            raise BadReply(self.name, f"unit {ask.unit} answered something else: {error}") from error
        except OSError as error:
            raise PortError(self.name, port_advice(error)) from error
        finally:
            timer.cancel()
            self._awaiting = None
            if not answered:  # also when cancelled
                self._owe(ask, probes=probes)
                self._stay_quiet()
        self._misses = 0
        return reply

    def _owe(self, ask: Ask, *, probes: bool = False) -> None:
        """Its reply may still come."""
        if self.settings.resync and ask.unit not in self.settings.unreadable:
            self._owed.add(ask, asyncio.get_running_loop().time(), probe=probes)

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

    def _on_data(self, data: bytes, parse: Parse) -> int:
        """All bytes received since the request; returns how many are dealt with."""
        self._last_activity_s = asyncio.get_running_loop().time()
        ask, client = self._awaiting, self._client
        if ask is None or client is None:
            _log.debug("%s: late bytes thrown away: %s", self.name, data.hex(" "))
            return len(data)
        self._heard[:] = data[:_HEARD_MAX]
        begin = 0
        if self._scheme != "tcp":
            told = self.settings.local_echo
            begin = ask.reply_begins(data, client.sent, echo_told=told, intact=intact)
        if begin == len(data):
            return 0
        try:
            used = parse(data[begin:])
            return used and begin + used
        except Unreadable:
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
        if self._client is not None and heard == self._client.sent:
            return "only our own request came back: the adapter echoes, the panel is silent"
        return f"what came is not its reply ({heard.hex(' ')})"

    def _fail(self, error: DeviceError) -> None:
        """End the request that is under way with this error."""
        if self._client is not None and self._awaiting:
            self._client.fail(error)
