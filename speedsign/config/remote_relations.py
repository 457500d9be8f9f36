"""What must hold for commands from afar: keys, bounds, groups, and that every profile can be shown."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace

from speedsign.config.problem import Problem
from speedsign.config.schema import Config, RemoteConfig
from speedsign.remote import RemoteSettings, effective, misfits

_NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_NAME_TEXT = "must be 1 to 40 of the characters a-z, 0-9 and -"
_PUBLIC = re.compile(r"ed25519:([A-Za-z0-9+/]{43}=)", re.ASCII)
_PUBLIC_BYTES = 32
NO_PROFILE = "none"  # what a person types for none


def remote_problems(config: Config) -> Iterator[Problem]:
    """Everything about [remote] that does not fit."""
    remote = config.remote
    yield from _keys(config)
    yield from _limits(remote)
    for number, name in enumerate(remote.groups):
        if not _NAME.fullmatch(name):
            yield Problem(("remote", "groups", str(number)), _NAME_TEXT, name)
        elif name in remote.groups[:number]:
            yield Problem(("remote", "groups", str(number)), "is named twice", name)
    yield from _profiles(config)


def _keys(config: Config) -> Iterator[Problem]:
    ids: dict[str, int] = {}
    publics: dict[str, int] = {}
    for number, key in enumerate(config.remote.key):
        path = ("remote", "key", str(number))
        if not _NAME.fullmatch(key.id):
            yield Problem((*path, "id"), _NAME_TEXT, key.id)
        first = ids.setdefault(key.id, number)
        if first != number:
            yield Problem((*path, "id"), f"is the id of key {first + 1} too", key.id)
        if not _is_public(key.public):
            text = "must be ed25519: and 44 characters of base64, as `speedsign command key` prints it"
            yield Problem((*path, "public"), text, key.public)
            continue
        first = publics.setdefault(key.public, number)
        if first != number:
            text = f"is that of key {first + 1} too: who has asked for what could not be told"
            yield Problem((*path, "public"), text, key.public)
    if config.remote.key and config.mqtt is None:
        yield Problem(("remote", "key"), "needs [mqtt]: commands come by the broker", against=(("mqtt",),))


def _is_public(text: str) -> bool:
    found = _PUBLIC.fullmatch(text)
    if not found:
        return False
    try:
        data = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return False
    return len(data) == _PUBLIC_BYTES and base64.b64encode(data).decode() == found[1]


def _limits(remote: RemoteConfig) -> Iterator[Problem]:
    low, high = remote.limit_min_kmh, remote.limit_max_kmh
    if (low is None) != (high is None):
        missing = "limit_min_kmh" if low is None else "limit_max_kmh"
        yield Problem(("remote", missing), "is missing: give both bounds of the limit or neither")
    elif low is not None and high is not None and low > high:
        against = (("remote", "limit_min_kmh"),)
        yield Problem(("remote", "limit_max_kmh"), f"is below limit_min_kmh, {low}", high, against)


def _profiles(config: Config) -> Iterator[Problem]:
    names: dict[str, int] = {}
    for number, profile in enumerate(config.remote.profile):
        path = ("remote", "profile", str(number))
        first = names.setdefault(profile.name, number)
        if not _NAME.fullmatch(profile.name) or profile.name == NO_PROFILE:
            yield Problem((*path, "name"), f"{_NAME_TEXT}, and not {NO_PROFILE}", profile.name)
        elif first != number:
            yield Problem((*path, "name"), f"is the name of profile {first + 1} too", profile.name)
        alone = replace(config, remote=replace(config.remote, profile=(profile,)))
        for text in misfits(effective(alone, RemoteSettings(profile=profile.name)), beside=config):
            yield Problem(path, f'with this profile, "{profile.name}", {text}', against=_ABOUT)


_ABOUT = (("rules",), ("sign", "limit_kmh"), ("display",), ("rules", "schedule"))
