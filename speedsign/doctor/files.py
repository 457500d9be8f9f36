"""Small files of the kernel, which may be missing, forbidden or nonsense: then None. Nothing here raises."""

from __future__ import annotations

from pathlib import Path

_MOST = 262_144


def text(path: Path, most: int = _MOST) -> str | None:
    """What stands in it, without the ends; None when it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(most).strip().replace("\0", "")
    except (OSError, ValueError):
        return None


def there(path: Path) -> bool:
    """Whether there is such a file, as far as this user may know: what is in a closed folder may be there."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def lines(path: Path) -> list[str]:
    return (text(path) or "").splitlines()


def whole(path: Path, base: int = 10) -> int | None:
    try:
        return int(text(path) or "", base)
    except ValueError:
        return None


def names(folder: Path, pattern: str = "*") -> list[Path]:
    """What is in a folder, sorted."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def programs(root: Path) -> dict[str, list[int]]:
    """Which programs run: name (15 characters at most) -> process numbers."""
    found: dict[str, list[int]] = {}
    for folder in names(root / "proc", "[0-9]*"):
        name = text(folder / "comm", 64)
        if name and folder.name.isdecimal():
            found.setdefault(name, []).append(int(folder.name))
    return found
