"""What comes from outside: nothing but ValueError, whatever the bytes; nothing big is ever made of little."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from speedsign.model import Interval
from telemetry.message import messages, models
from telemetry.message.heard import Place
from telemetry.message.reply_models import Reply
from telemetry.message.vehicle_models import Vehicles
from tests.messages import made
from tests.messages.made import KINDS, packed, plain, read, sent

MODELS: dict[str, type[BaseModel]] = {
    "agg": models.Aggregate,
    "raw": Vehicles,
    "place": models.PlaceMessage,
    "gap": models.Gap,
    "reply": Reply,
    "state": models.State,
    "birth": models.Birth,
    "health": models.Health,
    "ack": models.AckMessage,
}
some_json: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "ok", "1", "a" * 81, "Europe/Riga", "Europe", "UTC\n", "o", "agg", "a\x1bb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner, max_size=3),
    max_leaves=6,
)


def accepted(kind: str, payload: bytes) -> bool:
    """By what the hub and the sign read with; anything but ValueError is a failure of the test."""
    try:
        read(kind, payload)
    except ValueError:
        return False
    return True


def described(kind: str, text: bytes) -> bool:
    """By the models, and so by the published schemas."""
    try:
        MODELS[kind].model_validate_json(text)
    except ValidationError:
        return False
    return True


def changed(draw: st.DrawFn, value: Any) -> Any:
    """One place of a message is another, is missing, is doubled, or something is there besides."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        what = draw(st.sampled_from(["deeper", "deeper", "gone", "besides"]))
        rest = {name: one for name, one in value.items() if name != key}
        if what == "gone":
            return rest
        return {**rest, key: changed(draw, value[key])} if what == "deeper" else {**value, "beside": key}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        new = draw(st.sampled_from([[], [value[place]] * 2, [changed(draw, value[place])]]))
        return [*value[:place], *new, *value[place + 1 :]]
    if type(value) in (int, float) and draw(st.booleans()):
        return draw(st.sampled_from([value + 1, value - 1, -value, value * 1000, float(value), 0, 2**62 + 1]))
    return draw(some_json)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    kind = draw(st.sampled_from(KINDS))
    value = json.loads(plain(kind, sent(kind)))
    for _ in range(draw(st.integers(1, 2))):
        value = changed(draw, value)
    return kind, json.dumps(value).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_genuine_message_is_read_and_described(kind: str) -> None:
    assert accepted(kind, sent(kind))
    assert described(kind, plain(kind, sent(kind)))


@settings(deadline=None, max_examples=600)
@given(mutated())
def test_parser_and_model_have_the_same_verdict(it: tuple[str, bytes]) -> None:
    kind, text = it
    named = json.loads(text)
    right_sign = kind in ("state", "ack") or (isinstance(named, dict) and named.get("id") == made.SIGN)
    assert accepted(kind, packed(kind, text)) == (described(kind, text) and right_sign)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(KINDS), st.binary(max_size=80) | some_json.map(lambda value: json.dumps(value).encode())
)
def test_garbage_is_a_value_error(kind: str, payload: bytes) -> None:
    assert not accepted(kind, payload)
    assert not accepted(kind, packed(kind, payload))


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(KINDS), st.data())
def test_damaged_bytes_are_a_value_error_or_a_message(kind: str, data: st.DataObject) -> None:
    payload = bytearray(sent(kind))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    accepted(kind, bytes(payload))
    accepted(kind, bytes(payload[:cut]))


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_nobody_knows_yet_are_left_alone(kind: str) -> None:
    newer = json.loads(plain(kind, sent(kind))) | {"since_2031": [{"a": None}]}
    for value in list(newer.values()):
        if isinstance(value, dict) and kind not in ("raw", "health"):  # there, names are data
            value["since_2031"] = 1
    text = json.dumps(newer).encode()
    assert read(kind, packed(kind, text)) is not None
    assert described(kind, text)


@pytest.mark.parametrize("kind", messages.RANKS)
def test_another_version_another_sign_or_no_seq_is_refused(kind: str) -> None:
    good = json.loads(plain(kind, sent(kind)))
    for change in (
        {"v": 2},
        {"v": "1"},
        {"v": None},
        {"id": "iecava-1"},
        {"seq": 0},
        {"seq": None},
        {"epoch": "x" * 16},
    ):
        with pytest.raises(ValueError, match=r"."):
            read(kind, packed(kind, json.dumps(good | change).encode()))


@pytest.mark.parametrize("kind", ["state", "ack", "cmd", "up/agg", "#", ""])
def test_what_has_no_name_is_not_read_as_if_it_had(kind: str) -> None:
    with pytest.raises(ValueError, match="no kind of message"):
        messages.parse_named(sent("agg"), kind, made.SIGN)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b"[" + b"0," * 50_000_000 + b"0]", 9)[: messages.MESSAGE_MAX_BYTES]
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpacks to more"):
        messages.parse_named(bomb, "raw", made.SIGN)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"x" + data]
)
def test_zlib_that_ends_elsewhere_is_refused(spoil: Any) -> None:
    with pytest.raises(ValueError, match="zlib"):
        messages.parse_named(spoil(sent("raw")), "raw", made.SIGN)


def test_counts_cannot_be_more_than_ever_passed() -> None:
    """A cell is kept as a character for each vehicle: a number of ten digits would be a file of 10 GB."""
    message = json.loads(made.body("agg"))
    message["groups"] = message["groups"][1:]
    message["groups"][0] |= {"n": 10**10, "hist": {"w": 1, "lo": 44, "c": [10**10]}}
    with pytest.raises(ValueError, match="no count"):
        messages.parse_aggregate(message)


def test_what_would_steer_a_terminal_becomes_a_space() -> None:
    message = json.loads(made.body("place"))
    message["installation"]["site"] = "Bauska\x1b[2J\r\n\x9b1m"
    told = messages.parse_place(message)
    assert isinstance(told, Place)
    assert told.facts.site == "Bauska [2J   1m"
    reply = json.loads(made.body("reply")) | {"lines": ["a\x1bb"], "deep": {"er\x07": ["\x00"]}}
    found = messages.parse_reply(reply)
    assert found["lines"] == ["a b"]
    assert found["deep"] == {"er ": [" "]}


def test_letters_of_the_neighbours_are_as_they_were_written() -> None:
    message = json.loads(made.body("place"))
    message["installation"]["site"] = "Šeduva, Žagarė – ķīļi ☃"
    assert messages.parse_place(message).facts.site == "Šeduva, Žagarė – ķīļi ☃"


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "/etc/passwd", "Europe/Riga\n", 7]
)
def test_a_time_zone_that_is_not_known_here_is_refused(zone: object) -> None:
    message = json.loads(made.body("place"))
    message["installation"]["tz"] = zone
    with pytest.raises(ValueError, match="no time zone"):
        messages.parse_place(message)


def test_a_reply_that_goes_too_deep_is_refused() -> None:
    deep: Any = 0
    for _ in range(9):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deep"):
        messages.parse_reply(json.loads(made.body("reply")) | {"more": deep})


def test_a_gap_does_not_name_itself() -> None:
    told = {"dropped": [{"kind": "raw", "first": 3, "last": 9, "n": 2}]}
    assert messages.parse_gap(told, 10)[0].n == 2
    with pytest.raises(ValueError, match="which is here"):
        messages.parse_gap(told, 7)


def test_reasons_are_sentences_for_a_person() -> None:
    bad = json.loads(made.body("agg")) | {"dur": 901}
    with pytest.raises(ValueError, match=r"^dur 901 is none of \(60, 300, 900, 3600\)$"):
        messages.parse_aggregate(bad)
    assert isinstance(messages.parse_aggregate(json.loads(made.body("agg"))), Interval)


SPOILT: list[tuple[str, list[Any], Any]] = [
    ("agg", ["start"], 1_777_878_001),
    ("agg", ["measured_s"], 900.001),
    ("agg", ["measured_s"], -0.001),
    ("agg", ["rev"], 0),
    ("agg", ["clk"], "good"),
    ("agg", ["scaled"], 1),
    ("agg", ["groups", 0, "n"], 4),
    ("agg", ["groups", 0, "max"], 52),
    ("agg", ["groups", 0, "mean"], -1),
    ("agg", ["groups", 0, "hist", "w"], 2),
    ("agg", ["groups", 0, "hist", "lo"], 997),
    ("agg", ["groups", 0, "hist", "c"], []),
    ("agg", ["groups", 0, "hist", "c", 3], 0),
    ("agg", ["groups", 0, "hist", "c", 3], True),
    ("agg", ["groups", 0, "sus"], None),
    ("agg", ["groups", 0, "sus", "c", 0], 2),
    ("agg", ["groups", 0, "sus", "lo"], 49),
    ("agg", ["groups", 0, "sus", "lo"], 200),
    ("agg", ["groups", 0], json.loads(made.body("agg"))["groups"][1]),
    ("raw", ["n"], 4),
    ("raw", ["n"], 101),
    ("raw", ["dt", 1], 10**15),
    ("raw", ["t0"], -1),
    ("raw", ["seen"], 86_400_001),
    ("raw", ["speed", 0], 10_000),
    ("raw", ["speed", 0], 50.4),
    ("raw", ["entry"], -600),
    ("raw", ["exit"], None),
    ("raw", ["radial"], [None]),
    ("raw", ["strength"], -1),
    ("raw", ["face"], "ww"),
    ("raw", ["clk"], ""),
    ("raw", ["flag"], "b"),
    ("raw", ["flags", 0], "Merged"),
    ("raw", ["flags", 0], "merged "),
    ("raw", ["tracker"], "x" * 41),
    ("place", ["from"], -1),
    ("place", ["installation"], None),
    ("place", ["installation", "limit_kmh"], 201),
    ("place", ["installation", "angle_deg"], 90),
    ("place", ["installation", "site"], "x" * 201),
    ("place", ["installation", "radar"], None),
    ("place", ["calibrations"], None),
    ("place", ["calibrations"], json.loads(made.body("place"))["calibrations"] * 6),
    ("place", ["calibrations", 0, "key"], "0" * 31 + "A"),
    ("place", ["calibrations", 0, "at"], -1),
    ("place", ["calibrations", 0, "at"], 1.0),
    ("place", ["calibrations", 0, "clk"], "ko"),
    ("place", ["calibrations", 0, "kind"], "drive by"),
    ("place", ["calibrations", 0, "verdict"], ""),
    ("place", ["calibrations", 0, "due"], "2027-02-29"),
    ("place", ["calibrations", 0, "due"], "20270504"),
    ("place", ["calibrations", 0, "due"], None),
    ("place", ["calibrations", 0, "site"], "x" * 201),
    ("place", ["calibrations", 0, "driver"], 7),
    ("place", ["calibrations", 0, "angle_deg"], 90),
    ("gap", ["dropped", 0, "last"], 2),
    ("gap", ["dropped", 0, "n"], 4),
    ("gap", ["dropped", 0, "kind"], "RAW"),
    ("gap", ["dropped"], [{"kind": "raw", "first": 8, "last": 8, "n": 1}] * 201),
    ("reply", ["at"], -1),
    ("reply", ["key"], "x" * 81),
    ("reply", ["difference"], ["x" * 4001]),
    ("reply", ["difference"], "x"),
    ("reply", ["confirm_within_s"], -1),
    ("reply", ["waits_for"], "1777877000123"),
    ("reply", ["intervals"], 96.5),
    ("reply", ["left_out"], None),
    ("reply", ["report"], ["fine"]),
    ("reply", ["report", "dark"], "no"),
    ("reply", ["report", "tables"], "night"),
    ("reply", ["report", "faults"], ["x" * 201]),
    ("reply", ["report", "installation", "limit_kmh"], "50"),
    ("reply", ["report", "pending", "undone_in_s"], 86_401),
    ("reply", ["report", "last_24_h", "coverage"], 1.01),
    ("state", ["s"], "gone"),
    ("state", ["boot"], -1),
    ("birth", ["schema"], 2),
    ("birth", ["sw"], None),
    ("birth", ["challenge"], None),
    ("birth", ["oldest"], 0),
    ("birth", ["oldest"], 1.0),
    ("birth", ["oldest"], None),
    ("birth", ["installation", "rounds"], 1),
    ("health", ["at"], None),
    ("health", ["machine", "disk_free"], 1.01),
    ("health", ["machine", "mains"], 1),
    ("health", ["machine", "troubles"], "hot"),
    ("health", ["queue"], {"agg": -1}),
    ("health", ["queue"], {f"k{n}": 1 for n in range(13)}),
    ("health", ["faults"], ["x" * 41]),
    ("health", ["radar"], []),
    ("health", ["day", "coverage"], -0.1),
    ("health", ["calibration", "due"], "soon"),
    ("health", ["calibration", "state"], 1),
    ("health", ["calibration", "at"], -1),
]


@pytest.mark.parametrize(("kind", "path", "value"), SPOILT)
def test_each_bound_is_kept_by_parser_and_model(kind: str, path: list[Any], value: object) -> None:
    message = json.loads(plain(kind, sent(kind)))
    at = message
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    text = json.dumps(message).encode()
    assert not accepted(kind, packed(kind, text))
    assert not described(kind, text)
