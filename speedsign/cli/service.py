"""The sign as a service of systemd: is it running, stop it for its ports, start it again."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from speedsign.errors import SpeedsignError

USUAL_NAME = "speedsign"
_LONGEST_S = 90.0  # TimeoutStartSec= is 60
_RUNNING = ("active", "activating", "reloading")
_NO_SYSTEMD = "not been booted"  # what it says in a container
_SHOWN = 200  # characters of what systemctl says


@dataclass(frozen=True, slots=True)
class Service:
    """Asked and told by systemctl, which a Ctrl-C of ours does not reach."""

    name: str = USUAL_NAME

    @property
    def there(self) -> bool:
        """Whether this machine runs services by systemd at all."""
        if shutil.which("systemctl") is None:
            return False
        try:
            return _NO_SYSTEMD not in self._call("is-active").stderr
        except SpeedsignError:
            return False

    def running(self) -> bool:
        """Whether it runs, or is about to."""
        if shutil.which("systemctl") is None:
            return False
        try:
            return self._call("is-active").stdout.strip() in _RUNNING
        except SpeedsignError:
            return False  # a systemctl that hangs runs nothing for us

    def stop(self) -> None:
        """Raises SpeedsignError."""
        self._tell("stop")

    def start(self) -> None:
        """It is left with its new config, running or not. Raises SpeedsignError."""
        self._tell("restart" if self.running() else "start")

    def by_hand(self, word: str) -> str:
        """What a person types."""
        return f"sudo systemctl {word} {self.name}"

    def _tell(self, word: str) -> None:
        done = self._call(word)
        if done.returncode == 0:
            return
        said = " ".join((done.stderr or done.stdout).split())[:_SHOWN] or f"exit code {done.returncode}"
        raise SpeedsignError(
            f"the service {self.name} cannot be {_DONE[word]}: {said}; {self._hint(said, word)}"
        )

    def _hint(self, said: str, word: str) -> str:
        if "not found" in said or "not loaded" in said:
            return "name it with --service, or install systemd/speedsign.service"
        if "denied" in said.lower() or "authentication" in said.lower():
            return f"try again with sudo, or by hand: {self.by_hand(word)}"
        return f"look at: journalctl -u {self.name} -n 20"

    def _call(self, word: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["systemctl", word, self.name],  # noqa: S607  the system's own
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_LONGEST_S,
                start_new_session=True,  # a Ctrl-C is ours
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeedsignError(f"systemctl {word} {self.name}: {error}") from None


_DONE = {"stop": "stopped", "start": "started", "restart": "started again"}
