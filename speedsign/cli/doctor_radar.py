"""Asks the radar of a stopped sign who it is and how it is set; nothing is set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from drivers.radar.conversation import Conversation
from drivers.radar.detect import candidates
from drivers.radar.probe import Probe, words
from drivers.radar.setup import Outcome, SettingResult
from speedsign.cli.doctor_patient import Patient, not_for_us
from speedsign.config.schema import RadarConfig
from speedsign.config.wanted import radar_settings
from speedsign.doctor.devices import RadarFacts, judge_radar
from speedsign.doctor.finding import Finding, unknown
from speedsign.errors import DriverError, PortError
from speedsign.lines import byte_line, radar_line
from speedsign.model import Idle, RadarEvent, Reading, Rejected, Reply
from speedsign.ports import Clock, Decoder, RadarDriver, Setting
from speedsign.registry import load_radar

LISTEN_S = 3.0
PROBE_S = 1.0  # at each setting of the line
SEARCH_S = 30.0  # for all of them


def look_at_radar(patient: Patient) -> Sequence[Finding]:
    """Of a sign that is stopped; may take a quarter of a minute where nothing makes sense."""
    radar, tracking = patient.tables.radar, patient.tables.tracking
    if radar is None:
        return [
            unknown("radar", "[radar] cannot be used", "correct it; speedsign radar detect finds the radar")
        ]
    try:
        driver = load_radar(radar.driver, radar.profile)
    except DriverError as error:
        return [unknown("radar", str(error), "correct [radar] driver")]
    closed = not_for_us("radar", radar.port)
    if closed is not None:
        return [closed]
    talk = _Talk(radar, driver, patient.clock)
    settings = radar_settings(radar, tracking, driver)
    try:
        asyncio.run(talk.hold(driver.settings(settings) if radar.setup else ()))
    except PortError as error:
        return judge_radar(RadarFacts(radar.driver, radar.port, problem=str(error)))
    except DriverError as error:
        return [unknown("radar", str(error), "correct [radar]")]
    facts = talk.facts()
    if not facts.frames and not patient.options.quick:
        found, as_said = asyncio.run(_searched(radar, driver, patient.clock))
        facts = replace(facts, elsewhere=found, as_said=as_said)
    return judge_radar(facts)


class _Talk:
    """One conversation, and what came of it."""

    def __init__(self, radar: RadarConfig, driver: RadarDriver, clock: Clock) -> None:
        self._radar, self._driver, self._clock = radar, driver, clock
        self._decoder: Decoder = driver.decoder(radar.unit)
        self._good = self._rejected = 0
        self._said: dict[str, str] = {}
        self._results: list[SettingResult] = []
        self._began_s = clock.monotonic()

    async def hold(self, settings: Sequence[Setting]) -> None:
        """Listen, then ask how it is set. A radar that is set by hand is listened to, or polled."""
        line = radar_line(self._radar.port, self._driver, self._radar.baud)
        async with Conversation(line, self._driver, self._clock, self._on_chunk) as talk:
            if self._radar.setup or self._driver.poll is not None:
                await talk.open_up()
            if self._radar.setup and self._driver.ping is not None:
                await talk.ask_all([self._driver.ping])
            await talk.stay(LISTEN_S, asyncio.Event())
            if self._good or self._driver.ping is None:  # who says nothing would be asked each thing in vain
                await talk.set_up(settings, self._results.append, dry_run=True)

    def _on_chunk(self, data: bytes, t_mono_s: float) -> Sequence[RadarEvent]:
        events = self._decoder.feed(data, t_mono_s)
        for event in events:
            self._good += isinstance(event, Reading | Idle | Reply)
            self._rejected += isinstance(event, Rejected)
            if isinstance(event, Reply):
                self._said |= event.values
        return events

    def facts(self) -> RadarFacts:
        counters = self._decoder.counters
        return RadarFacts(
            self._radar.driver,
            self._radar.port,
            self._driver.title,
            self._radar.profile,
            baud=self._radar.baud or self._driver.line.baud,
            n_bytes=counters.get("bytes"),
            frames=self._good,
            bad=counters.get("bad") + counters.get("overflow"),
            seconds=self._clock.monotonic() - self._began_s,
            said=self._said,
            differing=tuple(_differs(one) for one in self._results if one.outcome is Outcome.DIFFERS),
            unanswered=tuple(one.name for one in self._results if one.outcome is Outcome.NO_ANSWER),
            rejected=self._rejected,
            answered=sum(one.outcome in (Outcome.RIGHT, Outcome.DIFFERS) for one in self._results),
            setup=self._radar.setup,
            quiet_when_idle=not self._driver.streams_when_idle and not self._may_answer,
        )

    @property
    def _may_answer(self) -> bool:
        return self._radar.setup and self._driver.ping is not None


def _differs(result: SettingResult) -> str:
    return f"{result.name} is {result.before}, wanted {result.wanted}"


async def _searched(radar: RadarConfig, driver: RadarDriver, clock: Clock) -> tuple[str, bool]:
    """What is recognised there at any setting of the line, by harmless questions ("": nothing), and whether
    that is what the config says: a radar may have come to speak meanwhile."""
    probe = Probe(byte_line, clock, candidates(), listen_s=PROBE_S, may_ask=radar.setup)
    try:
        async with asyncio.timeout(SEARCH_S):
            finding = await probe.look_at(radar.port)
    except TimeoutError:
        return "", False
    if finding.hearing is None or finding.line is None or not finding.certain:
        return "", False
    found = finding.hearing.candidate
    usual = (load_radar(radar.driver).profiles or (None,))[0]
    dialects = {one.profile for one in (found, *finding.rivals) if one.name == found.name}
    as_said = (
        found.name == radar.driver
        and (radar.profile or usual) in dialects
        and finding.line.baud == (radar.baud or driver.line.baud)
    )
    return f"a {found} at {words(finding.line)}", as_said
