"""What a config may ask of a radar that few things can be set on, each refusal with a sentence."""

from __future__ import annotations

import logging

from speedsign.errors import DriverError
from speedsign.model import Unit
from speedsign.ports import RadarSettings

log = logging.getLogger(__name__)


def check_one_target(radar: str, wanted: RadarSettings, max_speed_kmh: float) -> None:
    """For a radar that says one speed a report, `max_speed_kmh` at most; raises DriverError."""
    if not 0 <= wanted.min_speed_kmh <= max_speed_kmh:
        raise DriverError(f"radar {radar}: min_speed_kmh must be 0 to {max_speed_kmh:g}")
    if wanted.max_speed_kmh > max_speed_kmh:
        raise DriverError(
            f"radar {radar}: max_speed_kmh {wanted.max_speed_kmh:g} is more than the radar can say;"
            f" set at most {max_speed_kmh:g}"
        )
    if wanted.min_strength is not None:
        log.info("radar %s tells no strength; min_strength has no effect", radar)
    if wanted.targets > 1:
        log.info("radar %s reports one target; targets = %s has no effect", radar, wanted.targets)


def check_unit(radar: str, wanted: RadarSettings, spoken: tuple[Unit, ...]) -> None:
    """The unit must be one that the radar's protocol knows; raises DriverError."""
    if wanted.unit not in spoken:
        words = " or ".join(f'"{unit.value}"' for unit in spoken)
        raise DriverError(f'radar {radar}: it does not speak "{wanted.unit.value}"; set unit = {words}')
