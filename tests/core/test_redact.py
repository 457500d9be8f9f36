"""What is taken out of a bug report, and what stays because it helps."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.clock import SystemClock
from speedsign.doctor.redact import Redactor
from speedsign.doctor.redact_config import KNOWN, PRIVATE, private_words, redacted, safe_problem
from speedsign.doctor.redact_shapes import names_a_secret

SECRET = "cor'rect-\"horse\\ž7"


@pytest.mark.parametrize(
    ("text", "gone", "kind"),
    [
        ("mail anna.berzina@example.lv now", "anna.berzina", "e-mail address"),
        ("from 192.0.2.17 port 22", "192.0.2.17", "IP address"),
        ("from 2001:db8::17: refused", "2001:db8::17", "IP address"),
        ("eth0 aa:bb:cc:dd:ee:0f up", "aa:bb:cc:dd:ee:0f", "MAC address"),
        ("mqtt://anna:geheim@host", "anna:geheim", "user in an address"),
        ("password = 'geheim7'", "geheim7", "secret"),
        ('{"token": "x1", "pin": 4711}', "4711", "secret"),
        ("the password is geheim7, said he", "geheim7", "secret"),
        ("/home/anna/sign.toml", "anna", "home folder"),
        ("call +371 2612 3456", "2612", "phone number"),
        ("key MHcCAQEEIKZ9yRrnPq3vB0aZx8kLm2nTt4uV7wXyQ1sE", "MHcCAQEE", "what looks like a key"),
        *(
            (f"a {said} b", "hunter2", "secret")
            for said in (
                "MQTT_PASSWORD=hunter2",
                "wifi_psk=hunter2",
                "db_password: hunter2c",
                "api_token=hunter2",
                "passwords: hunter2",
                "--password hunter2",
                "PASSWORD hunter2",
                "pwd=hunter2",
                "mqttPin = hunter2",
                "Password is: hunter2",
                "Authorization: Bearer hunter2",
                "Bearer hunter2",
                "password => hunter2",
                "wifiPsk=hunter2",
                "password: my dog, hunter2",
                "password was my dog hunter2",
                "sp['pw'] = 'hunter2'",
                r'{"password": "a\"hunter2"}',
                "password='hunter2",
                "token=a,hunter2;hunter2 next=1",
                "pin2: hunter2",
                "mosquitto_pub -P hunter2",
                "passphrase hunter2",
                "slaptažodis: hunter2",
                "parole ir hunter2",
                "passwd password=hunter2",
                "network key: hunter2",
                "password=two hunter2 words",
            )
        ),
        ("tcp://joe:hunt@er2n@h:1883/", "er2n", "user in an address"),
        ("mqtts://joe:hun/ter2@h", "ter2", "user in an address"),
        ("it is 192.168.17.50.", "192.168.17.50", "IP address"),
        ("it was 192.168.17.51... and", "192.168.17.51", "IP address"),
        ("it was 192.168.017.051", "192.168.017.051", "IP address"),
        ("MAC aabb.ccdd.eeff.", "ccdd", "MAC address"),
        ("b8:27:eb:12:34:56: link is up", "b8:27", "MAC address"),
        *(
            (f"call {number}, please.", number, "phone number")
            for number in (
                "861234567",
                "8-612-34567",
                "8 612 34567",
                "(8-612) 34567",
                "8 (612) 34 567",
                "061234567",
                "00370 61234567",
                "0037126123456",
                "26123456",
                "67123456",
                "26 123 456",
                "2612 3456",
                "67-123-456",
                "20012345",
                "+37061234567",
            )
        ),
        ("-----BEGIN PRIVATE KEY-----\nabc\ndef\n-----END PRIVATE KEY-----", "def", "private key"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc\ncut off", "cut off", "private key"),
    ],
)
def test_what_goes_by_its_shape(text: str, gone: str, kind: str) -> None:
    redactor = Redactor()
    assert gone not in redactor.text(text)
    assert kind in redactor.removed


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:34:56Z sign started at 12:34:56",
        "pymodbus 3.16.1, kernel 6.18.44, mqtt 127.0.0.1:1883 and ::1, 0.0.0.0",
        "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
        "ed25519:MHcCAQEEIKZ9yRrnPq3vB0aZx8kLm2nTt4uV7wXyQ1s=",
        "fault: radar /dev/ttyUSB0: no such device",
        "Units km/h, RequiredMinSpeed 8.00",
        "password_file = /etc/s/password, key_file: /etc/speedsign/key.pem, a token bucket, GPIO pin 17",
        "/etc/speedsign/password: the password cannot be read: Permission denied",
        "the broker refuses the user name or password; check [mqtt] username and password_file",
        "compass: 17, mapping=3, spin: 4, bypass: on, opinion: none",
        "20261122 speedsign-dump-x-20261122-1200 2026-11-22 1234567 123456789 512000000",
        "mmcblk0: 62521344 512-byte logical blocks, 67108864 bytes, 26214400 kB, [26123456.123456]",
        "dead.beef, 3.16.1.2.5, 12:34:56",
        "usb 1-1.2: new full-speed USB device number 4 using xhci_hcd",
    ],
)
def test_what_helps_stays(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    assert redactor.removed == {}


def test_a_known_secret_goes_in_whatever_dress() -> None:
    redactor = Redactor([SECRET])
    for dress in (
        SECRET,
        json.dumps(SECRET),
        repr(SECRET),
        quote(SECRET, safe=""),
        f"x{SECRET}y",
        SECRET.upper()[:0],
    ):
        clean = redactor.text(f"it is {dress} here")
        assert "horse" not in clean
        assert clean.startswith("it is")


def test_names_go_as_whole_words_and_what_everybody_is_called_stays() -> None:
    redactor = Redactor(
        [], {"Anna Bērziņa": "(who)", "speedsign": "(user)", "ab": "(user)", "Bauska": "(site)"}
    )
    text = redactor.text("ANNA BĒRZIŅA at Bauska, Bauskas iela; speedsign cab ab")
    assert text == "(who) at (site), Bauskas iela; speedsign cab ab"
    assert redactor.removed == {"name": 2}


def test_two_secrets_in_a_line_leave_what_is_between_them() -> None:
    text = Redactor().text("MQTT_PASSWORD=hunter2 host=here wifi_psk=hunter3 n=1")
    assert text == "MQTT_PASSWORD=(secret) host=here wifi_psk=(secret) n=1"


def test_the_signs_id_stays_whoever_has_its_name_too() -> None:
    words = private_words({"sign": {"id": "bauska-3", "site": "bauska"}, "mqtt": {"username": "bauska-3"}})
    redactor = Redactor([], words)
    assert redactor.text("speedsign/1/bauska-3/up of bauska") == "speedsign/1/bauska-3/up of (site)"
    wrong = private_words({"sign": {"id": "Anna B"}, "mqtt": {"username": "Anna B"}})
    assert Redactor([], wrong).text("Anna B") == "(user)"


@pytest.mark.parametrize(
    "piece",
    ["password", "password ", "pass_", "P a s", "a:", "ab:", "://x", "1.", "8 ", "26 ", "aabb.", "token=",
     "-", "@", "MHcC", "'\"", "\\", "password='", "password=x "],
)  # fmt: skip
def test_a_long_line_takes_time_by_its_length(piece: str) -> None:
    clock = SystemClock()
    took = []
    for n in (20_000, 160_000):
        text = piece * (n // len(piece))
        began_s = clock.monotonic()
        Redactor(["geheim"], {"Anna": "(who)", "sign-1": "sign-1"}).text(text)
        took.append(clock.monotonic() - began_s)
    assert took[1] < 24 * took[0] + 0.3, took


def test_what_stands_under_a_key_goes_too() -> None:
    value = {
        "mqttPassword": "x",
        "password_file": "/etc/p",
        "pin": 4711,
        "token": None,
        "n": {"wifi_psk": "y"},
    }
    assert Redactor().value(value) == {
        "mqttPassword": "(secret)", "password_file": "/etc/p", "pin": "(secret)", "token": None,
        "n": {"wifi_psk": "(secret)"},
    }  # fmt: skip
    assert not [key for key in KNOWN if names_a_secret(key.rpartition(".")[2])]


def test_a_short_secret_does_not_blacken_everything() -> None:
    assert Redactor(["pw"]).text("pw: the pwm is up") == "(secret): the pwm is up"


def test_values_for_json_with_their_keys() -> None:
    redactor = Redactor(["geheim"], {"Anna B": "(who)"})
    value = {"Anna B": ["geheim", {"n": 3, "deep": ("x@y.lv", None, True)}]}
    assert redactor.value(value) == {"(who)": ["(secret)", {"n": 3, "deep": ["(e-mail)", None, True]}]}


@given(st.text(min_size=4, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_no_secret_is_ever_left(secret: str, before: str, after: str) -> None:
    stripped = secret.strip()
    clean = Redactor([secret]).text(f"{before}{secret}{after}")
    if len(stripped) >= 4 and stripped not in "(secret)" and stripped not in before + "(secret)" + after:
        assert stripped not in clean.replace("(secret)", "")


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    Redactor(["geheim"], {"Anna": "(who)"}).text(text)


# --------------------------------------------------------------------------- the config

RAW = {
    "sign": {
        "id": "bauska-3",
        "name": "Rīgas iela 5",
        "site": "Bauska",
        "latitude": 56.40741,
        "limit_kmh": 50,
    },
    "mqtt": {"host": "mqtt.bauska.lv", "username": "anna", "password": "geheim7", "port": 8883},
    "remote": {"groups": ["bauska"], "key": [{"id": "anna", "public": "ed25519:abc", "roles": ["read"]}]},
    "rules": {"schedule": [{"name": "night", "dark": True}]},
    "brightness": {"curve": [[1.0, 0.1], [100.0, 1.0]]},
    "surprise": {"a": 1, "token": "geheim8"},
}


def test_a_config_for_strangers() -> None:
    clean = redacted(RAW, frozenset())
    assert clean["sign"] == {
        "id": "bauska-3", "name": "(name)", "site": "(site)", "latitude": 56.4, "limit_kmh": 50,
    }  # fmt: skip
    assert clean["mqtt"] == {"host": "(broker)", "username": "(user)", "password": "(removed)", "port": 8883}
    assert clean["remote"]["key"] == [{"id": "(key)", "public": "ed25519:abc", "roles": ["read"]}]
    assert clean["remote"]["groups"] == "(group)"
    assert clean["rules"] == RAW["rules"]
    assert clean["brightness"] == RAW["brightness"]
    assert clean["surprise"] == {"a": "(removed)", "token": "(removed)"}


def test_texts_of_a_table_that_is_wrong_go() -> None:
    clean = redacted({"radar": {"driver": "geheim7", "baud": 9600}}, frozenset({"radar"}))
    assert clean == {"radar": {"driver": "(removed)", "baud": 9600}}


def test_what_is_private_is_looked_for_elsewhere() -> None:
    words = private_words(RAW)
    assert {
        "Rīgas iela 5",
        "Bauska",
        "56.40741",
        "mqtt.bauska.lv",
        "anna",
        "geheim7",
        "geheim8",
        "bauska",
    } <= set(words)
    assert words["bauska-3"] == "bauska-3"
    assert not {"night", "ed25519:abc", "50"} & set(words)


def test_what_is_private_is_a_key_of_the_config() -> None:
    assert set(PRIVATE) <= KNOWN


@pytest.mark.parametrize(
    ("sentence", "safe"),
    [
        ("a:9: [mqtt] password = 'geheim7': unknown key", "a:9: [mqtt] password: (removed)"),
        ("a:9: [mqtt] host = 'x y': must be a name", "a:9: [mqtt] host: (removed)"),
        ("a:9: [[remote.key]] #2 id = 'anna': twice", "a:9: [[remote.key]] #2 id: (removed)"),
        (
            "a:9: [sign] limit_kmh = 500: must be at most 130",
            "a:9: [sign] limit_kmh = 500: must be at most 130",
        ),
        ("a: not valid TOML: Expected '=' (at line 3)", "a: not valid TOML: Expected '=' (at line 3)"),
    ],
)
def test_a_problem_without_what_somebody_wrote(sentence: str, safe: str) -> None:
    assert safe_problem(sentence) == safe
