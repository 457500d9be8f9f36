"""The least a Python script can do for the same job: the floor that the daemon is compared with.

Two threads (this one and paho's), no checks, no statistics, no restart: a reading comes in as JSON, its
rounded speed goes out as one Modbus request (FC6, register 0), the reading is published.

    minimal.py RADAR PANEL BROKER_PORT
"""

from __future__ import annotations

import json
import struct
import sys

import paho.mqtt.client as mqtt
import serial
from paho.mqtt.enums import CallbackAPIVersion


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


TABLE = _crc_table()


def request(value: int) -> bytes:
    """Modbus RTU: unit 1, write single register 0."""
    body = struct.pack(">BBHH", 1, 6, 0, value)
    crc = 0xFFFF
    for byte in body:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return body + struct.pack("<H", crc)


def main(radar_path: str, panel_path: str, broker_port: int) -> None:
    radar = serial.Serial(radar_path, 19200, timeout=None)
    panel = serial.Serial(panel_path, 19200, timeout=0.5)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="minimal")
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    shown, rest = None, b""
    while True:
        *lines, rest = (rest + radar.read(radar.in_waiting or 1)).split(b"\n")
        for line in lines:
            try:
                speed = abs(float(json.loads(line)["speed"]))
            except (ValueError, KeyError, TypeError):
                continue
            value = round(speed)
            if value != shown:
                frame = request(value)
                panel.write(frame)
                if panel.read(8) == frame:
                    shown = value
            client.publish("minimal/reading", json.dumps({"speed": speed}), qos=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
