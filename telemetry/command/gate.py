"""Whether a command is taken: verified, fresh, addressed to us, allowed to its sender, within bounds.

Pure, and in this order: nothing of a body is read before its signature holds, and nothing that is asked for
is looked at before it is known to be new and ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from telemetry.command.model import ROLE_FOR, Command, Envelope, Role, open_envelope, parse_body

VALID_AT_MOST_S = 24 * 3600
COUNTER_END_MS = 4_102_444_800_000  # 2100: no counter from then on is taken, whatever a clock says
LEAP_AT_MOST_MS = 400 * 86_400_000  # of a counter where the clock cannot tell: a slip must not use a key up


class Reason(StrEnum):
    """Why a command was refused; a stable word for programs."""

    ENVELOPE = "envelope"  # no envelope of a command
    KEY = "key"  # of nobody we know
    SIGNATURE = "signature"
    BODY = "body"  # signed, and still not a command
    REPLAY = "replay"  # its counter was used
    COUNTER = "counter"  # ahead of the time: it would lock its own key out
    EXPIRED = "expired"
    VALIDITY = "validity"  # no time limit, or one too far off
    CHALLENGE = "challenge"  # the clock cannot tell, and the challenge is missing or another
    GROUP = "group"  # for several signs, and this one's clock cannot tell whether it is new
    ADDRESS = "address"  # for another sign or group
    ROLE = "role"
    BOUNDS = "bounds"
    PENDING = "pending"  # somebody else's change waits to be confirmed


UNSIGNED = frozenset({Reason.ENVELOPE, Reason.KEY, Reason.SIGNATURE})


@dataclass(frozen=True, slots=True)
class Key:
    """Somebody's public key and what it is good for."""

    public: bytes
    roles: frozenset[Role]


class NotNow(ValueError):  # noqa: N818  the verdict's word
    """It could be done, but for somebody else's change that waits to be confirmed."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a verdict depends on beside the message."""

    sign: str
    groups: frozenset[str]
    keys: Mapping[str, Key]
    now_s: float | None  # seconds since 1970; None: the clock is not trusted
    challenge: str
    floor: Callable[[bytes], int]  # of a public key: its counters up to this one are used
    verify: Callable[[bytes, bytes, bytes], bool]  # public key, signature, message
    bounds: Callable[[str, Command], None]  # of a key's id: raises ValueError with the reason, or NotNow
    leap_from_ms: int = 0  # the time as far as it is known; counts where the clock is not trusted


@dataclass(frozen=True, slots=True)
class Accepted:
    key_id: str
    public: bytes
    command: Command
    body: bytes
    by_challenge: bool  # the challenge is used up


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason
    text: str
    key_id: str = ""  # as claimed, as long as the signature was not looked at
    command: Command | None = None  # None: not signed by a key of ours, or not a command
    body: bytes = b""
    public: bytes = b""  # empty: not signed by a key of ours

    @property
    def signed(self) -> bool:
        """Whether a key of ours has signed it: only then is it worth an answer."""
        return self.reason not in UNSIGNED

    @property
    def uses_counter(self) -> bool:
        """It was new and meant for us: it must not come again when it might be allowed."""
        return self.reason in (Reason.ROLE, Reason.BOUNDS, Reason.PENDING)


def judge(payload: bytes, now: Circumstances) -> Accepted | Refused:
    """The verdict on a message, whatever it is; never raises."""
    try:
        envelope = open_envelope(payload)
    except ValueError as error:
        return Refused(Reason.ENVELOPE, str(error))
    key = now.keys.get(envelope.key_id)
    if key is None:
        return Refused(Reason.KEY, "the key is not in [[remote.key]]", envelope.key_id)
    if not now.verify(key.public, envelope.signature, envelope.signed):
        return Refused(Reason.SIGNATURE, "the signature is not of this key", envelope.key_id)
    try:
        command = parse_body(envelope.body)
    except ValueError as error:
        return Refused(Reason.BODY, str(error), envelope.key_id, body=envelope.body, public=key.public)
    return _signed(envelope, key, command, now)


def _signed(envelope: Envelope, key: Key, command: Command, now: Circumstances) -> Accepted | Refused:
    checks: tuple[Callable[[], tuple[Reason, str] | None], ...] = (
        lambda: _stale(command, now.floor(key.public), now),
        lambda: _not_ours(command, now),
        lambda: _not_allowed(command, key),
        lambda: _beyond(envelope.key_id, command, now),
    )
    for check in checks:
        if found := check():
            return Refused(*found, envelope.key_id, command, envelope.body, key.public)
    return Accepted(envelope.key_id, key.public, command, envelope.body, by_challenge=now.now_s is None)


def _stale(command: Command, floor: int, now: Circumstances) -> tuple[Reason, str] | None:
    if command.counter <= floor:
        return Reason.REPLAY, f"counter {command.counter} is not above {floor}, the last one that was used"
    if command.counter >= COUNTER_END_MS:
        return Reason.COUNTER, "the counter is that of a time after 2099"
    if now.now_s is None:
        return _by_challenge(command, now.challenge) or _leaping(command, floor, now.leap_from_ms)
    return _by_time(command, now.now_s)


def _by_time(command: Command, now_s: float) -> tuple[Reason, str] | None:
    if command.not_after_s is None:
        return Reason.VALIDITY, "it has no not_after"
    if command.not_after_s <= now_s:
        return Reason.EXPIRED, f"it was good until {command.not_after_s}, and it is {now_s:.0f}"
    if command.not_after_s > now_s + VALID_AT_MOST_S:
        return Reason.VALIDITY, "not_after is more than 24 hours ahead"
    if command.counter > (now_s + VALID_AT_MOST_S) * 1000:
        return Reason.COUNTER, "the counter is ahead of the time by more than 24 hours"
    return None


def _by_challenge(command: Command, challenge: str) -> tuple[Reason, str] | None:
    if command.group is not None:
        return Reason.GROUP, "this sign does not know the time, and a group's command has no other proof"
    if command.challenge is None or not hmac.compare_digest(command.challenge, challenge):
        return Reason.CHALLENGE, "this sign does not know the time, and the challenge is not its newest"
    return None


def _leaping(command: Command, floor: int, leap_from_ms: int) -> tuple[Reason, str] | None:
    """Signed under a clock that was far ahead, it would leave its key without counters for years."""
    if floor and command.counter > max(floor, leap_from_ms) + LEAP_AT_MOST_MS:
        return Reason.COUNTER, "the counter is more than 400 days above the last one of this key"
    return None


def _not_ours(command: Command, now: Circumstances) -> tuple[Reason, str] | None:
    if command.group is None:
        return None if command.to == now.sign else (Reason.ADDRESS, "it is for another sign")
    return None if command.group in now.groups else (Reason.ADDRESS, "it is for a group that this is not in")


def _not_allowed(command: Command, key: Key) -> tuple[Reason, str] | None:
    needed = ROLE_FOR[command.action]
    return None if needed in key.roles else (Reason.ROLE, f"the key lacks the role {needed}")


def _beyond(key_id: str, command: Command, now: Circumstances) -> tuple[Reason, str] | None:
    try:
        now.bounds(key_id, command)
    except NotNow as error:
        return Reason.PENDING, str(error)
    except ValueError as error:
        return Reason.BOUNDS, str(error)
    return None
