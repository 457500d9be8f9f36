"""JSON schemas: ours, and the published ones where somebody has them (schemas/README.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

HERE = Path(__file__).parent / "schemas"
FOLDER = os.environ.get("SPEEDSIGN_SCHEMAS")
_COMMON = "https://smart-data-models.github.io/data-models/common-schema.json"


def ours(name: str) -> Any:
    """Of the file in schemas/."""
    return _validator(json.loads((HERE / f"{name}.json").read_text()), Registry())


def fiware() -> Any:
    folder = _folder()
    common = Resource.from_contents(json.loads((folder / "common-schema.json").read_text()))
    registry: Registry[Any] = Registry().with_resource(_COMMON, common)
    return _validator(json.loads((folder / "TrafficFlowObserved.json").read_text()), registry)


def datex2() -> Any:
    folder = _folder()
    found = {
        path.name: DRAFT4.create_resource(json.loads(path.read_text()))
        for path in folder.glob("DATEXII_3_*.json")
    }
    registry: Registry[Any] = Registry().with_resources(found.items())
    return _validator(found["DATEXII_3_D2Payload.json"].contents, registry)


def _folder() -> Path:
    if FOLDER is None:
        pytest.skip("SPEEDSIGN_SCHEMAS names no folder with the published schemas")
    return Path(FOLDER)


def _validator(schema: Any, registry: Registry[Any]) -> Any:
    cls = jsonschema.validators.validator_for(schema)
    return cls(schema, registry=registry, format_checker=cls.FORMAT_CHECKER)
