"""speedsign command send: what was signed on another machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from speedsign.cli.command_options import Way, way_options
from speedsign.cli.common import SignCommand
from speedsign.errors import UsageError


@click.command(cls=SignCommand, example="speedsign command send signed.json --host broker.example.org")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--signs", "signs_text", metavar="LIST", help="The signs of the group, such as a,b,c.")
@way_options
def send(way: Way, *, file: Path, signs_text: str | None) -> None:
    """Send a command that was signed elsewhere with --sign-only: no key is needed here."""
    from speedsign.cli.command_ask import finish, port
    from speedsign.clock import SystemClock
    from telemetry.command.caller import Caller, Heard
    from telemetry.command.model import MAX_BYTES, Command, open_envelope, parse_body

    try:
        with file.open("rb") as opened:
            payload = opened.read(MAX_BYTES + 1)
        envelope = open_envelope(payload)
        command = parse_body(envelope.body)
    except ValueError as error:
        raise UsageError(f"{file} is no signed command: {error}") from None
    signs = tuple(filter(None, (signs_text or "").split(","))) or (() if command.group else (command.to,))
    if not signs:
        raise UsageError(f"{file} is for {command.to}; name its signs with --signs")
    clock = SystemClock()
    left_s = (command.not_after_s or 0) - int(clock.now_utc().timestamp())

    async def exchange(command: Command) -> list[Heard]:
        caller = Caller(port(way, clock), None if command.group else command.to)
        async with caller.connected():
            for sign in signs:
                await caller.send(sign, payload, max(left_s, 60))
            return await caller.answers(
                envelope.key_id,
                command.counter,
                lambda heard: {one.sign for one in heard} >= {*signs},
                way.wait_s,
            )

    heard = asyncio.run(exchange(command))
    found = {one.sign: one for one in reversed(heard)}
    finish(way, command, list(found.values()), [sign for sign in signs if sign not in found])
