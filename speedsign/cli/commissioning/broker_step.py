"""The broker: where it is, how it knows the sign, and a connection to prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speedsign.cli.commissioning.ask import NONE, one_of, whole, words
from speedsign.cli.commissioning.session import Session
from speedsign.config.mqtt_relations import TLS_FILES, uses_tls
from speedsign.config.schema import MqttConfig
from speedsign.errors import UsageError
from speedsign.hosts import is_loopback

NO_BROKER = "none"
_ONLY_WITH = {"key_file": "certificate_file", "password_file": "username"}
_FILES = (
    (
        "ca_file",
        "CA file",
        "--ca-file",
        "Who signed the broker's certificate. - is who this machine trusts.",
    ),
    ("certificate_file", "Certificate of the sign", "--certificate-file", "PEM. - is none: by password."),
    ("key_file", "Its key", "--key-file", "PEM, readable for the sign alone."),
    ("username", "User name", "--username", "- is none: by certificate."),
    ("password_file", "Password file", "--password-file", "Its first line is the password; chmod 640."),
)


async def run(session: Session) -> None:
    """Asks for [mqtt] and tries it; no broker is an answer too."""
    while True:
        host = await session.asker.ask(
            "Broker", _host, default=session.get("mqtt.host", NO_BROKER), given=session.given_as("--broker"),
            about="Name or address of the MQTT broker. none: the sign keeps its own database only.",
        )  # fmt: skip
        if host is None:
            session.put({"mqtt": None})
            return
        session.put({"mqtt.host": host})
        await _how(session, host)
        if await _proved(session):
            return


async def _proved(session: Session) -> bool:
    """Whether the connection stands, or is kept without; False: it is to be edited."""
    if wrong := session.complaints(["mqtt"]):
        if session.asker.yes:
            raise UsageError(f"{session.config_path}: {wrong[0]}")
        for sentence in wrong:
            session.say(sentence)
        return False
    if session.given.get("no_probe"):
        session.say("The broker was not tried: --no-probe.")
        return True
    while (problem := await _tried(session)) is not None:
        session.say(problem)
        if session.asker.yes:
            session.troubles.append(problem)
            return True
        answer = await session.asker.ask(
            "e edit, a again, k keep it so", one_of(("e", "a", "k")), default="e",
            about="k: the sign tries again and again by itself, once its link is there.",
        )  # fmt: skip
        if answer != "a":
            return answer == "k"
    session.say("Connected.")
    return True


def _host(text: str) -> str | None:
    word = text.strip()
    if not word or word.lower() in (NO_BROKER, NONE):
        return None
    if "://" in word or "/" in word or " " in word:
        raise ValueError("write the name alone: broker.example")
    return word


async def _how(session: Session, host: str) -> None:
    """Port, TLS, and who the sign is there."""
    tls = await _tls(session, host)
    usual, other = (8883, 1883) if tls else (1883, 8883)
    if session.get("mqtt.port") == other:
        session.put({"mqtt.port": None})
    port = await session.ask_key("mqtt.port", "Port", whole, option="--broker-port", default=usual)
    if port == usual != session.raw("mqtt.port"):
        session.put({"mqtt.port": None})
    for key, question, option, about in _FILES:
        needed_by = _ONLY_WITH.get(key)
        if (key in TLS_FILES and not tls) or (needed_by and session.get(f"mqtt.{needed_by}") is None):
            _out(session, key, option)
            continue
        value = await session.asker.ask(
            question, _file if key.endswith("_file") else words, default=session.get(f"mqtt.{key}", NONE),
            given=session.given_as(option), about=about,
        )  # fmt: skip
        session.put({f"mqtt.{key}": value})
    _settle_tls(session, host, tls=tls)


def _out(session: Session, key: str, option: str) -> None:
    """What means nothing by the answers so far. Raises UsageError where an option says it all the same."""
    if session.given_as(option).value is not None:
        needed = "a connection with TLS" if key in TLS_FILES and key not in _ONLY_WITH else _ONLY_WITH[key]
        raise UsageError(f"{option}: means nothing without {needed.replace('_', ' ')}; give both, or none")
    session.put({f"mqtt.{key}": None})


async def _tls(session: Session, host: str) -> bool:
    """With TLS or without; what the config does now is proposed."""
    near = is_loopback(host)
    named = any(
        session.given_as(option).value is not None for key, _, option, _ in _FILES if key in TLS_FILES
    )
    if named:  # an option with a file for TLS means TLS
        session.say("With TLS: a file for it is given.")
        return True
    tls = await session.asker.confirm(
        "With TLS?", default=_now(session, host), given=session.given_as("--tls"),
        about="Encrypted; always to another machine.",
    )  # fmt: skip
    if tls or near:
        return tls
    session.say("Then everybody on the way can read and change it.")
    return not await session.asker.confirm(
        "Send it readable all the same?", default=bool(session.get("mqtt.allow_plain", False)),
        given=session.given_as("--allow-plain"), about="Only where the network itself is protected.",
    )  # fmt: skip


def _now(session: Session, host: str) -> bool:
    """Whether the config speaks TLS to this host, as docs/config.md has it."""
    return uses_tls(
        MqttConfig(
            host=host,
            tls=session.get("mqtt.tls"),
            **{key: session.get(f"mqtt.{key}") for key in TLS_FILES},
        )
    )


def _settle_tls(session: Session, host: str, *, tls: bool) -> None:
    """The keys that say so; what holds without a key is not written, unless it is there already."""
    plain_afar = not tls and not is_loopback(host)
    if session.get("mqtt.tls") is not tls:
        session.put({"mqtt.tls": None})
        if plain_afar or _now(session, host) is not tls:
            session.put({"mqtt.tls": tls})
    if plain_afar or session.get("mqtt.allow_plain"):
        session.put({"mqtt.allow_plain": True if plain_afar else None})


def _file(text: str) -> str | None:
    name = words(text)
    if name is None:
        return None
    if not Path(name).is_file():
        raise ValueError(f"{name}: there is no such file")
    return name


async def _tried(session: Session) -> str | None:
    """One real connection under a name of its own; None: it stands, else why not."""
    config = session.whole_config()
    mqtt = config.mqtt if config else None
    if mqtt is None:
        keys = {key: session.get(f"mqtt.{key}") for key in MqttConfig.__dataclass_fields__ if key[0] != "_"}
        mqtt = MqttConfig(**{key: _typed(key, value) for key, value in keys.items() if value is not None})
    session.say(f"Trying {mqtt.host} {'with TLS' if uses_tls(mqtt) else 'without TLS'} ...")
    done = await session.asker.unless_typed(
        session.devices.connect(mqtt, str(session.get("sign.id", "sign")))
    )
    return "it was not waited for" if done is None else done or None


def _typed(key: str, value: Any) -> Any:
    return Path(value) if key.endswith("_file") else value
