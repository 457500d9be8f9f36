"""Messages: what is built is what the models describe, and what is read back is what was sent."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from speedsign.model import Cell, ClockQuality, Direction, DisplayState, Interval
from telemetry import messages
from telemetry.message_models import Aggregate, Birth, State
from tests.telemetry.samples import BAUSKA, QUARTER, T0

EPOCH = "0123456789abcdef"
WHO = messages.Identity("bauska-3", 41, "0.1.0", "ops243", "max-2", "c0ffee")

cells = st.lists(
    st.builds(
        Cell,
        st.sampled_from(Direction),
        st.sampled_from(DisplayState),
        st.dictionaries(st.integers(0, 260), st.integers(1, 500), min_size=1, max_size=30),
    ),
    unique_by=lambda cell: (cell.direction, cell.display),
    max_size=9,
)
intervals = st.builds(
    Interval,
    start_utc=st.integers(0, 10_000_000).map(lambda quarter: T0 + quarter * QUARTER),
    duration_s=st.just(900),
    measured_s=st.integers(0, 900_000).map(lambda ms: ms / 1000),
    clock=st.sampled_from(ClockQuality),
    installation_id=st.integers(1, 99),
    revision=st.integers(1, 9),
    cells=cells.map(tuple),
).filter(lambda interval: interval.start_utc.year < 9000)


@settings(deadline=None)
@given(intervals, st.integers(1, 2**40))
def test_an_interval_comes_back_exactly(interval: Interval, seq: int) -> None:
    body = messages.encode(messages.aggregate("bauska-3", EPOCH, seq, interval))
    assert messages.parse_aggregate(body) == interval
    read = Aggregate.model_validate_json(body)
    assert (read.seq, read.id, read.epoch) == (seq, "bauska-3", EPOCH)


def test_an_empty_interval_is_a_message_without_groups() -> None:
    empty = Interval(T0, 900, 0.0, ClockQuality.OK, 1)
    assert messages.encode(messages.aggregate("bauska-3", EPOCH, 7, empty)) == (
        b'{"v":1,"id":"bauska-3","epoch":"0123456789abcdef","seq":7,"rev":1,"start":1777878000,"dur":900,'
        b'"measured_s":0.0,"clk":"ok","installation":1,"groups":[]}'
    )


def test_one_group_as_it_goes_over_the_wire() -> None:
    cell = Cell(Direction.RECEDING, DisplayState.DARK, {48: 2, 51: 1})
    message = messages.aggregate("bauska-3", EPOCH, 7, Interval(T0, 900, 0.0, ClockQuality.OK, 1, 1, (cell,)))
    assert message["groups"] == [
        {"dir": "receding", "display": "dark", "n": 3, "mean": 49.0, "max": 51,
         "hist": {"w": 1, "lo": 48, "c": [2, 0, 0, 1]}}
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["on", "off", "lost"])
def test_state(word: str) -> None:
    body = messages.encode(messages.state(word, 41))
    assert State.model_validate_json(body).s == word
    assert json.loads(body) == {"v": 1, "s": word, "boot": 41}


@pytest.mark.parametrize("standing", [(None, None), (3, BAUSKA)])
def test_birth(standing: tuple[None, None]) -> None:
    body = messages.encode(messages.birth(WHO, EPOCH, *standing))
    read = Birth.model_validate_json(body)
    assert (read.id, read.boot, read.epoch) == ("bauska-3", 41, EPOCH)
    assert read.installation is None or read.installation.site == "Bauska, Rīgas iela"


def test_the_models_take_nothing_extra_and_nothing_that_does_not_add_up() -> None:
    cell = Cell(Direction.RECEDING, DisplayState.DARK, {48: 2})
    interval = Interval(T0, 900, 0.0, ClockQuality.OK, 1, 1, (cell,))
    good = json.loads(messages.encode(messages.aggregate("bauska-3", EPOCH, 7, interval)))

    def refused(**change: object) -> None:
        with pytest.raises(ValidationError):
            Aggregate.model_validate_json(json.dumps({**good, **change}))

    Aggregate.model_validate_json(json.dumps(good))
    refused(extra=1)
    refused(v=2)
    refused(seq="7")
    refused(measured_s=901)
    refused(groups=good["groups"] * 2)
    refused(groups=[{**good["groups"][0], "n": 3}])
    refused(groups=[{**good["groups"][0], "max": 49}])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages.parse_aggregate(body)


@settings(deadline=None)
@given(
    st.sampled_from(["v", "start", "dur", "measured_s", "clk", "installation", "rev", "groups"]), json_values
)
def test_a_damaged_field_is_a_value_error_or_an_interval(name: str, value: object) -> None:
    cell = Cell(Direction.RECEDING, DisplayState.DARK, {48: 2})
    interval = Interval(T0, 900, 0.0, ClockQuality.OK, 1, 1, (cell,))
    message = {**messages.aggregate("bauska-3", EPOCH, 7, interval), name: value}
    try:
        read = messages.parse_aggregate(json.dumps(message).encode())
    except ValueError:
        return
    assert all(isinstance(n, int) for n in (read.duration_s, read.installation_id, read.revision))
    assert read.measured_s >= 0


def test_the_daemon_builds_messages_without_pydantic_and_reads_numbers_without_paho() -> None:
    code = (
        "import sys, telemetry.publisher, telemetry.store, telemetry.recorder, telemetry.query,"
        " telemetry.statistics; print([m for m in ('pydantic', 'paho') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
