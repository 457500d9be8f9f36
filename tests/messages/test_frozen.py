"""What signs sent once is read for ever (tests/messages/v1/README.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from speedsign.model import ClockQuality, Direction, DisplayState, Interval
from telemetry.command.model import Action, open_envelope, parse_body
from telemetry.message import messages
from telemetry.message.command_models import Command, Envelope
from telemetry.message.models import AckMessage
from telemetry.message.vehicle_models import Vehicles
from tests.messages import made
from tests.messages.test_bad_messages import MODELS

V1 = Path(__file__).with_name("v1")
SIGN = "birzai-vytauto-12"
FILES = sorted(path for path in V1.glob("*/*.json") if path.stem != "cmd")


def test_there_are_all_kinds() -> None:
    kinds = {path.stem for path in (V1 / "with_hub").glob("*.json")}
    assert kinds == {*made.KINDS, "cmd"}
    assert {path.stem for path in (V1 / "without_hub").glob("*.json")} == {"state", "birth", "agg"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_is_read_and_described(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "SIGN", SIGN)
    text = path.read_bytes()
    assert made.read(path.stem, made.packed(path.stem, text)) is not None
    MODELS[path.stem].model_validate_json(text)


def test_an_interval_of_the_first_signs_is_what_it_was() -> None:
    read = messages.parse_aggregate((V1 / "without_hub" / "agg.json").read_bytes())
    assert (read.start_utc, read.duration_s) == (datetime(2026, 11, 22, 9, 0, tzinfo=UTC), 900)
    assert (read.measured_s, read.clock, read.revision) == (900.0, ClockQuality.OK, 1)
    assert isinstance(read, Interval)
    assert [(cell.direction, cell.display, cell.n, max(cell.counts)) for cell in read.cells] == [
        (Direction.APPROACHING, DisplayState.SHOWN, 41, 66),
        (Direction.RECEDING, DisplayState.BLANK, 50, 66),
    ]
    assert not read.scaled
    assert not any(cell.suspects for cell in read.cells)


def test_vehicles_are_what_they_were() -> None:
    text = (V1 / "with_hub" / "raw.json").read_bytes()
    named = messages.parse_named(made.packed("raw", text), "raw", SIGN)
    batch = messages.parse_vehicles(named.body)
    second = batch.records[1].vehicle
    assert [record.vehicle.speed_kmh for record in batch.records] == [13.5, 38.6, 51.9, 60.9, 60.6, 51.1]
    assert (second.entry_kmh, second.max_kmh, second.radial_kmh, second.along_kmh) == (38.4, 39.0, 38.4, 38.6)
    assert (batch.records[0].vehicle.flags, second.flags) == (("rejoined",), ())
    assert (batch.records[0].face, batch.records[1].face) == ("", "within")
    assert batch.records[1].first_utc - batch.records[0].first_utc == (
        datetime(2026, 1, 1, 0, 0, 11, 929_000) - datetime(2026, 1, 1)  # noqa: DTZ001  11.929 s
    )
    assert Vehicles.model_validate_json(text).speed == [135, 386, 519, 609, 606, 511]


def test_an_ack_is_what_it_was() -> None:
    text = (V1 / "with_hub" / "ack.json").read_bytes()
    assert messages.parse_ack(text) == messages.Ack("11130e0ed35f49d8", 1, ((3, 12), (16, 16), (18, 18)))
    assert AckMessage.model_validate_json(text).up_to == 1


def test_a_command_is_what_it_was() -> None:
    text = (V1 / "with_hub" / "cmd.json").read_bytes()
    envelope = open_envelope(text)
    command = parse_body(envelope.body)
    assert (envelope.key_id, command.action, command.wish.limit_kmh) == ("office", Action.SET, 30)
    assert command.dry_run
    assert Envelope.model_validate_json(text).key == "office"
    assert Command.model_validate_json(envelope.body).root.to == SIGN
