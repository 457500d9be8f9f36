"""The broker: where it is, how it knows the sign, and a connection to prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speedsign.cli.commissioning.ask import NONE, one_of, whole, words
from speedsign.cli.commissioning.session import Session
from speedsign.config.mqtt_relations import uses_tls
from speedsign.config.schema import MqttConfig
from speedsign.hosts import is_loopback

NO_BROKER = "none"
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
    near = is_loopback(host)
    tls = await session.asker.confirm(
        "With TLS?", default=session.get("mqtt.tls", not near), given=session.given_as("--tls"),
        about="Encrypted; always to another machine.",
    )  # fmt: skip
    session.put({"mqtt.tls": None if tls != near else tls})
    if not tls and not near:
        session.say("Then everybody on the way can read and change it.")
        plain = await session.asker.confirm(
            "Send it readable all the same?", default=bool(session.get("mqtt.allow_plain", False)),
            given=session.given_as("--allow-plain"), about="Only where the network itself is protected.",
        )  # fmt: skip
        session.put({"mqtt.tls": False if plain else None, "mqtt.allow_plain": True if plain else None})
        tls = not plain
    usual = 8883 if tls else 1883
    port = await session.ask_key("mqtt.port", "Port", whole, option="--broker-port", default=usual)
    session.put({"mqtt.port": None if port == usual else port})
    for key, question, option, about in _FILES:
        if key in ("ca_file", "certificate_file", "key_file") and not tls:
            continue
        if key == "key_file" and session.get("mqtt.certificate_file") is None:
            continue
        if key == "password_file" and session.get("mqtt.username") is None:
            continue
        value = await session.asker.ask(
            question, _file if key.endswith("_file") else words, default=session.get(f"mqtt.{key}", NONE),
            given=session.given_as(option), about=about,
        )  # fmt: skip
        session.put({f"mqtt.{key}": value})


def _file(text: str) -> str | None:
    name = words(text)
    if name is None:
        return None
    if not Path(name).is_file():
        raise ValueError(f"{name}: there is no such file")
    return name


async def _tried(session: Session) -> str | None:
    """One real connection under a name of its own; None: it stands, else why not."""
    wrong = session.complaints(["mqtt"])
    if wrong:
        return wrong[0]
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
