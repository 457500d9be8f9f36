"""The hub's config: its own file, a sign's, or none; what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from speedsign.cli.hub_run import hub_session, others_subscribed
from speedsign.config.hub import HubConfig, HubFile, HubWishes, load_hub
from speedsign.config.schema import MqttConfig
from speedsign.errors import ConfigError
from telemetry.mqtt.shapes import BrokerSettings

WHOLE = """[hub]
database = "/srv/hub.db"
name = "riga"
group = "hubs"
home_assistant = "homeassistant"
keep_vehicles_days = 400

[mqtt]
host = "127.0.0.1"
port = 2883
"""
NOTHING = HubWishes()
SIGN = '[sign]\nid = "test-sign"\nlimit_kmh = 50\n[radar]\ndriver = "ops243"\nport = "/dev/ttyACM0"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hub.toml"


def problems(file: Path, text: str, wishes: HubWishes = NOTHING) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_hub(file, wishes)
    return caught.value.problems


def test_a_whole_one(file: Path) -> None:
    file.write_text(WHOLE, encoding="utf-8")
    found = load_hub(file, HubWishes())
    assert (found.hub.database, found.hub.name, found.hub.group) == (Path("/srv/hub.db"), "riga", "hubs")
    assert (found.mqtt.host, found.mqtt.port) == ("127.0.0.1", 2883)


def test_a_broker_is_enough(file: Path) -> None:
    file.write_text('[mqtt]\nhost = "localhost"\n', encoding="utf-8")
    found = load_hub(file, HubWishes()).hub
    assert (found.database, found.acknowledges) == (Path("/var/lib/speedsign/hub.db"), True)


def test_a_second_hub_may_only_listen(file: Path) -> None:
    file.write_text('[hub]\nacknowledges = false\n[mqtt]\nhost = "localhost"\n', encoding="utf-8")
    assert not load_hub(file, HubWishes()).hub.acknowledges


def test_other_subscriptions_of_the_same_client_begin_the_session_anew() -> None:
    def session(group: str | None, client: str = "speedsign-hub-main") -> str:
        config = HubFile(mqtt=MqttConfig(host="localhost"), hub=HubConfig(group=group))
        return hub_session(config, BrokerSettings("localhost", client))

    assert not others_subscribed(None, session("g"))  # what waits at the broker is not thrown away
    assert not others_subscribed(session("g"), session("g"))
    assert others_subscribed(session("g"), session(None))
    assert others_subscribed(session(None), session("g"))
    assert others_subscribed(session("g"), session("h"))
    assert not others_subscribed(session("g", "speedsign-hub-other"), session(None))


def test_what_is_typed_goes_before_what_is_written(file: Path) -> None:
    file.write_text(WHOLE, encoding="utf-8")
    found = load_hub(file, HubWishes(Path("x.db"), "localhost", 1999))
    assert (found.hub.database, found.mqtt.host, found.mqtt.port) == (Path("x.db"), "localhost", 1999)
    assert load_hub(None, HubWishes(Path("x.db"), "localhost")).mqtt.host == "localhost"


def test_a_signs_config_serves_with_a_database_of_the_hubs_own(file: Path) -> None:
    text = SIGN + '[mqtt]\nhost = "localhost"\n'
    assert "name the hub's own database with --db" in problems(file, text)[0]
    found = load_hub(file, HubWishes(database=Path("hub.db")))
    assert found.hub.database == Path("hub.db")
    assert "[mqtt] is missing" in problems(file, SIGN, HubWishes(database=Path("hub.db")))[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "[mqtt]: is missing"),
        (WHOLE + 'hots = "x"\n', "hub.toml:11: [mqtt] hots: unknown key"),
        ("[hub]\ncolour = 1\n" + WHOLE[6:], "hub.toml:2: [hub] colour: unknown key"),
        (WHOLE.replace('"riga"', '"Rīga"'), "hub.toml:3: [hub] name = 'Rīga': must be 1 to 40"),
        (WHOLE.replace('"hubs"', '"a/b"'), "hub.toml:4: [hub] group = 'a/b': must be"),
        (WHOLE.replace('"homeassistant"', '"a/#"'), "hub.toml:5: [hub] home_assistant = 'a/#': must be"),
        (WHOLE.replace("400", "0"), "hub.toml:6: [hub] keep_vehicles_days = 0: must be at least 1"),
        (WHOLE.replace('"/srv/hub.db"', '""'), "hub.toml:2: [hub] database"),
        (WHOLE.replace('"127.0.0.1"', '"broker.example"'), "[mqtt] certificate_file: is missing"),
        ("[hub\n", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(file: Path, text: str, sentence: str) -> None:
    assert any(sentence in one for one in problems(file, text)), problems(file, text)


def test_another_machine_that_was_typed_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="certificate_file"):
        load_hub(None, HubWishes(Path("x.db"), "broker.example"))
