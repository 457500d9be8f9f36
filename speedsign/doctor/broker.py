"""The broker: can it be found, is it believed, does it take this sign?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong

_SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """How far a try went: `reached` is name, tcp, tls, connected or subscribed."""

    address: str
    reached: str = ""
    problem: str = ""  # the sentence that ended it
    encrypted: bool = True
    tls_version: str = ""
    certificate_until: datetime | None = None
    not_greeted: str = ""  # why MQTT was not tried, "": it was
    session_was_there: bool = False
    denied: tuple[str, ...] = ()
    forbidden: str = ""  # what this user may not read, so that nothing was tried


def judge_broker(facts: BrokerFacts, now: datetime) -> list[Finding]:
    told: dict[str, object] = {
        "address": facts.address,
        "reached": facts.reached,
        "tls": facts.tls_version,
        "certificate_until": facts.certificate_until.isoformat() if facts.certificate_until else None,
        "denied": list(facts.denied),
    }
    if facts.forbidden:
        what = f"{facts.address} was not tried: {facts.forbidden}"
        return [unknown("broker", what, "look with sudo", told)]
    if facts.problem:
        return [wrong("broker", facts.problem, _remedy(facts), told), *_certificate(facts, now, told)]
    found = _certificate(facts, now, told)
    if facts.denied:
        what = f"{facts.address} does not let this sign hear {', '.join(facts.denied)}"
        found.append(
            wrong("broker rights", what, "give its user that right at the broker: docs/security.md", told)
        )
    if facts.session_was_there:
        what = f"{facts.address} gives every client of this user the same name"
        do = "never connect another program as this user: it would throw the sign out"
        found.append(note("broker session", what, do, told))
    if not any(one.state.value == "wrong" for one in found):
        found.insert(0, ok("broker", _how_far(facts), told))
    return found


def _remedy(facts: BrokerFacts) -> str:
    """By how far it went; the sentence itself names the key where it is one."""
    if not facts.reached:
        return "is the link up? Does the name server answer: getent hosts and the broker's name"
    if facts.reached == "name":
        return "is the link up, the broker running, and its port open in every firewall on the way?"
    return "docs/faults.md, faults, mqtt disconnected, has what to do"


def _how_far(facts: BrokerFacts) -> str:
    by = facts.tls_version or ("not encrypted" if not facts.encrypted else "")
    words = {"subscribed": "takes this sign", "connected": "takes this sign"}
    said = words.get(facts.reached, "answers")
    why = f"; {facts.not_greeted}" if facts.not_greeted else ""
    return f"{facts.address} {said}{f' ({by})' if by else ''}{why}"


def _certificate(facts: BrokerFacts, now: datetime, told: dict[str, object]) -> list[Finding]:
    until = facts.certificate_until
    if until is None or (until - now).days >= _SOON_DAYS:
        return []
    what = f"the broker's certificate is good for {(until - now).days} days more"
    return [warning("broker certificate", what, "tell whoever runs the broker", told)]


def judge_no_broker(reason: str) -> Sequence[Finding]:
    """Nothing was tried, for this reason."""
    return [unknown("broker", reason)]
