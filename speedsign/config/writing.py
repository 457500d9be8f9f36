"""Changing a config as a careful person would: the keys that change and nothing else, and never half a file.

`set_values` is pure: text in, text out. A value that is there is replaced where it stands, comment and all;
a new key goes below the line that shows its default, else below the last key of its table. What comes out is
read again and has to say exactly what was wanted, whatever the old text looked like.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

import tomlkit
from tomlkit.exceptions import TOMLKitError

from speedsign.config.lines import key_lines
from speedsign.config.load import parse_config
from speedsign.config.schema import Config
from speedsign.config.table_out import without_table
from speedsign.config.toml_text import read_text, read_toml
from speedsign.errors import ConfigError, SpeedsignError

TEMPLATE = """\
# The config of this sign, as it was commissioned. docs/config.md describes every key.
# After a change by hand: speedsign check, then sudo systemctl restart speedsign

[sign]                            # which sign this is and where it stands

[radar]                           # the sensor and its serial line
"""
_ABOUT = {
    "display": "the panel and its Modbus line",
    "rules": "what is shown to whom",
    "brightness": "by day bright, by night dim",
    "mqtt": "the broker",
    "store": "the database",
}
_HEADER = re.compile(r"\s*\[\[?[\w\"'. -]+\]\]?\s*(#.*)?$")
_COMMENT_COLUMN = 34
_FRESH_MODE = 0o644  # passwords stand in files of their own, never here


def set_values(text: str, values: Mapping[str, Any], name: str = "the config") -> str:
    """The text with these values: `{"radar.mounting_angle_deg": 12.4}`; None takes a key out.

    Values: text, number, true or false, lists of those. Raises ConfigError where the text is no TOML, or is
    written so that it cannot be changed without a person; `name` stands for the file then.
    """
    raw = read_toml(text, name)
    for dotted, value in values.items():
        path = tuple(dotted.split("."))
        before, raw = raw, _with(raw, path, value, name)
        if raw != before or _types_differ(before, path, value):
            text = _changed(text, path, value, raw, name)
    return text


def as_toml(document: Mapping[str, Any]) -> str:
    """A document without comments: tables, texts, numbers, true and false, lists of those."""
    return tomlkit.dumps(document)


def write_config(path: Path, text: str, *, old: str | None) -> Config:
    """Put the text in the place of the config, at once or not at all; what it says.

    `old`: the text that it was made from, None where there was no file; a file that says something else by
    now is left alone. It is kept as `NAME.before`. Raises ConfigError where the text is no good config, and
    SpeedsignError where it cannot be written.
    """
    config = parse_config(text, str(path))
    check_place(path)
    if _now(path) != old:
        raise SpeedsignError(
            f"{path}: somebody else has changed it meanwhile; nothing was written, try again"
        )
    if text == old:
        return config
    like = path.stat() if old is not None else None
    if old is not None:
        _put(path.with_name(f"{path.name}.before"), old, like)
    _put(path, text, like)
    return config


def check_place(path: Path) -> None:
    """Raises SpeedsignError where a config could not be written: better said before the work than after."""
    folder = path.parent
    if path.is_symlink():
        raise SpeedsignError(f"{path}: is a link to {path.readlink()}; name that file with --config")
    if not folder.is_dir():
        raise SpeedsignError(f"{folder}: no such folder; make it with: sudo mkdir -p {folder}")
    if path.exists() and not path.is_file():
        raise SpeedsignError(f"{path}: is no file; name another one with --config")
    if not os.access(folder, os.W_OK):
        why = "the file system is read-only" if _read_only(folder) else "not permitted; try again with sudo"
        raise SpeedsignError(f"{folder}: nothing can be written there: {why}")


def put_file(path: Path, text: str, mode: int) -> None:
    """A whole file or none; raises SpeedsignError."""
    _put(path, text, None, mode)


# --------------------------------------------------------------------------- the text


def _with(raw: dict[str, Any], path: tuple[str, ...], value: Any, name: str) -> dict[str, Any]:
    """The tables with one value set, or taken out."""
    raw = copy.deepcopy(raw)
    table: Any = raw
    for part in path[:-1]:
        if value is None and part not in table:
            return raw
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError([f"{name}: {part} is no table of keys; [{'.'.join(path[:-1])}] is"])
    if value is None:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = _plain(value)
    return raw


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _types_differ(raw: Mapping[str, Any], path: tuple[str, ...], value: Any) -> bool:
    """1, 1.0 and true are equal in Python and not in a config."""
    at: Any = raw
    for part in path:
        if not isinstance(at, dict) or part not in at:
            return False
        at = at[part]
    return value is not None and type(at) is not type(_plain(value))


def _changed(text: str, path: tuple[str, ...], value: Any, wanted: dict[str, Any], name: str) -> str:
    """The text that says `wanted`, by the gentlest way that does."""
    for attempt in _attempts(text, path, value):
        with contextlib.suppress(tomllib.TOMLDecodeError, ValueError, RecursionError):
            if repr(tomllib.loads(attempt)) == repr(_in_order(wanted, tomllib.loads(attempt))):
                return attempt
    what = f"take {'.'.join(path)} out" if value is None else f"set {'.'.join(path)} = {_toml(value)}"
    raise ConfigError([f"{name}: is written in a way that cannot be changed here; {what} by hand"])


def _in_order(wanted: Any, like: Any) -> Any:
    """The same tables with their keys in the order of another text: only then texts can be compared."""
    if not isinstance(wanted, dict) or not isinstance(like, dict):
        return wanted
    order = [*(key for key in like if key in wanted), *(key for key in wanted if key not in like)]
    return {key: _in_order(wanted[key], like.get(key)) for key in order}


def _attempts(text: str, path: tuple[str, ...], value: Any) -> Iterator[str]:
    lines = key_lines(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    if value is not None and path not in lines:
        if path[:-1] in lines and _is_header(text, lines[path[:-1]]):
            yield from _inserted(text, path, f"{path[-1]} = {_toml(value)}", newline)
        elif path[:1] not in lines:
            yield _appended(text, path, value, newline)
    if value is None:
        yield without_table(text, path)
    with contextlib.suppress(TOMLKitError, KeyError, TypeError, ValueError, AttributeError):
        yield _replaced(text, path, value)
    if value is not None:
        yield _appended(text, path, value, newline)


def _is_header(text: str, line: int) -> bool:
    return text.splitlines()[line - 1].lstrip().startswith("[")


def _inserted(text: str, path: tuple[str, ...], line: str, newline: str) -> Iterator[str]:
    """A new line in a table that has a header, at every place where it may go, the best first."""
    lines = text.splitlines(keepends=True)
    header = key_lines(text)[path[:-1]]
    rest = lines[header:]
    length = len(list(takewhile(lambda one: not _HEADER.match(one), rest)))
    own = list(
        takewhile(lambda one: not re.match(r"#\s*\[", one), rest[:length])
    )  # not "# [tracking]" and on
    shown = [n for n, one in enumerate(own, 1) if re.match(rf"#\s*{re.escape(path[-1])}\s*[=:]", one)]
    keys = [n for n, one in enumerate(own, 1) if re.match(r"\s*[\w\"'.-]+\s*=", one)]
    last = keys[-1] if keys else 0
    for at in dict.fromkeys([*shown[:1], *range(last, length + 1), 0]):
        before = "".join(lines[: header + at])
        yield f"{_ended(before, newline)}{line}{newline}{''.join(lines[header + at :])}"


def _appended(text: str, path: tuple[str, ...], value: Any, newline: str) -> str:
    """A table of its own at the end."""
    table = ".".join(path[:-1])
    header = f"[{table}]"
    if about := _ABOUT.get(table):
        header = f"{header:<{_COMMENT_COLUMN}}# {about}"
    return f"{_ended(text, newline)}{newline}{header}{newline}{path[-1]} = {_toml(value)}{newline}"


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _replaced(text: str, path: tuple[str, ...], value: Any) -> str:
    """A value in its place, the comment behind it kept; or the whole line taken out."""
    document = tomlkit.parse(text)
    table: Any = document
    for part in path[:-1]:
        table = table[part]
    if value is None:
        del table[path[-1]]
        return tomlkit.dumps(document)
    old, new = _item(table, path[-1]), tomlkit.item(_plain(value))
    table[path[-1]] = new
    if old is not None and new.trivia.comment:  # it stays in its column where there is room
        room = len(old.as_string()) + len(old.trivia.comment_ws) - len(new.as_string())
        new.trivia.comment_ws = " " * max(room, 1)
    return tomlkit.dumps(document)


def _item(table: Any, key: str) -> Any:
    """With what stands around it; None: not there, or in a table that is scattered over the file."""
    return table.item(key) if key in table and hasattr(table, "item") else None


def _toml(value: Any) -> str:
    return str(tomlkit.item(_plain(value)).as_string())


# --------------------------------------------------------------------------- the file


def _now(path: Path) -> str | None:
    return read_text(path) if path.exists() else None


def _put(path: Path, text: str, like: os.stat_result | None, mode: int = _FRESH_MODE) -> None:
    """Written beside its name, forced to the card, then renamed; owner and mode as `like` has them."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            if like is not None:
                _own(file.fileno(), like)
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode) if like is not None else mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        _refuse(path, error)


def _own(fd: int, like: os.stat_result) -> None:
    """The owner that the old file had; only root can give a file away."""
    made = os.fstat(fd)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(fd, like.st_uid, like.st_gid)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refuse(path: Path, error: OSError) -> NoReturn:
    hints = {
        errno.EACCES: "try again with sudo",
        errno.EPERM: "its owner is somebody else; try again with sudo",
        errno.EROFS: "mount it for writing",
        errno.ENOSPC: "make room",
    }
    hint = hints.get(error.errno or 0, "check the disk")
    why = f"{error.strerror or error}; {hint}"
    raise SpeedsignError(f"{path}: cannot be written: {why}; what was there is as it was") from error


def _read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
