"""Keys for signing packages in tests: made for the moment, never kept."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def a_key(folder: Path, name: str) -> Iterator[str]:
    """A key that is thrown away afterwards; its public half is in `folder`. GNUPGHOME is set meanwhile."""
    with tempfile.TemporaryDirectory(prefix="speedsign-key-") as home:
        before = os.environ.get("GNUPGHOME")
        os.environ["GNUPGHOME"] = home
        try:
            address = f"{name}@example.org"
            make = [
                "gpg",
                "--batch",
                "--quiet",
                "--passphrase",
                "",
                "--quick-generate-key",
                address,
                "ed25519",
                "sign",
            ]
            subprocess.run(make, check=True, capture_output=True)
            public = subprocess.run(["gpg", "--armor", "--export", address], check=True, capture_output=True)
            (folder / f"{name}.asc").write_bytes(public.stdout)
            yield address
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
            if before is None:
                del os.environ["GNUPGHOME"]
            else:
                os.environ["GNUPGHOME"] = before
