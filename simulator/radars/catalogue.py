"""The simulated radars by name, and the antenna of each; a module is loaded when its radar is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from simulator.radar_physics import RadarParameters
from simulator.radars import RadarTwin

_TWINS = {
    "ops243": "ops243:Ops243Twin",
    "ld2415h": "ld2415h:Ld2415hTwin",
    "ld2451": "ld2451:Ld2451Twin",
    "kld7": "kld7:Kld7Twin",
    "isys4001": "isys4001:Isys4001Twin",
    "csr": "csr:CsrTwin",
    "tsr20": "tsr20:Tsr20Twin",
    "mph": "mph:MphTwin",
    "houston": "houston:HoustonTwin",
    "ascii": "ascii:AsciiTwin",
    "kld2": "kld2:Kld2Twin",
}
_SIGN_RADAR = RadarParameters(beam_azimuth_deg=30.0, beam_elevation_deg=18.0, max_range_m=150.0)
ANTENNAS: Mapping[str, RadarParameters] = {
    **dict.fromkeys(_TWINS, _SIGN_RADAR),
    "ops243": RadarParameters(),
    "ld2415h": RadarParameters(
        beam_azimuth_deg=40.0, beam_elevation_deg=16.0, max_range_m=180.0, car_strength_at_50m=90.0
    ),
    "ld2451": RadarParameters(beam_azimuth_deg=40.0, max_range_m=100.0),
    "kld7": RadarParameters(
        beam_azimuth_deg=80.0, beam_elevation_deg=34.0, max_range_m=35.0, car_strength_at_50m=12.0
    ),
    "kld2": RadarParameters(beam_azimuth_deg=80.0, beam_elevation_deg=34.0, max_range_m=60.0),
}
# The weakest echo that each tells when a sign has set it up, as an amplitude.
SQUELCHES: Mapping[str, float] = {**dict.fromkeys(_TWINS, 20.0), "ld2415h": 15.0, "ld2451": 10.5}

RADARS = tuple(_TWINS)
SPEAKS_DIALECTS = frozenset({"ascii", "csr", "kld2", "mph"})  # their twins take `profile`


def make_twin(name: str, seed: int = 0, profile: str | None = None) -> RadarTwin:
    """A simulated radar; `profile` is the dialect of those that have several. KeyError: unknown name."""
    module, _, attribute = _TWINS[name].partition(":")
    make = getattr(importlib.import_module(f"simulator.radars.{module}"), attribute)
    twin: RadarTwin = make(seed) if profile is None else make(seed, profile=profile)
    return twin
