"""One target in a process of its own: guided by coverage where atheris is installed, else plain mutations.

    python -m tests.fuzz.one radar --runs 10000
    python -m tests.fuzz.one radar build/fuzz/radar/crash-0123       replays inputs

Ends with 0, with 77 for an input that fails, with 70 for one that takes too long; either is kept as a file.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import signal
import sys
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType
from typing import NoReturn

from tests.fuzz import kit
from tests.fuzz.plain import SHARE_OF_CHANGES, mutations

OURS = ["speedsign", "drivers", "telemetry"]
FAILED, HUNG = 77, 70  # as libFuzzer has it
LONGEST_S = 20  # for one input, on a busy machine, under instrumentation; test_worst.py is stricter
_A_ROUND = 1000


class TooLong(BaseException):
    """An input that takes too long; nothing of ours may catch it."""


def has_guidance() -> bool:
    """Whether atheris is there; importing it costs nothing that is not wanted then anyway."""
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target", choices=kit.names())
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, help="a folder: what was new is kept there, and what failed")
    parser.add_argument("--plain", action="store_true", help="no coverage guidance")
    asked = parser.parse_args()
    logging.disable()
    if asked.files:
        replay(kit.load(asked.target), asked.files)
    elif asked.plain or not has_guidance():
        plainly(kit.load(asked.target), asked)
    else:
        guided(asked)


def replay(target: kit.Target, files: list[Path]) -> None:
    """Each input once; what it raises is shown as Python shows it."""
    for file in files:
        target.check(file.read_bytes())
        print(f"{file}: nothing is wrong with it")  # noqa: T201  a command's answer


# --------------------------------------------------------------------------- guided


def guided(asked: argparse.Namespace) -> NoReturn:
    """libFuzzer's own loop, which ends the process."""
    import atheris

    with tempfile.TemporaryDirectory() as folder, atheris.instrument_imports(include=OURS):
        target = kit.load(asked.target)
        for number, data in enumerate(target.inputs()):
            (Path(folder, "seeds") / f"{number:05}").parent.mkdir(exist_ok=True)
            (Path(folder, "seeds") / f"{number:05}").write_bytes(data)
        words = Path(folder, "words")
        words.write_text(kit.as_dictionary(target.words))
        new = (asked.kept or Path(folder)) / "corpus"
        new.mkdir(parents=True, exist_ok=True)
        options = [
            "fuzz",
            f"-runs={asked.runs or -1}",
            f"-max_total_time={asked.seconds}",
            f"-seed={asked.seed}",
            f"-max_len={target.longest}",
            f"-timeout={LONGEST_S}",
            "-report_slow_units=2",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            f"-artifact_prefix={asked.kept or Path(folder)}/",
            *([f"-dict={words}"] if target.words else []),
            str(new),
            str(Path(folder, "seeds")),
        ]
        changes = {"custom_mutator": partial(_changed, target.change)} if target.change else {}
        atheris.Setup(options, target.check, **changes)
        atheris.Fuzz()
    sys.exit(0)


def _changed(change: kit.Change, data: bytes, longest: int, seed: int) -> bytes:
    """As what it means, or as libFuzzer changes bytes."""
    import atheris

    random = Random(seed)
    found = change(data, random) if random.random() < SHARE_OF_CHANGES else data
    return found[:longest] if found != data else bytes(atheris.Mutate(data, longest))


# --------------------------------------------------------------------------- plain


def plainly(target: kit.Target, asked: argparse.Namespace) -> None:
    """The corpus, and then mutations of it until enough were tried, or the time is over."""
    corpus = target.inputs()
    end_s = time.monotonic() + asked.seconds if asked.seconds else None
    signal.signal(signal.SIGALRM, _stop)
    tried = 0
    for data in corpus:
        _try(target, data, asked)
        tried += 1
    for number in count():
        left = asked.runs - tried if asked.runs else _A_ROUND
        if left <= 0 or (end_s is not None and time.monotonic() > end_s):
            break
        seed = asked.seed * 1_000_003 + number
        for data in mutations(target, corpus, seed, min(left, _A_ROUND)):
            _try(target, data, asked)
            tried += 1
    print(f"stat::number_of_executed_units: {tried}", file=sys.stderr)  # noqa: T201  as libFuzzer says it


def _try(target: kit.Target, data: bytes, asked: argparse.Namespace) -> None:
    signal.alarm(LONGEST_S)
    try:
        target.check(data)
    except TooLong:
        _keep(data, "timeout", asked)
        os._exit(HUNG)
    except BaseException:  # noqa: BLE001  all that a target raises is a find
        _keep(data, "crash", asked)
        sys.excepthook(*sys.exc_info())
        os._exit(FAILED)
    finally:
        signal.alarm(0)


def _keep(data: bytes, what: str, asked: argparse.Namespace) -> None:
    folder = asked.kept or Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{what}-{hashlib.sha1(data).hexdigest()}"
    file.write_bytes(data)
    print(f"kept as {file}", file=sys.stderr, flush=True)  # noqa: T201


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


if __name__ == "__main__":
    main()
