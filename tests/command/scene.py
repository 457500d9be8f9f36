"""A whole sign that takes commands: a process on simulated devices, a real broker, keys in files."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.command import environment, finished
from tests.support import until
from tests.telemetry.broker import Broker, Listener
from tests.wires.rig import Rig, Script

REMOTE = """
[clock]
trust = "{trust}"
[remote]
groups = ["town"]
limit_min_kmh = 30
limit_max_kmh = 60
confirm_minutes = 15
[[remote.profile]]
name = "quiet"
dark = true
"""
STREET: Script = [(2.0 + 6.0 * n, 0, 44.0, "car") for n in range(60)]


class CommandRig(Rig):
    """`async with`: the sign runs, officers have their keys, and what passes the broker is heard."""

    def __init__(self, folder: Path, broker: Broker, *, trusted: bool = True) -> None:
        super().__init__(folder, STREET, broker_port=broker.port)
        self.broker = broker
        self.listener = Listener(broker.port, "speedsign/#")
        self._trusted = trusted
        keys = [
            self._key("officer", "read", "display"),
            self._key("reader", "read"),
            self._key("chief", "restart"),
        ]
        text = self._config.read_text() + REMOTE.format(trust="always" if trusted else "kernel")
        self._config.write_text(text + "\n".join(keys))
        self.officers_config = folder / "officer.toml"
        self.officers_config.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n')

    def _key(self, name: str, *roles: str) -> str:
        """The key's file, and what the command prints for the config."""
        options = [word for role in roles for word in ("--role", role)]
        made = finished("command", "key", name, "--out", self.folder / f"{name}.key", *options)
        assert made.returncode == 0, made.stderr
        return made.stdout

    async def start(self) -> None:
        if self._trusted:
            await super().start()
            return
        args = ["-m", "tests.command.untrusted_sign", str(self._config)]
        with self.log.open("ab") as log:
            self._daemon = await asyncio.create_subprocess_exec(
                sys.executable, *args, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def __aexit__(self, *error: object) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            self.listener.close()

    # ------------------------------------------------------------------ commands

    async def command(
        self, *words: str, key: str = "officer", code: int = 0, wait_s: float = 20.0
    ) -> list[dict[str, Any]]:
        """Type it; the answers of the sign."""
        result = await self.typed(
            *words, "--to", "wired", "--key", f"{key}.key", "--wait", f"{wait_s:g}", "--json"
        )
        assert result.returncode == code, result.stderr + result.stdout
        answers: list[dict[str, Any]] = json.loads(result.stdout)["answers"]
        return answers

    async def typed(self, *words: str) -> subprocess.CompletedProcess[str]:
        args = ["command", *words, "--config", str(self.officers_config)]
        return await asyncio.to_thread(finished, *args, env=environment(), cwd=self.folder)

    def sent(self) -> list[bytes]:
        """Every command that passed the broker."""
        return [payload for topic, payload, _ in self.listener.heard if topic.endswith("/down/cmd")]

    def replies(self) -> list[dict[str, Any]]:
        """Every answer that passed the broker, each once."""
        found = {}
        for topic, payload, _ in self.listener.heard:
            if topic.endswith("/up/reply"):
                message = json.loads(payload)
                found[message["epoch"], message["seq"]] = message
        return list(found.values())

    async def replied(self, outcome: str) -> dict[str, Any]:
        """Until an answer with this outcome has passed the broker."""
        await until(lambda: any(one["outcome"] == outcome for one in self.replies()), 30.0, outcome)
        return next(one for one in self.replies() if one["outcome"] == outcome)

    # ------------------------------------------------------------------ the street

    async def stays_dark(self, vehicles: int) -> None:
        """While so many more vehicles go by, nothing is lit."""
        await self.panel_dark()
        seen, passed = len(self.lit), len(self.stand.world.truth())
        await self.passed(passed + vehicles)
        lit = [one.text for one in self.lit[seen:] if one.text.strip()]
        assert lit == []
