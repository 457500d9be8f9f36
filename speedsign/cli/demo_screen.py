"""The demo in the terminal: the road, the panel as it is lit, the last vehicles, the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulator.panels.segments import draw
from simulator.stand import Stand
from simulator.vehicles import VehicleKind
from speedsign.model import Direction, VehicleRecord

ROAD_COLUMNS = 66
_BODIES = {
    VehicleKind.CAR: "▄▆▄",
    VehicleKind.LORRY: "█████▆",
    VehicleKind.MOTORCYCLE: "▗▖",
    VehicleKind.BICYCLE: "∘∘",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of the demo."""

    stand: Stand
    limit_kmh: int
    vehicles: Sequence[VehicleRecord]  # newest first
    counted: int
    passed: int
    faults: Sequence[str]
    statistics: str
    broker: str


def draw_scene(scene: Scene) -> RenderableType:
    """Everything, at most 80 columns wide and 24 lines high."""
    return Group(
        Panel(_sign(scene), title="YOUR SPEED", subtitle=f"limit {scene.limit_kmh} km/h", width=40),
        _road(scene.stand),
        _table(scene.vehicles),
        Text(f"passed {scene.passed}   counted {scene.counted}   {scene.broker}"),
        Text(scene.statistics, style="bold"),
        Text("; ".join(scene.faults) or "no faults", style="red" if scene.faults else "green"),
        Text("Ctrl-C ends the demo", style="dim"),
    )


def _sign(scene: Scene) -> RenderableType:
    lit = scene.stand.panel.lit()
    number = int(lit) if lit.strip().isdigit() else 0
    style = "bold red" if number > scene.limit_kmh else "bold yellow"
    return Align.center(Text("\n".join(draw(lit)), style=style))


def _road(stand: Stand) -> RenderableType:
    """Seen from above: the sign at the left, the two lanes one over the other."""
    zone_m = stand.world.road.shape.zone_m
    lanes = {direction: [" "] * ROAD_COLUMNS for direction in (Direction.RECEDING, Direction.APPROACHING)}
    for vehicle in stand.world.road.seen():
        row = lanes.get(vehicle.direction)
        column = int(vehicle.x_m / zone_m * ROAD_COLUMNS)
        if row is None or not 0 <= column < ROAD_COLUMNS:
            continue
        for offset, part in enumerate(_BODIES[vehicle.kind]):
            if column + offset < ROAD_COLUMNS:
                row[column + offset] = part
    receding, approaching = ("".join(lanes[way]) for way in (Direction.RECEDING, Direction.APPROACHING))
    return Text(f"  ╷{'─' * ROAD_COLUMNS}\n  │{receding} →\n▐▌│{approaching} ←\n  ╵{'─' * ROAD_COLUMNS}")


def _table(vehicles: Sequence[VehicleRecord]) -> RenderableType:
    table = Table(box=None, pad_edge=False, width=70)
    for name, justify in (
        ("last vehicles", "left"),
        ("km/h", "right"),
        ("readings", "right"),
        ("display", "left"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for record in list(vehicles)[:5]:
        vehicle = record.vehicle
        table.add_row(
            vehicle.direction.value, f"{vehicle.speed_kmh:.1f}", str(vehicle.readings), record.display.value
        )
    for _ in range(5 - min(len(vehicles), 5)):
        table.add_row("", "", "", "")
    return table
