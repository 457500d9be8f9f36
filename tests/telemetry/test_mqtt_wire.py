"""What our wire takes from inside paho is still there, is asked as we ask it, and is still used."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from telemetry.mqtt.shapes import TlsSettings
from telemetry.mqtt.wire import Wire
from tests.support import run, until
from tests.telemetry.hostile_broker import HostileBroker, Peer
from tests.telemetry.ports import DOWN, running, settings

OVERRIDDEN = ("_create_socket", "_ssl_wrap_socket", "_sock_recv", "_sock_send", "_packet_handle")
OWN = {  # of the wire alone: paho must not have them
    "_check",
    "_connack",
    "_disconnected",
    "_give_up",
    "_improper",
    "_last_word",
    "_message",
    "_puback",
    "_refuse",
    "_suback",
    "_tell",
}
OWN_VALUES = ("trouble", "error", "_settings", "_events", "_greeted", "_answers")


def test_each_private_method_is_paho_s_or_ours() -> None:
    """A renamed one would be overridden by nothing; a new one of paho's by accident."""
    mine = {name for name, what in vars(Wire).items() if inspect.isfunction(what) and name[:2] != "__"}
    private = {name for name in mine if name.startswith("_")}
    assert private <= {*OVERRIDDEN, *OWN}
    assert set(OVERRIDDEN) <= private
    assert not OWN & set(dir(Client))
    assert not {*OWN_VALUES} & set(vars(Client(CallbackAPIVersion.VERSION2)))
    assert not {name for name in vars(Wire) if name[0] != "_"} & set(dir(Client))


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_an_overridden_method_takes_what_paho_gives(name: str) -> None:
    theirs, ours = inspect.signature(getattr(Client, name)), inspect.signature(getattr(Wire, name))
    assert list(theirs.parameters) == list(ours.parameters)


def test_what_the_wire_uses_of_paho_s_inside_is_there() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    for name in ("_send_pingreq", "_sock_close"):
        assert callable(getattr(client, name))
    assert len(client._out_packet) == 0
    assert {"command", "have_remaining", "remaining_count", "packet"} <= set(client._in_packet)
    assert client._ssl_context is None
    assert client._host == ""


@pytest.mark.wires
def test_paho_still_calls_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    called = set()

    def spied(name: str) -> Any:
        real = getattr(Wire, name)

        def spy(self: Wire, *given: Any) -> Any:
            called.add(name)
            return real(self, *given)

        return spy

    for name in OVERRIDDEN:
        monkeypatch.setattr(Wire, name, spied(name))

    async def main(tls: TlsSettings | None) -> None:
        scripts = [_leaves] if tls else []
        async with HostileBroker(*scripts) as broker, running(settings(broker.port, tls=tls), DOWN) as it:
            await until(lambda: it.connected or it.errors)
            if not tls:
                assert (await it.port.publish("a", b"{}")).ok

    run(main(None))
    assert called == {*OVERRIDDEN} - {"_ssl_wrap_socket"}
    run(main(TlsSettings()))
    assert called == {*OVERRIDDEN}


async def _leaves(_peer: Peer) -> None:
    """In the middle of the handshake."""
