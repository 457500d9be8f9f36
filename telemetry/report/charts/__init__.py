"""Pictures of numbers: each function makes one whole <svg> element, as text.

They are pure and know nothing of files. An element stands in a page of HTML or in a PDF alike: basic shapes
and presentation attributes, no scripts, no styles, no fonts of its own. Nothing is told by colour alone, and
each can be read in grey. `key` makes its ids unique in a page: a letter, then letters, digits, - or _.
`title` and `description` are its text alternative. What is None or not finite was not measured: it is left
open, never drawn as zero. ValueError: a key that is no key.
"""

from telemetry.report.charts.change import before_after_svg
from telemetry.report.charts.heat_map import heat_map_svg
from telemetry.report.charts.histogram import histogram_svg
from telemetry.report.charts.hour_profile import hour_profile_svg
from telemetry.report.charts.points import ChangeRow, HourPoint, TrendPoint
from telemetry.report.charts.trend import trend_svg

__all__ = [
    "ChangeRow",
    "HourPoint",
    "TrendPoint",
    "before_after_svg",
    "heat_map_svg",
    "histogram_svg",
    "hour_profile_svg",
    "trend_svg",
]
