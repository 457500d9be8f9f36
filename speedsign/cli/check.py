"""speedsign check: is the config good? Every error at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from speedsign.cli.common import EXIT_USAGE, SignCommand, config_option, json_option, print_json
from speedsign.config.load import load_config
from speedsign.config.mqtt_relations import uses_tls
from speedsign.config.schema import Config, DisplayConfig, MqttConfig
from speedsign.errors import ConfigError
from speedsign.registry import load_display
from telemetry.mqtt.shapes import PORT, PORT_TLS


@click.command(cls=SignCommand, example="speedsign check --config speedsign.toml")
@config_option
@json_option
@click.pass_context
def check(ctx: click.Context, config_path: Path, *, debug: bool, as_json: bool) -> None:
    """Check the config; nothing is opened or changed.

    Every problem is listed with file, line, key, value and bound. Exit code 0 means that the config is
    good, 2 that it is not.
    """
    try:
        config = load_config(config_path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"ok": False, "config": str(config_path), "problems": error.problems})
        ctx.exit(EXIT_USAGE)
    if as_json:
        print_json({"ok": True, "config": str(config_path), "problems": []})
        return
    click.echo(f"{config_path}: good")
    for line in _summary(config):
        click.echo(f"  {line}")


def _summary(config: Config) -> list[str]:
    """What the sign will do, in words: the technician reads it back."""
    display, mqtt = config.display, config.mqtt
    profile = f" ({config.radar.profile})" if config.radar.profile else ""
    lines = [
        f"sign     {config.sign.id}, limit {config.sign.limit_kmh} km/h, {config.sign.timezone}",
        f"radar    {config.radar.driver}{profile} on {config.radar.port}",
        f"display  {display.driver} on {display.port}, device {display.unit}" if display else "display  none",
        f"shows    {config.rules.show}, {config.rules.minimum_kmh} to {config.ceiling_kmh} km/h",
        *_plans(config),
        f"store    {config.store.path}",
        f"mqtt     {_broker(mqtt)}" if mqtt else "mqtt     none: the database is kept, nothing is sent",
    ]
    if config.remote.key:
        keys = ", ".join(f"{key.id} ({', '.join(key.roles)})" for key in config.remote.key)
        lines.append(f"remote   {keys}")
    if display:
        lines += _notes(display, supply=config.supply is not None)
    if config.radar.invert_direction:
        lines.append("radar    directions are inverted")
    return [*lines, *(_doubts(mqtt) if mqtt else ())]


def _broker(mqtt: MqttConfig) -> str:
    """Where the broker is, whether others can read along, and how it knows this sign."""
    port = mqtt.port or (PORT_TLS if uses_tls(mqtt) else PORT)
    how = f"TLS {mqtt.tls_version}" if uses_tls(mqtt) else "not encrypted"
    who = [*(["certificate"] if mqtt.certificate_file else []), *(["password"] if mqtt.password_file else [])]
    return ", ".join([f"{mqtt.host}:{port}", how, *who])


def _doubts(mqtt: MqttConfig) -> Iterator[str]:
    """What would not connect as it is."""
    if uses_tls(mqtt) and mqtt.port == PORT:
        yield f"note     {PORT} is usually the plain port of a broker; with TLS it is {PORT_TLS}"
    elif not uses_tls(mqtt) and mqtt.port == PORT_TLS:
        yield f"note     {PORT_TLS} is usually the port with TLS of a broker; without it is {PORT}"
    for file in (mqtt.password_file, mqtt.ca_file, mqtt.certificate_file, mqtt.key_file):
        if file and not file.is_file():
            yield f"note     {file} is not on this machine; run needs it"


def _plans(config: Config) -> list[str]:
    """What changes with the hour and the day."""
    rules, lines = config.rules, []
    if any(pages != ("speed",) for pages in (rules.within, rules.over, rules.too_fast)):
        faces = (f"{zone} {' and '.join(getattr(rules, zone))}" for zone in ("within", "over", "too_fast"))
        lines.append(f"faces    {'; '.join(faces)}, in {config.sign.language}")
    if rules.schedule:
        names = ", ".join(window.name for window in rules.schedule)
        lines.append(f"schedule {names}: speedsign rules week shows the week")
    lines += [f"study    {one.name}: {one.display} {one.first} to {one.last}" for one in config.study]
    return lines


def _notes(display: DisplayConfig, *, supply: bool) -> list[str]:
    """What the panel cannot do, and what would help."""
    panel = load_display(display.driver, display.digits, display.profile, display.registers).capabilities
    notes = []
    if not panel.can_blank:
        notes.append("note     this panel shows 0 where others are dark")
    if panel.own_timeout_s is None and not supply:
        notes.append("note     this panel keeps its last number if its wire is cut; [supply] would darken it")
    return notes
