"""docs/telemetry.md and others: each benchmark writes its figures between marks of its own."""

from __future__ import annotations

import os
import platform
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def machine() -> str:
    """Where figures come from, and whether it was busy with something else."""
    load = f"load {os.getloadavg()[2]:.1f} in the last quarter of an hour"
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {load}"


def write_between(name: str, text: str, page_name: str = "telemetry") -> None:
    """Replace what stands between `<!-- name -->` and `<!-- end of name -->`."""
    path = DOCS / f"{page_name}.md"
    page = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, rest = page.split(begin, 1)
    path.write_text(head + begin + text.rstrip() + "\n" + end + rest.split(end, 1)[1], encoding="utf-8")
