"""What the kernel's files say, on boards of many kinds; and on none at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from speedsign.machine import Machine, MachineFacts


def board(root: Path, **files: str) -> Machine:
    """A machine whose kernel tells this; `__` stands for a slash, `_c_` for a colon."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_c_", ":")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return Machine(root)


def facts(root: Path, **files: str) -> MachineFacts:
    return board(root, **files).facts(root)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    told = facts(tmp_path / "nothing")
    assert (told.temperature_c, told.troubles, told.supply_v, told.battery_percent, told.on_mains) == (
        None,
    ) * 5
    assert told.memory_bytes is None


def test_this_machine_is_read_without_an_error() -> None:
    told = Machine().facts(Path("/proc/self"))
    assert told.memory_bytes is not None
    assert 1_000_000 < told.memory_bytes < 10**11


def test_the_processor_s_heat_and_not_the_modem_s(tmp_path: Path) -> None:
    told = facts(
        tmp_path,
        sys__class__thermal__thermal_zone0__type="modem-thermal\n",
        sys__class__thermal__thermal_zone0__temp="71000\n",
        sys__class__thermal__thermal_zone1__type="cpu-thermal\n",
        sys__class__thermal__thermal_zone1__temp="48312\n",
    )
    assert told.temperature_c == 48.312


@pytest.mark.parametrize("text", ["", "hot\n", "999999999\n", "-273000\n"])
def test_a_heat_that_cannot_be_is_not_told(tmp_path: Path, text: str) -> None:
    assert facts(tmp_path, sys__class__thermal__thermal_zone0__temp=text).temperature_c is None


@pytest.mark.parametrize(
    ("bits", "troubles"),
    [
        ("0", ()),
        ("50005", ("under_voltage", "throttled", "was_under_voltage", "was_throttled")),
        ("0x80008", ("hot", "was_hot")),
        ("20002", ("frequency_capped", "was_frequency_capped")),
    ],
)
def test_a_raspberry_pi_tells_of_its_supply(tmp_path: Path, bits: str, troubles: tuple[str, ...]) -> None:
    told = facts(tmp_path, sys__devices__platform__soc__soc_c_firmware__get_throttled=f"{bits}\n")
    assert told.troubles == troubles


@pytest.mark.parametrize(("alarm", "troubles"), [("0", ()), ("1", ("under_voltage",))])
def test_where_only_the_alarm_is_told(tmp_path: Path, alarm: str, troubles: tuple[str, ...]) -> None:
    told = facts(
        tmp_path,
        sys__class__hwmon__hwmon0__name="cpu_thermal\n",
        sys__class__hwmon__hwmon1__name="rpi_volt\n",
        sys__class__hwmon__hwmon1__in0_lcrit_alarm=f"{alarm}\n",
    )
    assert told.troubles == troubles


def test_the_battery_s_voltage_before_the_charger_s(tmp_path: Path) -> None:
    told = facts(
        tmp_path,
        sys__class__power_supply__a_charger__type="Mains\n",
        sys__class__power_supply__a_charger__online="0\n",
        sys__class__power_supply__a_charger__voltage_now="18400000\n",
        sys__class__power_supply__battery__type="Battery\n",
        sys__class__power_supply__battery__capacity="81\n",
        sys__class__power_supply__battery__voltage_now="12740000\n",
        sys__class__power_supply__mouse__type="Battery\n",
        sys__class__power_supply__mouse__scope="Device\n",
        sys__class__power_supply__mouse__capacity="3\n",
    )
    assert (told.supply_v, told.battery_percent, told.on_mains) == (12.74, 81, False)


def test_one_feed_of_several_is_enough_for_mains(tmp_path: Path) -> None:
    told = facts(
        tmp_path,
        sys__class__power_supply__ac0__type="Mains\n",
        sys__class__power_supply__ac0__online="0\n",
        sys__class__power_supply__ac1__type="USB\n",
        sys__class__power_supply__ac1__online="1\n",
    )
    assert told.on_mains is True


def test_memory_is_in_bytes(tmp_path: Path) -> None:
    told = facts(tmp_path, proc__self__statm="20000 7500 2000 1 0 6000 0\n")
    assert told.memory_bytes == 7500 * os.sysconf("SC_PAGE_SIZE")


def test_the_disk_is_the_one_that_was_asked_about(tmp_path: Path) -> None:
    told, real = Machine().facts(tmp_path / "not" / "there" / "sign.db"), os.statvfs(tmp_path)
    assert told.disk_free_bytes is not None
    assert told.disk_free_share is not None
    assert abs(told.disk_free_bytes - real.f_bavail * real.f_frsize) < 1e9  # others write meanwhile
    assert 0 <= told.disk_free_share <= 1


def test_folders_where_files_should_be(tmp_path: Path) -> None:
    (tmp_path / "sys/class/thermal/thermal_zone0/temp").mkdir(parents=True)
    (tmp_path / "proc/self/statm").mkdir(parents=True)
    assert Machine(tmp_path).facts(tmp_path).temperature_c is None
