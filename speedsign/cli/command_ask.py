"""Sign a command, send it, wait for what the signs say: the same for every action."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from speedsign.cli.command_options import PHRASE_VARIABLE, Asking, Way
from speedsign.cli.command_words import print_answers
from speedsign.clock import SystemClock
from speedsign.config.hub import HubWishes, load_hub
from speedsign.errors import BrokerError, UsageError
from telemetry.command.caller import Caller, Heard
from telemetry.command.gate import Reason
from telemetry.command.model import PURPOSE, Action, Command, encode_body, seal
from telemetry.command.signature import PrivateKey, read_private
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings

_ANSWER_MAX_BYTES = 70_000
_ASKED_ONCE_MORE_S = 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, before it has a counter and a time limit."""

    action: Action
    fields: Mapping[str, Any]  # of Command: wish, numbers, dry_run
    confirm: bool = False  # once it is in force


def ask(asking: Asking, question: Question) -> None:
    """Ask, print the answers, and end with 1 unless all was done."""
    clock = SystemClock()
    key = _key(asking.key_path)
    first = _command(asking, question, clock)
    if asking.sign_only is not None:
        _write(asking.sign_only, _sealed(first, asking.key_id, key))
        click.echo(
            f"{asking.sign_only}: signed, good for {asking.minutes} minutes; nothing was sent", err=True
        )
        return
    asker = _Asker(asking, question, clock, key)
    heard = asyncio.run(asker.ask(first))
    finish(asking.way, asker.asked, heard, asker.silent)


def finish(way: Way, command: Command, heard: list[Heard], silent: list[str]) -> None:
    print_answers(command, heard, silent, as_json=way.as_json)
    refused = any(one.facts["outcome"] in ("refused", "undone") for one in heard)
    if refused or silent or not heard:
        click.get_current_context().exit(1)


class _Asker:
    """One question to one sign or to a group."""

    def __init__(self, asking: Asking, question: Question, clock: SystemClock, key: PrivateKey) -> None:
        self._asking, self._question, self._clock, self._key = asking, question, clock, key
        self.asked: Command
        self.silent: list[str] = []  # signs that were asked and said nothing

    async def ask(self, command: Command) -> list[Heard]:
        one = None if command.group else command.to
        caller = Caller(port(self._asking.way, self._clock), one)
        async with caller.connected():
            heard = await self._send(caller, command)
            if one and _says(heard, Reason.CHALLENGE):  # it was used meanwhile: once more with the new one
                await caller.other_challenge(one, self.asked.challenge)
                heard = await self._send(caller, self._next(command))
            if self._question.confirm and heard and heard[0].facts["outcome"] == "pending":
                heard += await self._confirm(caller, command, heard[0])
        return heard

    async def _confirm(self, caller: Caller, command: Command, pending: Heard) -> list[Heard]:
        facts = pending.facts
        numbers = {"counter": int(facts.get("waits_for", facts["counter"]))}
        confirm = replace(self._next(command), action=Action.CONFIRM, numbers=numbers, dry_run=False)
        bare = Command(
            confirm.to, confirm.counter, Action.CONFIRM, numbers=numbers, not_after_s=confirm.not_after_s
        )
        heard = await self._send(caller, bare)
        if _says(heard, Reason.CHALLENGE):
            await caller.other_challenge(command.to, self.asked.challenge)
            heard = await self._send(caller, self._next(bare))
        return heard

    def _next(self, command: Command) -> Command:
        """The same once more, as a command of its own."""
        return replace(command, counter=max(_now_ms(self._clock), self.asked.counter + 1))

    async def _send(self, caller: Caller, command: Command) -> list[Heard]:
        asking = self._asking
        signs = [command.to]
        if command.group:
            signs = list(asking.signs) or await _known(caller)
        elif asking.challenge is None:
            command = replace(command, challenge=caller.challenges.get(command.to))
        self.asked = command
        payload = _sealed(command, asking.key_id, self._key)
        listening = [sign for sign in signs if await caller.send(sign, payload, asking.minutes * 60)]
        if not listening and not command.group:
            if command.to not in caller.challenges:
                raise BrokerError(
                    f"this broker has never heard of a sign {command.to}; check --to and the broker"
                )
            raise BrokerError(f"{command.to} is not connected to this broker, and was not for a day")
        expected = asking.signs or (() if command.group else (command.to,))

        def enough(heard: list[Heard]) -> bool:
            return bool(expected) and {one.sign for one in heard} >= set(expected) & set(listening)

        heard = await caller.answers(asking.key_id, command.counter, enough, asking.way.wait_s)
        found = {one.sign: one for one in reversed(heard)}
        self.silent = [sign for sign in expected if sign not in found]
        return list(found.values())


async def _known(caller: Caller) -> list[str]:
    """All signs that the broker knows; those that are not in the group stay silent."""
    signs = await caller.births()
    if not signs:
        raise BrokerError("the broker knows no sign; name those of the group with --signs")
    return signs


def _says(heard: list[Heard], reason: Reason) -> bool:
    return len(heard) == 1 and heard[0].facts.get("reason") == reason.value


def port(way: Way, clock: SystemClock) -> PahoPort:
    """A connection for a moment. Raises ConfigError."""
    mqtt = load_hub(way.config_path, HubWishes(Path("not-used.db"), way.host, way.port)).mqtt
    settings = broker_settings(
        mqtt,
        f"speedsign-command-{secrets.token_hex(6)}",
        session_expiry_s=0,
        spread_s=0.0,
        max_packet_bytes=_ANSWER_MAX_BYTES,
    )
    return PahoPort(settings, clock)


def _key(path: Path) -> PrivateKey:
    passphrase = os.environ.get(PHRASE_VARIABLE) or None
    try:
        return read_private(path, passphrase)
    except UsageError as error:
        if passphrase or "is locked" not in str(error):
            raise
    return read_private(path, click.prompt(f"Passphrase of {path}", hide_input=True, err=True))


def _command(asking: Asking, question: Question, clock: SystemClock) -> Command:
    """As it goes out now; raises UsageError."""
    now_ms = _now_ms(clock)
    command = Command(
        to=asking.to,
        counter=now_ms,
        action=question.action,
        not_after_s=now_ms // 1000 + asking.minutes * 60,
        challenge=asking.challenge,
        **question.fields,
    )
    if command.group is not None and question.confirm:
        raise UsageError(
            "a group's change is confirmed by itself, once its signs are seen to show what they should"
        )
    try:
        encode_body(command)
    except ValueError as error:
        raise UsageError(f"no sign would take this command: {error}") from None
    return command


def _sealed(command: Command, key_id: str, key: PrivateKey) -> bytes:
    body = encode_body(command)
    try:
        return seal(key_id, body, key.sign(PURPOSE + body))
    except ValueError as error:
        raise UsageError(f"--key-id {key_id!r}: {error}") from None


def _write(path: Path, payload: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(payload)
    except FileExistsError:
        raise UsageError(f"{path} is there already; name another file") from None


def _now_ms(clock: SystemClock) -> int:
    return int(clock.now_utc().timestamp() * 1000)
