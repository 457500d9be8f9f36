"""The config read in a process of its own: the same config, the same problems, nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from speedsign.config.apart import load_config_apart
from speedsign.config.load import load_config
from speedsign.errors import ConfigError

GOOD = '[sign]\nid="test-sign"\nlimit_kmh=50\n[radar]\ndriver="ops243"\nport="/dev/x"\n'


def test_it_is_the_same_config_and_work_is_done_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "sign.toml"
    path.write_text(GOOD)
    done: list[int] = []
    assert load_config_apart(path, lambda: done.append(os.getpid())) == load_config(path)
    assert done == [os.getpid()]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_every_problem_comes_across(tmp_path: Path) -> None:
    path = tmp_path / "sign.toml"
    path.write_text(GOOD.replace("50", "500") + "colour = 1\n")
    with pytest.raises(ConfigError) as apart:
        load_config_apart(path, lambda: None)
    with pytest.raises(ConfigError) as here:
        load_config(path)
    assert apart.value.problems == here.value.problems
    assert len(here.value.problems) == 2


def test_a_child_that_dies_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speedsign.config.apart._answer", lambda _path, _fd: os._exit(9))
    with pytest.raises(ConfigError, match="could not be read"):
        load_config_apart(tmp_path / "sign.toml", lambda: None)
