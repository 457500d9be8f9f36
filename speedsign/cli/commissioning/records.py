"""What was measured and seen, noted at once, and kept as calibrations when the config is written.

Until then the records stand in the draft: a record says what the sign does from now on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.believed import believed
from speedsign.cli.calibrating.book import Book, Finding
from speedsign.cli.commissioning.session import Session
from speedsign.config.schema import Config, StoreConfig
from speedsign.errors import UsageError

_FOLDER_MODE = 0o750  # as the service has it
LONGEST_NAME = 80
ASKED = "Your name, for the record"


@dataclass(frozen=True, slots=True)
class Then:
    """The clock as it stood when something was measured."""

    at_utc: datetime
    believed: bool

    def monotonic(self) -> float:
        return 0.0

    def now_utc(self) -> datetime:
        return self.at_utc

    def trusted(self) -> bool:
        return self.believed

    def boot_id(self) -> str:
        return "0" * 32


async def who(session: Session) -> str:
    """Who does all this: by option, else asked once."""
    if "by" not in session.notes:
        session.notes["by"] = await session.asker.ask(
            ASKED, _name, given=session.given_as("--by"), about="It stands in the calibration record."
        )
    return str(session.notes["by"])


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"write a name of at most {LONGEST_NAME} characters")
    return name


async def note(session: Session, finding: Finding) -> None:
    """Into the draft; one of the same kind and way takes the place of the one before."""
    store = Path(session.get("store.path", StoreConfig().path))
    facts = {
        "by": await who(session),
        "at": session.clock.now_utc().astimezone(UTC).isoformat(timespec="seconds"),
        "believed": believed(session.clock, store).trusted(),
        "kind": finding.kind.value,
        "driver": finding.driver,
        "sentence": finding.sentence,
        "verdict": finding.verdict.value,
        "device": dict(finding.device),
        "before": dict(finding.before),
        "after": dict(finding.after),
        "runs": [dict(run) for run in finding.runs],
        "result": dict(finding.result),
    }
    line = json.dumps(facts, ensure_ascii=False)
    same = (facts["kind"], dict(finding.result).get("method"))
    session.draft.records = [one for one in session.draft.records if _which(one) != same] + [line]


def _which(line: str) -> tuple[object, object]:
    facts = _facts(line)
    return facts["kind"], facts["result"].get("method")


def _facts(line: str) -> Mapping[str, Any]:
    """Raises UsageError where somebody has edited the draft."""
    try:
        facts = json.loads(line)
        _ = facts["kind"], facts["result"].get("method"), facts["by"], facts["at"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("a record in the draft cannot be read; begin anew with --fresh") from None
    else:
        return dict(facts)


def keep_all(session: Session, config: Config, config_path: Path) -> None:
    """Write every record down for good; one that cannot be kept stays in the draft, and it is said why."""
    from telemetry.calibration import NotKept, keep, log_path

    left: list[str] = []
    with contextlib.suppress(OSError):  # what is wrong with it is said when the record is written
        config.store.path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    for line in session.draft.records:
        facts = _facts(line)
        book = Book(config=config, config_path=config_path, by=facts["by"], note="", dry_run=False)
        then = Then(datetime.fromisoformat(facts["at"]), bool(facts["believed"]))
        try:
            keep(config.store.path, book.record(_finding(facts), then))
        except NotKept as error:
            left.append(line)
            if str(error) not in session.troubles:
                session.troubles.append(str(error))
                session.say(str(error))
        else:
            session.kept += 1
    session.draft.records = left
    if session.kept:
        session.say(f"Records kept: {session.kept}, in {log_path(config.store.path)}")
    if left:
        session.say(f"Records that wait in the draft: {len(left)}. Then: speedsign commission write")


def _finding(facts: Mapping[str, Any]) -> Finding:
    return Finding(
        kind=Kind(facts["kind"]),
        driver=facts["driver"],
        sentence=facts["sentence"],
        verdict=Verdict(facts["verdict"]),
        device=facts["device"],
        before=facts["before"],
        after=facts["after"],
        runs=facts["runs"],
        result=facts["result"],
    )
