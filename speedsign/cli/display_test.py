"""speedsign display test: pictures on the panel, and a question about each that a technician answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from drivers.display.hand import Hand, Told
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.display_ask import KEYS, Answer, Keyboard, answer_of
from speedsign.cli.display_line import (
    Chosen,
    chosen,
    panel_options,
    raise_if_lost,
    stay,
    with_the_panel,
    word_problem,
    words_of,
)
from speedsign.cli.display_pictures import Picture, Scene, pictures
from speedsign.cli.field import NumberRange
from speedsign.clock import SystemClock
from speedsign.config.schema import Config, RulesConfig, WindowConfig
from speedsign.errors import DeviceError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One picture: what the person said, and what the panel said; `trouble`: it held something else."""

    picture: Picture
    answer: Answer
    read_back: bool
    trouble: str | None = None

    @property
    def ok(self) -> bool:
        return self.trouble is None and self.answer is not Answer.NO


@dataclass(slots=True)
class Report:
    """All of it. `begun`: the panel has answered; `complete`: nobody quit, and the panel did not go away."""

    results: list[Result]
    begun: bool = False
    complete: bool = False
    left: str | None = None  # why it ended before its end
    error: DeviceError | None = None

    @property
    def ok(self) -> bool:
        return self.complete and self.error is None and all(result.ok for result in self.results)


@click.command(cls=SignCommand, example="speedsign display test --port /dev/ttyUSB0 --driver dm56a04")
@click.option("--no-questions", is_flag=True, help="Ask nothing: only what can be read back counts.")
@click.option(
    "--pause", "pause_s", type=NumberRange(0, 60), default=0.7, show_default=True,
    metavar="SECONDS", help="Between two digits, two steps of brightness, and so on.",
)  # fmt: skip
@panel_options
@config_option
@json_option
@click.pass_context
def test(
    ctx: click.Context,
    config_path: Path,
    *,
    no_questions: bool,
    pause_s: float,
    port: str | None,
    driver: str | None,
    profile: str | None,
    unit: int | None,
    baud: int | None,
    parity: str | None,
    digits: int | None,
    timeout_s: float | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Test a panel: all segments, digits, brightness, the config's words, its beacon, dark.

    After each picture a question: y, n, s to skip, a to see it again, q to quit. The panel is dark at the
    end, also after Ctrl-C. Exit code 1 when anything was answered no, read back wrong, or not finished.
    """
    set_up_logging(debug=debug, level=logging.WARNING)
    given = {"port": port, "driver": driver, "profile": profile, "unit": unit, "baud": baud}
    choice = chosen(ctx, config_path, **given, parity=parity, digits=digits, timeout_s=timeout_s)
    clock = SystemClock()
    began_utc, began_s = clock.now_utc(), clock.monotonic()
    tester = Tester(choice, lambda text: click.echo(text, err=as_json), pause_s, asks=not no_questions)
    report = asyncio.run(tester.run())
    if as_json:
        print_json(report_to_json(choice, report, began_utc, clock.monotonic() - began_s))
    else:
        print_report(report, choice.at_the_end)
    if report.error is not None:
        raise report.error
    ctx.exit(0 if report.ok else EXIT_FAILED)


def shown_words(config: Config | None) -> list[str]:
    """The words that the config may put on the panel, as they are written there."""
    if config is None:
        return []
    from speedsign.faces import pages_of, words_in

    lists = [pages for one in _tables(config) for pages in (one.within, one.over, one.too_fast) if pages]
    words = words_in(config.sign.language)
    return [page.word for pages in lists for page in pages_of(pages, words) if page.word]


def _tables(config: Config) -> list[RulesConfig | WindowConfig]:
    return [config.rules, *config.rules.schedule]


def _wanted(choice: Chosen) -> list[Picture]:
    config, capabilities = choice.config, choice.driver.capabilities
    blinks = config is not None and any(one.blink for one in _tables(config))
    return pictures(
        capabilities,
        words=[word for word in shown_words(config) if word_problem(word, capabilities) is None],
        blinks=blinks,
        beacon=choice.parts.beacon is not None,
    )


class Tester:
    """Shows the pictures one after the other and collects what is said about them.

    `rest`: what was typed beyond the last answer.
    """

    def __init__(self, choice: Chosen, say: Say, pause_s: float, *, asks: bool) -> None:
        self._choice, self._say, self._pause_s, self._asks = choice, say, pause_s, asks
        self._level = choice.parts.display.brightness
        self._report = Report([])
        self.rest = b""

    async def run(self) -> Report:
        """The report; what ended it early stands in it. Raises PortError where the line cannot be opened."""
        hand, report = self._choice.hand(self._level), self._report
        with with_the_panel() as stop:
            try:
                async with Keyboard() as keyboard, hand:
                    report.begun = True
                    if self._asks:
                        self._say(KEYS)
                    try:
                        report.complete = await self._show_all(hand, keyboard, stop)
                    finally:
                        self.rest = keyboard.rest()
            except DeviceError as error:
                if not report.begun:
                    raise
                report.error = error
        return report

    async def _show_all(self, hand: Hand, keyboard: Keyboard, stop: asyncio.Event) -> bool:
        for picture in _wanted(self._choice):
            told, answer = await self._ask(picture, hand, keyboard, stop)
            if answer is Answer.QUIT:
                self._report.left = "stopped" if stop.is_set() else self._report.left or "quit"
                return False
            self._report.results.append(_result(picture, answer, told))
        return True

    async def _ask(
        self, picture: Picture, hand: Hand, keyboard: Keyboard, stop: asyncio.Event
    ) -> tuple[list[Told], Answer]:
        """Show it until it was seen."""
        while True:
            told = await self._show(picture, hand, stop)
            answer = Answer.QUIT if stop.is_set() else await self._answer(picture, hand, keyboard, stop)
            if answer is not Answer.AGAIN:
                return told, answer

    async def _show(self, picture: Picture, hand: Hand, stop: asyncio.Event) -> list[Told]:
        """All scenes; what the panels said to them."""
        told: list[Told] = []
        self._say(f"- {picture.name}")
        for number, scene in enumerate(picture.scenes):
            told += await self._put(scene, hand)
            last = number == len(picture.scenes) - 1
            if not (last and self._asks) and await stay(hand, stop, self._pause_s):
                break
        if any(scene.level is not None for scene in picture.scenes) and not stop.is_set():
            await hand.dim(self._level)
        return told

    async def _put(self, scene: Scene, hand: Hand) -> list[Told]:
        if scene.face is None:
            return await hand.lamp_test()
        if scene.level is None:
            return await hand.put(scene.face)
        await hand.put(scene.face)
        return await hand.dim(scene.level)

    async def _answer(self, picture: Picture, hand: Hand, keyboard: Keyboard, stop: asyncio.Event) -> Answer:
        if not self._asks:
            return Answer.NOT_ASKED
        self._say(f"  {picture.question} [y/n/s/a/q]")
        while True:
            line = keyboard.take()
            if line is None:
                if keyboard.ended:
                    self._report.left = "nobody answers; with --no-questions nobody has to"
                    return Answer.QUIT
                if await _something(keyboard, hand, stop):
                    return Answer.QUIT
                continue
            if answer := answer_of(line):
                return answer
            self._say(f"  {KEYS}")


async def _something(keyboard: Keyboard, hand: Hand, stop: asyncio.Event) -> bool:
    """Until a line has come; whether it is over instead. Raises what ended the keep-alive."""
    waiting = [asyncio.create_task(event.wait()) for event in (keyboard.changed, stop, hand.failed)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    raise_if_lost(hand)
    return stop.is_set()


def _result(picture: Picture, answer: Answer, told: Iterable[Told]) -> Result:
    told = tuple(told)
    wrong = next((one for one in told if not one.ok), None)
    read = any(one.held is not None for one in told)
    return Result(picture, answer, read, None if wrong is None else words_of(wrong))


# --------------------------------------------------------------------------- the result


def words_of_result(result: Result) -> list[str]:
    """What became of one picture, for a narrow screen."""
    if result.trouble is None:
        return [f"{result.answer!s:<9}  {result.picture.name}"]
    return [f"{'FAULT':<9}  {result.picture.name}", f"           {result.trouble}"]


def print_report(report: Report, at_the_end: str) -> None:
    """A line each, for a narrow screen."""
    click.echo("")
    for result in report.results:
        click.echo("\n".join(words_of_result(result)))
    if report.left is not None:
        click.echo(f"not finished: {report.left}")
    if report.error is None:
        click.echo(at_the_end)
    click.echo("all well" if report.ok else "not all well")


def report_to_json(choice: Chosen, report: Report, at: datetime, seconds: float) -> dict[str, object]:
    display = choice.parts.display
    return {
        "ok": report.ok,
        "complete": report.complete,
        "left": report.left,
        "error": None if report.error is None else str(report.error),
        "at_the_end": None if report.error else choice.at_the_end,
        "panel": choice.name,
        "port": choice.port,
        "units": [display.unit, *display.mirror_units],
        "at": at.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "results": [
            {
                "name": result.picture.name,
                "question": result.picture.question,
                "answer": result.answer,
                "read_back": result.read_back,
                "ok": result.ok,
                "trouble": result.trouble,
            }
            for result in report.results
        ],
    }
