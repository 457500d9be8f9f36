"""What each vehicle got to see: from what the display acknowledged, and from what it was in between."""

from __future__ import annotations

from collections import deque

from speedsign.model import DisplayState, Face, Vehicle

MAX_TRACKS = 64  # remembered as shown something; far more than can be alive at once
MAX_CHANGES = 64  # of what a vehicle sees that is shown nothing


class SeenLog:
    """Kept by the daemon; asked once for each vehicle, when it has passed."""

    def __init__(self) -> None:
        self._lit: dict[int, tuple[DisplayState, str]] = {}  # by track: what was acknowledged, and its zone
        self._unlit: deque[tuple[float, DisplayState]] = deque(maxlen=MAX_CHANGES)

    def note(self, t_mono_s: float, unlit: DisplayState) -> None:
        """From now on a vehicle that is shown nothing has seen this: blank, dark or fault."""
        if not self._unlit or self._unlit[-1][1] is not unlit:
            self._unlit.append((t_mono_s, unlit))

    def saw(self, track_id: int, face: Face, zone: str) -> None:
        """The panel has acknowledged a face that is this vehicle's."""
        before, _ = self._lit.get(track_id, (DisplayState.WORD, ""))
        state = DisplayState.SHOWN if face.number is not None else before  # a word in turn with its speed
        self._lit[track_id] = state, zone
        if len(self._lit) > MAX_TRACKS:
            del self._lit[min(self._lit)]  # it never became a vehicle

    def joined(self, later_id: int, earlier_id: int) -> None:
        """Two tracks have turned out to be one vehicle: what either saw, it has seen."""
        if later_id not in self._lit:
            return
        state, zone = self._lit.pop(later_id)
        before, _ = self._lit.get(earlier_id, (state, zone))
        self._lit[earlier_id] = DisplayState.SHOWN if DisplayState.SHOWN in (state, before) else state, zone

    def of(self, vehicle: Vehicle) -> tuple[DisplayState, str]:
        """What it saw, and the zone whose face that was; forgotten afterwards."""
        if vehicle.track_id in self._lit:
            return self._lit.pop(vehicle.track_id)
        states = self._during(vehicle.t_first_mono_s, vehicle.t_last_mono_s)
        for state in (DisplayState.FAULT, DisplayState.BLANK):  # dark: all the way, and on purpose
            if state in states:
                return state, ""
        return DisplayState.DARK, ""

    def _during(self, first_s: float, last_s: float) -> set[DisplayState]:
        """What held in a stretch of time; before anything was noted: what was noted first."""
        held: set[DisplayState] = set()
        for t_s, state in self._unlit:
            if t_s > last_s and held:
                break
            if t_s <= first_s:
                held.clear()
            held.add(state)
        return held
