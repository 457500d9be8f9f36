"""FIWARE and DATEX II: valid, the same numbers as `stats`, and no zero where nothing was measured."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from telemetry.store import SqliteStore
from tests.cli.command import as_json, speedsign
from tests.exchange import published
from tests.exchange.files import MONDAY, sign

PLACE = ["--latitude", "56.2012", "--longitude", "24.7563", "--provider", "Bauska"]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Five hours: the second half measured, then three more that were not."""
    path = sign(tmp_path / "sign.db")
    store = SqliteStore(path, "north-3")
    store.close_intervals(MONDAY + timedelta(hours=8), MONDAY)
    store.close()
    return path


def exported(db: Path, *args: str) -> Any:
    result = speedsign("export", "--db", db, *PLACE, *args)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def hour_of(db: Path, start: int, direction: str) -> dict[str, Any]:
    period = ["--from", f"2026-05-04T{start:02}:00", "--to", f"2026-05-04T{start + 1:02}:00"]
    rows = as_json(speedsign("stats", "--db", db, *period, "--json"))
    return next(row for row in rows if row["direction"] == direction)


def quantities(site: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["physicalQuantity"]["roaSinglePhysicalQuantity"] for one in site["physicalQuantity"]]


def measured(publication: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = publication["payload"]["roaMeasuredDataPublication"]["siteMeasurements"]
    return found


# --------------------------------------------------------------------------- against schemas


@pytest.mark.parametrize("minutes", ["15", "60"])
@pytest.mark.parametrize("schema", [lambda: published.ours("traffic_flow_observed"), published.fiware])
def test_entities_are_valid(db: Path, schema: Callable[[], Any], minutes: str) -> None:
    validator = schema()
    entities = exported(db, "--format", "fiware", "--period", minutes)
    assert len(entities) > 1
    for entity in entities:
        validator.validate(entity)


@pytest.mark.parametrize("args", [[], ["--period", "15"], ["--what", "sites"]])
@pytest.mark.parametrize("schema", [lambda: published.ours("datex2_measured"), published.datex2])
def test_publications_are_valid(db: Path, schema: Callable[[], Any], args: list[str]) -> None:
    publication = exported(db, "--format", "datex2", *args)
    schema().validate(publication)
    assert len(json.dumps(publication)) > 1000  # an empty one would be valid too


def spoil(value: Any, path: list[Any], new: Any) -> Any:
    """A copy in which one place is another; None: is missing."""
    spoilt = copy.deepcopy(value)
    at = spoilt
    for step in path[:-1]:
        at = at[step]
    if new is None:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return spoilt


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (["dateObserved"], None),
        (["type"], "TrafficFlow"),
        (["intensity"], -1),
        (["averageVehicleSpeed"], "50"),
        (["laneDirection"], "north"),
        (["location", "type"], "Circle"),
    ],
)
@pytest.mark.parametrize("schema", [lambda: published.ours("traffic_flow_observed"), published.fiware])
def test_a_spoilt_entity_is_not(db: Path, schema: Callable[[], Any], path: list[Any], new: Any) -> None:
    entity = exported(db, "--format", "fiware")[0]
    assert list(schema().iter_errors(spoil(entity, path, new)))


_HEAD = ["payload", "roaMeasuredDataPublication"]
_FIRST = [*_HEAD, "siteMeasurements", 0]
_FLOW = [*_FIRST, "physicalQuantity", 1, "physicalQuantity", "roaSinglePhysicalQuantity", "basicData"]


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (["payload", "modelBaseVersionG"], None),
        ([*_HEAD, "publicationTime"], "today"),
        ([*_HEAD, "publicationCreator", "nationalIdentifier"], None),
        ([*_FIRST, "measurementSiteReference", "idG"], None),
        ([*_FIRST, "measurementTimeDefault", "timeMeaning", "value"], "end"),
        ([*_FIRST, "siteMeasurement"], 1),
        ([*_FLOW, "roaTrafficFlow", "vehicleFlow", "vehicleFlowRate"], 1.5),
    ],
)
@pytest.mark.parametrize("schema", [lambda: published.ours("datex2_measured"), published.datex2])
def test_a_spoilt_publication_is_not(db: Path, schema: Callable[[], Any], path: list[Any], new: Any) -> None:
    publication = exported(db, "--format", "datex2")
    assert list(schema().iter_errors(spoil(publication, path, new)))


# --------------------------------------------------------------------------- numbers


def test_an_entity_has_the_numbers_of_its_hour(db: Path) -> None:
    found = {one["id"]: one for one in exported(db, "--format", "fiware")}
    entity = found["urn:ngsi-ld:TrafficFlowObserved:north-3-1:approaching:20260504T040000Z"]
    hour = hour_of(db, 7, "approaching")
    assert entity["intensity"] == hour["n"] == 48
    assert entity["averageVehicleSpeed"] == pytest.approx(hour["mean_kmh"], abs=0.005)
    assert entity["speedsign:v85Kmh"] == pytest.approx(hour["v85_kmh"], abs=0.005)
    assert entity["speedsign:overLimitShare"] == hour["over_limit_share"]
    assert entity["dateObserved"] == "2026-05-04T04:00:00Z/2026-05-04T05:00:00Z"
    assert (entity["laneDirection"], entity["name"]) == ("forward", "bridge, to town")
    assert entity["location"]["coordinates"] == [24.7563, 56.2012]
    assert entity["dataProvider"] == "Bauska"
    assert len(found) == 16


def test_an_entity_of_an_hour_that_was_hardly_measured_has_no_count(db: Path) -> None:
    for entity in exported(db, "--format", "fiware"):
        enough = entity["speedsign:coverage"] >= 0.75
        assert ("intensity" in entity) == enough
        assert ("averageVehicleSpeed" in entity) == enough
    (half, *_) = [one for one in exported(db, "--format", "fiware") if "T050000Z" in one["id"]]
    assert half["speedsign:coverage"] == 0.5


def test_a_publication_has_mean_and_flow_of_each_direction(db: Path) -> None:
    sites = measured(exported(db, "--format", "datex2"))
    assert len(sites) == 16
    hour = hour_of(db, 7, "receding")
    site = sites[1]
    assert site["measurementSiteReference"]["idG"] == "north-3-1-receding"
    assert site["measurementTimeDefault"]["timeValue"] == "2026-05-04T05:00:00Z"
    speed, flow = (one["basicData"] for one in quantities(site))
    assert speed["roaTrafficSpeed"]["averageVehicleSpeed"] == {
        "speed": round(hour["mean_kmh"], 2),
        "numberOfInputValuesUsed": 12,
    }
    assert flow["roaTrafficFlow"]["vehicleFlow"]["vehicleFlowRate"] == 12


def test_the_flow_is_vehicles_per_hour_whatever_the_slot(db: Path) -> None:
    site = measured(exported(db, "--format", "datex2", "--period", "15"))[0]
    _, flow = (
        one["basicData"]["roaTrafficFlow"]["vehicleFlow"] if i else {}
        for i, one in enumerate(quantities(site))
    )
    assert (flow["numberOfInputValuesUsed"], flow["vehicleFlowRate"]) == (12, 48)


def test_too_little_measured_is_a_fault_and_no_zero(db: Path) -> None:
    sites = measured(exported(db, "--format", "datex2"))
    for site in sites:
        hour = int(site["measurementTimeDefault"]["period"]["startOfPeriod"][11:13])
        faults = ["physicalQuantityFault" in one for one in quantities(site)]
        assert faults == [hour == 5 or hour >= 9] * 2


def test_the_sites_are_those_that_are_measured(db: Path) -> None:
    table = exported(db, "--format", "datex2", "--what", "sites")["payload"][
        "roaMeasurementSiteTablePublication"
    ]
    (found,) = table["measurementSiteTable"]
    known = {site["measurementSiteReference"]["idG"] for site in measured(exported(db, "--format", "datex2"))}
    assert {site["idG"] for site in found["measurementSite"]} == known
    assert table["publicationCreator"] == {"country": "lv", "nationalIdentifier": "Bauska"}
    names = [site["measurementSiteName"]["values"][0]["value"] for site in found["measurementSite"]]
    assert names == ["bridge, to town", "bridge, out of town"]


def test_the_place_is_that_of_the_config(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "sign.toml"
    path.write_text(
        '[sign]\nid = "north-3"\nlimit_kmh = 50\nlanguage = "lt"\ncountry = "lt"\n'
        f'latitude = 56.5\nlongitude = 24.5\n[store]\npath = "{db}"\n'
    )
    result = speedsign("export", "--config", path, "--format", "datex2", "--what", "sites")
    table = json.loads(result.stdout)["payload"]["roaMeasurementSiteTablePublication"]
    assert (table["lang"], table["publicationCreator"]["country"]) == ("lt", "lt")
    site = table["measurementSiteTable"][0]["measurementSite"][0]
    point = site["measurementSiteLocation"]["locPointLocation"]["pointByCoordinates"]["pointCoordinates"]
    assert point == {"latitude": 56.5, "longitude": 24.5}
