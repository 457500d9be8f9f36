"""Which ports radar detect looks at when none is named."""

from __future__ import annotations

from pathlib import Path

from speedsign.cli.radar_detect import serial_ports


def test_every_device_once_by_the_name_that_stays(tmp_path: Path) -> None:
    dev, by_id = tmp_path / "dev", tmp_path / "by-id"
    dev.mkdir()
    by_id.mkdir()
    for name in ("ttyUSB0", "ttyUSB1", "ttyACM0", "ttyAMA0", "ttyS0", "tty1", "ttyprintk", "null"):
        (dev / name).touch()
    (by_id / "usb-FTDI-port0").symlink_to(dev / "ttyUSB0")
    assert serial_ports(by_id, dev) == [
        str(by_id / "usb-FTDI-port0"),
        *(str(dev / name) for name in ("ttyUSB1", "ttyACM0", "ttyAMA0", "ttyS0")),
    ]


def test_a_machine_without_any(tmp_path: Path) -> None:
    assert serial_ports(tmp_path / "none", tmp_path) == []
