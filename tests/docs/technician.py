"""The run of `speedsign commission` that docs/commissioning.md shows: simulated devices, a robot that types.

python -m tests.docs.technician runs it and puts what was said into the page, and the lines that matter most
into the sheet, docs/technician.md.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

from tests.cli.technician import Row, Street, Systemctl, Technician
from tests.docs import pages

SHEET, PAGE = "docs/technician.md", "docs/commissioning.md"
PART, EXCERPT = "commission", "excerpt of commission"
FINDS = re.compile(
    r"\$ |WRONG|DIM|Did it come|No faults|  radar\.|The sign runs"
)  # what the sheet shows of it
COMMAND = "commission --config speedsign.toml --test-for 8"
STREET = ("--per-hour", "0", "--inverted", "--dim", "--radar-baud", "115200")
OLD = """\
[sign]
id = "birzai-vytauto-12"
limit_kmh = 50

[radar]
driver = "ops243"
port = "dev/radar"
baud = 9600                       # as it was delivered

[display]
driver = "dm56a04"
port = "dev/panel"

[store]
path = "sign.db"

[clock]
trust = "always"
"""
TABLE: tuple[Row, ...] = (
    ("Id of the sign", ""),
    ("Site", "Birzai, school"),
    ("Name of the sign", ""),
    ("Speed limit", ""),
    ("Language", "lt"),
    ("Time zone", "Europe/Vilnius"),
    ("Latitude", "56.2012, 24.7563"),
    ("Who ", ""),
    ("Stop it meanwhile", "y"),
    ("Does it show", "y"),
    ("Your name", "Anna"),
    ("Step ", "y"),
    ("Did it come", "y"),
    ("t traffic", ""),
    ("Show ", "both"),
    ("Dark ", ""),
    ("Up to", ""),
    ("Over the", ""),
    ("Far too", ""),
    ("Broker", ""),
    ("Once more", ""),
    ("Write ", "y"),
    ("Start ", "y"),
)


def run(folder: Path) -> str:
    """The session, as a terminal shows it; `folder` gets the config. The road is empty but for our car."""
    (folder / "speedsign.toml").write_text(OLD)
    systemctl = Systemctl.made(folder / "bin")
    with (
        contextlib.chdir(folder),
        Street(Path("dev"), *STREET) as street,
        Technician(*COMMAND.split(), path=systemctl.folder) as technician,
    ):
        cues = {
            "Ready: waiting": lambda: street.say("drive 72"),
            "for 8 s. Drive past": lambda: street.say("drive 63"),
        }
        technician.answer(TABLE, cues)
        assert technician.ended() == 0, technician.said
    return f"$ speedsign {COMMAND}\n{technician.said.strip()}\n"


def part(said: str) -> str:
    """The block of the page."""
    return f"```text\n{said}```\n"


def excerpt(said: str) -> str:
    """The lines of a run that the sheet has room for."""
    return "".join(f"{line}\n" for line in said.splitlines() if FINDS.match(line))


def shown(page: str = PAGE, name: str = PART) -> str:
    """What the page, or the sheet, has now."""
    found = re.search(rf"<!-- {name} -->\n```text\n(.*?)```\n", pages.text(page), re.DOTALL)
    assert found is not None
    return found[1]


def write(page: str, name: str, said: str) -> None:
    text = pages.with_part(pages.text(page), name, part(said))
    (pages.ROOT / page).write_text(text, encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        said = run(Path(name))
    write(PAGE, PART, said)
    write(SHEET, EXCERPT, excerpt(said))


if __name__ == "__main__":
    main()
