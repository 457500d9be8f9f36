"""Tests that wait for most of their time: several of a module at once, each with a verdict of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.left_behind import nothing_left_behind
from tests.support import run

Scene = Callable[[Path], Awaitable[None]]
Outcomes = dict[str, BaseException | None]


class Together:
    """The scenes of a module, `at_once` of them at the same time, each in a folder of its own.

    A scene is a coroutine function with `together.test` before it, which makes a test of it, or one that is
    added by its name. The module has a fixture `outcomes`, of the module's scope, that returns `play(...)`.
    """

    def __init__(self, at_once: int, timeout_s: float = 240.0) -> None:
        self.scenes: dict[str, Scene] = {}
        self._at_once, self._timeout_s = at_once, timeout_s

    def add(self, name: str, scene: Scene) -> None:
        assert name not in self.scenes, f"two scenes are called {name}"
        self.scenes[name] = scene

    def test(self, scene: Scene) -> Callable[[Outcomes], None]:
        """The scene as a test that asks what became of it."""
        name: str = scene.__name__
        self.add(name, scene)

        def test(outcomes: Outcomes) -> None:
            believe(outcomes[name])

        test.__name__, test.__doc__ = name, scene.__doc__
        test.place_as = scene  # type: ignore[attr-defined]  # pytest's way to say where a test stands
        return test

    def play(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Outcomes:
        """What became of each scene that was asked for."""
        wanted = [name for name in self.scenes if name in _asked_for(request)]

        async def main() -> Outcomes:
            turns = asyncio.Semaphore(self._at_once)

            async def one(name: str) -> BaseException | None:
                async with turns:
                    try:
                        await self.scenes[name](folders.mktemp("scene"))
                    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  told by its own test
                        return error
                return None

            return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

        with nothing_left_behind():
            return run(main(), timeout_s=self._timeout_s)


def believe(outcome: BaseException | None) -> None:
    if outcome is not None:
        raise outcome


def _asked_for(request: pytest.FixtureRequest) -> set[str]:
    """The scenes of this module's tests that run: by the test's own name, or by its parameter `name`."""
    found = set()
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.module is request.module:
            found.add(str(item.callspec.params.get("name")) if hasattr(item, "callspec") else item.name)
    return found
