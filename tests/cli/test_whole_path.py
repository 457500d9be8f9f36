"""From a config that is wrong in four ways to a sign that works, at a real terminal, in a simulated street.

The radar reads cars at 12 degrees, has the directions the wrong way round and speaks another baud rate than
the config says; the panel stands at its dimmest step, and the config would leave it there.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.cli.command import process
from tests.cli.technician import Row, Street, Systemctl, Technician
from tests.cli.wires import stop, wait_until

pytestmark = pytest.mark.wires

ANGLE_DEG = 12.0
CARS = 36
KMH = 50.0


def old_config(street: Street, folder: Path) -> str:
    return f"""# Vytauto 12, pole 3. Key of the cabinet: with Jonas.
[sign]
id = "vytauto-12"
limit_kmh = 50                # since 2024

[radar]
driver = "ops243"
port = "{street.radar}"
baud = 19200                  # as it was delivered

[display]
driver = "dm56a04"
port = "{street.panel}"
brightness = 0                # somebody complained at night

[store]
path = "{folder}/sign.db"
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """The whole path, once; what there is to be looked at afterwards."""
    folder = tmp_path_factory.mktemp("sign")
    config = folder / "speedsign.toml"
    hidden = ("--angle", f"{ANGLE_DEG:g}", "--inverted", "--radar-baud", "57600", "--dim")
    with Street(folder / "street", "--radar", "ops243", "--per-hour", "0", *hidden) as street:
        config.write_text(old_config(street, folder))
        config.chmod(0o640)
        systemctl = Systemctl.made(folder / "bin")
        args = ("commission", "--config", config, "--test-for", "6")
        with Technician(*args, path=systemctl.folder) as technician:
            technician.answer(rows(street), cues(street), timeout_s=150.0)
            code = technician.ended()
        facts: dict[str, object] = {
            "code": code,
            "said": technician.said,
            "too_wide": technician.screen.too_wide,
            "calls": systemctl.calls,
            "config": config,
            "dark": street.lit.strip() == "",
            "old": old_config(street, folder),
        }
        facts["numbers"], facts["step"] = driven_past(street, config)
        yield facts


def rows(street: Street) -> list[Row]:
    """What this technician answers."""
    ways = iter(["t", "", ""])

    def seen(_prompt: str) -> str:
        wait_until(lambda: street.lit.strip() == "47")
        return "Y"

    def by_eye(prompt: str) -> str:
        told = re.search(r"Step (\d+) of (\d+)", prompt)
        assert told is not None
        step, steps = map(int, told.groups())
        wait_until(lambda: street.step == step)
        return "y" if step == steps else "+"

    return [
        ("Stop it meanwhile", ""),
        ("Does it show 47", seen),
        ("Your name", "Ona Onaite"),
        ("Step ", by_eye),
        ("Did it come towards", "yes"),
        ("t traffic", lambda _prompt: next(ways)),
        ("How many cars", str(CARS)),
        ("Once more", "n"),
        ("Broker", "none"),
        ("Write", "y"),
        ("Start the sign", "y"),
        (r"[^\n]*\[[^\n]*\]", ""),  # else what it says already
    ]


def cues(street: Street) -> dict[str, Callable[[], None]]:
    def test_drive() -> None:
        street.say("clear")
        street.say("drive 50 2")

    return {
        "Ready: waiting for a car": lambda: street.say("drive 50"),
        "Waiting for cars": lambda: street.say(f"drive 80 {CARS + 10}"),
        "The whole sign for": test_drive,
    }


def driven_past(street: Street, config: Path) -> tuple[list[tuple[float, int]], int]:
    """The sign with what was written: the numbers for a car, each with its seconds, and the panel's step."""
    street.say("clear\npanel off\npanel on")
    wait_until(lambda: street.step == 1)
    with process("run", "--config", config, stdin=subprocess.DEVNULL) as sign:
        wait_until(lambda: street.step > 1)
        wait_until(lambda: street.lit.strip() == "")
        street.say(f"drive {KMH:g} 20")  # until the radar is set up
        wait_until(lambda: street.lit.strip() != "", 40.0)
        street.say("clear")
        wait_until(lambda: street.lit.strip() == "")
        began = len(street.of("panel"))
        street.say(f"drive {KMH:g}")
        wait_until(lambda: len(street.of("panel")) > began + 1 and street.lit.strip() == "")
        step = street.step
        stop(sign)
    lit = street.of("panel")[began:]
    return [(b["t_s"] - a["t_s"], int(a["lit"])) for a, b in pairwise(lit) if a["lit"].strip()], step


def test_the_path_was_gone_to_its_end(done: dict[str, object]) -> None:
    assert done["code"] == 0, done["said"]
    assert done["dark"]
    assert done["calls"] == ["stop speedsign", "start speedsign"]


@pytest.mark.parametrize(
    "found",
    [
        "WRONG in the config: 19200 baud; the radar speaks 57600.",
        "WRONG in the config: the direction.",
        "DIM: its brightness stands at step 1 of 8.",
        "DIM in the config: [display] brightness = 0.",
    ],
)
def test_what_the_street_hid_was_found_and_said(done: dict[str, object], found: str) -> None:
    assert found in str(done["said"])


def test_the_config_has_what_was_found_and_every_remark(done: dict[str, object]) -> None:
    config = done["config"]
    assert isinstance(config, Path)
    text = config.read_text()
    values = tomllib.loads(text)
    assert values["radar"]["baud"] == 57_600
    assert values["radar"]["invert_direction"] is True
    assert values["radar"]["mounting_angle_deg"] == pytest.approx(ANGLE_DEG, abs=2.0)
    assert values["display"]["brightness"] == 1.0
    assert (values["sign"]["id"], values["sign"]["limit_kmh"]) == ("vytauto-12", 50)
    for remark in ("# Vytauto 12, pole 3. Key of the cabinet: with Jonas.", "# since 2024", "# as it was"):
        assert remark in text
    assert config.stat().st_mode & 0o777 == 0o640
    assert config.with_name("speedsign.toml.before").read_text() == done["old"]
    assert not config.with_name("speedsign.toml.draft").exists()


def test_each_finding_is_a_record_of_the_one_who_made_it(done: dict[str, object]) -> None:
    config = done["config"]
    assert isinstance(config, Path)
    lines = [json.loads(line) for line in (config.parent / "calibrations.jsonl").read_text().splitlines()]
    text = json.dumps(lines)
    for kind in ("panel", "brightness", "direction", "angle"):
        assert f'"{kind}"' in text
    assert text.count("Ona Onaite") >= 4


def test_the_sign_then_shows_the_right_speed_and_is_bright(done: dict[str, object]) -> None:
    numbers = done["numbers"]
    assert isinstance(numbers, list)
    assert sum(lit_s for lit_s, _ in numbers) > 1.0
    assert median([number for lit_s, number in numbers for _ in range(round(lit_s * 10))]) == pytest.approx(
        KMH, abs=1.0
    )
    assert done["step"] == 8


def test_no_line_is_wider_than_the_terminal(done: dict[str, object]) -> None:
    assert done["too_wide"] == []
