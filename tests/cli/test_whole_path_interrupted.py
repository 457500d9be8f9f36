"""Ctrl-C at every prompt and in every measurement, at a real terminal: the sign is left as it was.

The old config to the byte, the panel dark, the ports free, the service running again, and a sentence that
says how to go on.
"""

from __future__ import annotations

import ast
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial

import speedsign.cli.commissioning
from tests.cli.command import process
from tests.cli.technician import Row, Street, Systemctl, Technician, prompt
from tests.cli.wires import stop, wait_until

pytestmark = pytest.mark.wires

STEPS = Path(speedsign.cli.commissioning.__file__).parent
AS_IT_IS: Row = (r"[^\n]*\[[^\n]*\]", "")  # the default


@dataclass(frozen=True)
class Case:
    """Where somebody presses Ctrl-C: at a prompt that begins so, or at other words (`measuring`)."""

    step: str
    at: str
    rows: tuple[Row, ...] = ()
    options: tuple[str, ...] = ()
    street: str = ""  # what is said to it before
    measuring: bool = False

    @property
    def where(self) -> str:
        return re.escape(self.at) if self.measuring else prompt(re.escape(self.at))

    def __str__(self) -> str:
        return f"{self.step}: {self.at}"


def prompts(step: str, *begin: str) -> list[Case]:
    """One after the other, each reached by the defaults of those before."""
    return [Case(step, one, (AS_IT_IS,)) for one in begin]


FREE: Row = ("Stop it meanwhile", "y")
NAME: Row = ("Your name", "Ona")
SEEN: Row = ("Does it show 47", "y")
TAPE: tuple[Row, ...] = (("t traffic", "m"), ("To the middle", "4"), ("Height of", "3"), ("It aims", "30"))
BROKER: tuple[Row, ...] = (("Broker", "127.0.0.1"), ("With TLS", "n"))
OPS: tuple[str, ...] = ("--radar-driver", "ops243", "--listen", "0.5")
NOWHERE: tuple[str, ...] = ("--radar-port", "/dev/not-there")
CASES = [
    *prompts(
        "sign", "Id of the sign", "Site", "Name of the sign", "Speed limit", "Language", "Time zone",
        "Latitude", "Who comes", "Who goes",
    ),
    Case("radar", "Stop it meanwhile"),
    Case("radar", "listening at", (FREE,), measuring=True),
    Case("radar", "it answered", (FREE,), OPS, measuring=True),
    Case("radar", "y look again", (FREE,), NOWHERE),
    Case("radar", "Port of the radar", (FREE, ("y look again", "p")), NOWHERE),
    Case("panel", "asking at", (FREE,), measuring=True),
    Case("panel", "Does it show 47", (FREE,)),
    Case("panel", "Your name", (FREE, SEEN)),
    Case("brightness", "Step ", (FREE,)),
    Case("brightness", "Step 5", (FREE, ("Step ", "+"))),
    Case("brightness", "Your name", (FREE, ("Step ", "y"))),
    Case("direction", "Drive towards", (FREE,), measuring=True),
    Case("direction", "Ready: waiting for a car", (FREE,), measuring=True),
    Case("direction", "Did it come towards", (FREE,), street="drive 50 30"),
    Case("direction", "Wait for another", (FREE, ("Did it come", "another")), street="drive 50 30"),
    Case("direction", "Try this step again", (FREE,), street="radar unplug"),
    *prompts("mounting", "t traffic"),
    Case("mounting", "How many cars", (("t traffic", "t"),)),
    Case("mounting", "Waiting for cars", (("t traffic", "t"), FREE, AS_IT_IS), measuring=True),
    Case("mounting", "To the middle of the lane", TAPE[:1]),
    Case("mounting", "Height of the radar", TAPE[:2]),
    Case("mounting", "It aims", TAPE[:3]),
    Case("mounting", "Cars are read so far", TAPE),
    *prompts(
        "rules", "Show approaching", "Dark below", "Dark above", "Up to the limit", "Over the limit",
        "Far too fast from",
    ),
    Case("rules", "Far too fast: show", (("Far too fast from", "80"), AS_IT_IS)),
    Case("broker", "Broker"),
    Case("broker", "With TLS", BROKER[:1]),
    Case("broker", "Send it readable", (("Broker", "192.0.2.1"), *BROKER[1:])),
    Case("broker", "Port", BROKER),
    Case("broker", "User name", (*BROKER, ("Port", "PORT"))),
    Case("broker", "Trying", (*BROKER, ("Port", "PORT"), AS_IT_IS), measuring=True),
    Case("broker", "e edit", (*BROKER, ("Port", "1"), AS_IT_IS)),
    Case("test", "The whole sign for", (FREE,), measuring=True),
    Case("test", "Once more", (FREE,), ("--test-for", "1")),
    Case("rules", "Write", (("Dark below", "12"), AS_IT_IS)),
    Case("start", "Start the sign"),
]  # fmt: skip
# Asked of other hardware than there is here, or when the config has been written; tests of commission with
# devices that can be anything ask them.
ELSEWHERE = {
    "Restart the sign?",
    "How light is it?", "Take that out of the curve?", "Set the radar's to 0?", "Which one", "Accept that?",
    "It is set to km/h", "Port of the panel", "y look again, p name a port",
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    street: Street
    config: Path
    systemctl: Systemctl
    old: bytes
    broker_port: int  # where somebody accepts connections and never says a word


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    config = folder / "speedsign.toml"
    with (
        Street(folder / "street", "--radar", "ops243", "--per-hour", "0", "--radar-baud", "57600") as street,
        socket.create_server(("127.0.0.1", 0)) as broker,
    ):
        config.write_text(
            f'# by hand\n[sign]\nid = "ladder-1"\nlimit_kmh = 50\n'
            f'[radar]\ndriver = "ops243"\nport = "{street.radar}"\nbaud = 57600\n'
            f'[display]\ndriver = "dm56a04"\nport = "{street.panel}"\nbrightness = 0.3\n'
            f'[store]\npath = "{folder}/sign.db"\n'
        )
        systemctl = Systemctl.made(folder / "bin")
        yield Site(street, config, systemctl, config.read_bytes(), broker.getsockname()[1])


def begun(site: Site, case: Case, columns: int = 80) -> Technician:
    """The technician, at the point where it is interrupted."""
    site.systemctl.be(active=True)
    site.street.say("clear")
    if case.street:
        site.street.say(case.street)
    args: tuple[str | Path, ...] = (
        "commission",
        case.step,
        "--fresh",
        "--config",
        site.config,
        *case.options,
    )
    technician = Technician(*args, columns=columns, path=site.systemctl.folder)
    rows = [(begins, str(site.broker_port) if reply == "PORT" else reply) for begins, reply in case.rows]
    try:
        technician.answer(rows, until=case.where)
    except BaseException:
        technician.child.close(force=True)
        raise
    return technician


def check_left(site: Site, technician: Technician) -> None:
    """As if nobody had been there."""
    site.street.say("clear")
    wait_until(lambda: Path(site.street.radar).exists())
    assert site.config.read_bytes() == site.old
    wait_until(lambda: site.street.lit.strip() == "")
    for port in (site.street.radar, site.street.panel):
        serial.Serial(port, exclusive=True).close()
    assert site.systemctl.active
    assert site.systemctl.calls in ([], ["stop speedsign", "start speedsign"])
    assert "Traceback" not in technician.said
    assert not [path for path in site.config.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ctrl_c_leaves_everything_as_it_was(site: Site, case: Case) -> None:
    with begun(site, case) as technician:
        technician.child.sendintr()
        assert technician.ended() == 1, technician.said
        last = technician.said.strip().splitlines()[-1]
        assert last == (
            "speedsign commission: stopped; the config is as it was; go on with:"
            f" speedsign commission --config {site.config}"
        )
        check_left(site, technician)
        if "Stop it meanwhile" in [begins for begins, _ in case.rows]:
            assert site.systemctl.calls
            assert "The sign runs again." in technician.said


def test_every_question_is_one_of_these() -> None:
    """A new question needs a line up there, or a reason why it has none."""
    known = [case.at.strip() for case in CASES if not case.measuring]
    for path in STEPS.glob("*_step*.py"):
        for question in questions(path):
            assert any(
                question.startswith(one) or one.startswith(question) for one in (*known, *ELSEWHERE)
            ), f"{path.name}: {question}"


def questions(path: Path) -> Iterator[str]:
    """How each question in a module begins."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in ("ask", "confirm", "choose", "ask_key"):
            continue
        text = node.args[node.func.attr == "ask_key"]
        if isinstance(text, ast.JoinedStr):
            text = text.values[0]
        if isinstance(text, ast.Constant):
            yield str(text.value).strip()


def test_a_phone_that_is_lost_darkens_the_panel_and_starts_the_sign(site: Site) -> None:
    with begun(site, Case("panel", "Does it show 47", (FREE,))) as technician:
        wait_until(lambda: site.street.lit.strip() == "47")
        assert not site.systemctl.active
        technician.loses_the_line()
        assert technician.child.exitstatus == 1
        check_left(site, technician)
        assert site.systemctl.calls == ["stop speedsign", "start speedsign"]


def test_told_to_stop_is_the_same(site: Site) -> None:
    with begun(site, Case("brightness", "Step ", (FREE,))) as technician:
        technician.child.kill(signal.SIGTERM)
        assert technician.ended() == 1
        assert "told to stop; the config is as it was; go on with: " in technician.said
        check_left(site, technician)


def test_the_end_of_the_input_is_the_same(site: Site) -> None:
    with begun(site, Case("panel", "Does it show 47", (FREE,))) as technician:
        technician.child.sendeof()
        assert technician.ended() == 1
        assert "the input has ended; the config is as it was; go on with: " in technician.said
        check_left(site, technician)


def test_the_old_config_still_runs_the_sign(site: Site) -> None:
    site.street.say("clear\npanel off\npanel on")
    wait_until(lambda: site.street.lit.strip() == "0000")
    with process("run", "--config", site.config, stdin=subprocess.DEVNULL) as sign:
        wait_until(lambda: site.street.lit.strip() == "")
        before = len(site.street.of("panel"))
        site.street.say("drive 50 20")
        wait_until(lambda: site.street.lit.strip().isdigit(), 40.0)
        stop(sign)
    numbers = [int(one["lit"]) for one in site.street.of("panel")[before:] if one["lit"].strip()]
    assert abs(numbers[0] - 50) <= 3


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "case",
    [
        Case("panel", "Does it show 47", (FREE,)),
        Case("mounting", "t traffic", (*TAPE, ("Cars are read so far", "40"), AS_IT_IS)),
        Case("rules", "Far too fast from", (AS_IT_IS,)),
    ],
    ids=str,
)
def test_a_question_and_what_leads_to_it_fit_the_screen(site: Site, case: Case, columns: int) -> None:
    """A phone shows 40 columns: what is longer goes on in the next row; the question is there in whole."""
    with begun(site, case, columns=columns) as technician:
        asked = technician.said.splitlines()[-1]
        shown = technician.screen.text
        assert "".join(asked.split()) in "".join(shown.split())
        assert shown.rstrip().endswith(asked.rstrip()[-8:])
        wide = [line for line in technician.screen.too_wide if "/" not in line]
        assert [line for line in wide if len(line) > 2 * columns or columns == 80] == []
        technician.child.sendintr()
        technician.ended()
        check_left(site, technician)
