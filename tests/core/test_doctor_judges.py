"""What `speedsign doctor` makes of facts: every state of every look, with something to do where it is bad."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from speedsign.certificates import CertificateFacts
from speedsign.doctor.broker import BrokerFacts, judge_broker
from speedsign.doctor.certificate import (
    NamedCertificates,
    SecretFacts,
    judge_certificates,
    judge_secret,
)
from speedsign.doctor.clock import ClockFacts, judge_clock
from speedsign.doctor.devices import (
    AnswerFacts,
    PanelFacts,
    RadarFacts,
    SignFacts,
    judge_answer,
    judge_panel,
    judge_radar,
    judge_sign,
)
from speedsign.doctor.disk import DiskFacts, Mount, judge_disk
from speedsign.doctor.finding import Finding
from speedsign.doctor.memory import MemoryFacts, judge_memory
from speedsign.doctor.ports import PortFacts, judge_ports
from speedsign.doctor.power import PowerFacts, judge_power
from speedsign.doctor.service import ServiceFacts, device_kinds, judge_service, parse_show
from speedsign.doctor.store import StoreFacts, judge_store
from speedsign.doctor.versions import installed, judge_versions, requirements
from speedsign.machine import MachineFacts

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONFIG, STORE = Path("/etc/speedsign/speedsign.toml"), Path("/var/lib/speedsign/speedsign.db")


def told(found: list[Finding] | Finding) -> list[str]:
    """`state check` of each; what is bad says what to do."""
    several = [found] if isinstance(found, Finding) else list(found)
    for one in several:
        assert one.what
        assert one.do or one.state.value in ("ok", "note", "unknown"), one
    return [f"{one.state.value} {one.check}" for one in several]


# --------------------------------------------------------------------------- ports

GOOD = PortFacts(
    "radar", "/dev/serial/by-id/usb-A", "device", "/dev/ttyUSB0", may=True, user="anna", group="dialout"
)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "usb-A"),
        ({"kind": "missing", "known": ("/dev/ttyS0",)}, "wrong", "no such device"),
        ({"kind": "broken"}, "wrong", "leads nowhere"),
        ({"kind": "no_tty"}, "wrong", "not a serial device"),
        ({"kind": "network", "name": "tcp://10.0.0.1:502"}, "ok", "network"),
        ({"may": False}, "wrong", "anna may not open it"),
        ({"service_user": "speedsign", "service_may": False}, "wrong", "speedsign may not open it"),
        ({"service_user": "speedsign", "service_may": False, "group": ""}, "wrong", "nor may any group"),
        ({"may": False, "service_user": "speedsign", "service_may": True}, "note", "anna may not open it"),
        ({"holders": ("screen (712)",)}, "wrong", "in use by screen (712)"),
        ({"console": True}, "wrong", "console"),
        ({"sign_has_it": True}, "ok", "the sign has it"),
        ({"name": "/dev/ttyUSB0", "stable": "/dev/serial/by-id/usb-A"}, "warning", "another device"),
    ],
)
def test_a_port(change: dict[str, Any], state: str, words: str) -> None:
    (found,) = judge_ports([replace(GOOD, **change)])
    assert told(found) == [f"{state} port radar"]
    assert words in found.what


def test_the_group_that_is_missing_is_named_with_the_user() -> None:
    (found,) = judge_ports([replace(GOOD, service_user="speedsign", service_may=False)])
    assert "usermod -aG dialout speedsign" in found.do


def test_one_device_for_two_things() -> None:
    panel = replace(GOOD, role="panel", name="/dev/serial/by-path/x")
    found = judge_ports([GOOD, panel])
    assert told(found)[-1] == "wrong port radar"
    assert "an adapter of its own" in found[-1].do
    light = replace(panel, role="light", name="/dev/serial/by-id/usb-A")
    found = judge_ports([panel, light])
    assert "take turns" in found[-1].do
    assert len(judge_ports([panel, replace(panel, role="light")])) == 2  # the same name: they do take turns


def test_programs_that_open_ports_by_themselves() -> None:
    assert told(judge_ports([GOOD], ["ModemManager", "brltty"]))[1:] == [
        "warning port ModemManager",
        "warning port brltty",
    ]
    holding = replace(GOOD, holders=("ModemManager (9)",))
    (found,) = judge_ports([holding], ["ModemManager"])
    assert "systemctl disable --now ModemManager" in found.do
    assert told(judge_ports([replace(GOOD, kind="network")], ["ModemManager"])) == ["ok port radar"]


RADAR = RadarFacts("ops243", "/dev/radar", "OPS243", baud=19200, frames=9, answered=5, seconds=4.0)
MUTE: dict[str, Any] = {"answered": 0, "unanswered": ("units", "report")}


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "answers and is set as the sign wants it"),
        (MUTE, "wrong", "reports, but does not hear: its settings are unknown"),
        ({"frames": 0, "rejected": 3, "as_said": True, "elsewhere": "it"}, "wrong", "does not hear"),
        ({"frames": 0, "rejected": 3, "elsewhere": "another"}, "wrong", "is another, and"),
        ({"unanswered": ("units",)}, "warning", "did not say how it is set: units"),
        ({"unanswered": ("units",), "differing": ("baud is 1",)}, "warning", "set otherwise: baud is 1"),
        (
            {"frames": 0, "elsewhere": "a ops243 at 19200", "as_said": True},
            "warning",
            "silent for 4 s",
        ),
        (
            {"frames": 0, "elsewhere": "a x at 9600", "profile": "text"},
            "wrong",
            "says ops243 (text) at 19200",
        ),
        ({"problem": "/dev/radar: no such device (ports found: none)"}, "wrong", "no such device"),
    ],
)
def test_what_a_radar_answers(change: dict[str, Any], state: str, words: str) -> None:
    found = judge_radar(replace(RADAR, **change))
    assert told(found) == [f"{state} radar"]
    assert words.rsplit("|", maxsplit=1)[-1] in found[0].what
    assert "ports found" not in found[0].what


def test_a_panel_that_refuses_everything_is_not_well() -> None:
    panel = PanelFacts("dm56a04", "/dev/panel", 1, answered=True, refusal=4)
    assert told(judge_panel(panel)) == ["warning panel 1"]
    assert "exception 4 (device failure)" in judge_panel(panel).what
    assert "display show" in judge_panel(replace(panel, can_be_read=False, refusal=2)).do


def test_a_sign_that_cannot_be_asked_says_what_to_do() -> None:
    (found,) = judge_sign(SignFacts(told=False, why="4 others are looking already", do="end one"))
    assert (found.state.value, found.do) == ("unknown", "end one")


@pytest.mark.parametrize(
    ("change", "words"), [({"folder": True}, "is a folder"), ({"empty": True}, "is empty")]
)
def test_a_secret_that_is_none(change: dict[str, Any], words: str) -> None:
    secret = SecretFacts("password_file", Path("/etc/p"), mode=0o640, **change)
    assert told(judge_secret(secret)) == ["wrong secret password_file"]
    assert words in judge_secret(secret).what


def test_a_store_that_is_whole_and_not_ours_is_not_repaired() -> None:
    facts = StoreFacts(STORE, problem=f"{STORE} is of a newer speedsign", remedy="install that again")
    assert judge_store(facts)[0].do == "install that again"
    assert "moves a damaged file aside" in judge_store(replace(facts, remedy=""))[0].do


def test_memory_that_can_only_be_read_is_both() -> None:
    facts = DiskFacts(STORE, 900, 0.5, None, Mount("/var", "tmpfs", "tmpfs", ("ro",)))
    assert [one.what.split(" ")[1] for one in judge_disk(facts)] == ["is", "can"]
    assert told(judge_disk(facts)) == ["wrong disk", "wrong disk"]


# --------------------------------------------------------------------------- the machine


@pytest.mark.parametrize(
    ("machine", "board", "states"),
    [
        (MachineFacts(troubles=(), temperature_c=51.0), "Raspberry Pi 4", ["ok"]),
        (MachineFacts(troubles=("under_voltage", "was_under_voltage")), "", ["wrong"]),
        (MachineFacts(troubles=("was_under_voltage",)), "", ["warning"]),
        (MachineFacts(troubles=("throttled",), temperature_c=84.0), "", ["warning"]),
        (MachineFacts(troubles=("was_throttled",)), "", ["note"]),
        (MachineFacts(temperature_c=81.0), "", ["warning"]),
        (MachineFacts(temperature_c=40.0), "", ["ok"]),
        (MachineFacts(battery_percent=9, on_mains=False), "", ["warning"]),
        (MachineFacts(battery_percent=9, on_mains=True), "", ["ok"]),
        (MachineFacts(), "Raspberry Pi 4", ["unknown"]),
        (MachineFacts(), "", ["unknown"]),
        (MachineFacts(troubles=("under_voltage",), temperature_c=85.0), "", ["wrong", "warning"]),
    ],
)
def test_power(machine: MachineFacts, board: str, states: list[str]) -> None:
    assert told(judge_power(PowerFacts(machine, board))) == [f"{state} power" for state in states]


ROOM = DiskFacts(STORE, 8000, 0.5, 10**6, Mount("/", "ext4", "/dev/mmcblk0p2", ("rw",)), 0)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "8.0 GB free"),
        ({"free_mb": 10}, "wrong", "full"),
        ({"free_mb": 250}, "warning", "nearly full"),
        ({"free_mb": 550, "free_share": 0.02}, "warning", "nearly full"),
        ({"free_inodes": 12}, "warning", "12 more files"),
        ({"mount": Mount("/", "ext4", "/dev/x", ("rw", "ro"))}, "wrong", "only be read"),
        ({"mount": Mount("/var", "tmpfs", "tmpfs", ("rw",))}, "wrong", "in memory"),
        (
            {"mount": Mount("/", "overlay", "overlay", ("rw",), Mount("/o", "tmpfs", "t", ()))},
            "wrong",
            "in memory",
        ),
        ({"ext4_errors": 3}, "wrong", "errors: 3"),
        ({"life_time": (2, 11)}, "wrong", "worn out"),
        ({"pre_eol": 3}, "wrong", "worn out"),
        ({"life_time": (10, 1)}, "warning", "tenth"),
        ({"pre_eol": 2}, "warning", "tenth"),
        ({"life_time": (8, 2)}, "note", "70 to 80 % used"),
        ({"life_time": (2, 1)}, "ok", "10 to 20 % used"),
        ({"free_mb": None, "mount": None}, "unknown", "cannot be asked"),
    ],
)
def test_disk(change: dict[str, Any], state: str, words: str) -> None:
    (found,) = judge_disk(replace(ROOM, **change))
    assert told(found) == [f"{state} disk"]
    assert words in found.what


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (MemoryFacts(900, 500, 0), "ok"),
        (MemoryFacts(900, 20, 0), "warning"),
        (MemoryFacts(900, 500, 2), "warning"),
        (MemoryFacts(), "unknown"),
    ],
)
def test_memory(facts: MemoryFacts, state: str) -> None:
    assert told(judge_memory(facts)) == [f"{state} memory"]


CLOCK = ClockFacts(NOW, synchronised=True, setters=("chrony",), rtc_s=int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("change", "states", "words"),
    [
        ({}, ["ok clock"], "set by chrony"),
        ({"rtc_s": None, "fake_rtc": True}, ["note clock"], "no battery clock"),
        ({"now_utc": datetime(2019, 2, 14, tzinfo=UTC), "rtc_s": None}, ["wrong clock"], "cannot be"),
        ({"synchronised": False}, ["warning clock"], "nobody vouches"),
        ({"synchronised": False, "setters": ()}, ["warning clock"], "nobody vouches"),
        ({"synchronised": False, "trust": "always"}, ["ok clock"], "battery clock"),
        ({"synchronised": False, "trust": "always", "rtc_s": None}, ["warning clock"], "always"),
        ({"rtc_s": int(NOW.timestamp()) - 90_000}, ["ok clock", "warning clock battery"], "set by chrony"),
        ({"zone": "Etc/UTC", "sign_zone": "Europe/Riga"}, ["ok clock", "note clock zone"], "set by chrony"),
    ],
)
def test_clock(change: dict[str, Any], states: list[str], words: str) -> None:
    found = judge_clock(replace(CLOCK, **change))
    assert told(found) == states
    assert words in found[0].what


def test_what_was_counted_without_a_time_is_said_with_the_last_time_that_was_known() -> None:
    known = datetime(2026, 5, 4, 11, 2, tzinfo=UTC)
    past = replace(CLOCK, boots_undated=3, vehicles_undated=214, known_utc=known)
    (_, found) = judge_clock(past)
    assert found.what == (
        "3 starts of this machine counted without a time: 214 vehicles in no hour; the last time that was"
        " known is 2026-05-04 11:02 UTC"
    )
    (_, found) = judge_clock(replace(past, boots_undated=1, this_boot_undated=9, known_utc=None))
    assert found.what.startswith("never set since this start, 9 vehicles wait for their time; 1 start of")
    assert "last time" not in found.what


def test_who_does_not_set_the_clock_is_named() -> None:
    (found,) = judge_clock(replace(CLOCK, synchronised=False))
    assert "chronyc sources" in found.do
    (found,) = judge_clock(replace(CLOCK, synchronised=False, setters=()))
    assert "nothing sets it" in found.do


# --------------------------------------------------------------------------- the store

WHOLE = StoreFacts(
    STORE,
    running_pid=7,
    size_bytes=10**6,
    schema=5,
    newest_schema=5,
    check="ok",
    newest_vehicle_s=40.0,
    sends=True,
)


@pytest.mark.parametrize(
    ("change", "states"),
    [
        ({}, ["ok store", "ok queue"]),
        ({"there": False}, ["note store"]),
        ({"forbidden": True}, ["unknown store"]),
        ({"unmerged": True}, ["unknown store"]),
        ({"problem": "it is damaged"}, ["wrong store"]),
        ({"check": "row 3 missing from index"}, ["wrong store"]),
        ({"check": "row 3 missing", "damaged": ("a.damaged-1",)}, ["wrong store", "warning store damaged"]),
        ({"damaged": ("a.damaged-1",)}, ["warning store damaged", "ok queue"]),
        ({"wal_bytes": 10**8}, ["warning store wal", "ok queue"]),
        ({"schema": 3}, ["ok store", "note store schema", "ok queue"]),
        ({"newest_vehicle_s": -9000.0}, ["warning store clock", "ok queue"]),
        ({"oldest_open_s": 10_000.0, "open_intervals": 1}, ["warning store intervals", "ok queue"]),
        ({"oldest_open_s": 10_000.0, "running_pid": None}, ["ok store", "ok queue"]),
        ({"sends": False}, ["ok store"]),
        ({"queue": 9, "oldest_queued_s": 200_000.0}, ["ok store", "warning queue"]),
        ({"queue": 9, "queue_bytes": 900, "quota_bytes": 1000}, ["ok store", "warning queue"]),
        ({"queue": 9, "oldest_queued_s": 20.0, "dropped": 4}, ["ok store", "warning queue"]),
    ],
)
def test_store(change: dict[str, Any], states: list[str]) -> None:
    assert told(judge_store(replace(WHOLE, **change))) == states


# --------------------------------------------------------------------------- certificates and secrets


def certificate(first_day: int, last_day: int) -> CertificateFacts:
    return CertificateFacts("CN=a", "CN=b", NOW + timedelta(first_day), NOW + timedelta(last_day), ())


@pytest.mark.parametrize(
    ("days", "state"),
    [
        ((-10, 300), "ok"),
        ((-250, 100), "note"),
        ((-300, 5), "warning"),
        ((-300, -1), "wrong"),
        ((1, 300), "wrong"),
    ],
)
def test_a_certificate(days: tuple[int, int], state: str) -> None:
    named = NamedCertificates("certificate_file", Path("a.pem"), (certificate(*days),))
    assert told(judge_certificates([named], NOW, clock_ok=True)) == [f"{state} certificate certificate_file"]


def test_one_authority_that_is_good_is_enough() -> None:
    named = NamedCertificates("ca_file", Path("ca.pem"), (certificate(-300, -1), certificate(-10, 300)))
    assert told(judge_certificates([named], NOW, clock_ok=True)) == ["ok certificate ca_file"]


def test_certificates_that_cannot_be_read_and_a_key_that_does_not_fit() -> None:
    named = [
        NamedCertificates("ca_file", Path("ca.pem"), problem="ca.pem has no certificate in it"),
        NamedCertificates("certificate_file", Path("a.pem"), forbidden=True),
    ]
    found = judge_certificates(named, NOW, clock_ok=True, key_problem="is not the key of it")
    assert told(found) == [
        "wrong certificate ca_file",
        "unknown certificate certificate_file",
        "wrong certificate key",
    ]


def test_an_expired_certificate_by_a_clock_that_nobody_set() -> None:
    named = NamedCertificates("certificate_file", Path("a.pem"), (certificate(-300, -1),))
    (found,) = judge_certificates([named], NOW, clock_ok=False)
    assert "set that first" in found.do


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"mode": 0o640}, "ok"),
        ({"mode": 0o644}, "wrong"),
        ({"mode": 0o602}, "wrong"),
        ({"there": False}, "wrong"),
        ({"seen": False}, "unknown"),
        ({"mode": 0o600, "sign_may": False, "sign_user": "speedsign"}, "wrong"),
    ],
)
def test_a_secret(change: dict[str, Any], state: str) -> None:
    assert told(judge_secret(SecretFacts("key_file", Path("sign.key"), **change))) == [
        f"{state} secret key_file"
    ]


# --------------------------------------------------------------------------- service and versions

UP = ServiceFacts("speedsign", True, "active", "running", "enabled", config=str(CONFIG), user="speedsign")


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "never started again"),
        ({"loaded": None}, "unknown", "cannot be asked"),
        ({"loaded": False}, "note", "not installed"),
        ({"active": "failed", "result": "exit-code"}, "wrong", "does not stay up (exit-code)"),
        ({"active": "activating", "sub": "auto-restart"}, "wrong", "does not stay up"),
        ({"active": "inactive"}, "warning", "is stopped"),
        ({"restarts": 1}, "note", "1 time"),
        ({"restarts": 40}, "warning", "40 times"),
        ({"enabled": "disabled"}, "warning", "does not start by itself"),
        ({"watchdog": False}, "warning", "hangs"),
        ({"config": "/etc/other.toml"}, "warning", "/etc/other.toml"),
        ({"writes_below": ("/var/lib/other",)}, "wrong", "may not write"),
        ({"writes_below": ("/var/lib/speedsign",)}, "ok", "runs"),
        ({"devices": frozenset({"char-ttyUSB"})}, "wrong", "no char-ttySC"),
        ({"devices": frozenset({"char-ttySC"})}, "ok", "runs"),
        ({"devices": frozenset({"/dev/ttySC0"})}, "ok", "runs"),
    ],
)
def test_service(change: dict[str, Any], state: str, words: str) -> None:
    (found,) = judge_service(replace(UP, **change), CONFIG, STORE, {"/dev/ttySC0": "ttySC"})
    assert told(found) == [f"{state} service"]
    assert words in found.what


SHOWN = """LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NRestarts=3
Result=success
User=speedsign
SupplementaryGroups=dialout
ExecStart={ path=/opt/s ; argv[]=/opt/s run --config /etc/speedsign/speedsign.toml ; ignore_errors=no }
WatchdogUSec=10s
MainPID=712
ProtectSystem=strict
ReadWritePaths=
StateDirectory=speedsign
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
"""


def test_what_systemd_says_of_our_unit_is_understood() -> None:
    facts = parse_show("speedsign", SHOWN)
    assert (facts.loaded, facts.active, facts.restarts, facts.pid) == (True, "active", 3, 712)
    assert (facts.user, facts.groups, facts.config) == ("speedsign", ("dialout",), str(CONFIG))
    assert facts.watchdog
    assert facts.writes_below == ("/var/lib/speedsign",)
    assert facts.devices == frozenset({"char-ttyUSB", "char-ttyACM"})
    assert told(judge_service(facts, CONFIG, STORE, {"/dev/ttyUSB0": "ttyUSB"})) == ["note service"]


@pytest.mark.parametrize("output", ["", "nonsense", "LoadState=", "LoadState=not-found\nUser=", "\0=\0"])
def test_what_systemd_says_may_be_anything(output: str) -> None:
    assert not parse_show("speedsign", output).loaded


def test_the_kind_of_a_device_by_its_number() -> None:
    lines = ["Character devices:", "  4 ttyS", "188 ttyUSB", "", "Block devices:", "188 sd"]
    assert device_kinds(lines, {"/dev/a": 188, "/dev/b": 9}) == {"/dev/a": "ttyUSB", "/dev/b": ""}


def test_versions() -> None:
    wanted = ["pymodbus<4,>=3.16.1", "click>=8.1"]
    assert told(judge_versions(wanted, {"pymodbus": "3.16.1", "click": "8.1"}, {"Python": "3.11"})) == [
        "ok version"
    ]
    found = judge_versions(wanted, {"pymodbus": "3.9.2", "click": None}, {})
    assert told(found) == ["wrong version", "wrong version"]
    assert "pymodbus is 3.9.2" in found[0].what


def test_what_is_installed_here_is_what_is_needed() -> None:
    wanted = requirements()
    assert any(one.startswith("pymodbus") for one in wanted)
    assert told(judge_versions(wanted, installed(wanted), {"Python": "3"})) == ["ok version"]


# --------------------------------------------------------------------------- broker


@pytest.mark.parametrize(
    ("change", "states"),
    [
        ({"reached": "subscribed", "tls_version": "TLSv1.3"}, ["ok broker"]),
        ({"reached": "tls", "not_greeted": "the sign runs"}, ["ok broker"]),
        ({"problem": "mqtt a:1 cannot be reached"}, ["wrong broker"]),
        ({"problem": "mqtt a:1 cannot be reached", "reached": "name"}, ["wrong broker"]),
        ({"problem": "refused", "reached": "tls"}, ["wrong broker"]),
        ({"forbidden": "key may not be read"}, ["unknown broker"]),
        ({"reached": "subscribed", "denied": ("speedsign/1/a/down/#",)}, ["wrong broker rights"]),
        ({"reached": "connected", "session_was_there": True}, ["ok broker", "note broker session"]),
        (
            {"reached": "tls", "certificate_until": NOW + timedelta(3)},
            ["ok broker", "warning broker certificate"],
        ),
        ({"reached": "tls", "certificate_until": NOW + timedelta(90)}, ["ok broker"]),
    ],
)
def test_broker(change: dict[str, Any], states: list[str]) -> None:
    assert told(judge_broker(BrokerFacts("a:8883", **change), NOW)) == states


# --------------------------------------------------------------------------- devices

HEARD = RadarFacts("ops243", "/dev/r", "OPS243", baud=19_200, n_bytes=500, frames=20)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "set as the sign wants"),
        ({"differing": ("unit is mph, wanted km/h",)}, "note", "unit is mph"),
        ({"setup": False}, "ok", "was not asked"),
        ({"problem": "/dev/r: no such device"}, "wrong", "no such device"),
        ({"frames": 0}, "wrong", "500 bytes came"),
        ({"frames": 0, "elsewhere": "a ld2451 at 115200 8N1"}, "wrong", "is a ld2451 at 115200"),
        ({"frames": 0, "n_bytes": 0}, "wrong", "says nothing and answers nothing"),
        ({"frames": 0, "n_bytes": 0, "quiet_when_idle": True}, "unknown", "empty road"),
        ({"bad": 90}, "warning", "more nonsense than sense"),
    ],
)
def test_radar(change: dict[str, Any], state: str, words: str) -> None:
    (found,) = judge_radar(replace(HEARD, **change))
    assert told(found) == [f"{state} radar"]
    assert words in found.what


PANEL = PanelFacts("dm56a04", "/dev/p", 1, answered=True, maps=(("dm56a04", "sure"),))


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "ok", "by its registers sure"),
        ({"maps": (("registers", "fits too"),)}, "ok", "cannot be told"),
        ({"maps": (("fema", "likely"),), "because": "coils"}, "wrong", "is fema by its answers"),
        ({"maps": (("", "likely"),)}, "wrong", "is no panel"),
        ({"answered": False}, "wrong", "nobody answers"),
        ({"answered": False, "can_be_read": False}, "unknown", "may answer no questions"),
        ({"answered": False, "others": (4,)}, "wrong", "at unit 4"),
        ({"problem": "/dev/p: busy"}, "wrong", "busy"),
        ({"echo": True}, "warning", "hears what it sends"),
        ({"echo": True, "local_echo": True}, "ok", "answers"),
        ({"late": 0.5}, "warning", "slowly"),
        ({"driver": "registers", "maps": (("fema", "likely"),)}, "ok", "answers"),
    ],
)
def test_panel(change: dict[str, Any], state: str, words: str) -> None:
    found = judge_panel(replace(PANEL, **change))
    assert told(found) == [f"{state} panel 1"]
    assert words in found.what


def test_a_panel_without_its_supply_is_not_called_broken() -> None:
    assert told(judge_panel(replace(PANEL, answered=False), powerless=True)) == ["unknown panel 1"]
    assert told(judge_panel(PANEL, powerless=True)) == ["ok panel 1"]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"said": "coil 1 is off"}, "ok"),
        ({"problem": "unit 4 did not answer"}, "wrong"),
        ({"problem": "no such port", "no_port": True}, "wrong"),
        ({"said": "900,000 lx", "suspect": "more than max_lux"}, "wrong"),
    ],
)
def test_what_else_answers(change: dict[str, Any], state: str) -> None:
    assert told(judge_answer(AnswerFacts("light", "/dev/p", 4, **change))) == [f"{state} light"]


def test_a_running_sign_is_asked_itself() -> None:
    fault = {"device": "display", "code": "no_reply", "text": "unit 1 does not answer"}
    sign = SignFacts(told=True, faults=[fault], devices=frozenset({"radar", "display", "mqtt"}))
    found = judge_sign(sign)
    assert told(found) == ["wrong panel fault", "ok broker", "ok radar"]
    assert "unit 1 does not answer" in found[0].what
    assert told(judge_sign(SignFacts(told=False, why="no socket"))) == ["unknown sign"]
