"""FIWARE TrafficFlowObserved 0.0.1 (smart-data-models, Transportation): an entity a direction and slot.

`intensity` is the count of the slot, not a rate. What the model has no word for stands under `speedsign:`.
A slot of which too little was measured has neither intensity nor speed: 0 would say that nobody passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from telemetry.exchange.place import Place
from telemetry.exchange.slots import Slot
from telemetry.exchange.tables import method_of, numbers_of

CONTEXT = [
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Transportation/master/context.jsonld",
    {"speedsign": "urn:speedsign:"},
]
# forward: towards the face of the sign, as `approaching` is.
_LANE = {"approaching": "forward", "receding": "backward"}


def entities(slots: Iterable[Slot], place: Place) -> Iterator[str]:
    """As JSON texts, in order of time."""
    for slot in slots:
        for direction in slot.directions():
            yield json.dumps(entity(slot, direction, place), ensure_ascii=False)


def entity(slot: Slot, direction: str, place: Place) -> dict[str, object]:
    """Of one direction in one slot, as key-values."""
    start, end = _utc(slot.start_utc), _utc(slot.end_utc)
    name = f"{place.key}:{direction}:{slot.start_utc:%Y%m%dT%H%M%SZ}"
    found: dict[str, object] = {
        "id": f"urn:ngsi-ld:TrafficFlowObserved:{name}",
        "type": "TrafficFlowObserved",
        "name": f"{place.standing.name}, {place.direction_name(direction)}",
        "dateObserved": f"{start}/{end}",
        "dateObservedFrom": start,
        "dateObservedTo": end,
    }
    if direction in _LANE:
        found["laneDirection"] = _LANE[direction]
    if place.coordinates is not None:
        latitude, longitude = place.coordinates
        found["location"] = {"type": "Point", "coordinates": [longitude, latitude]}
    if place.provider:
        found["dataProvider"] = place.provider
    found["speedsign:coverage"] = round(slot.coverage, 4)
    if slot.enough:
        found |= _counted(slot, direction, place)
    return found | {"@context": CONTEXT}


def _counted(slot: Slot, direction: str, place: Place) -> dict[str, object]:
    numbers = numbers_of(slot, direction, place.standing)
    found: dict[str, object] = {"intensity": numbers.n}
    if numbers.mean_kmh is not None and numbers.v85_kmh is not None:
        found |= {
            "averageVehicleSpeed": round(numbers.mean_kmh, 2),
            "speedsign:v85Kmh": round(numbers.v85_kmh, 2),
            "speedsign:method": method_of(place.standing),
            "speedsign:limitKmh": place.standing.facts.limit_kmh,
            "speedsign:overLimitShare": numbers.over_limit_share,
            "speedsign:sample": numbers.sample,
        }
    return found


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
