"""Which radar is it? Every decoder listens to the same bytes, and the one that makes most sense of them wins.

Pure: bytes and their times in, a verdict out. `drivers.radar.probe` opens ports and asks.

A decoder that finds a report in noise as easily proves nothing by finding one here. So each is first fed
noise: a report that one byte in 2^n of noise would complete is worth n bits. A protocol with a header and a
tail is worth 13 bits a report and more, one of two bytes about 6, and a single byte for a speed nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from random import Random

from speedsign.errors import DriverError
from speedsign.model import Idle, RadarEvent, Reading, Rejected, Reply, Restarted
from speedsign.ports import Decoder, LineSettings, RadarDriver, SourceStatus
from speedsign.registry import load_radar, radar_names

log = logging.getLogger(__name__)

CERTAIN_BITS = 36.0  # three reports of a framed protocol: once in 10^10 by chance
POSSIBLE_BITS = 10.0
STRONG_BITS = 8.0  # a report worth less is never certain: garbage of a wrong baud rate repeats itself
LEAST_BITS = 3.0  # a report worth less is nothing at all
LEAST_SHARE = 0.5  # of good ones among all that was begun
BAD_LINE_SHARE = 0.15  # with much evidence: a bad line still shows what it carries
CERTAIN_SHARE = 0.8
RIVAL_SHARE = 0.9  # of the best one's good reports: who has so many explains the bytes as well
SAMPLE_BYTES = 48
_NOISE_BYTES = 8192
_NOISE = Random(1).randbytes(_NOISE_BYTES)  # noqa: S311  play, not secrets
# Rates that radars of signs have, the usual first; others that a driver knows come after them.
_USUAL_BAUDS = (9_600, 115_200, 19_200, 57_600, 38_400, 1_200, 230_400)
_STATUS_RANK = {SourceStatus.CAPTURED: 0, SourceStatus.DOCUMENTED: 1, SourceStatus.CONSTRUCTED: 2}


@dataclass(frozen=True)
class Candidate:
    """A driver in one of its dialects."""

    name: str
    profile: str | None
    driver: RadarDriver

    def __str__(self) -> str:
        return self.name if self.profile is None else f"{self.name} ({self.profile})"

    @property
    def lines(self) -> list[LineSettings]:
        """How its line may be set, the driver's own first."""
        line = self.driver.line
        bauds = dict.fromkeys((line.baud, *self.driver.bauds))
        return [LineSettings(baud, line.bytesize, line.parity, line.stopbits) for baud in bauds]

    @property
    def questions(self) -> tuple[bytes, ...]:
        """What it may be asked without setting anything; empty: it can only be listened to."""
        question = self.driver.ping if self.driver.ping is not None else self.driver.poll
        return () if question is None else (*self.driver.opening, question)

    @cached_property
    def bits(self) -> float:
        """What one report is worth as evidence."""
        decoder = self.driver.decoder(None)
        found = sum(_reports(decoder.feed(_NOISE[i : i + 64], 0.0)) for i in range(0, _NOISE_BYTES, 64))
        bits: float = log2((_NOISE_BYTES + 1) / (found + 1))
        return bits


def candidates(names: Iterable[str] | None = None) -> list[Candidate]:
    """Every driver there is in each of its dialects; one that cannot be loaded is left out with a word."""
    found = []
    for name in radar_names() if names is None else names:
        try:
            profiles = load_radar(name).profiles or (None,)
            found += [Candidate(name, profile, load_radar(name, profile)) for profile in profiles]
        except DriverError:
            raise
        except Exception:  # noqa: BLE001  somebody else's package may do anything
            log.warning("the radar driver %s cannot be loaded and is left out", name)
    return found


def line_settings(found: Sequence[Candidate]) -> list[LineSettings]:
    """Every setting of the line at which one of them can be heard, the usual ones first."""
    lines = dict.fromkeys(line for one in found for line in one.lines)
    order = {baud: place for place, baud in enumerate(_USUAL_BAUDS)}
    return sorted(lines, key=lambda line: (line.parity != "N", order.get(line.baud, len(order)), line.baud))


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one candidate made of the bytes."""

    candidate: Candidate
    good: int  # reports, empty ones and answers
    bad: int  # what was begun and failed, or was not plausible
    answers: int  # of the good ones
    n_bytes: int  # in which they stood

    @property
    def share(self) -> float:
        return self.good / max(self.good + self.bad, 1)

    @property
    def by_chance(self) -> float:
        """How many reports so many bytes of noise would make."""
        share: float = 2.0**-self.candidate.bits
        return self.n_bytes * share

    @property
    def evidence_bits(self) -> float:
        """What the reports beyond those are worth."""
        beyond_chance = max(self.good - self.by_chance, 0.0)
        return beyond_chance * self.candidate.bits

    @property
    def is_possible(self) -> bool:
        if self.candidate.bits < LEAST_BITS:
            return False
        enough = self.evidence_bits >= (POSSIBLE_BITS if self.share >= LEAST_SHARE else CERTAIN_BITS)
        return enough and self.share >= BAD_LINE_SHARE

    @property
    def is_certain(self) -> bool:
        strong = self.evidence_bits >= CERTAIN_BITS and self.candidate.bits >= STRONG_BITS
        return strong and self.share >= CERTAIN_SHARE


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best explanation, and those that explain the bytes as well."""

    best: Hearing | None
    rivals: tuple[Hearing, ...]
    n_bytes: int
    sample: bytes

    @property
    def is_certain(self) -> bool:
        """Which driver it is; dialects of the same one may still compete."""
        best = self.best
        if best is None or not best.is_certain:
            return False
        return all(one.candidate.name == best.candidate.name for one in self.rivals)

    @property
    def makes_no_sense(self) -> bool:
        return self.best is None and self.n_bytes > 0


class Ear:
    """The decoders of every candidate that can speak at one setting of the line, fed the same bytes."""

    def __init__(self, found: Sequence[Candidate], line: LineSettings) -> None:
        self._heard = [_Listener(one) for one in found if line in one.lines]
        self._n_bytes = 0
        self._sample = b""

    def feed(self, data: bytes, t_mono_s: float) -> None:
        self._n_bytes += len(data)
        self._sample = (self._sample + data)[:SAMPLE_BYTES]
        for listener in self._heard:
            listener.feed(data, t_mono_s)

    def heard_by(self, candidate: Candidate) -> Hearing | None:
        """What one of them made of it."""
        return next((one.hearing() for one in self._heard if one.candidate is candidate), None)

    def verdict(self) -> Verdict:
        """The best explanation so far."""
        possible = sorted((one for one in self._hearings() if one.is_possible), key=_preference)
        best = possible[0] if possible else None
        rivals = tuple(one for one in possible[1:] if best is not None and _is_rival(one, best))
        return Verdict(best, rivals, self._n_bytes, self._sample)

    def _hearings(self) -> list[Hearing]:
        return [listener.hearing() for listener in self._heard]


class _Listener:
    """One candidate's decoder and what it has made of the bytes."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self._decoder: Decoder = candidate.driver.decoder(None)
        self._good = self._rejected = self._answers = self._n_bytes = 0

    def feed(self, data: bytes, t_mono_s: float) -> None:
        events = self._decoder.feed(data, t_mono_s)
        self._n_bytes += len(data)
        self._good += _reports(events)
        self._answers += sum(isinstance(event, Reply) for event in events)
        self._rejected += sum(isinstance(event, Rejected) and not _is_units(event) for event in events)

    def hearing(self) -> Hearing:
        counters = self._decoder.counters
        bad = counters.get("bad") + counters.get("overflow") + self._rejected
        # What stood before the first frame may be the rest of one that began before we listened.
        return Hearing(self.candidate, self._good, max(bad - 1, 0), self._answers, self._n_bytes)


def _reports(events: Sequence[RadarEvent]) -> int:
    """How many frames these events stand for: the targets of one report count once.

    A speed that is left out for its unit alone was understood.
    """
    return sum(
        isinstance(event, Idle | Reply | Restarted)
        or (isinstance(event, Reading) and event.rank == 0)
        or (isinstance(event, Rejected) and _is_units(event))
        for event in events
    )


def _is_units(event: Rejected) -> bool:
    return event.reason.startswith("unit")


def _preference(one: Hearing) -> tuple[float, float, int, str]:
    """Best first: who understands most of the bytes; then whose protocol is known better."""
    status = _STATUS_RANK[one.candidate.driver.facts.status]
    return (
        -round(one.share, 1),
        -round(one.good * min(one.candidate.bits, 12.0), -1),
        status,
        str(one.candidate),
    )


def _is_rival(one: Hearing, best: Hearing) -> bool:
    return one.good >= RIVAL_SHARE * best.good and one.share >= best.share - 0.1


def config_lines(candidate: Candidate, port: str, baud: int | None) -> str:
    """The table to paste into the config; `baud` None where it does not matter."""
    lines = ["[radar]", f'driver = "{candidate.name}"', f"port = {json.dumps(port)}"]
    if candidate.profile is not None and candidate.profile != candidate.driver.profiles[0]:
        lines.insert(2, f'profile = "{candidate.profile}"')
    if baud is not None:
        lines.append(f"baud = {baud}")
    return "\n".join(lines)
