"""What of the outbox is sent when: pure, time and chance are passed in.

A row is sent until it is acknowledged by whom the settings name. Few rows are under way at a time; one that
the broker took, but the hub has not acknowledged, is sent again by its own timer. Until the hub was heard on
a connection, and when it says nothing to a row for the time of its timer, one row alone asks for it; where
nobody answers that either, it is tried now and then: a month without a hub must not cost a month's traffic.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from telemetry.message import messages
from telemetry.mqtt.shapes import FAILURE, NOBODY_LISTENS, TOO_LONG
from telemetry.outbox.outbox import OutboxRow, RetireOn
from telemetry.outbox.too_long import TooLong

_WHOLE = 1 - 1e-6  # of a token, for what floats lose
_SLOW_SENDS = 4  # a row that was sent so often holds up no other one any more
_SLOW_AT_MOST = 100
_ROOM_FOR_ANSWERS = 2  # beside a window that is full


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How the outbox is drained."""

    window: int = 10  # rows under way
    drain_per_s: float = 1.0  # with a burst of the window
    resend_s: float = 30.0  # after the broker took it; and full jitter on top, doubled each time
    resend_cap_s: float = 3600.0
    hold_s: float = 3.0  # after a greeting, for the hub to say what it has already
    settle_s: float = 1.0  # after its first word: what it says next may spare sending
    probe_s: float = 60.0  # between tries while nobody answers; doubled each time
    probe_cap_s: float = 3600.0
    refused_s: float = 300.0  # until a row that the broker refused is tried again
    too_long_s: float = 21_600.0  # until one of those is tried again that were longer than the broker takes
    slot_s: float = 0.0  # of this sign, after the end of an interval: so that a fleet does not send at once
    retire_on: RetireOn = RetireOn.HUB


class Trouble(StrEnum):
    """Why only one row is tried now and then."""

    SILENT = "hub_silent"  # the broker takes it, and no hub acknowledges
    NOBODY = "nobody_listens"  # the broker says that nobody is subscribed
    REFUSED = "refused"  # the broker takes nothing of this sign


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that the sender could use: so many beside these, or one to probe with."""

    exclude: Collection[int]
    limit: int
    probe: bool = False


@dataclass(slots=True)
class _Item:
    """A row under way."""

    row: OutboxRow
    due_s: float
    sends: int = 0
    first_s: float = inf  # when it was sent first
    last_s: float = inf
    unanswered: bool = False  # the broker owes its word
    failed: bool = False  # it could not be given to the broker
    refused: bool = False

    @property
    def slow(self) -> bool:
        """Whether it has had its chance, and others go before it."""
        return self.refused or self.failed or self.sends >= _SLOW_SENDS


class Sender:
    """Told what happens, it says what to load and what to send. Times are monotonic seconds."""

    def __init__(self, settings: SenderSettings, chance: random.Random, now_s: float) -> None:
        self.settings = settings
        self.trouble: Trouble | None = None
        self.trouble_since_s = now_s
        self.heard_s: float | None = None  # when the hub said something last
        self._chance = chance
        self._items: dict[int, _Item] = {}
        self._up = False
        self._hold_until_s = now_s
        self._tokens, self._tokens_s = float(settings.window), now_s
        self._exhausted = False  # the store had no more
        self._load_from_s = now_s
        self._probe_at_s = now_s
        self._probes = 0
        self._refusals = 0  # in a row
        self.too_long = TooLong(settings.too_long_s, chance)
        self._trusted = settings.retire_on is RetireOn.PUBACK  # the hub is there, as far as can be told
        self._asking: int | None = None  # the row that is to find out
        self._urgent = False
        self._retired: list[int] = []
        self._refused: list[int] = []

    # ----------------------------------------------------------------------- what happened

    def news(self, now_s: float, *, at_once: bool = False) -> None:
        """There is something new in the outbox; what is urgent does not wait for this sign's slot."""
        if at_once and self.trouble:
            self._end_trouble(now_s)  # who asked may hear it, whoever else does not
        self._urgent |= at_once
        start_s = now_s if at_once else now_s + self.settings.slot_s
        if self._exhausted:
            self._exhausted, self._load_from_s = False, start_s
        else:
            self._load_from_s = min(self._load_from_s, start_s)

    def connected(self, now_s: float) -> None:
        """The greeting goes out: the hub answers it with what it has, so that this is not sent again."""
        self._up = True
        self.too_long.tried_at_once(now_s)
        if self.settings.retire_on is RetireOn.HUB:
            self._trusted, self._asking = False, None
            self._hold_until_s = now_s + self.settings.hold_s

    def lost(self, now_s: float) -> None:
        """The connection ended: what the broker has not taken is due, what it took keeps its time."""
        self._up = False
        if self.trouble and self._items:
            self._probed(now_s)
        for item in self._items.values():
            if item.unanswered or item.failed:
                item.unanswered, item.failed, item.due_s = False, False, now_s

    def reset(self, now_s: float) -> None:
        """Another epoch: what was under way has another name now."""
        self._items.clear()
        self._retired.clear()
        self._refused.clear()
        self.too_long.clear()
        self._exhausted, self._load_from_s = False, now_s

    def loaded(self, rows: Sequence[OutboxRow], wanted: Wanted, now_s: float) -> None:
        """What the store gave."""
        for row in rows:
            if row.kind == messages.REPLY or self.under_way < self.settings.window:
                self._items.setdefault(row.seq, _Item(row, now_s))
        if wanted.probe:
            if not rows:
                self._probed(now_s)
        else:
            self._urgent = False
            self._exhausted = len(rows) < wanted.limit

    def published(self, seq: int, code: int, now_s: float, size_bytes: int = 0) -> None:
        """The broker's word about a row that was sent as so many bytes (MQTT 5, 3.4.2.1)."""
        item = self._items.get(seq)
        if item is None or not item.unanswered:
            return
        item.unanswered = False
        if code == TOO_LONG:
            self._set_aside(item, size_bytes, now_s)
        elif code >= FAILURE:
            self._take_refusal(item, now_s)
        elif code == NOBODY_LISTENS:
            self._begin_trouble(Trouble.NOBODY, now_s)
        else:
            self._taken(item, now_s)

    def failed(self, seq: int, now_s: float) -> None:
        """It did not get as far as the broker, for another reason than the connection's end."""
        item = self._items.get(seq)
        if item is not None and item.unanswered:
            item.unanswered, item.failed, item.due_s = False, True, now_s + self.settings.refused_s

    def heard(self, now_s: float) -> None:
        """The hub said something: it is there."""
        self.heard_s = now_s
        if not self._trusted:
            self._trusted, self._asking = True, None
            self._hold_until_s = now_s + self.settings.settle_s
        if self.trouble:
            self._end_trouble(now_s)

    def retired(self, covers: Callable[[int], bool]) -> None:
        """The store has forgotten these."""
        for seq in [seq for seq in self._items if covers(seq)]:
            del self._items[seq]
        self.too_long.forget(covers)

    def _taken(self, item: _Item, now_s: float) -> None:
        self._refusals, item.refused = 0, False
        if self.too_long.taken(item.row.seq):
            self._exhausted, self._load_from_s = False, now_s
        if self.settings.retire_on is RetireOn.PUBACK:
            self._retired.append(item.row.seq)
            del self._items[item.row.seq]
        else:
            item.due_s = now_s + self._resend_after_s(item.sends)
        if self.trouble is Trouble.SILENT:
            self._probed(now_s)
        elif self.trouble:
            self._end_trouble(now_s)

    def _resend_after_s(self, sends: int) -> float:
        settings = self.settings
        spread_s = min(settings.resend_cap_s, settings.resend_s * 2.0 ** min(sends - 1, 20))
        return settings.resend_s + self._chance.uniform(0.0, spread_s)

    def _take_refusal(self, item: _Item, now_s: float) -> None:
        self._refused.append(item.row.seq)
        self._refusals += 1
        item.refused = True
        item.due_s = now_s + self.settings.refused_s * self._chance.uniform(1.0, 2.0)
        if self._refusals >= self.settings.window or self.trouble:
            self._begin_trouble(Trouble.REFUSED, now_s)

    def _set_aside(self, item: _Item, size_bytes: int, now_s: float) -> None:
        """Longer than the broker takes: this says nothing about any other row."""
        self._refused.append(item.row.seq)
        del self._items[item.row.seq]
        self.too_long.refused(item.row.seq, size_bytes, now_s)
        if self.trouble:
            self._probed(now_s)

    # ----------------------------------------------------------------------- where nobody answers

    def _begin_trouble(self, trouble: Trouble, now_s: float) -> None:
        if self.trouble is None:
            self.trouble_since_s = now_s
            self._probes = 0
        self.trouble = trouble
        self._probed(now_s)

    def _probed(self, now_s: float) -> None:
        """A probe came to nothing; the next one later, with what is newest then."""
        settings = self.settings
        pause_s = min(settings.probe_cap_s, settings.probe_s * 2.0 ** min(self._probes, 20))
        self._probes += 1
        self._probe_at_s = now_s + pause_s * self._chance.uniform(0.5, 1.0)
        self._items.clear()

    def _end_trouble(self, now_s: float) -> None:
        self.trouble, self._probes, self._refusals = None, 0, 0
        self._exhausted, self._load_from_s = False, now_s

    def _look_for_silence(self, now_s: float) -> None:
        """No acknowledgement of anything since a row went out that is due for the third time."""
        if self.settings.retire_on is not RetireOn.HUB or self.trouble:
            return
        heard_s = -inf if self.heard_s is None else self.heard_s
        for item in self._items.values():
            if item.sends >= 2 and item.first_s > heard_s and not item.unanswered and item.due_s <= now_s:
                self._begin_trouble(Trouble.SILENT, now_s)
                return

    # ----------------------------------------------------------------------- what to do

    def wanted(self, now_s: float) -> Wanted | None:
        """Rows that are to be loaded now."""
        if not self._may_send(now_s) or self._tokens_at(now_s) < _WHOLE:
            return None
        if self.trouble:
            aside = tuple(self.too_long.seqs)
            return Wanted(aside, 1, probe=True) if not self._items and now_s >= self._probe_at_s else None
        if self.too_long.release(now_s):
            self._exhausted, self._load_from_s = False, now_s
        if self._has_room() and now_s >= self._load_from_s:
            return Wanted((*self._items, *self.too_long.seqs), self._room())
        return None

    def due(self, now_s: float) -> list[OutboxRow]:
        """Rows that are to be sent now, the most valuable first; they count as sent."""
        if not self._may_send(now_s):
            return []
        self._look_for_silence(now_s)
        self._tokens, self._tokens_s = self._tokens_at(now_s), now_s
        found = []
        for item in sorted(self._items.values(), key=self._haste):
            if self._tokens < _WHOLE:
                break
            if not item.unanswered and item.due_s <= now_s and self._may_go(item):
                self._tokens -= 1
                item.sends += 1
                item.unanswered, item.first_s, item.last_s = True, min(item.first_s, now_s), now_s
                found.append(item.row)
        return sorted(found, key=lambda row: row.value)

    def _may_go(self, item: _Item) -> bool:
        """Everything, while the hub is there; else the one row that asks for it, and answers to commands."""
        if self.trouble or (self._trusted and not self._is_doubtful(item)):
            return True
        self._trusted = False
        if self._is_new_answer(item):
            return True
        if self._asked() is None:
            self._asking = item.row.seq
        return item.row.seq == self._asking

    def _is_doubtful(self, item: _Item) -> bool:
        """Whether the hub has said nothing at all since this row went out, whose time is over."""
        by_hub = self.settings.retire_on is RetireOn.HUB
        return by_hub and item.sends > 0 and (self.heard_s is None or self.heard_s < item.last_s)

    def _is_new_answer(self, item: _Item) -> bool:
        """Whoever commanded may hear the broker, whether a hub does or not."""
        return item.row.kind == messages.REPLY and not item.sends

    def _haste(self, item: _Item) -> tuple[int, bool, int]:
        """As the rows' value, but a person waits for an answer: what is sent once more lets it go first."""
        rank, order = item.row.value
        return rank, rank == 0 and item.sends > 0, order

    def _asked(self) -> _Item | None:
        """The row that asks for the hub, while it has not had its chance."""
        item = self._items.get(self._asking) if self._asking is not None else None
        return None if item is None or item.slow else item

    def next_s(self, now_s: float) -> float:
        """When there is something to do by itself; infinity: only what happens can tell."""
        if not self._up:
            return inf
        due = [item.due_s for item in self._moving() if not item.unanswered]
        if self.trouble:
            due += [] if self._items else [self._probe_at_s]
        else:
            due += [self._load_from_s] if self._has_room() else []
            due.append(self.too_long.next_s)
        if not due:
            return inf
        token_s = now_s + max(0.0, 1 - self._tokens_at(now_s)) / self.settings.drain_per_s
        return max(min(due), self._hold_until_s, token_s)

    def settled(self) -> tuple[list[int], list[int]]:
        """Rows that the broker's word retired, and that it refused, since this was asked last."""
        found = self._retired, self._refused
        self._retired, self._refused = [], []
        return found

    @property
    def unanswered(self) -> int:
        """Rows of which the broker owes its word."""
        return sum(item.unanswered for item in self._items.values())

    @property
    def under_way(self) -> int:
        """Rows that count against the window: not the answers to commands, which are few."""
        return sum(not item.slow and item.row.kind != messages.REPLY for item in self._items.values())

    def _may_send(self, now_s: float) -> bool:
        return self._up and now_s >= self._hold_until_s

    def _has_room(self) -> bool:
        return self._room() > 0 and not self._exhausted

    def _moving(self) -> list[_Item]:
        """Rows whose time counts now."""
        asked = self._asked()
        if self.trouble or self._trusted or asked is None:
            return list(self._items.values())
        return [item for item in self._items.values() if item is asked or self._is_new_answer(item)]

    def _room(self) -> int:
        under_way = self.under_way
        if len(self._items) - under_way >= _SLOW_AT_MOST:
            return 0
        free = max(0, self.settings.window - under_way)
        if self._urgent:
            return max(free, _ROOM_FOR_ANSWERS)
        if not self._trusted:
            return 0 if under_way else 1
        return free

    def _tokens_at(self, now_s: float) -> float:
        settings = self.settings
        return min(float(settings.window), self._tokens + (now_s - self._tokens_s) * settings.drain_per_s)
