"""What of all that arrives is worth the store's time: a flood must not drown what is genuine.

Nothing is granted here, what passes is judged anew. Each kind of message has a meter of its own, so that
forged ones, those of a key that nobody has, and what was signed once and comes again and again each use up
their own share and nobody else's. A signature takes a tenth of a millisecond, a slow board needs a few.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256

from telemetry.command.gate import Reason
from telemetry.command.meter import Meter
from telemetry.command.model import Envelope, open_envelope

# At once, and in a second.
OF_A_KEY = (20, 5.0)  # new, and signed by it
AGAIN = (10, 1.0)  # signed, and seen before, byte by byte
UNSIGNED = (10, 1.0)  # of each kind: they are counted in any case, this is for the record
VERIFIED = (250, 250.0)  # signatures that are looked at
_REMEMBERED = 1000

Verify = Callable[[bytes, bytes, bytes], bool]


class Sieve:
    """`keys`: public keys by their names. Times are monotonic seconds."""

    def __init__(self, keys: Mapping[str, bytes], verify: Verify) -> None:
        self._keys, self._verify = keys, verify
        self._of_key = {key_id: Meter(*OF_A_KEY) for key_id in keys}
        self._again, self._verifying, self._first = Meter(*AGAIN), Meter(*VERIFIED), Meter(*OF_A_KEY)
        self._unsigned = {
            reason: Meter(*UNSIGNED) for reason in (Reason.ENVELOPE, Reason.KEY, Reason.SIGNATURE)
        }
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self.refused: Counter[str] = Counter()  # by reason: known to be bad, and not passed on
        self.ignored = 0  # not passed on for want of time, whatever they were

    def passes(self, payload: bytes, now_s: float, *, can_verify: bool) -> bool:
        """Whether it is to be judged. `can_verify`: its library is loaded; not by the loop."""
        try:
            envelope = open_envelope(payload)
        except ValueError:
            return self._known_to_be_bad(Reason.ENVELOPE, now_s)
        public = self._keys.get(envelope.key_id)
        if public is None:
            return self._known_to_be_bad(Reason.KEY, now_s)
        name = _name(envelope)
        if name in self._seen:
            return self._in_time(self._again, now_s)
        if not can_verify:
            return self._in_time(self._first, now_s)
        if not self._in_time(self._verifying, now_s):
            return False
        if not self._verify(public, envelope.signature, envelope.signed):
            return self._known_to_be_bad(Reason.SIGNATURE, now_s)
        passed = self._in_time(self._of_key[envelope.key_id], now_s)
        if passed:
            self._remember(name)
        return passed

    def _known_to_be_bad(self, reason: Reason, now_s: float) -> bool:
        if self._unsigned[reason].take(now_s):
            return True
        self.refused[reason.value] += 1
        return False

    def _in_time(self, meter: Meter, now_s: float) -> bool:
        passed = meter.take(now_s)
        self.ignored += not passed
        return passed

    def _remember(self, name: bytes) -> None:
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)


def _name(envelope: Envelope) -> bytes:
    """The same for the same signed text, however its envelope is written."""
    return sha256(envelope.signature + envelope.body + envelope.key_id.encode()).digest()
