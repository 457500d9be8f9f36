"""Which sign this is, and where it stands."""

from __future__ import annotations

from speedsign.cli.commissioning.ask import NONE, Given, one_of, whole, words
from speedsign.cli.commissioning.session import Session

_ZONES = {"lv": "Europe/Riga", "lt": "Europe/Vilnius"}


async def run(session: Session) -> None:
    """Asks for [sign], the limit included."""
    _store(session)
    await session.ask_key(
        "sign.id", "Id of the sign", str.strip, option="--id",
        about="3 to 40 of a-z, 0-9 and -. It stands in the MQTT topics and in the certificate.",
    )  # fmt: skip
    await session.ask_key(
        "sign.site", "Site", words, option="--site", default=NONE,
        about="The place, as it shall stand in reports: Birzai, school. - is none.",
    )  # fmt: skip
    await session.ask_key(
        "sign.name", "Name of the sign", words, option="--name", default=NONE,
        about="What people call it: Vytauto g. 12. - is none.",
    )  # fmt: skip
    await session.ask_key(
        "sign.limit_kmh", "Speed limit, km/h", whole, option="--limit",
        about="The limit where the sign stands.",
    )  # fmt: skip
    language = await session.ask_key(
        "sign.language", "Language lv, lt or en", one_of(("lv", "lt", "en")), option="--language",
        default="en", about="Of the words that a face can show, and of reports.",
    )  # fmt: skip
    await session.ask_key(
        "sign.timezone", "Time zone", str.strip, option="--timezone",
        default=_ZONES.get(language, "Europe/Riga"), about="Europe/Riga, Europe/Vilnius, …",
    )  # fmt: skip
    await _coordinates(session)
    for way, option in (("approaching", "--approaching-name"), ("receding", "--receding-name")):
        who = "comes" if way == "approaching" else "goes away"
        await session.ask_key(
            f"sign.{way}_name", f"Who {who}, drives", words, option=option, default=NONE,
            about="For reports: to the centre, from Latvia. - is none.",
        )  # fmt: skip


def _store(session: Session) -> None:
    """Where the database is, if it is said; nobody is asked."""
    if (path := session.given.get("store")) is not None:
        session.put({"store.path": path})


async def _coordinates(session: Session) -> None:
    """Latitude and longitude in one line, as a map or a phone gives them."""
    if session.asker.yes and session.given.get("coordinates") is None:
        session.refuse_wrong("sign.latitude", "sign.longitude")
    now = (session.get("sign.latitude"), session.get("sign.longitude"))
    shown = NONE if None in now else f"{now[0]:.10g}, {now[1]:.10g}"

    def read(text: str) -> tuple[float | None, float | None]:
        place = coordinates(text)
        if None not in place:
            wrong = session.complaints(["sign"], {"sign.latitude": place[0], "sign.longitude": place[1]})
            found = [one for one in wrong if "latitude" in one or "longitude" in one]
            if found:
                raise ValueError(found[0])
        return place

    latitude, longitude = await session.asker.ask(
        "Latitude, longitude", read, default=shown,
        given=Given("--coordinates", session.given.get("coordinates")),
        about="As a phone tells it: 56.2012, 24.7563. The panel is dimmed by the sun. - is none.",
    )  # fmt: skip
    session.put({"sign.latitude": latitude, "sign.longitude": longitude})


def coordinates(text: str) -> tuple[float | None, float | None]:
    """Two numbers, or - for none.

    >>> coordinates("56.2012, 24.7563")
    (56.2012, 24.7563)
    """
    if text.strip() in ("", NONE):
        return None, None
    parts = text.replace(";", " ").replace(", ", " ").split()
    if len(parts) == 1:
        parts = parts[0].split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError:
        raise ValueError("write two numbers: 56.2012, 24.7563; or - for none") from None
    return latitude, longitude


def missing(session: Session) -> list[str]:
    """Options that have to be given where nobody is asked."""
    needed = {"--id": "sign.id", "--limit": "sign.limit_kmh"}
    return [
        option
        for option, dotted in needed.items()
        if session.get(dotted) is None and session.given_as(option).value is None
    ]
