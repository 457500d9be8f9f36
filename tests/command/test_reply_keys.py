"""Every key of every answer is described: in the schema with its type, in docs/integrator.md by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from speedsign.assemble import Sign
from speedsign.log_ring import LONGEST
from speedsign.model import Fault
from speedsign.remote import NOTHING_SET, Wish
from telemetry.command.model import Action
from telemetry.message.heard import parse_reply
from tests.command.office import Office, signed_text
from tests.docs import pages
from tests.telemetry.samples import T0, measured, passed

SCHEMA = json.loads((pages.ROOT / "docs" / "schemas" / "reply.json").read_text(encoding="utf-8"))
PAGE = pages.text("docs/integrator.md").partition("**reply**")[2].partition("```json")[0]
NAME = {"v": 1, "id": "street-1", "epoch": "0123456789abcdef", "seq": 7}


class Talkative(Office):
    """An office whose sign tells all that a real one can."""

    def _desk(self, settings: Any) -> Any:
        desk = super()._desk(settings)
        sign = Sign(self.config, self.clock)
        assert sign.remote is not None
        remote = sign.remote
        remote._daemon = sign.daemon
        sign.daemon.faults = lambda: [Fault("radar", "silent", "the radar is silent")]  # type: ignore[method-assign]
        lines = ["x" * LONGEST] * 200
        desk._effects = replace(desk._effects, status=remote._status, log=lambda n: lines[-n:])
        return desk


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Talkative(tmp_path) as found:
        for direction in ("approaching", "receding", "unknown"):
            record = passed(50)
            vehicle = replace(record.vehicle, direction=type(record.vehicle.direction)(direction))
            found.store.add_vehicle(replace(record, vehicle=vehicle), [measured(T0, 60)])
        found.clock.move(60)
        yield found


def changes(office: Office) -> None:
    office.set(limit_kmh=40, dry_run=True)
    office.set(limit_kmh=40)
    counter = office.set(limit_kmh=40)["waits_for"]
    office.confirm(counter)
    office.ask(Action.REVERT, dry_run=True)
    office.ask(Action.REVERT)


def looks(office: Office) -> None:
    office.set(limit_kmh=40)
    office.ask(Action.REPORT)
    office.ask(Action.LOG, numbers={"lines": 200})
    for dry_run in (True, False):
        office.ask(Action.RESEND, numbers={"from": 0, "to": 86_400}, dry_run=dry_run)
    office.ask(Action.RESTART, "technician")


def refusals(office: Office) -> None:
    office.send(signed_text(b"{}"))
    office.ask(Action.RESTART, "reader")
    office.set(limit_kmh=125)


def undone(office: Office) -> None:
    office.set(limit_kmh=40)
    office.start_again(NOTHING_SET)
    office.ask(Action.SET, wish=Wish(profile="quiet"))
    office.clock.move(601)
    office.desk.tick()


@pytest.mark.parametrize("scene", [changes, looks, refusals, undone], ids=lambda scene: scene.__name__)
def test_every_key_of_an_answer_is_described(scene: Callable[[Office], None], office: Office) -> None:
    scene(office)
    assert office.replies()
    for answer in office.replies():
        assert parse_reply(answer) == answer
        Draft202012Validator(SCHEMA).validate(NAME | answer)
        assert set(keys(answer)) <= set(described(SCHEMA)), answer["action"]
        for key in keys(answer):
            assert f"`{key.rpartition('.')[2]}`" in PAGE, key


def test_nothing_is_described_that_no_answer_has(office: Office) -> None:
    for scene in (looks, changes, refusals, undone):
        scene(office)
    told = {key for answer in office.replies() for key in keys(answer)}
    assert set(described(SCHEMA)) - set(NAME) == told


def test_every_outcome_is_named(office: Office) -> None:
    for scene in (changes, looks, refusals, undone):
        scene(office)
    outcomes = {answer["outcome"] for answer in office.replies()}
    assert set(re.findall(r"\w+", SCHEMA["properties"]["outcome"]["description"])) == outcomes
    assert all(f"`{outcome}`" in PAGE for outcome in outcomes)


def keys(value: dict[str, Any], above: str = "") -> Iterator[str]:
    """report, report.installation, report.installation.site …"""
    for key, one in value.items():
        yield above + key
        if isinstance(one, dict):
            yield from keys(one, f"{above}{key}.")


def described(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """The same of a schema."""
    for key, part in schema["properties"].items():
        yield above + key
        if "$ref" in part:
            yield from described(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]], f"{above}{key}.")
