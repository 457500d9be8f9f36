"""Counts what a TCP connection costs on the link, in bytes of IP, both ways: a relay that asks the kernel.

The relay stands between the sign and the broker. Of its socket to the sign the kernel tells bytes and
segments, with all that no program sees: acknowledgements, retransmissions, opening and closing (TCP_INFO,
linux/tcp.h). A segment costs 20 bytes of IPv4 header, 20 of TCP header and 12 of its time-stamp option.

`PacketMeter` counts the same as packets on the wire, to check the sum; it needs root and its own network.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Self

MTU = 1400  # of a mobile link
_HEADERS = 20 + 20 + 12
_MSS = MTU - 40  # as it is announced; the kernel takes the time-stamp off by itself
_SYN_OPTIONS = 8  # a SYN has 20 bytes of options instead of 12: MSS, SACK, time-stamp, window scale
_SYNS = 2
# Of struct tcp_info: bytes_received at 128, segs_out, segs_in at 136, bytes_sent at 200.
_INFO_BYTES = 232
_PUMP_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes of IP."""

    up: int = 0  # from the sign
    down: int = 0
    packets: int = 0

    @property
    def total(self) -> int:
        return self.up + self.down

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.up + other.up, self.down + other.down, self.packets + other.packets)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.up - other.up, self.down - other.down, self.packets - other.packets)


def cost_of(wire: socket.socket) -> Cost:
    """Of an accepted connection, so far; the other end is the sign."""
    info = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    (received,) = struct.unpack_from("=Q", info, 128)
    segments_out, segments_in = struct.unpack_from("=II", info, 136)
    (sent,) = struct.unpack_from("=Q", info, 200)
    segments_out += 1  # the SYN that answers was sent before this socket was made
    return Cost(
        up=received + segments_in * _HEADERS + _SYN_OPTIONS,
        down=sent + segments_out * _HEADERS + _SYN_OPTIONS,
        packets=segments_in + segments_out,
    )


class Relay:
    """A TCP relay to a port on this machine, on a thread; `cost` is of all connections until now."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.socket()
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _MSS)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._ended = Cost()
        self._pairs: dict[socket.socket, socket.socket] = {}  # sign -> broker
        self._wake_r, self._wake_w = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._wake_w.send(b"q")
        self._thread.join()
        for wire in (self._listener, self._wake_r, self._wake_w):
            wire.close()

    def cost(self) -> Cost:
        with self._lock:
            return sum((cost_of(sign) for sign in self._pairs), self._ended)

    def cut(self) -> None:
        """End the connections, as a broker that is started again does."""
        self._wake_w.send(b"c")

    def _run(self) -> None:
        while True:
            wires = [self._listener, self._wake_r, *self._pairs, *self._pairs.values()]
            for wire in select.select(wires, [], [])[0]:
                if wire is self._wake_r:
                    word = self._wake_r.recv(1)
                    for sign in list(self._pairs):
                        self._end(sign)
                    if word == b"q":
                        return
                elif wire is self._listener:
                    self._accept()
                else:
                    self._pump(wire)

    def _accept(self) -> None:
        sign, _ = self._listener.accept()
        try:
            broker = socket.create_connection(("127.0.0.1", self._target_port), 5)
        except OSError:
            sign.close()
            return
        for wire in (sign, broker):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs[sign] = broker
            self.connections += 1

    def _pump(self, wire: socket.socket) -> None:
        sign = wire if wire in self._pairs else next((s for s, b in self._pairs.items() if b is wire), None)
        if sign is None:
            return  # ended in this round
        other = self._pairs[sign] if wire is sign else sign
        try:
            data = wire.recv(_PUMP_BYTES)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        self._end(sign)

    def _end(self, sign: socket.socket) -> None:
        """Close our ends, and count what that costs."""
        broker = self._pairs[sign]
        with contextlib.suppress(OSError):
            sign.shutdown(socket.SHUT_WR)
            sign.settimeout(1.0)
            while sign.recv(_PUMP_BYTES):
                pass
        with self._lock:
            self._ended += cost_of(sign)
            del self._pairs[sign]
        sign.close()
        broker.close()


# --------------------------------------------------------------------------- packets, to check the sum

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFMTU, _SIOCETHTOOL = 0x8913, 0x8914, 0x8922, 0x8946
_ETHTOOL_STSO, _ETHTOOL_SGSO, _ETHTOOL_SGRO = 0x1F, 0x24, 0x2C
_ETH_P_ALL = 3
_PACKET_OUTGOING = 4


def own_network() -> None:
    """Put this process into a network of its own: only a loopback, made like a mobile link; needs root."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    with socket.socket() as any_socket:
        _interface(any_socket, _SIOCSIFMTU, struct.pack("=i", MTU))
        for word in (_ETHTOOL_STSO, _ETHTOOL_SGSO, _ETHTOOL_SGRO):
            value = ctypes.create_string_buffer(struct.pack("=II", word, 0))
            with contextlib.suppress(OSError):  # not every kernel has each of them on the loopback
                _interface(any_socket, _SIOCETHTOOL, struct.pack("@P", ctypes.addressof(value)))
        (flags,) = struct.unpack_from("=h", _interface(any_socket, _SIOCGIFFLAGS, b""), 16)
        _interface(any_socket, _SIOCSIFFLAGS, struct.pack("=h", flags | 1))  # up


def _interface(wire: socket.socket, request: int, value: bytes) -> bytes:
    return fcntl.ioctl(wire, request, struct.pack("16s24s", b"lo", value))


class PacketMeter:
    """Counts the IP packets from and to a port, on a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self._wire.settimeout(0.1)
        self._ending = threading.Event()
        self._cost = Cost()
        self._thread = threading.Thread(target=self._run, name="packets", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()
        self._wire.close()

    def cost(self) -> Cost:
        return self._cost

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                packet, address = self._wire.recvfrom(_PUMP_BYTES)
            except TimeoutError:
                continue
            if address[2] == _PACKET_OUTGOING or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                continue  # the loopback tells each packet twice: as it goes and as it comes
            source, target = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
            if target == self._port:
                self._cost += Cost(up=len(packet), packets=1)
            elif source == self._port:
                self._cost += Cost(down=len(packet), packets=1)
