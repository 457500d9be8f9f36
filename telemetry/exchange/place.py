"""Who publishes measurements, and of where: what FIWARE and DATEX II ask beyond the counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telemetry.query import Standing

_ODD = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A sign at its place; `latitude` and `longitude` are WGS 84 degrees, both or none."""

    standing: Standing
    latitude: float | None = None
    longitude: float | None = None
    country: str = "lv"  # of who publishes: two letters
    language: str = "en"
    provider: str = ""  # who publishes: a council, a road owner

    @property
    def key(self) -> str:
        """A stable id of the sign under this installation, of letters, digits, dots and dashes."""
        name = self.standing.sign or self.standing.facts.site or "sign"
        return f"{_ODD.sub('-', name).strip('-') or 'sign'}-{self.standing.id}"

    @property
    def coordinates(self) -> tuple[float, float] | None:
        """(latitude, longitude)."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude

    def direction_name(self, direction: str) -> str:
        """As the council calls it, else the direction."""
        facts = self.standing.facts
        names = {"approaching": facts.approaching_name, "receding": facts.receding_name}
        return names.get(direction) or direction
