"""A panel at the end of a pty that takes as long as a wire, in a process of its own: `python wire.py BAUD`.

Prints the port. The reply is handed over at the moment when its last byte would have left a wire: the
request's characters, the silence that ends it, and the reply's characters after the request was written. The
last millisecond is waited for without sleeping, so that the instrument is exact to some 10 µs on an idle
machine; `run.py` measures in the same run what is left, with the least code that there can be.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.latency.wires import Pty, now_s
from drivers.modbus_rules import silent_interval_s
from simulator.line import BITS_PER_CHARACTER
from simulator.panels.dm56a04 import Dm56a04Twin
from simulator.rtu_slave import RtuSlave
from speedsign.ports import LineSettings

SPIN_S = 0.001


def wait_until(due_s: float) -> None:
    select.select([], [], [], max(due_s - now_s() - SPIN_S, 0.0))
    while now_s() < due_s:
        pass


def main() -> None:
    baud = int(sys.argv[1])
    pty, slave = Pty(), RtuSlave(1, Dm56a04Twin())
    silence_s = silent_interval_s(LineSettings(baud))
    print(pty.path, flush=True)
    while True:
        select.select([pty.fd], [], [])
        came_s, request = now_s(), pty.read()
        reply = b"".join(slave.feed(request))
        wait_until(came_s + (len(request) + len(reply)) * BITS_PER_CHARACTER / baud + silence_s)
        os.write(pty.fd, reply)


if __name__ == "__main__":
    main()
