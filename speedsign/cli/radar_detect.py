"""speedsign radar detect: which radar is on which port, at which baud rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.core import ParameterSource

from drivers.radar.detect import candidates, config_lines
from drivers.radar.probe import Finding, How, Probe, words
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.field import stable_name
from speedsign.clock import SystemClock
from speedsign.errors import ConfigError, NoReply
from speedsign.lines import byte_line

_PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS[0-9]")
_BY_ID = Path("/dev/serial/by-id")
_DEV = Path("/dev")
_SAMPLE = 24  # bytes that fit into a line


@click.command(cls=SignCommand, example="speedsign radar detect --port /dev/ttyUSB0")
@click.option(
    "--port", "ports", multiple=True, metavar="PORT", help="Look here only; more than once for more."
)
@click.option("--driver", "drivers", multiple=True, metavar="NAME", help="Try these drivers only.")
@click.option(
    "--for", "seconds", type=click.FloatRange(0.5, 600), default=4.0, show_default=True,
    help="Listen so long at each setting of the line.",
)  # fmt: skip
@click.option("--listen-only", is_flag=True, help="Never send a byte.")
@config_option
@json_option
@click.pass_context
def detect(
    ctx: click.Context,
    config_path: Path,
    *,
    ports: tuple[str, ...],
    drivers: tuple[str, ...],
    seconds: float,
    listen_only: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Find the radar on a port: by listening, then by asking questions that change nothing.

    Without --port every serial port of this machine is looked at. Nothing is sent before a port has been
    listened to. Prints the lines for the config. A radar that is silent on an empty road and cannot be asked
    is only found while something moves in front of it. Exit code 1 when no radar was found.
    """
    set_up_logging(debug=debug)
    found = candidates(drivers or None)
    skipped = _displays_port(ctx, config_path)
    where = list(ports) or [port for port in serial_ports() if port != skipped]
    if not where:
        raise NoReply(
            "radar", "this machine has no serial port; plug the adapter in, or name one with --port"
        )
    probe = Probe(
        byte_line,
        SystemClock(),
        found,
        listen_s=seconds,
        may_ask=not listen_only,
        say=lambda text: click.echo(text, err=True),
    )
    findings = asyncio.run(_look_at_all(probe, where, None if as_json else _say))
    if as_json:
        print_json([_to_json(one) for one in findings])
    ctx.exit(0 if any(one.hearing for one in findings) else EXIT_FAILED)


async def _look_at_all(
    probe: Probe, ports: Iterable[str], say: Callable[[Finding], None] | None
) -> list[Finding]:
    findings = []
    for port in ports:
        findings.append(await probe.look_at(port))
        if say:
            say(findings[-1])
    return findings


def serial_ports(by_id: Path = _BY_ID, dev: Path = _DEV) -> list[str]:
    """Every serial port, by the name that stays with it where it has one; each device once."""
    links = sorted(by_id.iterdir()) if by_id.is_dir() else []
    devices = [path for pattern in _PATTERNS for path in sorted(dev.glob(pattern))]
    named = {str(path.resolve()): str(path) for path in (*devices, *links)}  # a stable name wins
    return list(dict.fromkeys(named.values()))


def _displays_port(ctx: click.Context, path: Path) -> str | None:
    """The port of the panel, where a config names it: it is not asked whether it is a radar."""
    given = ctx.get_parameter_source("config_path") is not ParameterSource.DEFAULT
    if not given and not path.exists():
        return None
    from speedsign.config.load import load_config

    try:
        display = load_config(path).display
    except ConfigError:
        if given:
            raise
        return None  # it may be the very thing that is being written
    return display.port if display else None


def _say(finding: Finding) -> None:
    """What was found on one port, and why it is believed."""
    hearing, line = finding.hearing, finding.line
    if hearing is None or line is None:
        click.echo(f"{finding.port}: {why_not(finding)}")
        return
    click.echo(f"{finding.port}: {hearing.candidate.driver.title}, {words(line)}")
    click.echo(f"  because   {reason(finding)}")
    click.echo(f"  sample    {finding.sample[:_SAMPLE].hex(' ')}")
    click.echo(f"            {finding.sample[:_SAMPLE]!r}")
    others = ", ".join(str(one) for one in finding.other_drivers)
    dialects = ", ".join(str(one.profile) for one in finding.rivals if one.name == hearing.candidate.name)
    if dialects:
        click.echo(f"  profile   {hearing.candidate.profile}; these read the same bytes as well: {dialects}")
    if others:
        click.echo(f"  not sure  these read the same bytes as well: {others}; see docs/radars.md")
    elif not finding.certain:
        click.echo("  not sure  too little was heard; drive past, or listen longer with --for 30")
    for text in config_of(finding).splitlines():
        click.echo(f"  {text}")


def reason(finding: Finding) -> str:
    """Why this radar is believed to be there."""
    hearing = finding.hearing
    assert hearing is not None  # noqa: S101  the caller has looked
    good = f"{hearing.good} report{'' if hearing.good == 1 else 's'}"
    if finding.how is How.ANSWERED:
        return f"it answered when it was asked ({good})"
    chance = "less than one" if hearing.by_chance < 1 else f"about {hearing.by_chance:.0f}"
    return (
        f"{good} in {finding.heard_bytes} bytes, {hearing.bad} that made no sense;"
        f" noise would have made {chance}"
    )


def why_not(finding: Finding) -> str:
    """Why no radar was recognised on a port, and what to do."""
    if finding.error is not None:
        return finding.error.reason
    echo = " (what was sent came back: the adapter echoes)" if finding.echo else ""
    if finding.heard_bytes:
        return (
            f"{finding.heard_bytes} bytes came that no driver understands{echo}; is it a radar? sample"
            f" {finding.sample[:_SAMPLE].hex(' ')}"
        )
    asked = f"nothing answered {finding.asked} questions" if finding.asked else "nothing was asked"
    return (
        f"silent, and {asked}{echo}; check power and wires, or drive past while it is listened to (--for 60):"
        " some radars say nothing on an empty road"
    )


def config_of(finding: Finding) -> str:
    """The lines for the config; over USB (ttyACM) the baud rate is nothing that could be set."""
    assert finding.hearing is not None  # noqa: S101  the caller has looked
    assert finding.line is not None  # noqa: S101  the same
    baud = None if is_usb_modem(finding.port) else finding.line.baud
    return config_lines(finding.hearing.candidate, stable_name(finding.port), baud)


def is_usb_modem(port: str) -> bool:
    """Whether a port delivers at any baud rate (ttyACM): none is written into the config then."""
    return "ttyACM" in Path(port).resolve().name


def _to_json(finding: Finding) -> dict[str, object]:
    facts: dict[str, object] = {
        "port": finding.port,
        "found": finding.hearing is not None,
        "bytes": finding.heard_bytes,
        "seconds": round(finding.seconds, 1),
        "sample_hex": finding.sample.hex(),
        "sample_text": finding.sample.decode("ascii", "replace"),
        "asked": finding.asked,
    }
    hearing, line = finding.hearing, finding.line
    if hearing is None or line is None:
        return facts | {"why_not": why_not(finding)}
    return facts | {
        "driver": hearing.candidate.name,
        "profile": hearing.candidate.profile,
        "baud": line.baud,
        "line": words(line),
        "how": finding.how,
        "certain": finding.certain,
        "good": hearing.good,
        "bad": hearing.bad,
        "because": reason(finding),
        "could_also_be": [{"driver": one.name, "profile": one.profile} for one in finding.rivals],
        "config": config_of(finding),
    }
