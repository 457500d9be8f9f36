"""Certificates and secrets: until when they are good, and who may read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from speedsign.certificates import CertificateFacts
from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong
from speedsign.doctor.port_facts import User

_OTHERS = 0o007
_SOON_DAYS = 14
_MOST_LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class NamedCertificates:
    """What a key of [mqtt] names. `problem`: why it cannot be read; `forbidden`: by us alone."""

    key: str  # ca_file, certificate_file
    path: Path
    found: tuple[CertificateFacts, ...] = ()
    problem: str = ""
    forbidden: bool = False


def judge_certificates(
    named: Sequence[NamedCertificates], now: datetime, *, clock_ok: bool, key_problem: str = ""
) -> list[Finding]:
    """`key_problem`: why key and certificate cannot be used together, as a sentence; "": they can."""
    found = [one for each in named for one in _judge(each, now, clock_ok=clock_ok)]
    if key_problem:
        do = "docs/security.md has the steps; speedsign certificate request makes a new key and request"
        found.append(wrong("certificate key", key_problem, do))
    return found


def _judge(named: NamedCertificates, now: datetime, *, clock_ok: bool) -> list[Finding]:
    check = f"certificate {named.key}"
    if named.forbidden:
        return [unknown(check, f"{named.path} may not be read by this user", "look with sudo")]
    if named.problem:
        return [wrong(check, named.problem, f"correct [mqtt] {named.key}, or put the file there")]
    if named.key != "ca_file":
        return [_of_date(check, one, now, clock_ok=clock_ok) for one in named.found[:1]]
    # One of several authorities is enough: only when none is left nothing can be believed.
    states = [_of_date(check, one, now, clock_ok=clock_ok) for one in named.found]
    order = ("ok", "note", "warning", "wrong", "unknown")
    return sorted(states, key=lambda one: order.index(one.state.value))[:1]


def _of_date(check: str, one: CertificateFacts, now: datetime, *, clock_ok: bool) -> Finding:
    days = (one.until_utc - now).days
    told: dict[str, object] = {
        "subject": one.subject,
        "issuer": one.issuer,
        "from": one.from_utc.isoformat(),
        "until": one.until_utc.isoformat(),
        "days_left": days,
    }
    what = f"{one.subject}, good until {one.until_utc:%Y-%m-%d}"
    clock = "" if clock_ok else "; nobody vouches for this machine's clock: set that first"
    if now < one.from_utc:
        text = f"{one.subject} is not good before {one.from_utc:%Y-%m-%d}"
        return wrong(check, text, f"is the clock right? It says {now:%Y-%m-%d}{clock}", told)
    if now > one.until_utc:
        text = f"{one.subject} has expired on {one.until_utc:%Y-%m-%d}"
        return wrong(check, text, f"have a new one made: docs/security.md{clock}", told)
    if days < _SOON_DAYS:
        return warning(check, f"{what}: {days} days left", "have a new one made: docs/security.md", told)
    if now >= one.renewal_utc():
        return note(check, f"{what}: {days} days left", "it is time for a new one: docs/security.md", told)
    return ok(check, f"{what}: {days} days left", told)


# --------------------------------------------------------------------------- secrets


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """A file that few may read. None: not known."""

    key: str  # password_file, key_file
    path: Path
    there: bool = True
    mode: int = 0
    folder: bool = False
    empty: bool = False
    seen: bool = True  # whether its folder lets us look
    sign_may: bool | None = None
    sign_user: str = ""


def secret_facts(key: str, path: Path, sign: User | None) -> SecretFacts:
    try:
        found = path.stat()
    except PermissionError:
        return SecretFacts(key, path, seen=False)
    except OSError:
        return SecretFacts(key, path, there=False)
    may = None if sign is None else sign.may(found, 0o4) and _may_pass(path, sign)
    return SecretFacts(
        key,
        path,
        mode=stat.S_IMODE(found.st_mode),
        folder=stat.S_ISDIR(found.st_mode),
        empty=stat.S_ISREG(found.st_mode) and _empty(key, path),
        sign_may=may,
        sign_user=_name(sign),
    )


def _empty(key: str, path: Path) -> bool:
    """Nothing in it, or nothing in the line that is the password; False: this user may not look."""
    try:
        with path.open("rb") as file:
            said = file.readline() if key == "password_file" else file.read(_MOST_LOOKED_AT)
    except OSError:
        return False
    return not said.strip()


def _name(user: User | None) -> str:
    return "" if user is None else user.name


def _may_pass(path: Path, user: User) -> bool:
    """Whether every folder on the way lets this user through."""
    for folder in Path(os.path.realpath(path)).parents:
        try:
            if not user.may(folder.stat(), 0o1):
                return False
        except OSError:
            return False
    return True


def judge_secret(facts: SecretFacts) -> Finding:
    check, path = f"secret {facts.key}", facts.path
    told: dict[str, object] = {
        "file": str(path),
        "mode": f"{facts.mode:03o}",
        "sign_may_read": facts.sign_may,
    }
    if not facts.seen:
        return unknown(check, f"{path} may not be looked at by this user", "look with sudo", told)
    if not facts.there:
        return wrong(check, f"{path} is not there", f"put it there, or correct [mqtt] {facts.key}", told)
    if facts.folder:
        return wrong(check, f"{path} is a folder, no file", f"correct [mqtt] {facts.key}", told)
    if facts.empty:
        what = "the password in its first line" if facts.key == "password_file" else "the key in it"
        return wrong(check, f"{path} is empty", f"write {what}, or correct [mqtt] {facts.key}", told)
    if facts.mode & _OTHERS:
        return wrong(check, f"{path}: everybody can read or change it", f"sudo chmod 640 {path}", told)
    if facts.sign_may is False:
        do = f"sudo chgrp {facts.sign_user} {path} && sudo chmod 640 {path}; its folders must let it in too"
        return wrong(check, f"{path} cannot be read by the sign's user {facts.sign_user}", do, told)
    return ok(check, f"{path} can be read by few", told)
