"""The line to a radar, by its name: a serial device, or a serial device server."""

from __future__ import annotations

from speedsign.ports import BytePort, LineSettings, RadarDriver


def byte_line(port: str, line: LineSettings) -> BytePort:
    """A line, not yet open. Raises DriverError for an address that is none."""
    if port.startswith("tcp://"):
        from drivers.tcp_port import TcpPort

        return TcpPort(port)
    from drivers.serial_port import SerialPort

    return SerialPort(port, line)


def radar_line(port: str, driver: RadarDriver, baud: int | None = None) -> BytePort:
    """The line as the driver wants it; `baud` None: as the driver says."""
    line = driver.line
    return byte_line(port, LineSettings(baud or line.baud, line.bytesize, line.parity, line.stopbits))
