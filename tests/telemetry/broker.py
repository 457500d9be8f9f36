"""A real mosquitto on a free loopback port, to start, stop, kill and start again on the same port."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


_PORTS = range(20_000, 32_000)  # below those that Linux gives to connections


def free_port() -> int:
    """A port that nobody listens on, and that no connection is given while a broker is away for a moment."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Broker:
    """mosquitto as a child process; `extra` are lines of its config.

    Used as a context manager it is started and, whatever happens, ended.
    """

    def __init__(self, folder: Path, *extra: str, anonymous: bool = True) -> None:
        self.folder = folder
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        lines = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {str(anonymous).lower()}", *extra]
        if os.geteuid() == 0:
            lines.append("user root")
        self._config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start and wait until it takes connections."""
        program = shutil.which("mosquitto", path=_PATH)
        assert program, "the Mosquitto broker is missing: sh tests/install_tools.sh"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", self._config], stdout=log, stderr=log)
        deadline_s = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                assert self._process.poll() is None, f"mosquitto ended: {self._log.read_text()}"
                assert time.monotonic() < deadline_s, f"mosquitto does not listen: {self._log.read_text()}"
                time.sleep(0.01)
            else:
                return

    @property
    def pid(self) -> int:
        assert self._process, "not started"
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL: what it had in memory is gone."""
        self._end(kill=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process:
            process.kill() if kill else process.terminate()
            process.wait(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kill=True)


def write_passwords(path: Path, **users: str) -> Path:
    """A mosquitto password file."""
    program = shutil.which("mosquitto_passwd", path=_PATH)
    assert program, "mosquitto_passwd is missing"
    path.touch(mode=0o600)
    for user, password in users.items():
        subprocess.run([program, "-b", path, user, password], check=True, capture_output=True)
    return path


class Listener:
    """A subscriber on a thread of paho's: what a hub would hear."""

    def __init__(
        self, port: int, topic: str = "#", *, tls: ssl.SSLContext | None = None, **credentials: str
    ) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if credentials:
            self._client.username_pw_set(**credentials)
        if tls:
            self._client.tls_set_context(tls)
        self._client.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload), m.retain))
        self._client.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(5)

    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _ in self.heard]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # paho's own pair, else closed when collected


def cut(client_id: str) -> None:
    """Break the connection of a client of this process under it, as a dead link does."""
    clients = [found for found in gc.get_objects() if isinstance(found, Client)]
    wires = [client.socket() for client in clients if client._client_id == client_id.encode()]
    live = [wire for wire in wires if isinstance(wire, socket.socket)]
    assert live, f"{client_id} is not connected"
    for wire in live:
        wire.shutdown(socket.SHUT_RDWR)
