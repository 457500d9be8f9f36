"""What holds for every test: nothing may be left running or open when it ends."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from tests import left_behind

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("speedsign", deadline=None)
hypothesis.settings.load_profile("speedsign")

# What a shell starts with "&", or nohup, ignores these, and so does all that it starts: programs that are
# told to stop here have to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a pty, a socket or a database open."""
    with left_behind.nothing_left_behind():
        yield


@pytest.fixture(autouse=True)
def the_log_as_it_was() -> Iterator[None]:
    """Commands that run inside a test set the log up as for a process of their own."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, list(root.handlers), root.manager.disable
    yield
    root.setLevel(level)
    root.manager.disable = disabled
    for handler in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(handler)
