"""Where calibrations are written down: findings become records, records are kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import category
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from speedsign import __version__
from speedsign.believed import BelievedClock, built_utc
from speedsign.calibration.record import BY_CONFIG, PROVES_SPEED, Calibration, Kind, Verdict
from speedsign.calibration.record import as_json as as_json_
from speedsign.cli.believed import last_known_utc
from speedsign.cli.calibrating.options import LONGEST_NAME, LONGEST_NOTE
from speedsign.cli.calibrating.technician import STOPPED, Stopped, Technician
from speedsign.cli.common import EXIT_FAILED, print_json
from speedsign.cli.interrupt import undisturbed, when_stopped
from speedsign.clock import SystemClock
from speedsign.config.schema import Config
from speedsign.errors import SpeedsignError, UsageError
from speedsign.model import ClockQuality
from speedsign.ports import Clock

_GOOD = (Verdict.PASS, Verdict.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came out of a calibration, before anybody wrote it down. As in `Calibration`."""

    kind: Kind
    driver: str
    sentence: str
    verdict: Verdict
    device: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    runs: Sequence[Mapping[str, Any]] = ()
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Who writes into which sign's records. `config` None: a dry run without one."""

    config: Config | None
    config_path: Path
    by: str
    note: str
    dry_run: bool
    troubles: list[str] = field(default_factory=list)  # what could not be written, in sentences
    done: list[str] = field(default_factory=list)  # what was, in a few words

    @property
    def stopped(self) -> str:
        """What Ctrl-C leaves, in a sentence."""
        return f"stopped: {' and '.join(self.done)}" if self.done else STOPPED

    def record(self, finding: Finding, clock: Clock, known_utc: datetime | None = None) -> Calibration:
        """The finding with who, when, where and until when it is good.

        `known_utc`: the last time that the sign's database knew; an earlier one is not believed.
        """
        from telemetry.calibration import next_due

        config, now_utc = self.config, clock.now_utc().replace(microsecond=0)
        quality = ClockQuality.OK if self._believes(clock, known_utc) else ClockQuality.UNKNOWN
        zone = ZoneInfo(config.sign.timezone) if config else UTC
        months = config.calibration.every_months if config else 0
        return Calibration(
            key=secrets.token_hex(16),
            kind=finding.kind,
            at_utc=now_utc,
            clock=quality,
            by=self.by,
            tool=f"speedsign {__version__}",
            sign=config.sign.id if config else "",
            site=(config.sign.site or config.sign.name or config.sign.id) if config else "",
            driver=finding.driver,
            mounting_angle_deg=self._angle_deg(finding),
            device=finding.device,
            before=finding.before,
            after=finding.after,
            runs=finding.runs,
            result=finding.result,
            verdict=finding.verdict,
            sentence=finding.sentence,
            due=next_due(finding.kind, finding.verdict, now_utc, quality, months, zone),
            note=self.note,
            clock_by=BY_CONFIG if quality is ClockQuality.OK and not clock.trusted() else "",
        )

    def keep(self, record: Calibration, technician: Technician) -> str | None:
        """Into the file and the database; the file. None: a dry run, or not kept, see `troubles`."""
        if self.dry_run or self.config is None:
            technician.say("dry run: no record was kept")
            return None
        from telemetry.calibration import NotKept, keep

        try:
            with undisturbed():
                kept = keep(self.config.store.path, record)
                self.done.append(f"record {record.key[:8]} is kept")
        except NotKept as error:
            technician.say(error.json_line)
            self.troubles.append(f"{error}; the record stands above, keep it")
            return None
        technician.say(f"kept: {kept.file}, record {record.key[:8]}")
        if kept.problem:
            technician.say(kept.problem)
        return str(kept.file)

    def _believes(self, clock: Clock, known_utc: datetime | None) -> bool:
        always = self.config is not None and self.config.clock.trust == "always"
        return BelievedClock(clock, always=always, known_utc=known_utc, built_utc=built_utc()).trusted()

    def _angle_deg(self, finding: Finding) -> float:
        key = "radar.mounting_angle_deg"
        if key in finding.after:
            return float(finding.after[key])
        return self.config.radar.mounting_angle_deg if self.config else 0.0


def open_book(
    ctx: click.Context,
    config_path: Path,
    technician: Technician,
    *,
    by: str | None,
    note: str,
    dry_run: bool,
) -> Book:
    """The config is read, and who calibrates is asked for, before anything is measured.

    A dry run goes without a config and without a name. Raises ConfigError, UsageError, Stopped.
    """
    from speedsign.config.load import load_config

    when_stopped(ctx, lambda: STOPPED)
    named = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    config = load_config(config_path) if named or not dry_run or config_path.exists() else None
    _check_note(note)
    if by is not None:
        by = _named(by)
    elif dry_run:
        by = ""
    elif technician.yes:
        raise UsageError("who calibrates? With --yes nobody is asked: give --by NAME")
    else:
        by = technician.ask("Your name:", _name, option="--by NAME")
    book = Book(config=config, config_path=config_path, by=by, note=note, dry_run=dry_run)
    when_stopped(ctx, lambda: book.stopped)
    return book


def finish(
    ctx: click.Context, technician: Technician, book: Book, finding: Finding, *, written: bool, as_json: bool
) -> None:
    """Keep the record, print it where JSON is wanted, and end: exit code 0 for a verdict that is good.

    Raises SpeedsignError where something could not be written.
    """
    technician.say(finding.sentence)
    known_utc = last_known_utc(book.config.store.path if book.config else None)
    record = book.record(finding, SystemClock(), known_utc)
    if record.due is not None:
        technician.say(f"due again: {record.due}")
    elif record.kind in PROVES_SPEED and record.clock is ClockQuality.UNKNOWN and not book.dry_run:
        technician.say("nobody vouches for this machine's clock: the record has no due date")
    kept = book.keep(record, technician)
    if as_json:
        print_json({"record": as_json_(record), "kept": kept, "config_written": written})
    if book.troubles:
        raise SpeedsignError("; ".join(book.troubles))
    ctx.exit(0 if record.verdict in _GOOD else EXIT_FAILED)


def keep_what_there_is(technician: Technician, what: str, stopped: Stopped | None = None) -> bool:
    """Whether what was measured is to be kept as undecided, after somebody has stopped or it was too little.

    Nobody left to ask: yes, a record takes nothing away. Ctrl-C at this question: no.
    """
    if stopped is not None and stopped.gone:
        return True
    try:
        return technician.confirm(f"Keep {what} as undecided?", default=True, option="--yes")
    except Stopped as again:
        return again.gone
    except UsageError:
        return True


def _check_note(note: str) -> None:
    """A record is JSON and stands on a page: no half characters, nothing that only a terminal understands."""
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"--note is longer than {LONGEST_NOTE} characters")
    odd = next((one for one in note if not one.isprintable() and category(one) != "Zs"), None)
    if odd is not None:
        raise UsageError(f"--note: {odd!a} cannot be printed; write it as UTF-8, on one line")


def _named(by: str) -> str:
    try:
        return _name(by)
    except ValueError as error:
        raise UsageError(f"--by: {error}") from None


def _name(line: str) -> str:
    name = " ".join(line.split())
    if not name:
        raise ValueError("a record needs a name")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a name has at most {LONGEST_NAME} characters that can be printed")
    return name
