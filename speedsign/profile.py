"""What the panel shows to whom, in one short line: part of an installation, so that no report mixes two."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from speedsign.config.schema import Config, RulesConfig
from speedsign.settings import settle

_NOT_SEEN = ("hysteresis_kmh", "page_s", "hold_s", "min_change_interval_s", "vehicle")  # no other message


def display_profile(config: Config) -> str:
    """Such as `approaching 15-90: speed / speed / LĒNĀK #1f3a9c`: within, over, too fast; "none": no panel.

    The number stands for all of the rules that a driver can notice, schedules included. Studies are no part
    of it: dark and lit phases are to be compared.
    """
    if config.display is None:
        return "none"
    rules, base = config.rules, settle(config)
    if base.dark:
        return f"{rules.show}: dark #{_number(rules, base.limit_kmh)}"
    faces = " / ".join("+".join(pages) or "dark" for pages in (base.within, base.over, base.too_fast))
    return f"{rules.show} {base.minimum_kmh}-{base.ceiling_kmh}: {faces} #{_number(rules, base.limit_kmh)}"


def _number(rules: RulesConfig, limit_kmh: int) -> str:
    facts = {key: value for key, value in asdict(rules).items() if key not in _NOT_SEEN}
    if not rules.dark:
        del facts["dark"]  # older versions did not have it: their numbers stay
    return hashlib.sha256(repr((limit_kmh, sorted(facts.items()))).encode()).hexdigest()[:6]
