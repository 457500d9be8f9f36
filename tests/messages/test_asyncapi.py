"""docs/asyncapi.yaml and docs/schemas: what the models say, valid, and every example in them too."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]

from telemetry.hub.hub import ACK_QOS
from telemetry.message import messages
from telemetry.message.asyncapi import KINDS, as_yaml, document
from tests.messages import describe

OFFICIAL = Path(__file__).with_name("schemas") / "asyncapi-3.0.0.json.gz"
SPOILT: list[tuple[str, list[Any], Any]] = [
    ("state", ["s"], "away"),
    ("birth", ["installation", "limit_kmh"], "50"),
    ("health", ["machine", "disk_free"], 61),
    ("place", ["installation", "rounds"], None),
    ("agg", ["groups", 0, "hist", "c", 0], -1),
    ("raw", ["dir"], "rx"),
    ("gap", ["dropped", 0, "first"], 0),
    ("reply", ["outcome"], None),
    ("ack", ["also", 0], [3]),
    ("cmd", ["besides"], 1),
    ("command", ["args", "besides"], 1),
]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return document(describe.examples())


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(gzip.decompress(OFFICIAL.read_bytes())))


@pytest.mark.parametrize("path", describe.files(), ids=lambda path: path.name)
def test_what_is_committed_is_what_the_models_say(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == describe.files()[path], "python -m tests.messages.describe"


def test_no_schema_is_left_over() -> None:
    assert set((describe.DOCS / "schemas").iterdir()) == set(describe.files()) - {
        describe.DOCS / "asyncapi.yaml"
    }


# --------------------------------------------------------------------------- the document


def test_it_is_asyncapi(spec: dict[str, Any], official: Draft7Validator) -> None:
    official.validate(spec)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["operations", "publishAgg", "bindings", "mqtt", "qos"], 3),
        (["operations", "publishAgg", "action"], "shout"),
        (["channels", "agg", "adress"], "x"),
        (["components", "securitySchemes", "certificate", "type"], "magic"),
        (["components", "schemas", "Aggregate", "type"], "row"),
        (["asyncapi"], "2.6.0"),
    ],
)
def test_what_is_no_asyncapi_is_seen(
    spec: dict[str, Any], official: Draft7Validator, path: list[str], value: object
) -> None:
    assert not official.is_valid(spoilt(spec, path, value))


def test_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    found = set(references(spec))
    assert len(found) > 40
    for reference in found:
        at: Any = spec
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_its_channels_are_the_topics_there_are(spec: dict[str, Any]) -> None:
    told = {channel["address"] for channel in spec["channels"].values()}
    up = [*messages.RANKS, "state", "birth", "health"]
    assert told == {messages.topic("{sign}", word) for word in up} | {
        messages.down_topic("{sign}", word) for word in ("ack", "cmd")
    }


def test_what_it_says_of_the_way_down_is_what_is_done(spec: dict[str, Any]) -> None:
    assert spec["operations"]["receiveAck"]["bindings"]["mqtt"]["qos"] == ACK_QOS


def test_every_message_of_it_is_one_of_its_own_schemas(spec: dict[str, Any]) -> None:
    for kind in KINDS:
        message = spec["components"]["messages"][kind.word]
        schema = {**message["payload"], "components": spec["components"]}
        (example,) = message["examples"]
        Draft7Validator(schema).validate(example["payload"])


# --------------------------------------------------------------------------- the schemas


def schema_of(word: str) -> Draft202012Validator:
    text = (describe.DOCS / "schemas" / f"{word}.json").read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))
    return Draft202012Validator(json.loads(text))


@pytest.mark.parametrize(("word", "path", "value"), SPOILT)
def test_an_example_is_valid_and_a_spoilt_one_is_not(word: str, path: list[Any], value: object) -> None:
    validator, example = schema_of(word), describe.examples()[word]
    validator.validate(example)
    assert not validator.is_valid(spoilt(example, path, value))


@pytest.mark.parametrize("word", [kind.word for kind in KINDS if kind.word != "cmd"])
def test_schemas_let_newer_keys_through(word: str) -> None:
    schema_of(word).validate(describe.examples()[word] | {"since_2031": 1})


@pytest.mark.parametrize("word", [*(kind.word for kind in KINDS), "command"])
def test_what_is_optional_may_be_missing_and_not_null(word: str) -> None:
    schema = json.loads((describe.DOCS / "schemas" / f"{word}.json").read_text(encoding="utf-8"))
    assert '"default"' not in json.dumps(schema)
    may_be_null = re.findall(r'"(\w+)": {"anyOf": \[[^]]*{"type": "null"}\]', json.dumps(schema))
    assert set(may_be_null) <= {"installation", "radial", "along", "strength", "length", "items"}


def spoilt(value: Any, path: list[Any], new: object) -> Any:
    """A copy in which one place is another."""
    copied = copy.deepcopy(value)
    at = copied
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return copied


# --------------------------------------------------------------------------- YAML


def parsed(text: str) -> Any:
    """The part of YAML that is written: block mappings and lists, JSON on one line."""
    lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in text.splitlines()]
    value, rest = _block(lines, 0)
    assert not rest
    return value


def _block(lines: list[tuple[int, str]], depth: int) -> tuple[Any, list[tuple[int, str]]]:
    found: Any = [] if lines[0][1].startswith("-") else {}
    while lines and lines[0][0] == depth:
        line, lines = lines[0][1], lines[1:]
        if isinstance(found, list):
            assert line[0] == "-"
            key, text = None, line[1:].strip()
        else:
            match = re.fullmatch(r'("(?:[^"\\]|\\.)*"|[A-Za-z_$][\w$]*):(?: (.+))?', line)
            assert match, line
            key = json.loads(match[1]) if match[1].startswith('"') else match[1]
            text = match[2] or ""
        value, lines = (json.loads(text), lines) if text else _block(lines, depth + 2)
        if isinstance(found, list):
            found.append(value)
        else:
            found[key] = value
    return found, lines


def test_the_yaml_says_the_same(spec: dict[str, Any]) -> None:
    assert parsed((describe.DOCS / "asyncapi.yaml").read_text(encoding="utf-8")) == spec


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=8)
trees = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=10,
    ),
    min_size=1,
    max_size=4,
)


@given(trees)
def test_any_tree_is_written_so_that_it_can_be_read(tree: dict[str, Any]) -> None:
    assert parsed(as_yaml(tree)) == tree
