"""`speedsign watch` without a screen: a line for each thing that happens, in words or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from speedsign.cli.watch_model import Model, listed, number, word
from speedsign.cli.watch_rows import got_to_see
from speedsign.cli.watch_screen import face_text
from speedsign.live.shapes import Line


class JsonLines:
    """Each line as the sign tells it."""

    def take(self, line: Line) -> None:
        click.echo(json.dumps(line, ensure_ascii=False))

    def end(self, model: Model, seconds: float, t_s: float) -> None:
        line = {"event": "end", "t_s": round(t_s, 4), "seconds": round(seconds, 1), **model.counts}
        click.echo(json.dumps(line))


class WordLines:
    """What is new, in words; tracks are left to the screen."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._faults: list[str] = []
        self._shown: object = None
        self._sign = ""

    def take(self, line: Line) -> None:
        for what, text in self._words(line):
            at_s = self._model.since(line["t_s"]) if number(line.get("t_s")) is not None else 0.0
            click.echo(f"{at_s:9.2f}  {what:<9} {text}".rstrip())

    def end(self, model: Model, seconds: float, _t_s: float) -> None:
        click.echo(summary(model, seconds))

    def _words(self, line: Line) -> list[tuple[str, str]]:
        event = line["event"]
        match event:
            case "vehicle":
                return [(event, _vehicle(line))]
            case "hello" | "away":
                return self._of_sign(line)
            case "shown":
                return self._of_shown(line)
            case "state":
                return self._of_faults(line)
        words = _WORDS.get(event)
        return [] if words is None else [(event, words(line))]

    def _of_sign(self, line: Line) -> list[tuple[str, str]]:
        """Who speaks, where that is another one or one who was away."""
        text = _hello(line) if line["event"] == "hello" else "the sign has gone away; waiting for it"
        if text == self._sign:
            return []
        self._sign = text
        return [(line["event"], text)]

    def _of_shown(self, line: Line) -> list[tuple[str, str]]:
        now = (line.get("lit"), line.get("why"), line.get("face"))
        if now == self._shown:
            return []
        self._shown = now
        lit, face = line.get("lit"), line.get("face")
        seen = "?" if lit is None else face_text(lit) or "dark"
        wanted = "" if lit in (face, None) else f" (wants {face_text(face) or 'dark'})"
        return [("shown", f"{seen}{wanted}: {line.get('text')}")]

    def _of_faults(self, line: Line) -> list[tuple[str, str]]:
        found = [one for one in listed(line.get("faults")) if isinstance(one, dict)]
        faults = [word(one.get("text")) for one in found]
        new = [("fault", text) for text in faults if text not in self._faults]
        gone = [("mended", text) for text in self._faults if text not in faults]
        self._faults = faults
        return new + gone


def _reading(line: Mapping[str, Any]) -> str:
    speed = number(line.get("speed_kmh")) or 0.0
    text = f"{word(line.get('direction')):<11} {speed:6.1f} km/h"
    for name, key in (("strength", "strength"), ("range m", "range_m")):
        if number(line.get(key)) is not None:
            text += f"  {name} {line[key]:g}"
    return text


def _vehicle(line: Line) -> str:
    speeds = [number(line.get(key)) or 0.0 for key in ("speed_kmh", "entry_kmh", "exit_kmh")]
    text = f"{word(line.get('direction')):<11} {speeds[0]:6.1f} km/h  entry {speeds[1]:.1f}"
    return f"{text}  exit {speeds[2]:.1f}  {line.get('readings')} readings  {got_to_see(line)}"


def _items(values: object) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in values.items()] if isinstance(values, dict) else []


def summary(model: Model, seconds: float) -> str:
    """What there was in all."""
    n = model.counts
    text = (
        f"readings: {n['readings']}, rejected: {n['rejected']}, vehicles: {n['vehicles']}, in {seconds:.0f} s"
    )
    return f"{text}; lines lost on the way: {n['skipped']}" if n["skipped"] else text


def _hello(line: Line) -> str:
    angle = number(line.get("mounting_angle_deg")) or 0.0
    return f"{line.get('sign') or line.get('port')}: {line.get('radar')} at {angle:g} degrees"


_WORDS: dict[str, Callable[[Line], str]] = {
    "reading": _reading,
    "rejected": lambda line: str(line.get("reason")),
    "reply": lambda line: ", ".join(f"{key} {value}" for key, value in _items(line.get("values"))),
    "restarted": lambda line: str(line.get("text")),
    "skipped": lambda line: f"{line.get('n')} lines lost: this end reads too slowly",
}
