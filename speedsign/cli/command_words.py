"""What signs answered, for a person or a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from speedsign.cli.common import print_json
from telemetry.command.caller import Heard
from telemetry.command.model import Action, Command

_NAMES = ("at", "key", "counter", "action", "outcome")
_LISTS = ("difference", "lines")


def print_answers(command: Command, heard: list[Heard], silent: list[str], *, as_json: bool) -> None:
    """Each answer, and who gave none."""
    if as_json:
        answers = [{"sign": one.sign, **one.facts} for one in heard]
        facts = {"to": command.to, "counter": command.counter, "action": command.action.value}
        print_json({**facts, "answers": answers, "silent": silent})
        return
    for one in heard:
        for line in answer_lines(one):
            click.echo(printable(line))
    for sign in silent:
        click.echo(f"{sign}: no answer; the command may still reach it while it is good", err=True)
    if not heard and not silent:
        click.echo("no sign has answered; the command may still reach them while it is good", err=True)


def answer_lines(heard: Heard) -> Iterator[str]:
    facts = heard.facts
    said = f"{facts['action'] or 'command'}: {_OUTCOMES.get(facts['outcome'], facts['outcome'])}"
    yield f"{heard.sign}: {said}" + (f": {facts['text']}" if facts.get("text") else "")
    for name in _LISTS:
        yield from (f"  {line}" for line in facts.get(name, ()))
    if facts.get("difference") == []:
        yield "  nothing changes"
    if facts["outcome"] == "pending" and "confirm_within_s" in facts:
        left_s = facts["confirm_within_s"]
        left = f"{left_s // 60} minutes" if left_s >= 120 else f"{left_s} s"
        counter = facts.get("waits_for", facts["counter"])
        yield f"  undone in {left}, unless you confirm it:"
        yield f"  speedsign command {Action.CONFIRM} {counter} --to {heard.sign} --key FILE"
    if "intervals" in facts:
        yield f"  {facts['intervals']} intervals"
    if facts.get("left_out"):
        yield f"  {facts['left_out']} earlier lines did not fit"
    if isinstance(facts.get("report"), Mapping):
        yield from _report(facts["report"])


_OUTCOMES = {"dry_run": "would be", "pending": "in force, not confirmed yet"}


def _report(report: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"  {name.replace('_', ' '):<16}{_in_words(value)}" for name, value in report.items())


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def printable(text: str) -> str:
    """What came over the network, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
