"""What is shown to whom: direction, speeds, faces."""

from __future__ import annotations

from speedsign.cli.commissioning.ask import NONE, one_of, whole
from speedsign.cli.commissioning.given import of_step
from speedsign.cli.commissioning.given import option as spelled
from speedsign.cli.commissioning.session import Session
from speedsign.errors import UsageError

_PAGES = "speed, thanks, slower, dark, =TEXT; several take turns: speed, =SLO. docs/rules.md has the words."


async def run(session: Session) -> None:
    """Asks for [rules]; without a panel nothing is shown to anybody."""
    if session.get("display.driver") is None:
        if said := [spelled(name) for name in of_step(session.given, "rules")]:
            raise UsageError(f"{', '.join(said)}: nothing is shown without a panel; leave that out")
        session.say("No panel: nothing is shown.")
        return
    await session.ask_key(
        "rules.show", "Show approaching, receding or both", one_of(("approaching", "receding", "both")),
        option="--show", default="approaching", about="Whose speed is shown. Everybody is counted.",
    )  # fmt: skip
    await session.ask_key(
        "rules.minimum_kmh", "Dark below, km/h", whole, option="--minimum", default=10,
        about="Slower ones are not shown.",
    )  # fmt: skip
    limit_kmh = int(session.get("sign.limit_kmh", 50))
    await session.ask_key(
        "rules.ceiling_kmh", "Dark above, km/h", whole, option="--ceiling", default=min(2 * limit_kmh, 250),
        usual=min(2 * limit_kmh, 250),
        about="Faster ones are not shown, so that nobody races the sign. They are counted.",
    )  # fmt: skip
    for key, question, option in (
        ("within", "Up to the limit show", "--within"),
        ("over", "Over the limit show", "--over"),
    ):
        await session.ask_key(f"rules.{key}", question, pages, option=option, default="speed", about=_PAGES)
    too_fast_kmh = await session.ask_key(
        "rules.too_fast_kmh", "Far too fast from, km/h", _whole_or_none, option="--too-fast-from",
        default=NONE, about="From here on another face can be shown. - is 20 over the limit.",
    )  # fmt: skip
    named = session.given.get("too_fast") is not None
    if too_fast_kmh is not None or named or session.get("rules.too_fast"):
        await session.ask_key(
            "rules.too_fast", "Far too fast: show", pages, option="--too-fast",
            default="speed", about=_PAGES,
        )  # fmt: skip


def pages(text: str) -> list[str]:
    """Pages with commas between.

    >>> pages("speed, =AHA")
    ['speed', '=AHA']
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ValueError("name at least one page; dark is one too")
    return found


def _whole_or_none(text: str) -> int | None:
    return None if text.strip() == NONE else whole(text)
