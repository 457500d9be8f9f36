"""How high the sun stands: the one place that knows the library `astral` (NOAA's solar equations)."""

from __future__ import annotations

from datetime import datetime


class Sun:
    """The sun as seen from one place. Degrees, north and east positive.

    The library is loaded when the first one is made: a sign that goes by a fixed brightness is without it.
    """

    def __init__(self, latitude: float, longitude: float) -> None:
        from astral import Observer
        from astral.sun import elevation

        self._observer = Observer(latitude, longitude)
        self._elevation = elevation

    def elevation_deg(self, at_utc: datetime) -> float:
        """The height of its middle over a level horizon, below it negative; without refraction.

        `at_utc`: an aware time. Never raises for a place: near the poles it is as defined as elsewhere.
        """
        return self._elevation(self._observer, at_utc, with_refraction=False)
