"""The public frames of vectors.tsv, by sensor and direction on the wire."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame as a manual or a recording has it."""

    id: str
    data: bytes
    meaning: str


def vectors(sensor: str, way: str) -> list[Vector]:
    """All frames of a sensor; `way` is rx (from the radar) or tx."""
    path = Path(__file__).with_name("vectors.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [
            Vector(row["id"], bytes.fromhex(row["hex"]), row["meaning"])
            for row in rows
            if row["sensor"] == sensor and row["dir"] == way
        ]
