"""A page in a real Chromium: barriers that axe-core finds, narrow screens, zoom, forced colours, paper.

The browser reaches nothing: a page that asks for anything fails the test. A missing browser fails it too:
`sh tests/install_tools.sh` installs it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, Request, Route, sync_playwright

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
ADDRESS = "http://report.test/"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
RUN_AXE = """
async (rules) => (await axe.run(document, {runOnly: {type: "tag", values: rules}}))
    .violations.flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.html.slice(0, 200)}`))
"""
BEYOND_THE_EDGE = """
() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element.parentElement !== null && (
        ["auto", "scroll"].includes(getComputedStyle(element.parentElement).overflowX)
        || scrolls(element.parentElement));
    const found = [...document.body.querySelectorAll("*")].filter((element) => {
        const box = element.getBoundingClientRect();
        const drawn = element.closest("svg *") !== null;
        return box.width > 0 && box.right > width + 1 && !scrolls(element) && !drawn;
    });
    const page = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
    return [...page, ...found.map((element) => element.outerHTML.slice(0, 120))];
}
"""
FOCUSED = """
() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return null;
    const style = getComputedStyle(element);
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return {tag: element.tagName.toLowerCase(), text: element.textContent.trim().slice(0, 80), seen};
}
"""


class Browser:
    """One Chromium for many pages. Close it before asyncio is used: it holds the thread's event loop."""

    def __init__(self) -> None:
        path = shutil.which("chromium")
        assert path, "no chromium: run sh tests/install_tools.sh"
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=path, args=ARGUMENTS)

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()

    @contextmanager
    def page(
        self,
        html: str,
        *,
        width: int = 1280,
        scale: float = 1,
        forced_colors: bool = False,
        media: Literal["screen", "print"] = "screen",
    ) -> Iterator[Page]:
        """The page, open; AssertionError at the end if it has asked for anything, or logged an error."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            device_scale_factor=scale,
            forced_colors="active" if forced_colors else "none",
        )
        asked: list[str] = []

        def answer(route: Route, request: Request) -> None:
            if request.url == ADDRESS:
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            else:
                asked.append(request.url)
                route.abort()

        context.route("**/*", answer)
        try:
            page = context.new_page()
            page.on("console", lambda message: asked.append(f"{message.type}: {message.text}"))
            page.emulate_media(media=media)
            page.goto(ADDRESS)
            yield page
        finally:
            context.close()
        # A browser asks for a page's icon by itself.
        asked = [found for found in asked if not found.endswith("/favicon.ico")]
        assert asked == [], f"the page asks for something, or complains: {asked}"

    def violations(self, html: str, **options: Any) -> list[str]:
        """What axe-core objects to, with all details closed and then open: rule and element."""
        with self.page(html, **options) as page:
            page.evaluate(AXE)
            closed: list[str] = page.evaluate(RUN_AXE, RULES)
            open_all(page)
            opened: list[str] = page.evaluate(RUN_AXE, RULES)
        return sorted({*closed, *opened})

    def beyond_the_edge(self, html: str, *, width: int = 320, text_zoom: float = 1) -> list[str]:
        """What can only be read by scrolling the page sideways; a table may scroll in its own box."""
        with self.page(html, width=width) as page:
            open_all(page)
            page.evaluate(
                "(zoom) => { document.documentElement.style.fontSize = `${100 * zoom}%` }", text_zoom
            )
            found: list[str] = page.evaluate(BEYOND_THE_EDGE)
        return found

    def tab_stops(self, html: str, most: int = 200) -> list[dict[str, Any]]:
        """What the Tab key reaches, in order: tag, text, and whether it is seen to have the focus."""
        stops: list[dict[str, Any]] = []
        with self.page(html) as page:
            while len(stops) < most:
                page.keyboard.press("Tab")
                stop = page.evaluate(FOCUSED)
                if stop is None:
                    break
                stops.append(stop)
        return stops

    def printed(self, html: str) -> bytes:
        """The page as the browser prints it on A4."""
        with self.page(html, media="print") as page:
            return page.pdf(format="A4")

    def picture(self, html: str, **options: Any) -> bytes:
        """PNG of the whole page, to look at."""
        with self.page(html, **options) as page:
            return page.screenshot(full_page=True)


def open_all(page: Page) -> None:
    page.evaluate("() => document.querySelectorAll('details').forEach((found) => { found.open = true })")
