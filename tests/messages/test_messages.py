"""What is built is what is read back, by us and by the models; and its exact form on the wire."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Interval, VehicleRecord
from telemetry.message import messages
from telemetry.message.messages import Ack
from telemetry.message.models import Aggregate, Birth, State
from telemetry.message.vehicle_models import Vehicles
from telemetry.message.vehicles import tenths
from telemetry.rows import speed_class, to_ms
from tests.messages import made
from tests.messages.made import EPOCH, SIGN, WHO
from tests.telemetry.calibrations import record
from tests.telemetry.samples import BAUSKA, T0, passed

# --------------------------------------------------------------------------- intervals


@settings(deadline=None)
@given(made.intervals, st.integers(1, 2**40))
def test_an_interval_comes_back_exactly(interval: Interval, seq: int) -> None:
    sent = messages.named(messages.encode(messages.aggregate(interval)), "agg", SIGN, EPOCH, seq)
    named = messages.parse_named(sent, "agg", SIGN)
    assert (named.epoch, named.seq) == (EPOCH, seq)
    assert messages.parse_aggregate(named.body) == interval == messages.parse_aggregate(sent)
    read = Aggregate.model_validate_json(sent)
    assert (read.seq, read.id, read.epoch) == (seq, SIGN, EPOCH)


def test_an_empty_interval_is_a_message_without_groups() -> None:
    body = messages.encode(messages.aggregate(Interval(T0, 900, 0.0, ClockQuality.OK, 1)))
    assert messages.named(body, "agg", SIGN, EPOCH, 7) == (
        b'{"v":1,"id":"bauska-3","epoch":"0123456789abcdef","seq":7,"rev":1,"start":1777878000,"dur":900,'
        b'"measured_s":0.0,"clk":"ok","installation":1,"groups":[]}'
    )


def test_one_group_as_it_goes_over_the_wire() -> None:
    cell = Cell(Direction.RECEDING, DisplayState.DARK, {48: 2, 51: 1})
    message = messages.aggregate(Interval(T0, 900, 0.0, ClockQuality.OK, 1, 1, (cell,)))
    assert message["groups"] == [
        {"dir": "receding", "display": "dark", "n": 3, "mean": 49.0, "max": 51,
         "hist": {"w": 1, "lo": 48, "c": [2, 0, 0, 1]}}
    ]  # fmt: skip
    assert "scaled" not in message


def test_suspects_are_told_where_there_are_any() -> None:
    cell = Cell(Direction.RECEDING, DisplayState.DARK, {48: 2, 51: 1}, {48: 1})
    message = messages.aggregate(Interval(T0, 900, 0.0, ClockQuality.OK, 1, 1, (cell,)))
    (group,) = json.loads(messages.encode(message))["groups"]
    assert group["sus"] == {"w": 1, "lo": 48, "c": [1]}


def test_a_body_that_says_nothing_has_a_name_all_the_same() -> None:
    assert json.loads(messages.named(b"{}", "gap", SIGN, EPOCH, 3)) == {
        "v": 1, "id": SIGN, "epoch": EPOCH, "seq": 3,
    }  # fmt: skip


# --------------------------------------------------------------------------- state, birth, place


@pytest.mark.parametrize("word", ["on", "off", "lost"])
def test_state(word: str) -> None:
    body = messages.encode(messages.state(word, 41))
    assert State.model_validate_json(body).s == word
    assert json.loads(body) == {"v": 1, "s": word, "boot": 41}
    assert (messages.parse_state(body).status, messages.parse_state(body).boot) == (word, 41)


@pytest.mark.parametrize("challenge", [None, "ab" * 16])
def test_birth_tells_all_of_an_installation(challenge: str | None) -> None:
    body = messages.encode(messages.birth(WHO, EPOCH, 41, 3, BAUSKA, challenge))
    read = messages.parse_birth(body, SIGN)
    assert read.place is not None
    assert (read.place.number, read.place.facts) == (3, BAUSKA)
    assert (read.epoch, read.boot, read.software, read.challenge) == (EPOCH, 41, "0.2.0", challenge)
    assert Birth.model_validate_json(body).challenge == challenge


@pytest.mark.parametrize("oldest", [None, 1, 4711])
def test_birth_tells_what_the_sign_still_has(oldest: int | None) -> None:
    body = messages.encode(messages.birth(WHO, EPOCH, 41, 3, BAUSKA, oldest=oldest))
    assert messages.parse_birth(body, SIGN).oldest == (oldest or 0)
    assert Birth.model_validate_json(body).oldest == oldest


def test_birth_before_anything_was_installed() -> None:
    body = messages.encode(messages.birth(WHO, EPOCH, 41, None, None))
    assert messages.parse_birth(body, SIGN).place is None
    assert Birth.model_validate_json(body).installation is None


def test_a_place_comes_back_exactly() -> None:
    named = messages.parse_named(made.sent("place"), "place", SIGN)
    told = messages.parse_place(named.body)
    assert (told.number, told.from_s, told.facts) == (3, 1_777_800_000, BAUSKA)
    assert told.calibrations == made.PROOFS


def test_names_of_people_stay_at_the_sign() -> None:
    assert record().by.encode() not in made.sent("place")
    assert b"runs" not in made.sent("place")


def test_a_place_of_an_older_sign_tells_no_calibration() -> None:
    body = messages.place(3, 1_777_800_000, BAUSKA)
    assert "calibrations" not in body
    assert messages.parse_place(body).calibrations == ()


def test_what_only_a_newer_sign_knows_is_left_out() -> None:
    body = json.loads(made.body("place"))
    body["calibrations"][0] |= {"kind": "laser", "more": 1}
    body["calibrations"].append(body["calibrations"][1] | {"verdict": "perhaps"})
    assert messages.parse_place(body).calibrations == made.PROOFS[1:]


# --------------------------------------------------------------------------- vehicles


@settings(deadline=None)
@given(st.lists(made.records(), min_size=1, max_size=20))
def test_vehicles_come_back_but_for_rounding(sent: list[VehicleRecord]) -> None:
    message = messages.named(messages.encode(messages.vehicles(4, sent)), "raw", SIGN, EPOCH, 9)
    batch = messages.parse_vehicles(messages.parse_named(message, "raw", SIGN).body)
    assert batch.installation_id == 4
    assert Vehicles.model_validate_json(made.plain("raw", message)).n == len(sent)
    for had, got in zip(sent, batch.records, strict=True):
        _same(had, got)


def _same(had: VehicleRecord, got: VehicleRecord) -> None:
    """All that an officer's command reads of a vehicle."""
    assert (to_ms(got.first_utc), to_ms(got.last_utc)) == (to_ms(had.first_utc), to_ms(had.last_utc))
    assert (got.clock, got.display, got.tracker, got.face) == (had.clock, had.display, had.tracker, had.face)
    one, other = had.vehicle, got.vehicle
    assert (other.direction, other.readings, other.flags) == (one.direction, one.readings, one.flags)
    for rounds in (True, False):  # counted under the same km/h, whichever way the radar rounds
        assert speed_class(other.speed_kmh, rounds=rounds) == speed_class(one.speed_kmh, rounds=rounds)
    for name in ("speed_kmh", "entry_kmh", "exit_kmh", "max_kmh", "radial_kmh", "along_kmh"):
        assert _near(getattr(one, name), getattr(other, name), 0.1)
    assert _near(one.length_m, other.length_m, 0.05)
    assert _near(one.strength, other.strength, 0.05 * (one.strength or 0) + 1e-9)


def _near(one: float | None, other: float | None, within: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= within + 1e-9


@given(st.floats(0, 900))
def test_a_speed_is_never_rounded_over_the_edge_of_a_class(kmh: float) -> None:
    for rounds in (True, False):
        assert speed_class(tenths(kmh) / 10, rounds=rounds) == speed_class(kmh, rounds=rounds)


@pytest.mark.parametrize("n", [0, 101])
def test_a_batch_has_1_to_100_vehicles(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} vehicles"):
        messages.vehicles(1, [passed()] * n)


def test_vehicles_whose_clock_stepped_back_are_told_as_they_are() -> None:
    sent = [passed(at=T0), passed(at=T0 - timedelta(hours=2))]
    message = json.loads(messages.encode(messages.vehicles(1, sent)))
    assert message["dt"] == [0, -7_200_000]
    assert [record.last_utc for record in messages.parse_vehicles(message).records] == [
        record.last_utc for record in sent
    ]


# --------------------------------------------------------------------------- acks


@st.composite
def acks(draw: st.DrawFn) -> Ack:
    edges = sorted(draw(st.sets(st.integers(0, 2**62), min_size=1, max_size=2 * messages.ACK_MAX_RANGES - 1)))
    ranges = tuple(zip(edges[1::2], edges[2::2], strict=False))
    return Ack(EPOCH, edges[0], ranges, draw(st.booleans()))


@given(acks())
def test_an_ack_comes_back_exactly_and_fits(told: Ack) -> None:
    payload = messages.encode(messages.ack(told))
    assert len(payload) <= messages.ACK_MAX_BYTES
    assert messages.parse_ack(payload) == told


def test_of_very_many_ranges_the_first_ones_are_told() -> None:
    told = Ack(EPOCH, 0, tuple((3 * n, 3 * n + 1) for n in range(1, 200)))
    assert messages.parse_ack(messages.encode(messages.ack(told))).also == told.also[:64]


_EPOCH = b'{"epoch":"0123456789abcdef",'


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"[]", b"7", b"null", b'{"up_to":3}', b"\xff\xfe", b"[" * 4000, b'{"a":' * 800,
        b'{"epoch":"0123456789abcdef"}', b'{"epoch":"0123456789ABCDEF","up_to":3}',
        b'{"epoch":"0123456789abcde","up_to":3}', b'{"epoch":"0123456789abcdef\\n","up_to":3}',
        b'{"epoch":7,"up_to":3}', _EPOCH + b'"up_to":-1}', _EPOCH + b'"up_to":1.0}',
        _EPOCH + b'"up_to":true}', _EPOCH + b'"up_to":3,"v":true}',
        _EPOCH + b'"up_to":4611686018427387905}', _EPOCH + b'"up_to":1e3}', _EPOCH + b'"up_to":NaN}',
        _EPOCH + b'"up_to":' + b"9" * 3000 + b"}", _EPOCH + b'"up_to":3,"v":2}',
        _EPOCH + b'"up_to":3,"also":null}', _EPOCH + b'"up_to":3,"also":[4,5]}',
        _EPOCH + b'"up_to":3,"also":[[5,4]]}', _EPOCH + b'"up_to":3,"also":[[3,4]]}',
        _EPOCH + b'"up_to":3,"also":[[5,6],[6,7]]}', _EPOCH + b'"up_to":3,"also":[[5]]}',
        _EPOCH + b'"up_to":3,"also":[[5,6,7]]}', _EPOCH + b'"up_to":3,"need":7}',
        _EPOCH + b'"up_to":3,"x":"' + b"x" * 4096 + b'"}', _EPOCH + b'"up_to":3,"x":"\\ud800"}',
    ],
)  # fmt: skip
def test_what_is_no_ack_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages.parse_ack(payload)


def test_an_ack_needs_no_more_than_epoch_and_up_to_and_may_say_more() -> None:
    assert messages.parse_ack(b'{"epoch":"0123456789abcdef","up_to":3}') == Ack(EPOCH, 3)
    assert messages.parse_ack(b'{"epoch":"0123456789abcdef","up_to":3,"news":[{}],"need":"tea"}') == Ack(
        EPOCH, 3
    )


# --------------------------------------------------------------------------- what is loaded


def test_the_daemon_builds_messages_without_pydantic_and_reads_numbers_without_paho() -> None:
    code = (
        "import sys, telemetry.outbox.publisher, telemetry.store, telemetry.recorder, telemetry.query,"
        " telemetry.health, telemetry.statistics;"
        " print([m for m in ('pydantic', 'paho', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_vehicle_costs_few_bytes() -> None:
    """With what is known of each differing from all others (docs/integrator.md)."""
    chance, at, sent = random.Random(5), T0, []
    for _ in range(100):
        at += timedelta(seconds=chance.expovariate(1 / 12))
        speed, seen_s = chance.gauss(50, 6), chance.uniform(1, 9)
        vehicle = replace(
            passed(speed, at).vehicle,
            entry_kmh=speed + chance.uniform(-0.3, 0.3),
            exit_kmh=speed + chance.uniform(-0.2, 0.2),
            max_kmh=speed + chance.uniform(0, 0.6),
            readings=round(16 * seen_s),
            strength=chance.uniform(100, 900),
            flags=chance.choice(((), (), (), ("rejoined",))),
            radial_kmh=speed - chance.uniform(0, 1.3),
            along_kmh=speed,
        )
        sent.append(replace(passed(), vehicle=vehicle, first_utc=at, last_utc=at + timedelta(seconds=seen_s)))
    assert len(messages.named(messages.encode(messages.vehicles(1, sent)), "raw", SIGN, EPOCH, 9)) <= 1900
