"""A log that a broken sign cannot fill."""

from __future__ import annotations

from telemetry.hub.complaints import EVERY_S, MOST, Complaints


def test_once_and_then_how_often() -> None:
    now = [50.0]
    complaints = Complaints(lambda: now[0])
    said = complaints.of([f"bauska-1: agg {seq}: start is missing" for seq in range(500)])
    assert said == ["refused: bauska-1: agg 0: start is missing"]
    now[0] += EVERY_S - 1
    assert complaints.of(["bauska-1: agg 501: start is missing"]) == []
    now[0] += 1
    assert complaints.of(["bauska-1: agg 502: start is missing"]) == [
        "refused: 500 more like these since the last line",
        "refused: bauska-1: agg 502: start is missing",
    ]
    now[0] += EVERY_S
    assert complaints.of(["iecava: agg 1: no"]) == ["refused: iecava: agg 1: no"]


def test_another_sign_or_kind_is_said_too() -> None:
    complaints = Complaints(lambda: 0.0)
    sentences = ["bauska-1: agg 1: no", "bauska-2: agg 1: no", "bauska-1: raw 1: no", "iecava: agg 1: no"]
    assert len(complaints.of(sentences)) == 4


def test_whoever_invents_names_fills_no_log() -> None:
    complaints = Complaints(lambda: 0.0)
    assert len(complaints.of([f"{'x' * n}: agg: no" for n in range(1, 5000)])) == MOST
    assert complaints.of([]) == []
