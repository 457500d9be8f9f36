"""A target that cannot fail is worth nothing: faults are planted, and plain mutations find each of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.fuzz import kit
from tests.fuzz.plain import mutations

ENOUGH = 6000
Plant = Callable[[pytest.MonkeyPatch], None]


def found(name: str) -> BaseException | None:
    """The first failure of a target."""
    with closing(kit.load(name)) as target:
        corpus = target.inputs()
        for data in (*corpus, *mutations(target, corpus, 1, ENOUGH)):
            try:
                target.check(data)
            except BaseException as error:  # noqa: BLE001  whatever was planted
                return error
    return None


def a_decoder_that_forgets_at_a_split(patch: pytest.MonkeyPatch) -> None:
    """The beginning of a line is lost when its end comes later."""
    from drivers.radar.ascii import AsciiDecoder

    feed = AsciiDecoder.feed

    def forgets(self: Any, data: bytes, t_mono_s: float) -> Any:
        self._line.clear()
        return feed(self, data, t_mono_s)

    patch.setattr(AsciiDecoder, "feed", forgets)


def a_unit_that_is_confirmed_by_any_line(patch: pytest.MonkeyPatch) -> None:
    from drivers.radar.ops243_decoder import Ops243Decoder
    from drivers.radar.units import UnitBelief

    speeds = Ops243Decoder._speeds

    def confirms(self: Any, *args: Any) -> Any:
        UnitBelief.learn(self._unit, self._unit._unit.kmh if self._unit._unit else 1.0)
        return speeds(self, *args)

    patch.setattr(Ops243Decoder, "_speeds", confirms)


def a_reply_of_any_length(patch: pytest.MonkeyPatch) -> None:
    """Over Modbus, the reply to another read passes."""
    from drivers.modbus_rules import Ask

    patch.setattr(Ask, "mismatch", lambda _self, _reply: None)


def a_frame_without_its_crc(patch: pytest.MonkeyPatch) -> None:
    from drivers.display import scan_frames

    patch.setattr(scan_frames, "crc16", lambda data: data[-2:])


def a_parser_that_lets_any_number_in(patch: pytest.MonkeyPatch) -> None:
    from telemetry.message import heard

    patch.setattr(heard, "whole", lambda value, *_bounds: value)


def a_key_that_is_not_there(patch: pytest.MonkeyPatch) -> None:
    """KeyError instead of a refusal."""
    from telemetry.message import heard

    patch.setattr(heard, "has", lambda message, key: message[key])


def what_comes_again_is_counted_again(patch: pytest.MonkeyPatch) -> None:
    """A vehicle has no name, so that nothing but the number of its message tells it from another."""
    from telemetry.hub import taking

    def again(self: Any, heard: Any, source: Any, named: Any) -> None:
        self._apply(heard, source, named.seq, named.body)
        self._db.execute("UPDATE interval SET measured_s = measured_s - 1 WHERE measured_s > 1")

    patch.setattr(taking.Taking, "_again", again)


def an_acknowledgement_that_takes_all(patch: pytest.MonkeyPatch) -> None:
    from telemetry.outbox import table

    patch.setattr(table, "_ranges", lambda told: [(0, max([told.up_to, *(last for _, last in told.also)]))])


def a_gate_without_signatures(patch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from tests.fuzz.targets import command

    for name in ("NOW", "NO_CLOCK"):
        patch.setattr(command, name, replace(getattr(command, name), verify=lambda *_what: True))


def a_counter_that_is_good_twice(patch: pytest.MonkeyPatch) -> None:
    from telemetry.command import gate

    patch.setattr(gate, "_stale", lambda *_what: None)


def a_topic_of_any_sign(patch: pytest.MonkeyPatch) -> None:
    import re

    from telemetry.hub import topics

    patch.setattr(topics, "_TOPIC", re.compile(r"speedsign/1/([^/]*)/up/([a-z]{1,20})"))


def a_row_that_is_taken_without_a_count(patch: pytest.MonkeyPatch) -> None:
    from telemetry.exchange.writing import VehicleWriter

    patch.setattr(VehicleWriter, "finish", lambda *_what: [(0, 900)])


def a_year_that_is_none(patch: pytest.MonkeyPatch) -> None:
    from telemetry.exchange import times

    patch.setattr(times, "LATEST_YEAR", 9990)


def a_damaged_store_that_ends_the_sign(patch: pytest.MonkeyPatch) -> None:
    from telemetry import database

    patch.setattr(database, "_DAMAGE", set())
    patch.setattr(database, "_NO_TEXT", "never said")
    patch.setattr(database, "store_error", lambda _path, error: error)


def a_line_of_calibrations_that_ends_the_reading(patch: pytest.MonkeyPatch) -> None:
    from telemetry.calibration import log

    patch.setattr(log, "_broken", lambda line, before: line.previous[len(before.sha256)] if before else None)


def a_certificate_that_is_no_sentence(patch: pytest.MonkeyPatch) -> None:
    from speedsign import certificates

    def facts(found: Any) -> Any:
        raise KeyError(found)

    patch.setattr(certificates, "_facts", facts)


def a_secret_that_is_kept(patch: pytest.MonkeyPatch) -> None:
    from speedsign.doctor import redact

    patch.setattr(redact, "_patterns", lambda _secrets: [])


def a_key_that_steers_the_terminal(patch: pytest.MonkeyPatch) -> None:
    from speedsign.config import problem

    patch.setattr(problem, "_shown", str)


def a_capture_whose_times_go_back(patch: pytest.MonkeyPatch) -> None:
    from speedsign import capture

    def anyhow(self: Any) -> Any:
        for line in self._lines:
            if '"hex"' in line and line.startswith("{") and line.rstrip().endswith("}"):
                yield chunk(line)

    chunk = capture._chunk
    patch.setattr(capture.CaptureReader, "__iter__", anyhow)


def a_live_line_with_half_a_character(patch: pytest.MonkeyPatch) -> None:
    import json

    from tests.fuzz.targets import live

    def decode(data: bytes) -> Any:
        try:
            line = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return line if isinstance(line, dict) and isinstance(line.get("event"), str) else None

    patch.setattr(live, "decode", decode)


def a_temperature_of_anything(patch: pytest.MonkeyPatch) -> None:
    from speedsign import machine

    patch.setattr(machine, "_PLAUSIBLE_C", (-1e9, 1e9))


PLANTED: list[tuple[str, Plant]] = [
    ("radar", a_decoder_that_forgets_at_a_split),
    ("radar", a_unit_that_is_confirmed_by_any_line),
    ("modbus", a_reply_of_any_length),
    ("scan", a_frame_without_its_crc),
    ("messages", a_parser_that_lets_any_number_in),
    ("messages", a_key_that_is_not_there),
    ("hub", a_key_that_is_not_there),
    ("hub", what_comes_again_is_counted_again),
    ("ack", an_acknowledgement_that_takes_all),
    ("command", a_gate_without_signatures),
    ("command", a_counter_that_is_good_twice),
    ("topics", a_topic_of_any_sign),
    ("import_csv", a_row_that_is_taken_without_a_count),
    ("import_csv", a_year_that_is_none),
    ("database", a_damaged_store_that_ends_the_sign),
    ("calibration_log", a_line_of_calibrations_that_ends_the_reading),
    ("certificates", a_certificate_that_is_no_sentence),
    ("redact", a_secret_that_is_kept),
    ("config", a_key_that_steers_the_terminal),
    ("live", a_live_line_with_half_a_character),
    ("capture", a_capture_whose_times_go_back),
    ("machine", a_temperature_of_anything),
]


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=lambda one: getattr(one, "__name__", one))
def test_what_is_planted_is_found(name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.load(name)
    plant(monkeypatch)
    assert found(name) is not None, "nothing was found"


def test_every_target_has_found_something_planted() -> None:
    assert {name for name, _ in PLANTED} == set(kit.names())
