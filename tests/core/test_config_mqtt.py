"""[mqtt] in a config: who may read along, who the broker takes the sign for, and what does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.config.load import parse_config
from speedsign.config.mqtt_relations import mqtt_problems, uses_tls
from speedsign.config.schema import MqttConfig
from speedsign.errors import ConfigError
from speedsign.hosts import is_loopback
from telemetry.mqtt.shapes import BrokerSettings, TlsSettings

HEAD = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/radar"\n[mqtt]\n'
FAR = 'host = "mqtt.example.lv"\n'
CERTIFICATE = 'certificate_file = "/c.pem"\nkey_file = "/k.pem"\n'
PASSWORD = 'username = "me"\npassword_file = "/p"\n'
PLAIN = "tls = false\nallow_plain = true\n"


def mqtt(text: str) -> MqttConfig:
    config = parse_config(HEAD + text, "sign.toml").mqtt
    assert config
    return config


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        mqtt(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "encrypted"),
    [
        ('host = "localhost"', False),
        ('host = "127.0.0.1"\nport = 1884', False),
        ('host = "::1"', False),
        ('host = "[::1]"\ntls = true', True),
        ('host = "localhost"\nca_file = "/ca.pem"', True),
        ('host = "localhost"\n' + CERTIFICATE, True),
        ('host = "localhost"\n' + PASSWORD, False),
        (FAR + CERTIFICATE, True),
        (FAR + PASSWORD, True),
        (FAR + CERTIFICATE + PASSWORD + 'ca_file = "/ca.pem"\ntls = true\ntls_version = "1.2"', True),
        (FAR + PLAIN, False),
        (FAR + PLAIN + PASSWORD, False),
        (FAR + CERTIFICATE + "allow_plain = true", True),
    ],
)
def test_what_fits_together(text: str, encrypted: bool) -> None:
    assert uses_tls(mqtt(text)) is encrypted


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (FAR, "sign.toml:7: [mqtt] certificate_file", "mqtt.example.lv has to know this sign"),
        (FAR + "tls = true", "[mqtt] certificate_file", "has to know this sign"),
        (FAR + "allow_plain = true", "sign.toml:9: [mqtt] allow_plain = True", "needs tls = false beside it"),
        (FAR + "port = 1883\nallow_plain = true\n" + PASSWORD, "[mqtt] allow_plain", "needs tls = false"),
        (FAR + "tls = false", "sign.toml:9: [mqtt] tls = False", "readable for all on the way"),
        (FAR + PLAIN + 'ca_file = "/ca.pem"', "sign.toml:11: [mqtt] ca_file", "tls is false"),
        ('host = "localhost"\ntls = false\n' + CERTIFICATE, "certificate_file", "tls is false"),
        (FAR + 'certificate_file = "/c.pem"', "[mqtt] key_file", "nothing without its key"),
        (FAR + 'key_file = "/k.pem"', "[mqtt] certificate_file", "nothing without its certificate"),
        ('host = "localhost"\nusername = "me"', "[mqtt] password_file", "is missing: a user name needs"),
        ('host = "localhost"\npassword_file = "/p"', "[mqtt] username", "is missing: a password needs"),
        (
            'host = "mqtts://example.lv"\n' + PASSWORD,
            "sign.toml:8: [mqtt] host",
            "a name or an address alone",
        ),
        ('host = "example.lv:8883"\n' + PASSWORD, "[mqtt] host", "the port has a key of its own"),
        ('host = "me@example.lv"\n' + PASSWORD, "[mqtt] host", "a name or an address alone"),
        ('host = "two words"\n' + PASSWORD, "[mqtt] host", "a name or an address alone"),
        ('host = "localhost"\ntls_version = "1.1"', "sign.toml:9: [mqtt] tls_version", "'1.3' or '1.2'"),
        ('host = "localhost"\nport = 0', "sign.toml:9: [mqtt] port", "at least 1"),
        ('host = "localhost"\npassword = "s3cret"', "[mqtt] password", "unknown key"),
    ],
)
def test_what_does_not_is_said_with_its_key(text: str, line: str, said: str) -> None:
    found = problems(text)
    assert any(line in one and said in one for one in found), found
    assert not any("s3cret" in one for one in found)


def test_several_problems_are_said_at_once() -> None:
    found = problems(FAR + 'tls = false\nusername = "me"\nkey_file = "/k.pem"')
    assert len(found) == 4


def test_the_first_sentence_about_an_old_config_is_about_what_has_changed() -> None:
    found = problems(FAR + "port = 1883\nallow_plain = true")
    assert len(found) == 1
    assert "allow_plain = True: needs tls = false beside it" in found[0]
    assert "certificate_file and key_file" in found[0]


HOSTS = st.sampled_from(["localhost", "127.0.0.1", "mqtt.example.lv", "10.0.0.1", "::1", "fd00::1"])
MAYBE = st.sampled_from([None, "/file"])


@given(
    st.builds(
        MqttConfig,
        host=HOSTS,
        tls=st.sampled_from([None, True, False]),
        ca_file=MAYBE,
        certificate_file=MAYBE,
        key_file=MAYBE,
        username=st.sampled_from([None, "me"]),
        password_file=MAYBE,
        allow_plain=st.booleans(),
    )
)
def test_no_good_table_sends_readable_messages_away_by_mistake(config: MqttConfig) -> None:
    """Two words are needed for that; and whoever is far away knows who is speaking."""
    if list(mqtt_problems(config)):
        return
    if not uses_tls(config):
        assert is_loopback(config.host) or (config.tls is False and config.allow_plain)
    elif not is_loopback(config.host):
        assert config.certificate_file or config.username
    tls = TlsSettings() if uses_tls(config) else None
    BrokerSettings(config.host, "id", tls=tls, allow_plain=config.allow_plain)
