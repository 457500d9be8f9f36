"""Commands that must not be taken, as many as wanted: forged, replayed, expired, out of bounds, damaged.

Seeded: the same cases each time, under new keys. Each one is a genuine command, spoiled in one way.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from speedsign.config.schema import Config
from speedsign.remote import NOTHING_SET, Wish, changed
from telemetry.command.gate import Accepted, Circumstances, Key, NotNow, judge
from telemetry.command.model import PURPOSE, Action, Command, Role, encode_body, seal
from telemetry.command.signature import PrivateKey, public_bytes, verify
from tests.command.office import NOW_S, config, key

CHALLENGE = "c0ffee00" * 4
FLOOR = NOW_S * 1000
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Case:
    """A message, in which way it is spoiled, and whether the sign knows the time."""

    kind: str
    payload: bytes
    trusted: bool = True


class Forger:
    """Holds every private key there is, and other people's; what it makes is bad all the same."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._stranger = PrivateKey.new()
        self._ways: tuple[Callable[[], Case], ...] = (
            self._noise, self._not_an_envelope, self._unknown_key, self._forged, self._changed_body,
            self._changed_signature, self._other_body, self._other_purpose, self._no_command, self._replayed,
            self._expired, self._far_ahead, self._no_limit, self._counter_ahead, self._no_challenge,
            self._old_challenge, self._group_without_clock, self._other_sign, self._other_group,
            self._no_role, self._beyond, self._unknown_name, self._others_change, self._mutated,
        )  # fmt: skip

    def cases(self, n: int) -> Iterator[Case]:
        for _ in range(n):
            yield self.chance.choice(self._ways)()

    # ------------------------------------------------------------------ genuine ones

    def good(self) -> Command:
        """One that a sign would take."""
        chance = self.chance
        action = chance.choice([Action.SET, Action.REPORT, Action.LOG, Action.REVERT, Action.RESEND])
        wish, numbers = Wish(), dict[str, int]()
        if action is Action.SET:
            wish = Wish(limit_kmh=chance.randint(40, 60), profile=chance.choice([None, "", "quiet"]))
        elif action is Action.LOG:
            numbers = {"lines": chance.randint(1, 200)}
        elif action is Action.RESEND:
            from_s = chance.randint(0, NOW_S)
            numbers = {"from": from_s, "to": from_s + chance.randint(1, DAY_S)}
        return Command(
            to=chance.choice(["street-1", "street-1", "group:town"]),
            counter=FLOOR + chance.randint(1, DAY_S * 1000),
            action=action,
            wish=wish,
            numbers=numbers,
            not_after_s=NOW_S + chance.randint(1, DAY_S),
        )

    def genuine(self) -> Case:
        return Case("genuine", self._sealed(self.good()))

    def _sealed(self, command: Command, by: str = "officer") -> bytes:
        return self._seal(encode_body(command), key(by), by)

    def _seal(self, body: bytes, by: PrivateKey, name: str = "officer", purpose: bytes = PURPOSE) -> bytes:
        return seal(name, body, by.sign(purpose + body))

    # ------------------------------------------------------------------ bad ones

    def _noise(self) -> Case:
        return Case("noise", self.chance.randbytes(self.chance.choice([0, 1, 40, 400, 4096, 9000])))

    def _not_an_envelope(self) -> Case:
        found: dict[str, Any] = json.loads(self._sealed(self.good()))
        name = self.chance.choice(sorted(found))
        odd: list[Any] = [None, True, 2, -1, 1.5, "", "x" * 5000, [], {}, "\ud800", 10**40, [[[[]]]]]
        change = self.chance.randrange(3)
        if change == 0:
            del found[name]
        elif change == 1:
            found[name] = self.chance.choice(odd)
        else:
            found[self.chance.choice(["to", "Key", "action", "__proto__"])] = self.chance.choice(odd)
        return Case("envelope", json.dumps(found).encode())

    def _unknown_key(self) -> Case:
        name = "".join(self.chance.choices("abcdefgh-0123", k=self.chance.randint(1, 40)))
        return Case("unknown key", self._seal(encode_body(self.good()), self._stranger, f"x{name}"[:40]))

    def _forged(self) -> Case:
        by = self.chance.choice([self._stranger, key("reader"), key("technician")])
        return Case("forged", self._seal(encode_body(self.good()), by))

    def _changed_body(self) -> Case:
        body = encode_body(self.good())
        signature = key("officer").sign(PURPOSE + body)
        return Case("changed body", seal("officer", self._flipped(body), signature))

    def _changed_signature(self) -> Case:
        body = encode_body(self.good())
        signature = self._flipped(key("officer").sign(PURPOSE + body))
        return Case("changed signature", seal("officer", body, signature))

    def _flipped(self, data: bytes) -> bytes:
        changed_data = bytearray(data)
        for _ in range(self.chance.choice([1, 1, 1, 2, 8])):
            at = self.chance.randrange(len(changed_data))
            changed_data[at] ^= 1 << self.chance.randrange(8)
        return bytes(changed_data) if changed_data != data else bytes(data[:-1]) + bytes([data[-1] ^ 1])

    def _other_body(self) -> Case:
        one, other = encode_body(self.good()), encode_body(replace(self.good(), counter=FLOOR + DAY_S * 1000))
        if one == other:
            return self._forged()
        return Case("another body", seal("officer", other, key("officer").sign(PURPOSE + one)))

    def _other_purpose(self) -> Case:
        purpose = self.chance.choice([b"", b"speedsign-command-2\n", PURPOSE[:-1], b"\n" + PURPOSE])
        return Case("another purpose", self._seal(encode_body(self.good()), key("officer"), purpose=purpose))

    def _no_command(self) -> Case:
        """Signed by the officer, and still nothing that a sign does."""
        found: dict[str, Any] = json.loads(encode_body(self.good()))
        odd: list[Any] = [None, -1, 0.5, "x", [], {"a": {"b": {}}}, 10**17, "HACKED", "Update", True]
        name = self.chance.choice([*sorted(found), "extra", "network", "text"])
        found[name] = self.chance.choice([one for one in odd if one != found.get(name)])
        if found[name] is True and name == "dry_run":
            found[name] = 1
        if name == "counter" and found[name] == 10**17:
            found[name] = 2**53
        return Case("no command", self._seal(json.dumps(found).encode(), key("officer")))

    def _replayed(self) -> Case:
        counter = self.chance.choice([FLOOR, FLOOR - 1, 1, self.chance.randint(1, FLOOR)])
        return Case("replayed", self._sealed(replace(self.good(), counter=counter)))

    def _expired(self) -> Case:
        not_after_s = self.chance.choice([NOW_S, 0, self.chance.randint(0, NOW_S)])
        return Case("expired", self._sealed(replace(self.good(), not_after_s=not_after_s)))

    def _far_ahead(self) -> Case:
        not_after_s = NOW_S + DAY_S + self.chance.randint(1, 2**39)
        return Case("good for too long", self._sealed(replace(self.good(), not_after_s=not_after_s)))

    def _no_limit(self) -> Case:
        return Case("good for ever", self._sealed(replace(self.good(), not_after_s=None)))

    def _counter_ahead(self) -> Case:
        counter = (NOW_S + DAY_S) * 1000 + self.chance.randint(1, 2**52)
        return Case("counter ahead", self._sealed(replace(self.good(), counter=counter)))

    def _no_challenge(self) -> Case:
        return Case("no challenge", self._sealed(replace(self.good(), to="street-1")), trusted=False)

    def _old_challenge(self) -> Case:
        challenge = self.chance.choice(["0" * 32, CHALLENGE[::-1], self.chance.randbytes(16).hex()])
        command = replace(self.good(), to="street-1", challenge=challenge)
        return Case("another challenge", self._sealed(command), trusted=False)

    def _group_without_clock(self) -> Case:
        command = replace(self.good(), to="group:town", challenge=CHALLENGE)
        return Case("group without a clock", self._sealed(command), trusted=False)

    def _other_sign(self) -> Case:
        to = self.chance.choice(["street-2", "street-11", "treet-1", "street-1-", "group"])
        return Case("another sign", self._sealed(replace(self.good(), to=to)))

    def _other_group(self) -> Case:
        to = self.chance.choice(["group:village", "group:towns", "group:tow", "group:street-1"])
        return Case("another group", self._sealed(replace(self.good(), to=to)))

    def _no_role(self) -> Case:
        wish = Wish(limit_kmh=40)
        by, command = self.chance.choice(
            [
                ("reader", replace(self.good(), action=Action.SET, wish=wish, numbers={})),
                ("reader", replace(self.good(), action=Action.REVERT, wish=Wish(), numbers={})),
                ("officer", replace(self.good(), action=Action.RESTART, wish=Wish(), numbers={})),
            ]
        )
        return Case("no role", self._sealed(command, by))

    def _beyond(self) -> Case:
        limit = self.chance.choice([*range(5, 30), *range(61, 131)])
        command = replace(self.good(), action=Action.SET, wish=Wish(limit_kmh=limit), numbers={})
        return Case("out of bounds", self._sealed(command))

    def _unknown_name(self) -> Case:
        wish = self.chance.choice(
            [Wish(profile="loud"), Wish(schedule={"day": False}), Wish(profile="night")]
        )
        return Case(
            "unknown name", self._sealed(replace(self.good(), action=Action.SET, wish=wish, numbers={}))
        )

    def _others_change(self) -> Case:
        command = replace(self.good(), action=Action.SET, wish=Wish(limit_kmh=40), numbers={})
        return Case("beside another's change", self._sealed(command, "technician"))

    def _mutated(self) -> Case:
        """A genuine message with some bytes changed, lost, doubled or moved, as it may be by a bad link."""
        data = self._sealed(self.good())
        at, n = self.chance.randrange(len(data)), self.chance.randint(1, 20)
        mutated = self.chance.choice(
            [
                self._flipped(data),
                data[:at],
                data[:at] + data[at + n :],
                data[:at] + data[at : at + n] + data[at:],
                data[:at] + self.chance.randbytes(n) + data[at:],
                data + data,
                data.replace(b'"key":"officer"', b'"key":"officer","key":"technician"'),
            ]
        )
        if mutated == data or _same_message(mutated, data):
            return self._forged()
        return Case("mutated", mutated)


def _same_message(one: bytes, other: bytes) -> bool:
    """Whether only the writing differs, such as by a space: then it is the genuine command itself."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


class Gatekeeper:
    """The gate as a sign keeps it, with a config of its own."""

    def __init__(self) -> None:
        self._config: Config = config()
        self._now = Circumstances(
            sign="street-1",
            groups=frozenset(self._config.remote.groups),
            keys={
                one.id: Key(public_bytes(one.public), frozenset(Role(role) for role in one.roles))
                for one in self._config.remote.key
            },
            now_s=float(NOW_S),
            challenge=CHALLENGE,
            floor=lambda _key: FLOOR,
            verify=verify,
            bounds=self._bounds,
        )
        self._without_clock = replace(self._now, now_s=None)
        self._known: dict[str, str] = {}  # of a wish: why not; thinking it over each time would take hours

    def _bounds(self, key_id: str, command: Command) -> None:
        """As if a change of the officer's waited to be confirmed."""
        if command.action is not Action.SET:
            return
        if key_id != "officer":
            raise NotNow("the officer's change waits")
        name = repr(command.wish)
        if name not in self._known:
            try:
                changed(self._config, NOTHING_SET, command.wish)
            except ValueError as error:
                self._known[name] = str(error)
            else:
                self._known[name] = ""
        if self._known[name]:
            raise ValueError(self._known[name])

    def verdict(self, case: Case) -> str:
        """ "accepted", or the reason."""
        found = judge(case.payload, self._now if case.trusted else self._without_clock)
        return "accepted" if isinstance(found, Accepted) else found.reason.value
