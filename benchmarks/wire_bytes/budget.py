"""What a month costs, from measured pieces. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DAYS = 30
INTERVALS_A_DAY = 96
HEALTH_A_DAY = 24
RECONNECTS_A_DAY = 10
BUDGET_MB = 10.0


@dataclass(frozen=True, slots=True)
class Pieces:
    """Bytes of IP, both ways, each with all that it causes: PUBACK, the hub's acknowledgement, TCP's own."""

    aggregate: float  # the end of an interval, without single vehicles
    vehicles: float  # and what single vehicles add to it, on average
    health: float
    ping: float  # asked and answered
    pings: float  # in each interval: what is sent otherwise puts the next one off
    reconnect: float  # TCP, TLS, MQTT, greeting, the hub's answer; and the end of the connection before


def month_mb(pieces: Pieces, *, vehicles: bool) -> dict[str, float]:
    """MB a month by cause."""
    day = {
        "intervals": INTERVALS_A_DAY * pieces.aggregate,
        "single vehicles": INTERVALS_A_DAY * pieces.vehicles if vehicles else 0.0,
        "health": HEALTH_A_DAY * pieces.health,
        "keep-alive": INTERVALS_A_DAY * pieces.pings * pieces.ping,
        "reconnects": RECONNECTS_A_DAY * pieces.reconnect,
    }
    return {what: DAYS * cost / 1e6 for what, cost in day.items()}
