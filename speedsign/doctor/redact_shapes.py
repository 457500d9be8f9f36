"""How secrets, people's numbers and machines' addresses look in running text, where nobody knows them.

A log is free text, so these are choices. After a word like "password" too much is taken rather than too
little: the rest of the line, or where the next key=value follows, one token. Numbers of telephones are those
of the countries the signs stand in: with + or 00 in front; Lithuanian ones, 8 or 0 and eight digits of which
the first is 3 to 6; Latvian ones, eight digits of which the first is 2 or 6, but no date as 20261122 and none
with a unit behind it. Every repetition is bounded, or eats what it has read: the time grows with the
text.
"""

from __future__ import annotations

import re

_STRONG = (  # as part of any word: MQTT_PASSWORD, wifiPsk2
    r"(?:pass(?:word|wd|phrase|wort|code)|psk|slapta[zž]od|parol[eēi]|authori[sz]ation|bearer)"
)
_KEYS = r"(?:secret(?!\))|credential|(?:api|access|private|shared|signing|wpa|wi-?fi|network)[ _-]?key)"
_WEAK = r"(?:pass|pwd|pw|token|pin|cookie)"  # part of too many words that are harmless: mapping, bypass
_ENDS = r"(?![\w-]{0,24}(?:file|path)s?\b)[\w-]{0,24}[\"'\])]{0,3}"  # password_file is a name of a file
_WEAK_WORD = (
    rf"(?:(?<![A-Za-z]){_WEAK}|(?<=[a-z])(?-i:Pass|Pwd|Pw|Token|Pin|Cookie))s?"
    r"(?:[_-][\w-]{1,24}|\d{1,3})?(?![\w-]{0,24}(?:file|path)s?\b)[\"'\])]{0,3}"
)
_BE = r"[ \t]{1,8}(?:is|was|ir|yra)\b(?:[ \t]{0,4}:)?[ \t]{0,8}"
_OPERATOR = r"[ \t]{0,8}(?:=>|->|:=|={1,2}|:)[ \t]{0,8}"
# What our own sentences say of a password, and of a file whose name is one.
_OURS = (
    r"(?![ \t:]{0,9}(?:(?:the password )?cannot be read\b|needs its user name\b|is wrong\b|is empty\b"
    r"|everybody can read\b|Permission denied\b|No such file\b|Is a directory\b))"
)
_VALUE = (
    r"(?:\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'"
    r"|\S{1,400}(?=[ \t]{1,8}[\w.-]{1,40}=)|[^\r\n]+)"
)
SAID = re.compile(
    rf"(?i)({_STRONG}{_ENDS}{_OURS}(?:{_OPERATOR}|{_BE}|[ \t]{{1,8}})"
    rf"|(?:{_KEYS}{_ENDS}|{_WEAK_WORD})(?:{_OPERATOR}|{_BE})"
    rf"|(?-i:(?<![\w-])-P)[ \t]{{1,4}})"  # of mosquitto_pub
    rf"({_VALUE})"
)

PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
URL = re.compile(r"(?<=://)[^\s\"'<>]{1,300}@")  # to the last @: a password may have one, and a slash
MAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
MAC = re.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[:-]){5,31}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
    r"|(?<![0-9A-Za-z])(?<![0-9A-Fa-f]\.)(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![0-9A-Za-z]|\.[0-9A-Fa-f])"
)
IPV4 = re.compile(r"(?<!\d)(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{0,35}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{0,40}(?![0-9A-Za-z:])"
)
HOME = re.compile(r"(?<=/home/)[^/\s:'\"]+")
_ALONE, _ENDED = r"(?<![\w+])(?<!\d[.,:-])", r"(?![\w%]|[.,:-]\d)"
_DATE = r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
_SIZE = r"(?![ \t]{0,3}(?:[kMG]?i?B\b|bytes?\b|blocks?\b|sectors?\b|512-byte|[kM]?Hz\b|[mun]?s\b|pages?\b))"
PHONE = re.compile(
    r"(?<![\w+])\+\d[\d ()-]{7,20}\d"
    rf"|{_ALONE}00[ -]?[1-9][\d ()-]{{7,20}}\d{_ENDED}"
    rf"|{_ALONE}\(?[80][ -]{{0,2}}\(?[3-6]\d\d\)?[ -]?"
    rf"(?:\d{{5}}|\d\d[ -]\d{{3}}|\d{{3}}[ -]\d\d){_ENDED}{_SIZE}"
    rf"|{_ALONE}(?!{_DATE})(?:[26]\d{{7}}|[26]\d ?\d{{3}} \d{{3}}|[26]\d-\d{{3}}-\d{{3}}"
    rf"|(?!20[0-4]\d)[26]\d{{3}}[ -]\d{{4}}){_ENDED}{_SIZE}"
)
KEPT_KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")  # the public half of an officer's key
LONG = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{32,}={0,2}")


def names_a_secret(key: str) -> bool:
    """Whether what stands under such a key is to be hidden.

    >>> names_a_secret("mqttPassword"), names_a_secret("password_file")
    (True, False)
    """
    return SAID.search(f"{key}: x") is not None
