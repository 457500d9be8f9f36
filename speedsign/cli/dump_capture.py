"""A few seconds of the radar for a bug report, as `speedsign replay` takes them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence

from drivers.radar.conversation import Conversation
from speedsign.capture import CaptureHeader, CaptureWriter
from speedsign.cli.doctor_patient import Patient
from speedsign.cli.field import a_port_has_one_reader
from speedsign.errors import UsageError
from speedsign.lines import radar_line
from speedsign.model import RadarEvent
from speedsign.ports import Clock
from speedsign.registry import load_radar

MOST_CHARACTERS = 1_200_000


def capture_of(patient: Patient, seconds: float) -> bytes:
    """Listens, and polls where the radar wants it; nothing is set. PortError, DriverError, UsageError."""
    if patient.runs:
        raise UsageError("--capture needs the radar: stop the sign first (sudo systemctl stop speedsign)")
    radar = patient.tables.radar
    if radar is None:
        raise UsageError("--capture needs [radar] in the config; correct that first")
    driver = load_radar(radar.driver, radar.profile)
    line = radar_line(radar.port, driver, radar.baud)
    clock: Clock = patient.clock
    out = io.StringIO()
    started = clock.now_utc().strftime("%Y-%m-%dT%H:%M:%SZ")
    header = CaptureHeader(
        radar.driver,
        radar.baud or driver.line.baud,
        started,
        radar.unit.value if radar.setup else None,
        radar.mounting_angle_deg,
        radar.profile,
    )

    async def listen() -> None:
        writer = CaptureWriter(out, header, clock.monotonic())
        decoder = driver.decoder(radar.unit)

        def on_chunk(data: bytes, t_mono_s: float) -> Sequence[RadarEvent]:
            if out.tell() < MOST_CHARACTERS:
                writer.add(data, t_mono_s)
            return decoder.feed(data, t_mono_s)

        async with Conversation(line, driver, clock, on_chunk) as talk:
            if driver.poll is not None:
                await talk.open_up()
            await talk.stay(seconds, asyncio.Event())

    with a_port_has_one_reader():
        asyncio.run(listen())
    return out.getvalue().encode()
