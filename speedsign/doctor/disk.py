"""The card or disk below the database: room, mount, errors, wear.

Sources: statvfs(3), proc_pid_mountinfo(5), the kernel's ABI documents of ext4 (errors_count) and of eMMC
(life_time, pre_eol_info; JESD84-B51, 7.4.38 and 7.4.40).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from speedsign.doctor.files import lines, text, whole
from speedsign.doctor.finding import Finding, note, ok, unknown, warning, wrong

LITTLE_MB, NONE_MB = 300, 30
LITTLE_SHARE = 0.05
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_WORN_OUT, _NEARLY = 0x0B, 0x0A  # life_time: used up; 90 to 100 % used
_PRE_EOL_WARNING, _PRE_EOL_URGENT = 2, 3
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """What a path stands on."""

    place: str
    kind: str  # ext4, tmpfs, overlay, …
    source: str  # /dev/mmcblk0p2
    options: tuple[str, ...]  # of this mount and of the file system
    upper: Mount | None = None  # of an overlay: what is written to


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """None: the machine does not tell."""

    path: Path  # of the store
    free_mb: int | None = None
    free_share: float | None = None
    free_inodes: int | None = None  # None: this file system has none to count
    mount: Mount | None = None
    ext4_errors: int | None = None
    life_time: tuple[int, ...] = ()  # of an eMMC: tenths that are used, from 1
    pre_eol: int | None = None


def disk_facts(root: Path, path: Path) -> DiskFacts:
    """Blocks while the disk does."""
    there = next((one for one in (path, *path.parents) if _seen(one)), Path("/"))
    mount = mount_of(lines(root / "proc/self/mountinfo"), os.path.realpath(there))
    free_mb, share, inodes = _room(there)
    source = Path(_base(mount)).name
    disk = re.sub(r"p\d+$", "", source) if source.startswith("mmcblk") else ""
    device = root / "sys/block" / disk / "device" if disk else None
    return DiskFacts(
        path,
        free_mb,
        share,
        inodes,
        mount,
        whole(root / "sys/fs/ext4" / source / "errors_count") if source else None,
        _life(text(device / "life_time")) if device else (),
        _hexadecimal(text(device / "pre_eol_info")) if device else None,
    )


def judge_disk(facts: DiskFacts) -> list[Finding]:
    mount = facts.mount
    told: dict[str, object] = {
        "path": str(facts.path),
        "free_mb": facts.free_mb,
        "free_share": None if facts.free_share is None else round(facts.free_share, 3),
        "free_inodes": facts.free_inodes,
        "mounted_at": mount.place if mount else None,
        "kind": mount.kind if mount else None,
        "source": mount.source if mount else None,
        "ext4_errors": facts.ext4_errors,
        "life_time": list(facts.life_time),
        "pre_eol": facts.pre_eol,
    }
    found = [*_mounted(facts, told), *_space(facts, told), *_errors(facts, told), *_wear(facts, told)]
    if found:
        return found
    if facts.free_mb is None:
        return [unknown("disk", "its free space cannot be asked for", facts=told)]
    health = f", {_worn(facts)}" if facts.life_time else ""
    where = f"{mount.kind} at {mount.place}" if mount else str(facts.path.parent)
    return [ok("disk", f"{_mb(facts.free_mb)} free ({where}){health}", told)]


def _mounted(facts: DiskFacts, told: dict[str, object]) -> list[Finding]:
    mount = facts.mount
    if mount is None:
        return []
    written = mount.upper or mount
    if written.kind in _IN_MEMORY:
        what = f"{facts.path} is in memory ({written.kind}): each power cut loses all that was counted"
        do = f"put [store] path on the card; it is below {mount.place} now"
        if mount.upper:
            do = "switch the overlay file system off (raspi-config), or mount a disk at the store's folder"
        return [wrong("disk", what, do, told), *_read_only(mount, told)]
    return _read_only(mount, told)


def _read_only(mount: Mount, told: dict[str, object]) -> list[Finding]:
    if "ro" in mount.options:
        what = f"{mount.place} can only be read, so nothing can be stored"
        do = f"if the card failed, replace it (dmesg says why); else: sudo mount -o remount,rw {mount.place}"
        return [wrong("disk", what, do, told)]
    return []


def _space(facts: DiskFacts, told: dict[str, object]) -> list[Finding]:
    free_mb, share = facts.free_mb, facts.free_share
    if free_mb is None:
        return []
    do = "see what takes it: sudo du -xh / | sort -h | tail; old logs: sudo journalctl --vacuum-size=50M"
    if free_mb < NONE_MB:
        return [wrong("disk", f"full: {_mb(free_mb)} free", do, told)]
    if facts.free_inodes is not None and facts.free_inodes < 1000:
        what = f"{facts.free_inodes} more files can be made, and then none"
        return [warning("disk", what, "find the folder with very many files and empty it", told)]
    if free_mb < LITTLE_MB or (share is not None and share < LITTLE_SHARE and free_mb < 2 * LITTLE_MB):
        return [warning("disk", f"nearly full: {_mb(free_mb)} free", do, told)]
    return []


def _errors(facts: DiskFacts, told: dict[str, object]) -> list[Finding]:
    if not facts.ext4_errors:
        return []
    what = f"the file system has noted errors: {facts.ext4_errors} since it was last checked"
    do = "speedsign backup; have it checked at the next start (fsck.mode=force); think about a new card"
    return [wrong("disk", what, do, told)]


def _wear(facts: DiskFacts, told: dict[str, object]) -> list[Finding]:
    do = "back up (speedsign backup) and replace it soon"
    most = max(facts.life_time, default=0)
    if most >= _WORN_OUT or facts.pre_eol == _PRE_EOL_URGENT:
        return [wrong("disk", "the eMMC is worn out by its own account", do, told)]
    if most >= _NEARLY or facts.pre_eol == _PRE_EOL_WARNING:
        return [warning("disk", "the eMMC has less than a tenth of its life left", do, told)]
    if most >= 8:
        return [note("disk", _worn(facts), "plan its replacement", told)]
    return []


def _worn(facts: DiskFacts) -> str:
    used = max(facts.life_time)
    return f"eMMC {10 * (used - 1)} to {10 * used} % used"


def _mb(size: int) -> str:
    return f"{size / 1000:.1f} GB" if size >= 1000 else f"{size} MB"


# --------------------------------------------------------------------------- from the kernel's files


def mount_of(mountinfo: list[str], real_path: str) -> Mount | None:
    """The mount that a path without links is on; of several at one place the last.

    >>> line = "36 35 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw,errors=remount-ro"
    >>> mount_of([line], "/var/lib").kind
    'ext4'
    """
    mounts = [one for line in mountinfo if (one := _parsed(line)) is not None]
    best = _best(mounts, real_path)
    if best is None or best.kind != "overlay":
        return best
    uppers = [one.partition("=")[2] for one in best.options if one.startswith("upperdir=")]
    upper = _best([one for one in mounts if one is not best], uppers[0]) if uppers else None
    return Mount(best.place, best.kind, best.source, best.options, upper)


def _best(mounts: list[Mount], path: str) -> Mount | None:
    below = [one for one in mounts if one.place == "/" or f"{path}/".startswith(f"{one.place}/")]
    longest = max((len(one.place) for one in below), default=0)
    return next((one for one in reversed(below) if len(one.place) == longest), None)


def _parsed(line: str) -> Mount | None:
    words = line.split()
    if "-" not in words or len(words) < 10:
        return None
    after = words[words.index("-") + 1 :]
    if len(after) < 3:
        return None
    # A file system that the kernel has made read-only after an error says so in its own options alone.
    options = (*words[5].split(","), *after[2].split(","))
    return Mount(_plain(words[4]), after[0], _plain(after[1]), options)


def _plain(word: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), word)


def _base(mount: Mount | None) -> str:
    if mount is None:
        return ""
    return (mount.upper or mount).source


def _room(path: Path) -> tuple[int | None, float | None, int | None]:
    try:
        told = os.statvfs(path)
    except OSError:
        return None, None, None
    share = told.f_bavail / told.f_blocks if told.f_blocks else None
    return told.f_bavail * told.f_frsize // 1_000_000, share, told.f_favail if told.f_files else None


def _seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _life(told: str | None) -> tuple[int, ...]:
    numbers = [_hexadecimal(word) for word in (told or "").split()]
    return tuple(one for one in numbers if one)  # 0: not told


def _hexadecimal(word: str | None) -> int | None:
    try:
        return int(word or "", 16)
    except ValueError:
        return None
