"""Every error we expect, and what is done about it.

    SpeedsignError            something a person can act on; its text is one whole sentence
    ├── ConfigError           the config cannot be used: every problem with file, line, key, value, bound
    ├── UsageError            the command was asked for something that makes no sense
    ├── CaptureError          a capture file cannot be read
    ├── DriverError           a driver is not known, or does not do what the config asks of it
    ├── DeviceError           a device on a wire (carries its name)
    │   ├── PortError         the serial port is missing, busy, not permitted, or went away
    │   ├── NoReply           a request was sent and nothing came back in time
    │   └── BadReply          something came back, but not the answer to what was asked
    ├── StoreError            the database cannot be opened, read or written
    ├── BrokerError           the broker refuses us or cannot be reached
    └── Restart               the sign ends itself, for the supervisor to start it anew
        ├── PartStuck         a part of it does not go round any more
        └── GrownTooFar       its memory, files or threads have grown too far

`POLICY` says for each class what the daemon does. Nothing else decides that.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class SpeedsignError(Exception):
    """The top of the tree; its text is one sentence that says what is wrong and what to do."""

    exit_code: ClassVar[int] = 1  # of a command that it ends


class ConfigError(SpeedsignError):
    """All problems of a config at once; `problems` holds a sentence for each."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(SpeedsignError):
    """The command was asked for something that makes no sense."""

    exit_code = 2


class CaptureError(SpeedsignError):
    """A capture file cannot be read."""


class DriverError(SpeedsignError):
    """A driver is not known, or cannot do what the config asks."""


class DeviceError(SpeedsignError):
    """A device on a wire; `device` names it for the technician ("radar /dev/ttyUSB0")."""

    code = "error"

    def __init__(self, device: str, text: str) -> None:
        super().__init__(f"{device}: {text}")
        self.device = device
        self.reason = text


class PortError(DeviceError):
    """The serial port is missing, busy, not permitted, or went away."""

    code = "port"


class NoReply(DeviceError):  # noqa: N818  the situation is its name
    """A request was sent and nothing came back in time."""

    code = "no_reply"


class BadReply(DeviceError):  # noqa: N818  the situation is its name
    """Something came back, but not the answer to what was asked."""

    code = "bad_reply"


class StoreError(SpeedsignError):
    """The database cannot be opened, read or written."""


class BrokerError(SpeedsignError):
    """The broker refuses us or cannot be reached."""


class Restart(SpeedsignError):  # noqa: N818  the situation is its name
    """The sign ends itself, to be started anew; its exit code says why (docs/supervision.md)."""


class PartStuck(Restart):
    """A part of the sign does not go round any more."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h


class GrownTooFar(Restart):
    """Its memory, files or threads have grown too far: a restart by plan."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class Policy(StrEnum):
    """What the daemon does about an error."""

    EXIT = "exit"  # with a sentence: a person has to change something
    RETRY = "retry"  # again after a back-off, with a fault raised meanwhile
    DEGRADE = "degrade"  # go on without that part, with a fault raised


POLICY: dict[type[SpeedsignError], Policy] = {
    ConfigError: Policy.EXIT,
    UsageError: Policy.EXIT,
    CaptureError: Policy.EXIT,
    DriverError: Policy.EXIT,
    DeviceError: Policy.RETRY,
    StoreError: Policy.DEGRADE,
    BrokerError: Policy.RETRY,
    Restart: Policy.EXIT,
}


def policy_of(error: SpeedsignError) -> Policy:
    """The policy of the nearest class in the tree; an error without one ends the daemon.

    >>> policy_of(NoReply("display", "nothing"))
    <Policy.RETRY: 'retry'>
    """
    for cls in type(error).__mro__:
        if cls in POLICY:
            return POLICY[cls]
    return Policy.EXIT
