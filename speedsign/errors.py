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
    └── BrokerError           the broker refuses us or cannot be reached

`POLICY` says for each class what the daemon does. Nothing else decides that.
"""

from __future__ import annotations

from enum import StrEnum


class SpeedsignError(Exception):
    """The top of the tree; its text is one sentence that says what is wrong and what to do."""


class ConfigError(SpeedsignError):
    """All problems of a config at once; `problems` holds a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(SpeedsignError):
    """The command was asked for something that makes no sense."""


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
