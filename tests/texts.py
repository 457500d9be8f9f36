"""Parts of configs that several tests put theirs together from."""

from __future__ import annotations

SIGN = """
[sign]
id = "street-1"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
[display]
driver = "dm56a04"
port = "/dev/ttyUSB0"
[rules]
too_fast_kmh = 70
"""
DARK_NIGHTS = """
[[rules.schedule]]
name = "night"
start = "23:00"
end = "05:00"
dark = true
"""
