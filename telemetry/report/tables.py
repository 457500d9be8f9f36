"""The tables of a report that have a row for each band, direction or speed: one function each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from speedsign.countries import country_of
from speedsign.language import Language
from telemetry.report import labels
from telemetry.report.document import Column, Kind, Table, Value
from telemetry.report.facts import Facts, Side
from telemetry.statistics import PERCENTILES, Band, merged_bands
from telemetry.volume import Volume

_Filled = tuple[Column, Sequence[Value]]


def bands_of(side: Side, facts: Facts) -> tuple[Band, ...]:
    """The speed bands of one direction, as the fines of the sign's country step."""
    country = country_of(None, facts.standing.facts.timezone).name
    return merged_bands(side.statistics.bands, country)


def bands(facts: Facts, words: Language) -> Table:
    """Vehicles per speed band for the whole period: what officers ask for first."""
    columns = [
        Column("band", words.say("Speed band"), Kind.TEXT),
        Column("speeds", words.say("km/h"), Kind.TEXT),
    ]
    for side in facts.sides:
        name = labels.direction(side.direction, facts.standing, words)
        share = words.say("Share")
        columns += [
            Column(side.direction, name, Kind.COUNT),
            Column(f"{side.direction}_share", share, Kind.SHARE),
        ]
    found = [bands_of(side, facts) for side in facts.sides]
    rows: list[tuple[Value, ...]] = []
    for number, band in enumerate(found[0]):
        cells: list[Value] = [labels.band(band, words), labels.speeds(band)]
        for side, of_side in zip(facts.sides, found, strict=True):
            cells += [of_side[number].n, labels.by_sample(of_side[number].share, side.statistics.n)]
        rows.append(tuple(cells))
    totals: list[Value] = [words.say("All"), None]
    for side in facts.sides:
        n = side.statistics.n
        totals += [n, labels.by_sample(1.0 if n else None, n)]
    rows.append(tuple(totals))
    title = words.say("Vehicles per speed band")
    return Table("bands", title, tuple(columns), tuple(rows), labels.notes(rows, words))


def speeds(facts: Facts, words: Language) -> Table:
    """Mean, percentiles and the fastest, a row for each direction."""
    speed = _Directions(facts, Kind.SPEED)
    columns = [
        _plain("n", words.say("Vehicles"), Kind.COUNT, facts, lambda side: side.statistics.n),
        speed.column("mean_kmh", words.say("Mean, km/h"), lambda side: side.statistics.mean_kmh),
        speed.column("sd_kmh", words.say("Standard deviation, km/h"), lambda side: side.statistics.sd_kmh),
        *(
            speed.column(
                f"v{percent}_kmh",
                words.say("V{percent}, km/h", percent=percent),
                lambda side, percent=percent: side.statistics.percentiles_kmh[percent],  # type: ignore[misc]
            )
            for percent in PERCENTILES
        ),
        _plain("max_kmh", words.say("Fastest, km/h"), Kind.KMH, facts, lambda side: side.statistics.max_kmh),
    ]
    return _by_direction(facts, words, "speeds", words.say("Speeds by direction"), columns)


def precision(facts: Facts, words: Language) -> Table:
    """How sure mean and V85 are, and the pace."""
    speed, kmh, share = (_Directions(facts, kind) for kind in (Kind.SPEED, Kind.KMH, Kind.SHARE))
    columns = [
        speed.column("mean_low_kmh", words.say("Mean from, km/h"), lambda side: side.statistics.mean_low_kmh),
        speed.column("mean_high_kmh", words.say("Mean to, km/h"), lambda side: side.statistics.mean_high_kmh),
        speed.column("v85_low_kmh", words.say("V85 from, km/h"), lambda side: side.v85_range_kmh[0]),
        speed.column("v85_high_kmh", words.say("V85 to, km/h"), lambda side: side.v85_range_kmh[1]),
        kmh.column("pace_low_kmh", words.say("Pace from, km/h"), lambda side: side.pace_kmh[0]),
        kmh.column("pace_high_kmh", words.say("Pace to, km/h"), lambda side: side.pace_kmh[1]),
        share.column("pace_share", words.say("In the pace"), lambda side: side.statistics.pace_share),
    ]
    return _by_direction(facts, words, "precision", words.say("95 % ranges, and the pace"), columns)


def volumes(facts: Facts, words: Language) -> Table:
    """Vehicles a day, and shares over the limit, a row for each direction."""
    share = _Directions(facts, Kind.SHARE)

    def mean(key: str, title: str, number: Callable[[Volume], float | None]) -> _Filled:
        return _plain(key, title, Kind.MEAN, facts, lambda side: number(side.volume))

    columns = [
        mean("adt", words.say("Vehicles a day"), lambda one: one.adt),
        mean("weekday_adt", words.say("A day, Monday to Friday"), lambda one: one.weekday_mean),
        mean("weekend_adt", words.say("A day, Saturday and Sunday"), lambda one: one.weekend_mean),
        share.column(
            "within_share", words.say("Within the limit"), lambda side: side.statistics.within_limit_share
        ),
        share.column(
            "over_share", words.say("Over the limit"), lambda side: side.statistics.over_limit_share
        ),
        share.column(
            "over_10_share", words.say("More than 10 over"), lambda side: side.statistics.over_limit_10_share
        ),
        share.column(
            "over_20_share", words.say("More than 20 over"), lambda side: side.statistics.over_limit_20_share
        ),
    ]
    return _by_direction(facts, words, "volumes", words.say("Vehicles a day and the limit"), columns)


@dataclass(frozen=True, slots=True)
class _Directions:
    """Makes columns of one kind, a cell for each direction, marked where there are few vehicles."""

    facts: Facts
    kind: Kind

    def column(self, key: str, title: str, number: Callable[[Side], float | None]) -> _Filled:
        cells = [labels.by_sample(number(side), side.statistics.n) for side in self.facts.sides]
        return Column(key, title, self.kind), cells


def _plain(key: str, title: str, kind: Kind, facts: Facts, number: Callable[[Side], float | None]) -> _Filled:
    """The same without marks: what few vehicles make no worse."""
    return Column(key, title, kind), [number(side) for side in facts.sides]


def _by_direction(facts: Facts, words: Language, key: str, title: str, columns: Sequence[_Filled]) -> Table:
    """A row for each direction; each column comes with its values."""
    names = [labels.direction(side.direction, facts.standing, words) for side in facts.sides]
    rows = [(name, *cells) for name, *cells in zip(names, *(cells for _, cells in columns), strict=True)]
    heads = (Column("direction", words.say("Direction"), Kind.TEXT), *(column for column, _ in columns))
    return Table(key, title, heads, tuple(rows), labels.notes(rows, words))


def speed_counts(facts: Facts, words: Language) -> Table:
    """Vehicles at each km/h, from the slowest to the fastest."""
    counts = facts.main.counts
    wanted = range(min(counts), max(counts) + 1) if counts else range(0)
    columns = (
        Column("speed_kmh", words.say("Speed, km/h"), Kind.KMH),
        Column("n", words.say("Vehicles"), Kind.COUNT),
    )
    rows = tuple((speed, counts.get(speed, 0)) for speed in wanted)
    return Table("speed_counts", words.say("Vehicles at each speed"), columns, rows)
