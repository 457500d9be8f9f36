"""speedsign display scan: which ids answer on a Modbus line, at which baud rate, and which map they have."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from drivers.display.maps import Device, Guess, Sureness, config_lines, guesses, panels
from drivers.display.scan import USUAL_BAUDS, Plan, Search
from drivers.display.scan_line import scan as scan_line
from drivers.modbus_rules import parse_target
from speedsign.cli.common import (
    EXIT_FAILED,
    SignCommand,
    config_option,
    json_option,
    print_json,
    set_up_logging,
)
from speedsign.cli.field import a_port_has_one_reader, config_or_none, modbus_target, stable_name
from speedsign.errors import DriverError, UsageError
from speedsign.lines import byte_line
from speedsign.registry import load_display

_MAX_UNIT = 247
_SAMPLE = 16  # bytes that fit into a line


def _unit_ids(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, ...]:
    """1-8, or 3, or 1,5,20-24."""
    found: dict[int, None] = {}
    for part in value.split(","):
        first, dash, last = part.partition("-")
        try:
            span = range(int(first), int(last if dash else first) + 1)
        except ValueError:
            raise click.BadParameter(f"{value!r}: write 1-8, or 3, or 1,5,20-24") from None
        if not span or span[0] < 1 or span[-1] > _MAX_UNIT:
            raise click.BadParameter(f"{value!r}: unit ids are 1 to {_MAX_UNIT}, the lower one first")
        found |= dict.fromkeys(span)
    return tuple(found)


@click.command(cls=SignCommand, example="speedsign display scan --port /dev/ttyUSB0")
@click.option(
    "--port", metavar="PORT", help="/dev/…, tcp://host:502 or rtu+tcp://host:4001; else the config's."
)
@click.option(
    "--baud", "bauds", type=click.IntRange(1200, 115_200), multiple=True,
    help="Try this rate only; more than once for more.",
)  # fmt: skip
@click.option("--parity", type=click.Choice(["N", "E", "O"]), default="N", show_default=True)
@click.option(
    "--units", callback=_unit_ids, metavar="IDS", default="1-8", show_default=True, help="Which ids to ask."
)
@click.option(
    "--all", "everything", is_flag=True, help="Go on after the first rate at which somebody answers."
)
@click.option("--write", is_flag=True, help="Also write dark to what answers no reads; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@config_option
@json_option
@click.pass_context
def scan(
    ctx: click.Context,
    config_path: Path,
    *,
    port: str | None,
    bauds: tuple[int, ...],
    parity: str,
    units: tuple[int, ...],
    everything: bool,
    write: bool,
    yes: bool,
    debug: bool,
    as_json: bool,
) -> None:
    """Find who is on a Modbus line: ids, baud rate, and which panel it is.

    Only reads are sent (holding registers, coils, input registers): they change nothing. A panel that answers
    no read is found with --write alone, which darkens it. Exit code 1 when nobody answered.
    """
    set_up_logging(debug=debug, level=logging.WARNING)
    target = modbus_target(_configs_port(ctx, config_path) if port is None else port)
    scheme, _, _ = parse_target(target)
    if scheme and bauds:
        raise UsageError("leave out --baud behind TCP: the gateway sets its line itself")
    if write and not yes:
        _ask_before_writing(target, units)
    rates: tuple[int | None, ...] = (None,) if scheme else tuple(dict.fromkeys(bauds)) or USUAL_BAUDS
    plan = Plan(rates, units, parity, everything, write)
    with a_port_has_one_reader():
        found = asyncio.run(scan_line(target, plan, byte_line, _progress))
    if as_json:
        print_json(_to_json(target, plan, found))
    else:
        _say(target, plan, found)
    ctx.exit(0 if found.devices else EXIT_FAILED)


def _configs_port(ctx: click.Context, path: Path) -> str:
    config = config_or_none(ctx, path, needed=True)
    if config is None or config.display is None:
        raise UsageError(f"{path} has no [display]; name the port with --port")
    return config.display.port


def _ask_before_writing(target: str, units: tuple[int, ...]) -> None:
    click.echo(
        f"--write sends dark to the ids {_span(units)} on {target} where no read is answered: spaces to 0x70,"
        " zeros to 0x80 and to 0. A device that is no panel may take it for something else.",
        err=True,
    )
    nobody = "nobody is there to ask; say --yes, or leave --write out"
    if sys.stdin is None:  # closed before we began
        raise UsageError(nobody)
    try:
        agreed = click.confirm("Write?", default=False, err=True)
    except click.Abort:
        raise UsageError(nobody) from None
    if not agreed:
        raise UsageError("nothing was sent")


def _progress(text: str) -> None:
    """Each rate on a line of its own: there are eight at most."""
    click.echo(text, err=True)


# --------------------------------------------------------------------------- what was found, in words


def _say(target: str, plan: Plan, found: Search) -> None:
    for device in found.devices:
        click.echo(f"{target}: {_where(device)}")
        for number, guess in enumerate(guesses(device)):
            click.echo(f"  {guess.sureness:<8}  {_named(guess)}")
            click.echo(f"            because {guess.because}")
            if number == 0:
                for text in config_of(guess, device, target, echo=found.echo):
                    click.echo(f"  {text}")
    for text in notes(target, plan, found):
        click.echo(text)


def _where(device: Device) -> str:
    at = "" if device.baud is None else f" at {device.baud} 8{device.parity}1"
    return f"unit {device.unit} answers{at}"


def _named(guess: Guess) -> str:
    if guess.driver is None:
        return guess.title
    profile = f", profile {guess.profile}" if guess.profile else ""
    return f"{guess.title} (driver {guess.driver}{profile})"


def config_of(guess: Guess, device: Device, target: str, *, echo: bool) -> list[str]:
    """The lines for the config; none for what is not known well enough."""
    if guess.driver is None or guess.sureness is Sureness.FITS:
        return []
    try:
        usual_baud = load_display(guess.driver, profile=guess.profile).line.baud
    except DriverError:
        return []
    return config_lines(guess, device, stable_name(target), usual_baud, local_echo=echo)


def notes(target: str, plan: Plan, found: Search) -> list[str]:
    """What else a technician has to know, a sentence each."""
    said = []
    if found.echo:
        said.append("the adapter hears what it sends; say local_echo = true in [display]")
    said += [_slow(device) for device in found.devices if device.timeout_s is not None]
    said += [_garbled(baud, unit, data) for (baud, unit), data in found.garbled.items()]
    if not found.devices:
        said.append(_silent(plan, found))
    elif not panels(found.devices) and not plan.write:
        said.append(
            "no panel is among them as far as reads tell; one that answers no reads is found with --write"
        )
    return [f"{target}: {text}" for text in said]


def _slow(device: Device) -> str:
    return (
        f"unit {device.unit} needed up to {device.slowest_s:.2f} s for an answer; say timeout_s ="
        f" {device.timeout_s:g} in [display], or --timeout {device.timeout_s:g} with show and test"
    )


def _garbled(baud: int | None, unit: int, data: bytes) -> str:
    at = "" if baud is None else f" at {baud} baud"
    return (
        f"asked as unit {unit}{at}, bytes came that are no reply ({data[:_SAMPLE].hex(' ')}): another baud"
        " rate or parity, two devices with this id, or a line without termination"
    )


def _silent(plan: Plan, found: Search) -> str:
    rates = "" if plan.bauds == (None,) else f" at {_rates(plan.bauds)} baud, parity {plan.parity}"
    more = ", its id (--units 1-247)" if len(plan.units) < _MAX_UNIT else ""
    parity = ", parity (--parity E)" if plan.parity == "N" and rates else ""
    wires = "power of the panel and its supply relay, A and B swapped, one wire off, the adapter itself"
    behind_tcp = "power of the panel, the gateway's baud rate and its wires A and B"
    write = "" if plan.write else "; a panel that answers no reads is found with --write alone"
    return (
        f"silent: nobody answered {found.asked} questions to the ids {_span(plan.units)}{rates};"
        f" check {behind_tcp if not rates else wires}{more}{parity}{write}"
    )


def _rates(bauds: tuple[int | None, ...]) -> str:
    return ", ".join(map(str, bauds))


def _span(units: tuple[int, ...]) -> str:
    if len(units) > 1 and units == tuple(range(units[0], units[-1] + 1)):
        return f"{units[0]}-{units[-1]}"
    return ", ".join(map(str, units))


# --------------------------------------------------------------------------- and for programs


def _to_json(target: str, plan: Plan, found: Search) -> dict[str, object]:
    return {
        "port": target,
        "found": [_device_to_json(device, target, echo=found.echo) for device in found.devices],
        "bauds": [baud for baud in plan.bauds if baud is not None],
        "parity": plan.parity,
        "units": _span(plan.units),
        "asked": found.asked,
        "written": found.written,
        "echo": found.echo,
        "slow_units": sorted(found.late) if found.devices else [],
        "notes": notes(target, plan, found),
    }


def _device_to_json(device: Device, target: str, *, echo: bool) -> dict[str, object]:
    likely = guesses(device)
    return {
        "unit": device.unit,
        "baud": device.baud,
        "parity": device.parity,
        "maps": [
            {
                "title": guess.title,
                "driver": guess.driver,
                "profile": guess.profile,
                "sureness": guess.sureness,
                "because": guess.because,
            }
            for guess in likely
        ],
        "answers": {
            str(question): list(answer.values) if answer.values else answer.heard
            for question, answer in device.answers.items()
        },
        "config": "\n".join(config_of(likely[0], device, target, echo=echo)),
    }
