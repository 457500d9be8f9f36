"""speedsign calibrate panel: the display test, with the technician's answers kept as a record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from speedsign.calibration.record import Kind, Verdict
from speedsign.cli.calibrating.book import Finding, finish, keep_what_there_is, open_book
from speedsign.cli.calibrating.options import record_options
from speedsign.cli.calibrating.ports import ports_free, service_option
from speedsign.cli.calibrating.technician import Stopped, Technician
from speedsign.cli.common import SignCommand, config_option, json_option, set_up_logging
from speedsign.cli.display_ask import Answer
from speedsign.cli.display_line import Chosen, chosen, panel_options
from speedsign.cli.display_test import Report, Result, Tester, words_of_result
from speedsign.cli.field import NumberRange
from speedsign.cli.service import Service


@click.command(cls=SignCommand, example="speedsign calibrate panel")
@click.option(
    "--no-questions", is_flag=True, help="Ask nothing about the pictures: what is read back counts."
)
@click.option(
    "--pause", "pause_s", type=NumberRange(0, 60), default=0.7, show_default=True,
    metavar="SECONDS", help="Between two digits, two steps of brightness, and so on.",
)  # fmt: skip
@service_option
@record_options
@panel_options
@config_option
@json_option
@click.pass_context
def panel(
    ctx: click.Context,
    /,
    config_path: Path,
    *,
    no_questions: bool,
    pause_s: float,
    service_name: str,
    by: str | None,
    note: str,
    yes: bool,
    dry_run: bool,
    debug: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Show the pictures of display test, ask about each, and keep the answers.

    It needs the panel's port: a sign that runs is stopped meanwhile and started again. The panel is dark at
    the end, also after Ctrl-C. --yes asks nothing, about pictures neither.
    """
    set_up_logging(debug=debug)
    technician = Technician(yes=yes, aside=as_json)
    book = open_book(ctx, config_path, technician, by=by, note=note, dry_run=dry_run)
    choice = chosen(ctx, config_path, **given)
    tester = Tester(choice, technician.say, pause_s, asks=not (no_questions or yes))
    with ports_free(technician, Service(service_name)):
        report = asyncio.run(tester.run())
    technician.keep(tester.rest)
    for line in lines_of(report):
        technician.say(line)
    if report.error is not None:
        book.troubles.append(str(report.error))
    else:
        technician.say(choice.at_the_end)
    if report.left == "stopped" and not (
        report.results and keep_what_there_is(technician, "the answers so far")
    ):
        raise Stopped
    finish(ctx, technician, book, finding_of(choice, report), written=False, as_json=as_json)


def lines_of(report: Report) -> list[str]:
    """A line for each picture, for a narrow screen."""
    lines = [line for result in report.results for line in words_of_result(result)]
    return lines if report.left is None else [*lines, f"not finished: {report.left}"]


def finding_of(choice: Chosen, report: Report) -> Finding:
    """The answers for the record."""
    verdict = _verdict(report)
    wrong = [one.picture.name for one in report.results if not one.ok]
    unseen = "Not all pictures were looked at"
    sentences = {
        Verdict.PASS: f"The panel showed all {len(report.results)} pictures as they have to be.",
        Verdict.FAIL: f"Not as they have to be: {', '.join(wrong)}.",
        Verdict.UNDECIDED: f"{unseen}; not as they have to be: {', '.join(wrong)}."
        if wrong
        else f"{unseen}.",
    }
    return Finding(
        kind=Kind.PANEL,
        driver=choice.driver.name,
        sentence=sentences[verdict],
        verdict=verdict,
        device={
            "panel": choice.name,
            "port": choice.port,
            "units": [choice.parts.display.unit, *choice.parts.display.mirror_units],
        },
        runs=[_as_run(one) for one in report.results],
        result={
            "complete": report.complete,
            "left": report.left,
            "error": None if report.error is None else str(report.error),
        },
    )


def _verdict(report: Report) -> Verdict:
    if report.left == "stopped":  # it was asked about as that
        return Verdict.UNDECIDED
    if any(not one.ok for one in report.results):
        return Verdict.FAIL
    looked_at = all(one.answer is Answer.YES or one.read_back for one in report.results)
    return Verdict.PASS if report.ok and report.results and looked_at else Verdict.UNDECIDED


def _as_run(one: Result) -> dict[str, Any]:
    return {
        "picture": one.picture.name,
        "question": one.picture.question,
        "answer": one.answer.value,
        "read_back": one.read_back,
        "trouble": one.trouble,
    }
