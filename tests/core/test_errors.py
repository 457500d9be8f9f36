"""The tree of errors: each says what to do, and the daemon knows what to do about each."""

from __future__ import annotations

import pytest

from speedsign import errors
from speedsign.errors import ConfigError, DeviceError, NoReply, Policy, SpeedsignError, policy_of


def classes() -> list[type[SpeedsignError]]:
    return [x for x in vars(errors).values() if isinstance(x, type) and issubclass(x, SpeedsignError)]


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: str(cls.__name__))
def test_every_class_has_a_policy_and_its_place_in_the_drawn_tree(cls: type[SpeedsignError]) -> None:
    assert errors.__doc__ is not None
    assert cls.__name__ in errors.__doc__
    if cls is not SpeedsignError:
        assert any(parent in errors.POLICY for parent in cls.__mro__)


def test_the_policy_is_that_of_the_nearest_class() -> None:
    assert policy_of(NoReply("panel", "nothing")) is Policy.RETRY
    assert policy_of(ConfigError(["x"])) is Policy.EXIT
    assert policy_of(SpeedsignError("x")) is Policy.EXIT


def test_a_device_is_named() -> None:
    error = DeviceError("radar /dev/ttyUSB0", "went away")
    assert (str(error), error.device, error.reason) == (
        "radar /dev/ttyUSB0: went away",
        "radar /dev/ttyUSB0",
        "went away",
    )
