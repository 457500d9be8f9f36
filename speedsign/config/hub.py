"""The hub's config: [hub] and [mqtt]; a sign's config serves too, for its [mqtt]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Len
from pydantic import TypeAdapter, ValidationError

from speedsign.config.lines import key_lines
from speedsign.config.load import parse_config
from speedsign.config.mqtt_relations import mqtt_problems
from speedsign.config.problem import Problem
from speedsign.config.schema import FORBID, MqttConfig
from speedsign.config.toml_text import as_json, read_text, read_toml
from speedsign.config.validation import problems_in, sentences
from speedsign.errors import ConfigError

_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,40}(/[A-Za-z0-9_-]{1,40}){0,3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """[hub]: which hub this is and where it keeps what it hears."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    database: Path = Path("/var/lib/speedsign/hub.db")
    name: Annotated[str, Len(1, 40)] = "main"  # tells hubs of one broker apart
    group: Annotated[str, Len(1, 40)] | None = None  # of a shared subscription: hubs that share the work
    acknowledges: bool = True  # only one hub's word may let the signs forget; false: a second, that listens
    home_assistant: Annotated[str, Len(1, 160)] | None = None  # its discovery prefix; None: it is not told
    keep_vehicles_days: Annotated[int, Ge(1), Le(36600)] | None = None  # None: for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A whole hub.toml, checked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID
    mqtt: MqttConfig
    hub: HubConfig = HubConfig()


@dataclass(frozen=True, slots=True)
class HubWishes:
    """What was typed beside the file; None: as the file says."""

    database: Path | None = None
    host: str | None = None
    port: int | None = None


@cache
def _validator() -> TypeAdapter[HubFile]:
    return TypeAdapter(HubFile)


def load_hub(path: Path | None, wishes: HubWishes) -> HubFile:
    """The checked config with what was typed; raises ConfigError with every problem found."""
    if path is None:
        found, name = HubFile(mqtt=MqttConfig(host=wishes.host or "localhost")), "without a config"
    else:
        found, name = parse_hub(read_text(path), str(path), wishes), str(path)
    typed = found
    if wishes.database is not None:
        typed = replace(typed, hub=replace(typed.hub, database=wishes.database))
    if wishes.host is not None:
        typed = replace(typed, mqtt=replace(typed.mqtt, host=wishes.host))
    if wishes.port is not None:
        typed = replace(typed, mqtt=replace(typed.mqtt, port=wishes.port))
    if typed != found and (problems := list(_relations(typed))):
        if wishes.host is not None and any(one.path == ("mqtt", "host") for one in problems):
            text = "must be a name or an address alone; its port stands in --port"
            raise ConfigError([f"--host {wishes.host!r}: {text}"])
        raise ConfigError(sentences(problems, {}, name))
    return typed


def parse_hub(text: str, name: str, wishes: HubWishes = HubWishes()) -> HubFile:
    """From TOML text; `name` stands for the file in the messages. Of a sign's config [mqtt] is taken."""
    raw = read_toml(text, name)
    if "sign" in raw and "hub" not in raw:
        return _of_a_sign(text, name, wishes)
    lines = key_lines(text)
    try:
        found = _validator().validate_json(as_json(raw, name), strict=True)
    except ValidationError as error:
        problems = [_on_the_hubs_page(one) for one in problems_in(error, name)]
        raise ConfigError(sentences(problems, lines, name)) from None
    if problems := list(_relations(found)):
        raise ConfigError(sentences(problems, lines, name))
    return found


def _on_the_hubs_page(problem: Problem) -> Problem:
    """Keys of [mqtt] are those of a sign; all others are the hub's."""
    if problem.path[0] == "mqtt":
        return problem
    return replace(problem, text=problem.text.replace("docs/config.md", "docs/hub.md"))


def _of_a_sign(text: str, name: str, wishes: HubWishes) -> HubFile:
    """Sign and hub on one machine: the hub has a database of its own, which only its user can name."""
    mqtt = parse_config(text, name).mqtt
    if mqtt is None:
        raise ConfigError([f"{name}: [mqtt] is missing: without a broker nothing comes to a hub"])
    if wishes.database is None:
        raise ConfigError([f"{name}: is a sign's config; name the hub's own database with --db FILE"])
    return HubFile(mqtt=mqtt)


def _relations(config: HubFile) -> Iterator[Problem]:
    hub = config.hub
    if not hub.database.name:
        yield Problem(("hub", "database"), "must name a file, for example /var/lib/speedsign/hub.db")
    for key, pattern, text in (
        ("name", _NAME, "must be 1 to 40 of the characters a-z, 0-9 and -"),
        ("group", _GROUP, "must be 1 to 40 letters, digits, and . _ -"),
        (
            "home_assistant",
            _PREFIX,
            'must be its discovery prefix, "homeassistant" where nothing was changed',
        ),
    ):
        value = getattr(hub, key)
        if value is not None and not pattern.fullmatch(value):
            yield Problem(("hub", key), text, value)
    yield from mqtt_problems(config.mqtt)
