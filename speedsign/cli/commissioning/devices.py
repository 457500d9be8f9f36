"""What a commissioning touches: ports, radar, panel, broker, and the sign itself, each by one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from drivers.display.hand import Hand, Told
from drivers.display.scan import Plan, Search
from drivers.display.scan_line import scan
from drivers.radar.conversation import Conversation
from drivers.radar.detect import candidates
from drivers.radar.probe import Finding, Probe
from drivers.radar.setup import SetupReport
from speedsign.cli.display_parts import Parts
from speedsign.cli.field import a_port_has_one_reader
from speedsign.cli.hearing import Hearer, Source, hear
from speedsign.cli.radar_detect import serial_ports
from speedsign.cli.radar_line import Chosen, run_set_up
from speedsign.errors import DeviceError, DriverError, UsageError
from speedsign.lines import byte_line
from speedsign.model import Face, RadarEvent, Unit
from speedsign.ports import Clock, ModbusBus, PanelDriver

if TYPE_CHECKING:
    from speedsign.cli.commissioning.trial import Outcome
    from speedsign.config.schema import Config, MqttConfig

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Interview:
    """What a radar says of itself, and how it differs from what the sign wants of it.

    `unit`: what it says that its speeds are in; None: it does not say so.
    """

    said: dict[str, str]
    report: SetupReport
    unit: Unit | None = None


class Lit(Protocol):
    """A panel in a person's hand; dark when it is let go."""

    async def put(self, face: Face) -> list[Told]: ...

    async def dim(self, level: float) -> list[Told]: ...


class Devices(Protocol):
    """Errors: PortError, NoReply, BadReply, DriverError, UsageError. Nothing is open between two calls."""

    def ports(self) -> list[str]:
        """The serial ports of this machine."""
        ...

    async def look_at(self, port: str, driver: str | None, listen_s: float, say: Say) -> Finding:
        """Which radar is there; `driver`: none but this one."""
        ...

    async def interview(self, choice: Chosen) -> Interview:
        """Everything that a radar can be asked without changing it."""
        ...

    async def set_up(self, choice: Chosen) -> SetupReport:
        """Set the radar as the sign would."""
        ...

    async def hear(self, choice: Chosen, hearer: Hearer, seconds: float, stop: asyncio.Event) -> None:
        """Listen to the radar, set up as by the sign, for so long or until `stop`."""
        ...

    async def scan(self, port: str, plan: Plan, say: Say) -> Search:
        """Who is on a Modbus line."""
        ...

    async def standing_step(self, parts: Parts, driver: PanelDriver) -> int | None:
        """At which of its steps (from 1) a panel's brightness stands; None: it cannot be read."""
        ...

    def hold(self, parts: Parts, driver: PanelDriver, level: float) -> AbstractAsyncContextManager[Lit]:
        """The panel, dark at first and at the end."""
        ...

    async def run_sign(self, config: Config, seconds: float, say: Say) -> Outcome:
        """The whole sign for so long, without broker and with a database that is thrown away."""
        ...

    async def connect(self, mqtt: MqttConfig, sign: str) -> str:
        """One connection to the broker; an empty text, or why not in a sentence."""
        ...


class RealDevices:
    """Those of this machine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ports(self) -> list[str]:
        return serial_ports()

    async def look_at(self, port: str, driver: str | None, listen_s: float, say: Say) -> Finding:
        found = candidates([driver] if driver else None)
        return await Probe(byte_line, self._clock, found, listen_s=listen_s, say=say).look_at(port)

    async def interview(self, choice: Chosen) -> Interview:
        try:
            settings = choice.driver.settings(choice.settings())
        except DriverError as error:
            raise UsageError(f"this radar cannot do what the config wants: {error}") from error
        questions = [] if choice.driver.ping is None else [choice.driver.ping]
        questions += [one.query for one in settings if one.query is not None]
        decoder = choice.driver.decoder(choice.radar.unit)
        units = {unit: choice.driver.decoder(unit) for unit in Unit}

        def feed(chunk: bytes, t_mono_s: float) -> Sequence[RadarEvent]:
            for other in units.values():
                other.feed(chunk, t_mono_s)
            return decoder.feed(chunk, t_mono_s)

        with a_port_has_one_reader():
            async with Conversation(choice.line(), choice.driver, self._clock, feed) as talk:
                await talk.open_up()
                said = await talk.ask_all(questions)
                report = await talk.set_up(settings, lambda _result: None, dry_run=True)
        told = [unit for unit, other in units.items() if other.unit_confirmed]
        return Interview(said, report, told[0] if len(told) == 1 else None)

    async def set_up(self, choice: Chosen) -> SetupReport:
        return await run_set_up(choice, lambda _result: None)

    async def hear(self, choice: Chosen, hearer: Hearer, seconds: float, stop: asyncio.Event) -> None:
        await hear(Source(choice), hearer, self._clock, seconds, stop, set_up=True)

    async def scan(self, port: str, plan: Plan, say: Say) -> Search:
        with a_port_has_one_reader():
            return await scan(port, plan, byte_line, say)

    async def standing_step(self, parts: Parts, driver: PanelDriver) -> int | None:
        """Reads only, before anybody sets it."""
        register = brightness_register(driver)
        if register is None or not driver.capabilities.reads_back:
            return None
        address, lowest, highest = register
        bus: ModbusBus = parts.panels(driver).bus
        try:
            await bus.connect()
            held = (await bus.read_registers(parts.display.unit, address, 1))[0]
        except DeviceError:
            return None
        finally:
            await bus.close()
        return abs(held - lowest) + 1 if min(lowest, highest) <= held <= max(lowest, highest) else None

    def hold(self, parts: Parts, driver: PanelDriver, level: float) -> AbstractAsyncContextManager[Lit]:
        return _Held(Hand(parts.panels(driver), level))

    async def run_sign(self, config: Config, seconds: float, say: Say) -> Outcome:
        from speedsign.cli.commissioning.trial import run_sign

        return await run_sign(config, seconds, self._clock, say)

    async def connect(self, mqtt: MqttConfig, sign: str) -> str:
        from speedsign.cli.commissioning.trial import connect

        return await connect(mqtt, sign, self._clock)


class _Held:
    """A hand whose port is in use says what to do about it."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    async def __aenter__(self) -> Lit:
        with a_port_has_one_reader():
            return await self._hand.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self._hand.__aexit__(error[0], _exception(error[1]), error[2])


def _exception(error: object) -> BaseException | None:
    return error if isinstance(error, BaseException) else None


def brightness_register(driver: PanelDriver) -> tuple[int, int, int] | None:
    """Where a panel keeps its brightness, and what it holds at the dimmest and the brightest step."""
    low, high = (driver.brightness(level) for level in (0.0, 1.0))
    if not all(len(one) == 1 and len(one[0].values) == 1 for one in (low, high)):
        return None
    if low[0].address != high[0].address:
        return None
    return low[0].address, low[0].values[0], high[0].values[0]
