"""`speedsign run` on a card that refuses: python -m tests.power.refusing_sign CONFIG WHAT CODE

WHAT is read, write or sync, of the files of the database alone; CODE is SQLite's (tests.power.vfs).
"""

from __future__ import annotations

import sys

from speedsign.cli import main
from tests.power.vfs import OK, noted_files


def run(config: str, what: str, code: int) -> None:
    def refuse(asked: str, name: str) -> int:
        return code if asked == what and name.startswith("sign.db") else OK

    with noted_files(keep=False, refuse=refuse):
        main(["run", "--config", config])


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
