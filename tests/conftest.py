"""What holds for every test: nothing may be left running or open when it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import left_behind


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a pty, a socket or a database open."""
    with left_behind.nothing_left_behind():
        yield
