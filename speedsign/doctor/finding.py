"""What one look has found: a state, what it is about, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How it stands; the value is what a person and a script read."""

    OK = "ok"
    NOTE = "note"  # good to know, nothing to do now
    WARNING = "warning"  # works today, and will not for ever or not everywhere
    WRONG = "wrong"  # does not work, or loses something
    UNKNOWN = "unknown"  # not looked at; `do` says how it can be


@dataclass(frozen=True, slots=True)
class Finding:
    """`check`: the topic, a word, and after it what of several things it is ("port radar")."""

    check: str
    state: State
    what: str
    do: str = ""  # a sentence; where something is wrong it is never empty
    facts: Mapping[str, object] = field(default_factory=dict)  # plain values, for JSON

    @property
    def topic(self) -> str:
        return self.check.partition(" ")[0]

    def as_json(self) -> dict[str, object]:
        return {
            "check": self.check,
            "state": self.state.value,
            "what": self.what,
            "do": self.do,
            "facts": dict(self.facts),
        }


def ok(check: str, what: str, facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(check, State.OK, what, "", facts or {})


def note(check: str, what: str, do: str = "", facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(check, State.NOTE, what, do, facts or {})


def warning(check: str, what: str, do: str, facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(check, State.WARNING, what, do, facts or {})


def wrong(check: str, what: str, do: str, facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(check, State.WRONG, what, do, facts or {})


def unknown(check: str, what: str, do: str = "", facts: Mapping[str, object] | None = None) -> Finding:
    return Finding(check, State.UNKNOWN, what, do, facts or {})


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each state; every state is there.

    >>> count([ok("disk", "12 GB free")])["ok"]
    1
    """
    found = dict.fromkeys((state.value for state in State), 0)
    for one in findings:
        found[one.state.value] += 1
    return found
