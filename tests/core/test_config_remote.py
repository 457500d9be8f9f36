"""What a config may say of commands from afar; each refusal with its line and its reason."""

from __future__ import annotations

import re

import pytest

from speedsign.config.load import parse_config
from speedsign.config.schema import Config
from speedsign.errors import ConfigError

HEAD = """[sign]
id = "test-sign"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
[mqtt]
host = "localhost"
"""
FIRST = HEAD.count("\n") + 1
PUBLIC = "ed25519:" + "A" * 43 + "="
OTHER = "ed25519:" + "A" * 42 + "E="
KEY = f'[[remote.key]]\nid = "anna"\npublic = "{PUBLIC}"\nroles = ["read"]\n'


def problems(rest: str, head: str = HEAD) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(head + rest, "sign.toml")
    return caught.value.problems


def good(rest: str) -> Config:
    return parse_config(HEAD + rest, "sign.toml")


def test_what_docs_show_is_good() -> None:
    config = good(
        '[remote]\ngroups = ["town", "schools"]\nlimit_min_kmh = 30\nlimit_max_kmh = 50\n'
        "confirm_minutes = 5\n"
        + KEY
        + KEY.replace("anna", "bruno").replace(PUBLIC, OTHER)
        + '[[remote.profile]]\nname = "quiet"\ndark = true\n'
    )
    assert [key.id for key in config.remote.key] == ["anna", "bruno"]
    assert config.remote.profile[0].dark is True


@pytest.mark.parametrize(
    ("rest", "line", "said"),
    [
        ('[remote]\ngroups = ["Town"]', 2, "groups, entry 1 = 'Town': must be 1 to 40"),
        ('[remote]\ngroups = ["a", "a"]', 2, "groups, entry 2 = 'a': is named twice"),
        ("[remote]\nlimit_min_kmh = 30", 1, "limit_max_kmh: is missing: give both bounds"),
        ("[remote]\nlimit_max_kmh = 30", 1, "limit_min_kmh: is missing: give both bounds"),
        (
            "[remote]\nlimit_min_kmh = 50\nlimit_max_kmh = 30",
            3,
            "limit_max_kmh = 30: is below limit_min_kmh, 50",
        ),
        ("[remote]\nlimit_min_kmh = 4\nlimit_max_kmh = 131", 2, "limit_min_kmh = 4: must be at least 5"),
        ("[remote]\nconfirm_minutes = 0", 2, "must be at least 1"),
        ("[remote]\nnetwork = true", 2, "unknown key"),
        (KEY.replace("anna", "Anna"), 2, "id = 'Anna': must be 1 to 40"),
        (KEY.replace('"read"', '"root"'), 4, "'read', 'display' or 'restart'"),
        (KEY.replace('["read"]', "[]"), 4, "roles: must not be empty"),
        (KEY.replace("ed25519:", "rsa:"), 3, "must be ed25519: and 44 characters of base64"),
        (KEY.replace("AAAA=", "AAA="), 3, "must be ed25519: and 44 characters"),
        (KEY.replace("AAA=", "AAB="), 3, "must be ed25519: and 44 characters"),
        (KEY + KEY.replace(PUBLIC, OTHER), 6, "id = 'anna': is the id of key 1 too"),
        (KEY + KEY.replace("anna", "bruno"), 7, "is that of key 1 too"),
        ('[[remote.profile]]\nname = "none"', 2, "and not none"),
        ('[[remote.profile]]\nname = "Quiet"', 2, "name = 'Quiet': must be 1 to 40"),
        ('[[remote.profile]]\nname = "a"\n[[remote.profile]]\nname = "a"', 4, "is the name of profile 1 too"),
        ('[[remote.profile]]\nname = "a"\nover = ["HACKED"]', 1, "[rules] over, entry 1 = 'HACKED': is"),
        (
            '[[remote.profile]]\nname = "a"\ntoo_fast_kmh = 40',
            1,
            "too_fast_kmh = 40: must be above the limit",
        ),
        ('[[remote.profile]]\nname = "a"\nbeacon = ["over"]', 1, "needs the table [beacon]"),
        ('[[remote.profile]]\nname = "a"\nlimit_kmh = 30', 3, "unknown key"),
        ('[remote]\nkey = "x"', 2, "there can be several: write [[remote.key]]"),
    ],
)
def test_each_refusal_names_its_line(rest: str, line: int, said: str) -> None:
    found = problems(rest)
    assert any(one.startswith(f"sign.toml:{FIRST + line - 1}: ") and said in one for one in found), found


def test_keys_need_a_broker() -> None:
    head = HEAD.partition("[mqtt]")[0]
    (said,) = problems(KEY, head)
    assert "needs [mqtt]: commands come by the broker" in said


def test_a_profile_is_not_blamed_for_what_is_wrong_without_it() -> None:
    found = problems('[rules]\ntoo_fast_kmh = 40\n[[remote.profile]]\nname = "a"\ndark = true\n')
    assert len(found) == 1, found


def test_all_that_is_wrong_is_said_at_once_and_once() -> None:
    keys = (
        '[[remote.key]]\nid = "Anna"\npublic = "rubbish"\nroles = ["god"]\n'
        '[[remote.key]]\nid = "berta"\npublic = "rubbish"\nroles = []\n'
        '[[remote.key]]\nid = "berta"\n'
        '[[remote.profile]]\nname = "Bad"\ndark = 3\n'
    )
    found = problems('[remote]\nlimit_min_kmh = 60\nlimit_max_kmh = 40\ngroups = ["Town"]\n' + keys)
    said = [one.partition(": ")[2] for one in found]
    expected = [
        "[remote] limit_max_kmh = 40: is below limit_min_kmh, 60",
        "[remote] groups, entry 1 = 'Town': must be 1 to 40",
        "[[remote.key]] #1 id = 'Anna': must be 1 to 40",
        "[[remote.key]] #1 public = 'rubbish': must be ed25519:",
        "[[remote.key]] #1 roles, entry 1 = 'god': must be 'read', 'display' or 'restart'",
        "[[remote.key]] #2 public = 'rubbish': must be ed25519:",
        "[[remote.key]] #2 roles: must not be empty",
        "[[remote.key]] #3 id = 'berta': is the id of key 2 too",
        "[[remote.key]] #3 public: is missing",
        "[[remote.key]] #3 roles: is missing",
        "[[remote.profile]] #1 name = 'Bad': must be 1 to 40",
        "[[remote.profile]] #1 dark = 3: must be true or false",
    ]
    assert len(said) == len(expected), said
    for line in expected:
        assert any(one.startswith(line) for one in said), (line, said)


KEYS = {
    "remote": ("groups", "limit_min_kmh", "confirm_minutes", "key", "profile"),
    "mqtt": ("host", "port", "tls", "tls_version", "ca_file", "spread_s", "allow_plain"),
    "rules": ("within", "minimum_kmh"),
    "study": ("name",),
}


@pytest.mark.parametrize(
    "value", ["[]", "{}", "[{}]", "true", "1.5", "nan", "-1", "10000000000", '""', '"x"']
)
@pytest.mark.parametrize("key", [f"{table}.{key}" for table, keys in KEYS.items() for key in keys])
def test_no_sentence_is_the_validators(key: str, value: str) -> None:
    try:
        parse_config(f"{key} = {value}\n{HEAD.partition('[mqtt]')[0]}", "sign.toml")
    except ConfigError as error:
        for one in error.problems:
            assert not re.search(r"input should|should have|should match|tuple|valid |after validation", one)
