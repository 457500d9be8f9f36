"""DATEX II 3.5 as JSON: measured data (mean speed and flow a direction and slot), and the table of sites.

Names are those of the JSON schemas of its profile for real-time traffic information (traffic speed and
volume). A site is one direction at the sign; index 1 is its mean speed, 2 its flow in vehicles per hour. A
slot of which less than 75 % was measured is a fault (`noDataValuesAvailable`), never a zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from speedsign.errors import UsageError
from telemetry.exchange.place import Place
from telemetry.exchange.slots import Slot
from telemetry.exchange.tables import numbers_of

VERSION = {"versionG": "3.5", "modelBaseVersionG": "3"}
TAIL = "]}}}"  # after the list of measurements
_TABLE = "MeasurementSiteTable"
_SITE = "MeasurementSite"
_FIRST_VERSION = "1"
_DIRECTIONS = ("approaching", "receding")
SPEED, FLOW = 1, 2  # index of a quantity at its site


def measured_head(place: Place, at: datetime) -> str:
    """The publication up to its list of measurements, as JSON text that `TAIL` ends."""
    publication = _publication(place, at) | {
        "measurementSiteTableReference": [
            {"targetClass": _TABLE, "idG": place.key, "versionG": _FIRST_VERSION}
        ],
        "siteMeasurements": [],
    }
    text = json.dumps({"payload": VERSION | {"roaMeasuredDataPublication": publication}}, ensure_ascii=False)
    return text.removesuffix(TAIL)


def measurements(slots: Iterable[Slot], place: Place) -> Iterator[str]:
    """As JSON texts, in order of time; a direction that is not known has no site."""
    for slot in slots:
        for direction in _DIRECTIONS:
            yield json.dumps(site_measurements(slot, direction, place), ensure_ascii=False)


def site_measurements(slot: Slot, direction: str, place: Place) -> dict[str, object]:
    """SiteMeasurements of one direction in one slot."""
    return {
        "measurementSiteReference": {
            "targetClass": _SITE,
            "idG": f"{place.key}-{direction}",
            "versionG": _FIRST_VERSION,
        },
        "measurementTimeDefault": {
            "timeMeaning": {"value": "endTime"},
            "timeValue": _utc(slot.end_utc),
            "period": {"startOfPeriod": _utc(slot.start_utc), "endOfPeriod": _utc(slot.end_utc)},
        },
        "physicalQuantity": [
            {"index": index, "physicalQuantity": {"roaSinglePhysicalQuantity": quantity}}
            for index, quantity in _quantities(slot, direction, place)
        ],
    }


def _quantities(slot: Slot, direction: str, place: Place) -> Iterator[tuple[int, dict[str, object]]]:
    fault: dict[str, object] = {
        "physicalQuantityFault": [
            {
                "faultLastUpdateTime": _utc(slot.end_utc),
                "physicalQuantityFaultType": {"value": "noDataValuesAvailable"},
            }
        ]
    }
    if not slot.enough:
        yield SPEED, fault
        yield FLOW, fault
        return
    numbers = numbers_of(slot, direction, place.standing)
    used = {"numberOfInputValuesUsed": numbers.n}
    if numbers.mean_kmh is None:
        yield SPEED, fault  # no vehicle has no speed
    else:
        speed = {"speed": round(numbers.mean_kmh, 2), **used}
        yield SPEED, {"basicData": {"roaTrafficSpeed": {"averageVehicleSpeed": speed}}}
    per_hour = round(3600 * numbers.n / slot.measured_s)
    yield FLOW, {"basicData": {"roaTrafficFlow": {"vehicleFlow": {"vehicleFlowRate": per_hour, **used}}}}


def site_table(place: Place, at: datetime, period_s: int) -> dict[str, object]:
    """The whole publication. Raises UsageError for a sign of which nobody has said where it stands."""
    if place.coordinates is None:
        raise UsageError(
            "a DATEX II site needs its place: give --latitude and --longitude, or set them in the config"
        )
    latitude, longitude = place.coordinates
    point = {"pointByCoordinates": {"pointCoordinates": {"latitude": latitude, "longitude": longitude}}}
    table = {
        "idG": place.key,
        "versionG": _FIRST_VERSION,
        "measurementSite": [
            {
                "idG": f"{place.key}-{direction}",
                "versionG": _FIRST_VERSION,
                "measurementSiteName": _text(
                    f"{place.standing.name}, {place.direction_name(direction)}", place.language
                ),
                "measurementSpecificCharacteristics": [
                    _characteristic(SPEED, "trafficSpeed", period_s),
                    _characteristic(FLOW, "trafficFlow", period_s),
                ],
                "measurementSiteLocation": {"locPointLocation": point},
            }
            for direction in _DIRECTIONS
        ],
    }
    publication = _publication(place, at) | {"measurementSiteTable": [table]}
    return {"payload": VERSION | {"roaMeasurementSiteTablePublication": publication}}


def _characteristic(index: int, kind: str, period_s: int) -> dict[str, object]:
    return {
        "index": index,
        "measurementSpecificCharacteristics": {
            "computationMethod": {"value": "arithmeticAverageOfSamplesInATimePeriod"},
            "period": period_s,
            "specificMeasurementValueType": {"value": kind},
            "specificVehicleCharacteristics": {"vehicleType": [{"value": "anyVehicle"}]},
        },
    }


def _publication(place: Place, at: datetime) -> dict[str, object]:
    return {
        "lang": place.language,
        "publicationTime": _utc(at),
        "publicationCreator": {
            "country": place.country,
            "nationalIdentifier": place.provider or place.key,
        },
        "headerInformation": {
            "confidentiality": {"value": "noRestriction"},
            "informationStatus": {"value": "real"},
        },
    }


def _text(text: str, language: str) -> dict[str, object]:
    return {"values": [{"lang": language, "value": text}]}


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
