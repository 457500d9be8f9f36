"""A look's findings as lines: the state, what, and below it what to do. Folded, never cut."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from textwrap import wrap

from speedsign.doctor.finding import Finding, State, count

NARROW = 60  # columns below which the two columns of a wide screen become indents
_LEAST, _MOST = 24, 100
_STATE, _CHECK = 8, 12


def columns() -> int:
    """Of the terminal; COLUMNS goes before it, 80 where there is none."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, _LEAST), _MOST)


def lines_of(finding: Finding, width: int) -> list[str]:
    """
    >>> from speedsign.doctor.finding import wrong
    >>> print(*lines_of(wrong("radar", "silent", "its power"), 40), sep="\\n")
    wrong   radar: silent
      -> its power
    """
    state = f"{finding.state.value:<{_STATE}}"
    narrow = width < NARROW
    first = f"{state}{finding.check}: " if narrow else f"{state}{finding.check:<{_CHECK}} "
    hang = "  " if narrow else " " * (_STATE + _CHECK + 1)
    lines = wrap(
        finding.what, width, initial_indent=first, subsequent_indent=hang, break_on_hyphens=False
    ) or [first.rstrip()]
    if finding.do:
        lines += wrap(
            finding.do,
            width,
            initial_indent=f"{hang}-> ",
            subsequent_indent=f"{hang}   ",
            break_on_hyphens=False,
        )
    return lines


def summary(findings: Sequence[Finding]) -> str:
    """One line for all.

    >>> summary([])
    'nothing was looked at'
    """
    found = count(findings)
    if not findings:
        return "nothing was looked at"
    said = [
        f"{n} {word}"
        for state, word in (
            (State.WRONG, "wrong"),
            (State.WARNING, "to be seen to"),
            (State.NOTE, "to know"),
            (State.UNKNOWN, "not looked at"),
        )
        if (n := found[state.value])
    ]
    return ", ".join(said) if said else "all is well"
