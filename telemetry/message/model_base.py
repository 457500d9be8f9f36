"""What all models of messages have in common: strict, and optional means that it may be missing, not null."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

_NULL = {"type": "null"}


def _tidy(schema: dict[str, Any], model: type[Any]) -> None:
    """No titles, no defaults, no null where null is refused."""
    schema.pop("title", None)
    for name, part in schema.get("properties", {}).items():
        part.pop("title", None)
        part.pop("default", None)
        choices = part.get("anyOf", [])
        if name in model.nullable or _NULL not in choices:
            continue
        rest = [choice for choice in choices if choice != _NULL]
        if len(rest) == 1:
            del part["anyOf"]
            schema["properties"][name] = rest[0] | part
        else:
            part["anyOf"] = rest


class Strict(BaseModel):
    """Nothing converted, no NaN, nothing that is not known."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, json_schema_extra=_tidy
    )
    nullable: ClassVar[frozenset[str]] = frozenset()  # fields that may be null

    @model_validator(mode="after")
    def _no_null(self) -> Self:
        for name in self.model_fields_set - self.nullable:
            if getattr(self, name) is None:
                raise ValueError(f"{name} is null")
        return self


class Message(Strict):
    """The same, but keys that are not known are left alone: a newer sender's."""

    model_config = ConfigDict(extra="ignore")
