"""What a config is made of: its own keys, and what TOML has that few people know."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

_TEXT = Path("speedsign/config/example.toml").read_text(encoding="utf-8")
_KEYS = sorted(set(re.findall(r"^#? ?([a-z_]+) = ", _TEXT, re.MULTILINE)))
_TABLES = sorted(set(re.findall(r"^#? ?(\[+[a-z.]+\]+)", _TEXT, re.MULTILINE)))
WORDS = (
    *(f"{key} = ".encode() for key in _KEYS), *(f"\n{table}\n".encode() for table in _TABLES), b'"""',
    b"'''", b"\r\n", b"inf", b"nan", b"-nan", b"0xff", b"1_000", b"1e400", b"2026-05-04T07:00:00Z",
    b"07:00:00", b"true", b"[[", b"]]", b"{}", b"{a = 1}", b"[" * 300, b"a." * 300, b"9" * 5000,
    b"0x" + b"f" * 5000, b"\\u0000", b"\\U0010ffff", b"\xed\xa0\x80", b"\x00", b"= ", b"#",
    b'\n"\\n" = 1\n', b'"\\u001b[2J" = 1', b'"23:00"', b'"lv"', b'"Europe/Riga"', b'"/dev/ttyUSB0"',
    b'"tcp://h:502"', b'"dm56a04"', b'"ops243"', b"[]", b'""',
)  # fmt: skip
_VALUES = (
    "0", "-1", "1", "49.9", "50", "130", "200", "201", "1e9", "1e400", "nan", "inf", "true", "false", '""',
    '"x"', "[]", "[1]", '["x"]', '"""\\nx"""', '"\\u001b[2J"', "{}", "{ a = 1 }", "[[1, 2], [3, 4]]",
    "2026-05-04", "07:00:00", '"23:00"', '"../x"', '"\\u0000"', '"lt"', '"Europe/Vilnius"',
    '"tcp://panel:502"', '"/dev/ttyUSB1"', '"ld2415h"', '"tm1650"', '"street-2"', '"group:town"', "9" * 30,
    "9" * 5000, "0x10", "1_0",
)  # fmt: skip


def changed_toml(data: bytes, random: Random) -> bytes:
    """A line's value, another line for one, one less, one twice, two swapped; mostly it stays TOML."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(lines))
        how = random.randrange(7)
        if how < 3 and "=" in lines[at]:
            lines[at] = f"{lines[at].partition('=')[0]}= {random.choice(_VALUES)}"
        elif how == 3:
            lines[at:at] = [f"{random.choice(_KEYS)} = {random.choice(_VALUES)}"]
        elif how == 4:
            lines[at:at] = [random.choice((*_TABLES, lines[at]))]
        elif how == 5:
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif len(lines) > 1:
            del lines[at]
    return "\n".join(lines).encode("utf-8", "surrogateescape")
