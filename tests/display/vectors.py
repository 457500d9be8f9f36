"""Frames of a DM56A04 at unit 1, each made by two independent Modbus libraries and compared."""

from __future__ import annotations

SHOW_47_NUMERIC = ("01 06 00 07 00 2F 79 D7", "01 06 00 07 00 2F 79 D7")
SHOW_47 = ("01 10 00 00 00 04 08 00 20 00 20 00 34 00 37 16 67", "01 10 00 00 00 04 C1 CA")
DASHES = ("01 10 00 00 00 04 08 00 20 00 20 00 2D 00 2D 46 6B", "01 10 00 00 00 04 C1 CA")
BLANK = ("01 10 00 00 00 04 08 00 20 00 20 00 20 00 20 16 6D", "01 10 00 00 00 04 C1 CA")
LAMP_TEST = ("01 10 00 00 00 04 08 00 38 00 38 00 38 00 38 2E 63", "01 10 00 00 00 04 C1 CA")
BRIGHTNESS_1 = ("01 06 00 09 00 01 98 08", "01 06 00 09 00 01 98 08")
BRIGHTNESS_8 = ("01 06 00 09 00 08 58 0E", "01 06 00 09 00 08 58 0E")
BLINK_ALL = ("01 06 00 08 00 0F 48 0C", "01 06 00 08 00 0F 48 0C")
BLINK_OFF = ("01 06 00 08 00 00 08 08", "01 06 00 08 00 00 08 08")
READ_DIGITS_47 = ("01 03 00 00 00 04 44 09", "01 03 08 00 20 00 20 00 34 00 37 35 CA")
READ_BLINK_BRIGHTNESS = ("01 03 00 08 00 02 45 C9", "01 03 04 00 00 00 08 FB F5")
READ_SETTINGS = ("01 03 00 FD 00 03 94 3B", "01 03 06 00 01 00 03 00 00 EC B5")


def hex_of(frame: bytes) -> str:
    """As the frames are written here."""
    return frame.hex(" ").upper()
