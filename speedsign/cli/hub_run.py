"""speedsign hub without anything behind it: the hub itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from dataclasses import replace
from pathlib import Path

from speedsign import __version__, last_words
from speedsign.believed import BelievedClock, built_utc
from speedsign.cli.common import set_up_logging
from speedsign.cli.hub_options import in_hubs_words
from speedsign.cli.mending import patience
from speedsign.clock import SystemClock
from speedsign.config.hub import HubFile, HubWishes, load_hub
from speedsign.errors import StoreError
from speedsign.notify import mind_the_watchdog, sd_notify
from speedsign.own_use import OwnUse
from telemetry.hub.home_assistant import HomeAssistant
from telemetry.hub.hub import Hub, HubSettings
from telemetry.hub.store import SqliteHubStore
from telemetry.hub.topics import subscriptions
from telemetry.lock import sole_writer
from telemetry.mqtt.port import PahoPort
from telemetry.mqtt.settings import broker_settings
from telemetry.mqtt.shapes import BrokerSettings

_log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 7 * 86_400  # so long the broker keeps for a hub that is away what its own limits allow
RECEIVE_MAXIMUM = 1000  # messages at a time: two full batches
PACKET_BYTES = 256 * 1024
WINDOW = 200  # acknowledgements on their way
_SUBSCRIBED = "subscribed"  # in the store's meta: what the broker's session holds


def run(config_path: Path | None, wishes: HubWishes, *, debug: bool) -> None:
    """Until it is told to stop; raises ConfigError, StoreError, StoreInUse."""
    set_up_logging(debug=debug)
    last_words.arm()
    mind_the_watchdog(HubSettings().beat_s)
    with patience(config_path) if config_path else contextlib.nullcontext():
        config = load_hub(config_path, wishes)
        broker = hub_broker(config)
    path = config.hub.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from None
    with in_hubs_words(), sole_writer(path):
        store = SqliteHubStore(path)
        try:
            asyncio.run(_until_told(config, broker, store))
        finally:
            store.close()


def hub_broker(config: HubFile) -> BrokerSettings:
    """How the hub speaks to the broker; raises ConfigError for a secret that cannot be read."""
    return broker_settings(
        config.mqtt,
        f"speedsign-hub-{config.hub.name}",
        session_expiry_s=SESSION_EXPIRY_S,
        receive_maximum=RECEIVE_MAXIMUM,
        max_packet_bytes=PACKET_BYTES,
        window=WINDOW,
        spread_s=0.0,
        backoff_base_s=1.0,
        backoff_cap_s=60.0,
    )


async def _until_told(config: HubFile, broker: BrokerSettings, store: SqliteHubStore) -> None:
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None  # noqa: S101  we are inside one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main.cancel)
    settings = HubSettings(
        group=config.hub.group,
        acknowledges=config.hub.acknowledges,
        keep_vehicles_days=config.hub.keep_vehicles_days,
    )
    session = hub_session(config, broker)
    broker = replace(broker, fresh_session=others_subscribed(store.noted(_SUBSCRIBED), session))
    prefix = config.hub.home_assistant
    shown = None if prefix is None else HomeAssistant(config.hub.name, prefix, __version__)
    clock = BelievedClock(SystemClock(), built_utc=built_utc())
    port = PahoPort(broker, clock)
    noted, own = (_SUBSCRIBED, session), OwnUse()
    hub = Hub(
        port,
        store,
        settings,
        clock,
        notify=sd_notify,
        shown=shown,
        session=noted,
        use=own.now,
        most=own.most(),
    )
    _log.info("hub %s starts: broker %s, database %s", config.hub.name, broker.address, store.path)
    try:
        await hub.run()
    except asyncio.CancelledError:
        _log.info("hub %s has stopped: %s", config.hub.name, _counted(hub))


def hub_session(config: HubFile, broker: BrokerSettings) -> str:
    """What the broker keeps under which name, to be compared at the next start."""
    filters = sorted(one.topic_filter for one in subscriptions(config.hub.group))
    return json.dumps({"client": broker.client_id, "filters": filters})


def others_subscribed(before: str | None, now: str) -> bool:
    """Whether the broker holds subscriptions of this client that are not wanted any more.

    Nobody takes them back; the session has to begin anew. What waits in it the signs send again.
    """
    if before is None:
        return False
    was, will = json.loads(before), json.loads(now)
    return bool(was["client"] == will["client"] and set(was["filters"]) != set(will["filters"]))


def _counted(hub: Hub) -> str:
    done = hub.health()
    return ", ".join(f"{done.get(name, 0):,} {name}" for name in ("heard", "stored", "duplicates", "refused"))
