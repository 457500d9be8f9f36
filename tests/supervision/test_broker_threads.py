"""The thread that speaks to the broker: dead or hanging, it is made anew, and at last the process is."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from pathlib import Path

import pytest

from speedsign.beats import Beat
from speedsign.clock import SystemClock
from speedsign.errors import BrokerError, PartStuck
from telemetry.mqtt import port as port_module
from telemetry.mqtt.connection import Connection
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.shapes import BrokerSettings, Session
from tests.support import run, until
from tests.telemetry.broker import Broker, free_port


def settings(port: int) -> BrokerSettings:
    return BrokerSettings(
        host="127.0.0.1", port=port, client_id="supervised", spread_s=0.0, stuck_s=0.1, backoff_base_s=0.01
    )


class Heard:
    """How often it was connected, and lost."""

    def __init__(self) -> None:
        self.connected = 0
        self.lost: list[BrokerError] = []

    def session(self) -> Session:
        return Session(self._connected, self.lost.append, lambda _message: None)

    def _connected(self) -> None:
        self.connected += 1


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "mqtt"]


def kill(thread: threading.Thread) -> None:
    """As a callback that raises what nobody catches."""
    assert thread.ident
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


@pytest.mark.wires
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # killed on purpose
def test_a_dead_thread_is_noticed_and_the_connection_made_anew(tmp_path: Path) -> None:
    async def main(broker: Broker) -> None:
        heard = Heard()
        port = PahoPort(settings(broker.port), SystemClock())
        going = asyncio.create_task(port.run(heard.session()))
        await until(lambda: heard.connected == 1)
        (thread,) = threads()
        kill(thread)
        await until(lambda: heard.connected == 2)
        assert "thread has died; it is made anew" in str(heard.lost[0])
        assert port.health()["rebuilt"] == 1
        (other,) = threads()
        assert other is not thread
        going.cancel()
        await asyncio.wait([going])

    with Broker(tmp_path) as broker:
        run(main(broker))


def test_threads_that_hang_one_after_the_other_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hangs in a call to the system, such as a name that is looked up; only so many are left behind."""
    go, hanging = threading.Event(), list[int]()

    def hang(connection: Connection) -> BrokerError:
        connection.moves_by_s = 0.0
        hanging.append(1)
        go.wait(20)
        return BrokerError("at last")

    monkeypatch.setattr(Connection, "run", hang)
    monkeypatch.setattr(port_module, "_HOPELESS_S", 0.3)

    async def main() -> None:
        heard, beat = Heard(), Beat(60.0)
        port = PahoPort(settings(free_port()), SystemClock(), beat=beat)
        try:
            with pytest.raises(PartStuck, match="3 threads hang in calls to the system"):
                await port.run(heard.session())
            assert len(hanging) == len(threads()) == 3
            assert beat.turns > 3
            assert beat.allowed_s > 60.0, "the supervisor was told that this may take long"
        finally:
            go.set()

    run(main())
    for thread in threads():
        thread.join(5.0)


def test_one_of_them_that_ends_is_enough_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gates = [threading.Event() for _ in range(20)]
    made: list[int] = []

    def hang(connection: Connection) -> BrokerError:
        connection.moves_by_s = 0.0
        made.append(1)
        gates[len(made) - 1].wait(20)
        return BrokerError("at last")

    monkeypatch.setattr(Connection, "run", hang)

    async def main() -> None:
        port = PahoPort(settings(free_port()), SystemClock())
        going = asyncio.create_task(port.run(Heard().session()))
        await until(lambda: len(made) == 3)
        gates[0].set()
        await until(lambda: len(made) == 4)
        assert not going.done()
        for gate in gates:
            gate.set()
        going.cancel()
        await asyncio.wait([going])

    run(main())
    for thread in threads():
        thread.join(5.0)
