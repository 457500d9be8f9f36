"""Writes docs/asyncapi.yaml and docs/schemas/*.json anew: python -m tests.messages.describe"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from telemetry.command.model import open_envelope
from telemetry.message.asyncapi import as_yaml, document, json_schemas

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = Path(__file__).with_name("v1") / "with_hub"


def examples() -> dict[str, Any]:
    """The recorded messages, and the command inside its envelope."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("*.json")}
    envelope = open_envelope((EXAMPLES / "cmd.json").read_bytes())
    return found | {"command": json.loads(envelope.body)}


def files() -> dict[Path, str]:
    """{file: what must stand in it}."""
    known = examples()
    found = {
        DOCS / "schemas" / f"{word}.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for word, schema in json_schemas(known).items()
    }
    return found | {DOCS / "asyncapi.yaml": as_yaml(document(known))}


def main() -> None:
    (DOCS / "schemas").mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
