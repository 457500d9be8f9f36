"""The messages between sign and hub as an AsyncAPI 3.0.0 document and as JSON Schemas, from the models.

Pure; `python -m tests.messages.describe` writes what comes of it to docs/, and a test compares. Sources:
the AsyncAPI specification 3.0.0 and its MQTT bindings 0.2.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from telemetry.message import command_models, models
from telemetry.message.names import VERSION, down_topic, topic
from telemetry.message.reply_models import Reply
from telemetry.message.vehicle_models import Vehicles

BINDING = "0.2.0"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMPONENTS = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A message: what it is called, how it travels."""

    word: str  # the last of its topic
    model: type[BaseModel]
    from_sign: bool = True
    retained: bool = False
    content_type: str = "application/json"
    qos: int = 1
    expiry_s: int | None = None  # a broker drops it then


KINDS = (
    Kind("state", models.State, retained=True),
    Kind("birth", models.Birth, retained=True),
    Kind("health", models.Health),
    Kind("place", models.PlaceMessage),
    Kind("agg", models.Aggregate),
    Kind("raw", Vehicles, content_type="application/zlib"),
    Kind("gap", models.Gap),
    Kind("reply", Reply),
    Kind("ack", models.AckMessage, from_sign=False, qos=0),
    Kind("cmd", command_models.Envelope, from_sign=False, expiry_s=600),
)
BODY = Kind("command", command_models.Command, from_sign=False)  # inside an envelope, never alone

_ABOUT = (
    "What a sign says to its hub and what is said to a sign. MQTT 5. Version 1 of topics and"
    " messages may get new optional fields, which receivers ignore until they know them; anything else"
    " becomes version 2 beside 1. Only commands are the exception: a key that is not known is refused."
    " Rules for receivers: docs/integrator.md."
)


def document(examples: Mapping[str, Any]) -> dict[str, Any]:
    """The whole AsyncAPI document; `examples`: {last word of the topic: a message}."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "speedsign",
            "version": f"{VERSION}.0.0",
            "description": _ABOUT,
            "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": {kind.word: _channel(kind) for kind in KINDS},
        "operations": {_operation_name(kind): _operation(kind) for kind in KINDS},
        "components": {
            "messages": {kind.word: _message(kind, examples[kind.word]) for kind in KINDS},
            "schemas": _schemas(),
            "parameters": {
                "sign": {"description": "the sign's id: its config, certificate and ACL name it so"}
            },
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "a client certificate whose common name is the sign's id",
                }
            },
        },
    }


def json_schemas(examples: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{file name without .json: JSON Schema 2020-12}, each complete in itself."""
    found = {}
    for kind in (*KINDS, BODY):
        schema = kind.model.model_json_schema(by_alias=True)
        schema.pop("discriminator", None)
        about = {"$schema": DIALECT, "$id": f"urn:speedsign:{VERSION}:{kind.word}", "title": kind.word}
        found[kind.word] = about | schema | {"examples": [examples[kind.word]]}
    return found


def _server() -> dict[str, Any]:
    return {
        "host": "broker.example.lv:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "a broker of the municipality; TLS 1.3 with client certificates",
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        "bindings": {"mqtt": {"cleanSession": False, "keepAlive": 300, "bindingVersion": BINDING}},
    }


def _address(kind: Kind) -> str:
    return topic("{sign}", kind.word) if kind.from_sign else down_topic("{sign}", kind.word)


def _channel(kind: Kind) -> dict[str, Any]:
    return {
        "address": _address(kind),
        "parameters": {"sign": {"$ref": "#/components/parameters/sign"}},
        "messages": {kind.word: {"$ref": f"#/components/messages/{kind.word}"}},
    }


def _operation_name(kind: Kind) -> str:
    return f"{'publish' if kind.from_sign else 'receive'}{kind.word.capitalize()}"


def _operation(kind: Kind) -> dict[str, Any]:
    """As the sign sees it."""
    mqtt: dict[str, Any] = {"qos": kind.qos, "retain": kind.retained}
    if kind.expiry_s is not None:
        mqtt["messageExpiryInterval"] = kind.expiry_s
    return {
        "action": "send" if kind.from_sign else "receive",
        "channel": {"$ref": f"#/channels/{kind.word}"},
        "messages": [{"$ref": f"#/channels/{kind.word}/messages/{kind.word}"}],
        "bindings": {"mqtt": mqtt | {"bindingVersion": BINDING}},
    }


def _message(kind: Kind, example: Any) -> dict[str, Any]:
    about = (kind.model.__doc__ or "").strip().split("\n\n")
    return {
        "name": kind.word,
        "summary": " ".join(about[0].split()),
        "contentType": kind.content_type,
        "payload": {"$ref": _COMPONENTS.format(model=kind.model.__name__)},
        "examples": [{"name": "recorded", "payload": example}],
    }


def _schemas() -> dict[str, Any]:
    """Of all models, with references that stay inside the document."""
    of_kinds = [(kind.model, "validation") for kind in (*KINDS, BODY)]
    _, found = models_json_schema(of_kinds, ref_template=_COMPONENTS, schema_generator=GenerateJsonSchema)  # type: ignore[arg-type]
    schemas: dict[str, Any] = found["$defs"]
    for schema in schemas.values():
        schema.pop("discriminator", None)  # of OpenAPI's form; oneOf says the same
        schema.pop("title", None)
    return dict(sorted(schemas.items()))


# --------------------------------------------------------------------------- YAML

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SHORT = 100


def as_yaml(value: Any) -> str:
    """Block style with texts in JSON's quotes: a small part of YAML, which every reader reads alike."""
    return "\n".join(_lines(value, 0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    entries: Any = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    for key, one in entries:
        head = f"{pad}-" if key is None else f"{pad}{_key(key)}:"
        flat = json.dumps(one, ensure_ascii=False)
        if not one or not isinstance(one, dict | list) or _is_short(one, flat):
            yield f"{head} {flat}"
        else:
            yield head
            yield from _lines(one, depth + 1)


def _key(key: str) -> str:
    reserved = key.lower() in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    return key if _PLAIN_KEY.fullmatch(key) and not reserved else json.dumps(key, ensure_ascii=False)


def _is_short(value: Any, flat: str) -> bool:
    """Lists of plain values stay on one line, however long: a histogram is one thing."""
    if isinstance(value, list):
        return not any(isinstance(one, dict | list) for one in value) or len(flat) <= _SHORT
    return len(flat) <= _SHORT and not any(isinstance(one, dict) for one in value.values())
