"""python -m tests.docs.picture: the picture of a report in docs/officers.md, made anew in Chromium."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs import pages
from tests.docs.study import BAUSKA, make_study
from tests.report.browser import Browser

PICTURE = pages.ROOT / "docs" / "pictures" / "report.png"
_SHOWN_PX = {"x": 0, "y": 0, "width": 900, "height": 1180}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_study(Path(folder, "bauska.db"), BAUSKA, seed=5)
        words = ["report", "--db", "bauska.db", "--month", "2026-05", "--language", "en", "-o", "report.html"]
        subprocess.run(
            [sys.executable, "-m", "speedsign", *words],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(pages.ROOT)},
            check=True,
        )
        html = Path(folder, "report.html").read_text(encoding="utf-8")
    browser = Browser()
    try:
        with browser.page(html, width=900) as page:
            page.screenshot(path=PICTURE, full_page=True, clip=_SHOWN_PX)  # type: ignore[arg-type]
    finally:
        browser.close()


if __name__ == "__main__":
    main()
