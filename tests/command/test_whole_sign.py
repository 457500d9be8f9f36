"""From the officer's command line to the panel: a real sign's process, a real broker, keys in files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paho.mqtt import publish
from paho.mqtt.enums import MQTTProtocolVersion

from telemetry.database import open_for_reading
from tests.command.scene import CommandRig
from tests.scenes import Outcomes, Together
from tests.support import until
from tests.telemetry.broker import Broker

pytestmark = pytest.mark.wires


together = Together(at_once=4)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return together.play(request, tmp_path_factory)


@contextlib.asynccontextmanager
async def sign(folder: Path, *, trusted: bool = True) -> AsyncIterator[CommandRig]:
    """A sign and a broker of its own; keys are made by processes, for which no other scene waits."""
    (folder / "broker").mkdir()
    with Broker(folder / "broker") as broker:
        async with await asyncio.to_thread(CommandRig, folder, broker, trusted=trusted) as rig:
            yield rig


def inject(broker: Broker, payload: bytes, topic: str = "speedsign/1/wired/down/cmd") -> None:
    """What anybody can do who has the broker in his hands."""
    publish.single(
        topic, payload, qos=1, hostname="127.0.0.1", port=broker.port, protocol=MQTTProtocolVersion.MQTTv5
    )


def installations(rig: CommandRig) -> list[tuple[int, str]]:
    with contextlib.closing(open_for_reading(rig.database)) as db:
        rows = db.execute("SELECT limit_kmh, display_profile FROM installation ORDER BY id").fetchall()
    return [(row[0], row[1]) for row in rows]


@together.test
async def test_a_change_reaches_the_panel_and_is_undone_or_kept(folder: Path) -> None:
    async with sign(folder) as rig:
        await rig.panel_shows(35, 50)

        # Tried: nothing happens.
        (answer,) = await rig.command("set", "--profile", "quiet", "--dry-run")
        assert (answer["outcome"], answer["difference"]) == ("dry_run", ["dark: no -> yes"])
        await rig.panel_shows(35, 50)

        # In force at once, in an installation of its own, and not confirmed: a power cut undoes it.
        (answer,) = await rig.command("set", "--profile", "quiet")
        assert answer["outcome"] == "pending"
        await rig.stays_dark(1)
        assert len(installations(rig)) == 2
        assert ": dark #" in installations(rig)[-1][1]
        await rig.kill()
        await rig.start()
        undone = await rig.replied("undone")
        assert (undone["counter"], undone["reason"]) == (answer["counter"], "unconfirmed")
        await rig.panel_shows(35, 50)

        # Confirmed: a power cut does not undo it.
        pending, confirmed = await rig.command("set", "--profile", "quiet", "--confirm")
        assert (pending["outcome"], confirmed["outcome"]) == ("pending", "done")
        await rig.kill()
        await rig.start()
        await until(lambda: rig.log.read_text().count("connected") >= 3, 20.0, "a third connection")
        await rig.stays_dark(1)

        # Back to what the config says.
        (answer,) = await rig.command("revert")
        assert (answer["outcome"], answer["difference"]) == ("done", ["dark: yes -> no"])
        await rig.panel_shows(35, 50)
        assert rig.longest_unsupported_s() < 5.0, "no number was ever left lit"


def listening(pid: int) -> list[str]:
    """Sockets of a process that wait for others to connect, or to send by UDP (proc(5))."""
    own = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = []
    for kind, waiting in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == waiting and f"socket:[{words[9]}]" in own:
                found.append(f"{kind} {words[1]}")
    return found


@together.test
async def test_a_sign_listens_on_no_port(folder: Path) -> None:
    async with sign(folder) as rig:
        await rig.said("connected")
        assert rig._daemon
        assert listening(rig._daemon.pid) == []
        assert listening(rig.broker.pid), "a broker does"


@together.test
async def test_who_is_heard_and_who_is_not(folder: Path) -> None:
    async with sign(folder) as rig:
        await rig.said("connected")
        (report,) = await rig.command("report", key="reader")
        assert report["report"]["limit_kmh"] == 50
        assert report["report"]["faults"] == [] or all("hub" in text for text in report["report"]["faults"])
        genuine = rig.sent()[-1]

        # The same once more, by whoever has the broker in his hands.
        inject(rig.broker, genuine)
        assert (await rig.replied("refused"))["reason"] == "replay"

        # Everything else that can be sent.
        for payload in (b"", b"{}", genuine[:-9], genuine.replace(b"reader", b"officer"), b"\xff" * 9000):
            inject(rig.broker, payload)
        (answer,) = await rig.command("set", "--limit", "40", key="reader", code=1)
        assert answer["reason"] == "role"
        (answer,) = await rig.command("set", "--limit", "90", code=1)
        assert (answer["reason"], "30 to 60" in answer["text"]) == ("bounds", True)
        (answer,) = await rig.command("restart", code=1)
        assert answer["reason"] == "role"

        # Signed on a machine without a network, sent from another; once.
        result = await rig.typed(
            "set", "--limit", "40", "--to", "wired", "--key", "officer.key", "--sign-only", "signed.json"
        )
        assert result.returncode == 0, result.stderr
        sent = await rig.typed("send", "signed.json", "--wait", "20")
        assert sent.returncode == 0, sent.stderr
        assert "limit_kmh: 50 -> 40" in sent.stdout
        again = await rig.typed("send", "signed.json", "--wait", "20", "--json")
        assert '"undone"' not in again.stdout
        await until(
            lambda: sum(one.get("reason") == "replay" for one in rig.replies()) == 2, 20.0, "a replay"
        )

        # The log, with what was refused, and no key in it.
        (answer,) = await rig.command("log", "--lines", "50", key="reader")
        assert any("command refused" in line for line in answer["lines"])

        # An orderly end, which systemd turns into a start.
        assert rig._daemon is not None
        (answer,) = await rig.command("restart", key="chief")
        assert answer["outcome"] == "done"
        async with asyncio.timeout(15):
            assert await rig._daemon.wait() == 0
        await rig.panel_dark()
        await rig.start()
        (answer,) = await rig.command("restart", key="chief", code=1)
        assert "a command has just started this sign" in answer["text"]


@together.test
async def test_a_sign_that_does_not_know_the_time_goes_by_its_challenge(folder: Path) -> None:
    async with sign(folder, trusted=False) as rig:
        await rig.said("connected")
        pending, confirmed = await rig.command("set", "--limit", "40", "--confirm")
        assert (pending["outcome"], confirmed["outcome"]) == ("pending", "done")
        first, second = rig.sent()[0], rig.sent()[-1]
        assert first != second

        # A group has no challenge, and an old one is worth nothing.
        answers = await rig.typed(
            "set",
            "--limit",
            "50",
            "--to",
            "group:town",
            "--signs",
            "wired",
            "--key",
            "officer.key",
            "--wait",
            "20",
        )
        assert answers.returncode == 1
        assert "does not know the time" in answers.stdout
        (answer,) = await rig.command("report", "--challenge", "0" * 32, key="reader", code=1)
        assert answer["reason"] == "challenge"


@together.test
async def test_a_group_is_asked_at_once(folder: Path) -> None:
    async with sign(folder) as rig:
        await rig.said("connected")
        await until(lambda: any("/birth" in topic for topic, _, _ in rig.listener.heard), what="a birth")
        words = ("set", "--limit", "40", "--key", "officer.key", "--wait", "3")
        result = await rig.typed(*words, "--to", "group:town")
        assert result.returncode == 0, result.stderr
        assert "wired: set: in force, not confirmed yet" in result.stdout
        result = await rig.typed(*words, "--to", "group:village")
        assert result.returncode == 1
        assert "no sign has answered" in result.stderr
