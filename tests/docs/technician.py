"""The run of `speedsign commission` that docs/technician.md shows: simulated devices, and a robot that types.

python -m tests.docs.technician runs it and puts what was said into the page.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

from tests.cli.technician import Row, Street, Systemctl, Technician
from tests.docs import pages

PAGE = pages.ROOT / "docs" / "technician.md"
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


class _Recorded(Technician):
    """What is typed stands in the record, as a terminal echoes it."""

    def type(self, line: str) -> None:
        super().type(line)
        self.said += f"{line}\n"


def run(folder: Path) -> str:
    """The session, as a terminal shows it; `folder` gets the config. The road is empty but for our car."""
    (folder / "speedsign.toml").write_text(OLD)
    systemctl = Systemctl.made(folder / "bin")
    with (
        contextlib.chdir(folder),
        Street(Path("dev"), *STREET) as street,
        _Recorded(*COMMAND.split(), path=systemctl.folder) as technician,
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


def shown() -> str:
    """What the page has now."""
    found = re.search(
        r"<!-- commission -->\n```text\n(.*?)```\n", pages.text("docs/technician.md"), re.DOTALL
    )
    assert found is not None
    return found[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        said = run(Path(name))
    PAGE.write_text(
        pages.with_part(PAGE.read_text(encoding="utf-8"), "commission", part(said)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
