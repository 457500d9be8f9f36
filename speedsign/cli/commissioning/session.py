"""One commissioning: what is known so far, who is asked, and the sign's service, which has the ports."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar

from speedsign.cli.commissioning.ask import Asker, Given
from speedsign.cli.commissioning.devices import Devices
from speedsign.cli.commissioning.draft import Draft, write_draft
from speedsign.cli.commissioning.draft import path_of as draft_path
from speedsign.cli.commissioning.misfits import misfits_of, no_value
from speedsign.cli.service import Service
from speedsign.config.load import parse_config
from speedsign.config.schema import (
    Config,
    DisplayConfig,
    MqttConfig,
    RadarConfig,
    RulesConfig,
    SignConfig,
)
from speedsign.config.writing import TEMPLATE, set_values
from speedsign.errors import ConfigError, SpeedsignError, UsageError
from speedsign.ports import Clock

T = TypeVar("T")

_ORDER = ("sign", "radar", "tracking", "display", "rules", "brightness", "store", "mqtt")
_FIELDS = {
    name: {field.name: field for field in fields(cls)}
    for name, cls in (
        ("sign", SignConfig), ("radar", RadarConfig), ("display", DisplayConfig), ("rules", RulesConfig),
        ("mqtt", MqttConfig),
    )
}  # fmt: skip
_STAND_INS = {"sign.id": "stand-in", "sign.limit_kmh": 50, "radar.driver": "ops243", "radar.port": "stand-in"}


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the draft, before a step."""

    values: dict[str, Any]
    records: list[str]


@dataclass(slots=True)
class Session:
    """`given`: answers by option, by its name; `old`: the config as it is, None where there is none."""

    config_path: Path
    old: str | None
    draft: Draft
    asker: Asker
    given: Mapping[str, Any]
    service: Service
    clock: Clock
    devices: Devices
    columns: int = 80
    notes: dict[str, Any] = field(default_factory=dict)  # what one step tells another
    written: bool = False
    started: bool = False
    kept: int = 0  # records
    troubles: list[str] = field(default_factory=list)  # what did not go well, in sentences

    # ------------------------------------------------------------------ what is known

    @property
    def fresh(self) -> bool:
        """Whether there is no config yet."""
        return self.old is None

    def get(self, dotted: str, default: Any = None) -> Any:
        """The value as it would be written now: the draft's, else the old config's."""
        values = self.draft.values
        if dotted in values:
            return default if values[dotted] is None else values[dotted]
        table = dotted.partition(".")[0]
        return default if table in values and values[table] is None else self.before(dotted, default)

    def before(self, dotted: str, default: Any = None) -> Any:
        """The value of the config that is in force; one that no config can have is none."""
        value = self.raw(dotted)
        if value is None or self.misfit(dotted) is not None:
            return default
        return str(value) if isinstance(value, date | time) else value  # a text, to the config

    def raw(self, dotted: str) -> Any:
        """What stands there, right or wrong; None: nothing."""
        at: Any = tomllib.loads(self.old or "")
        for part in dotted.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        return at

    def misfit(self, dotted: str) -> str | None:
        """What is wrong with this key of the old config by itself, in a sentence; None: nothing."""
        path = tuple(dotted.split("."))
        for other, sentence in self.misfits().items():
            if path[: len(other)] == other or other[: len(path)] == path:
                return sentence
        return None

    def misfits(self) -> Mapping[tuple[str, ...], str]:
        """Everything in the old config that no config can have; what is only missing is not among it."""
        return misfits_of(self.old or "", str(self.config_path))

    def left_wrong(self, tables: Sequence[str]) -> dict[str, str]:
        """What is still so in these tables: dotted key, of an entry in a list with its number -> sentence."""
        left = {}
        for path, sentence in self.misfits().items():
            above = {".".join(path[:length]) for length in range(1, len(path) + 1)}
            if path[0] in tables and not above & self.draft.values.keys():
                left[".".join(path)] = sentence
        return left

    def check_tables(self) -> None:
        """Raises ConfigError for a table that is none: nothing could be written into it."""
        wrong = [sentence for path, sentence in self.misfits().items() if len(path) == 1]
        if wrong:
            raise ConfigError(wrong)

    def check_draft(self) -> None:
        """Raises UsageError for a draft that somebody has edited into what no config can have."""
        values = self.draft.values
        half = [one for step in self.draft.half.values() for one in step.items()]
        for dotted, value in [*values.items(), *half]:
            if value is not None and (wrong := no_value(dotted, value)):
                raise UsageError(f"{draft_path(self.config_path)}: {wrong}; begin anew with --fresh")

    def put(self, values: Mapping[str, Any]) -> None:
        """From now on these; None takes a key out. What is as the config has it anyway needs no draft."""
        for dotted, value in values.items():
            self.draft.values.pop(dotted.partition(".")[0], None)  # a table that was to go stays after all
            if value is None and "." not in dotted:
                self._forget_table(dotted)
            if value == self.raw(dotted) and type(value) is type(self.raw(dotted)):
                self.draft.values.pop(dotted, None)
            else:
                self.draft.values[dotted] = value

    def _forget_table(self, table: str) -> None:
        for dotted in [one for one in self.draft.values if one.startswith(f"{table}.")]:
            del self.draft.values[dotted]

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What would be written: key -> before, after."""
        return {key: (self.raw(key), value) for key, value in _ordered(self.draft.values).items()
                if value is not None or self.raw(key) is not None}  # fmt: skip

    def text(self, **more: Any) -> str:
        """The new config's text; raises ConfigError where the old one cannot be changed."""
        old = TEMPLATE if self.old is None else self.old
        return set_values(old, _ordered({**self.draft.values, **more}), str(self.config_path))

    def config(self) -> Config:
        """The new config, checked; raises ConfigError."""
        return parse_config(self.text(), str(self.config_path))

    def whole_config(self) -> Config | None:
        """The same; None where something is still missing or wrong."""
        try:
            return self.config()
        except ConfigError:
            return None

    def complaints(self, tables: Sequence[str], values: Mapping[str, Any] | None = None) -> list[str]:
        """What is wrong with these tables, in sentences without the file: with `values` in them, if given."""
        missing = {key: value for key, value in _STAND_INS.items() if self.get(key) is None}
        try:
            text = self.text(**{**missing, **(values or {})})
            parse_config(text, "")
        except ConfigError as error:
            said = [re.sub(r"^:?\d*: ", "", one) for one in error.problems]
            return [one for one in said if any(f"[{table}" in one for table in tables)]
        return []

    def checked(self, dotted: str, read: Callable[[str], T]) -> Callable[[str], T]:
        """What reads an answer, and then asks the config's own check about it."""
        table, _, key = dotted.rpartition(".")

        def read_checked(text: str) -> T:
            value = read(text)
            for one in self.complaints([table], {dotted: value}):
                if f"] {key}" in one:
                    raise ValueError(one)
            return value

        return read_checked

    # ------------------------------------------------------------------ asking

    def given_as(self, option: str) -> Given:
        """The answer by an option: `given_as("--limit")`."""
        name = option.removeprefix("--").replace("-", "_")
        return Given(option, self.given.get(name))

    async def ask_key(
        self,
        dotted: str,
        question: str,
        read: Callable[[str], Any],
        *,
        option: str | None = None,
        default: Any = None,
        usual: Any = None,
        about: str = "",
    ) -> Any:
        """Ask for one key of the config and note the answer; the default is what it says now.

        What holds without the key (`usual`, else the schema's default) is not written into a config that does
        not have it.
        """
        given = self.given_as(option) if option else None
        if self.asker.yes and (given is None or given.value is None):
            self.refuse_wrong(dotted)
        now = self.get(dotted, default)
        shown = None if now is None else _shown(now)
        answer = await self.asker.ask(
            question,
            self.checked(dotted, read),
            default=shown,
            given=given,
            about=about,
        )
        same = answer == (usual if usual is not None else _without(dotted))
        self.put({dotted: None if same and self.raw(dotted) is None else answer})
        return answer

    def refuse_wrong(self, *keys: str) -> None:
        """Where nobody is asked, a wrong value is not replaced by a guess. Raises UsageError."""
        for dotted in keys:
            if dotted not in self.draft.values and (sentence := self.misfit(dotted)) is not None:
                raise UsageError(sentence)

    def say(self, text: str = "") -> None:
        self.asker.say(text)

    # ------------------------------------------------------------------ a step

    def begin(self, step: str) -> Kept:
        """What there was before it; what was answered of it at another time is proposed."""
        kept = Kept(dict(self.draft.values), list(self.draft.records))
        self.draft.values |= self.draft.half.pop(step, {})
        return kept

    def undo(self, kept: Kept) -> None:
        """As if the step had not been begun."""
        self.draft.values, self.draft.records = kept.values, kept.records

    def lay_aside(self, step: str, kept: Kept) -> None:
        """The same, but what was answered is proposed when the step is done again."""
        half = {
            key: value
            for key, value in self.draft.values.items()
            if key not in kept.values or kept.values[key] != value
        }
        self.undo(kept)
        if half:
            self.draft.half[step] = half

    def note_done(self, step: str, options: Mapping[str, str], *, whole: bool) -> None:
        """It has come to its end, by these options; what is not `whole` is still to be done."""
        self.draft.done = [one for one in self.draft.done if whole or one != step]
        if whole and step not in self.draft.done:
            self.draft.done.append(step)
        self.draft.given |= options

    def save(self) -> None:
        """The draft, so that nothing is lost. Raises SpeedsignError."""
        write_draft(self.config_path, self.draft)

    # ------------------------------------------------------------------ the ports

    async def free_ports(self) -> None:
        """The sign has its ports while it runs: it is stopped, with a yes, and started again at the end."""
        if self.stopped or not self.service.running():
            return
        self.say("The sign is running and has the ports.")
        agreed = await self.asker.confirm(
            "Stop it meanwhile?", about="It is started again when you are done, however that ends."
        )
        if not agreed:
            raise SpeedsignError(f"the sign keeps its ports; later: {self.service.by_hand('stop')}")
        self.note_stopped(self.service.name)  # first: if we are killed, the next run knows
        try:
            self.service.stop()
        except SpeedsignError:
            self.note_stopped("")
            raise
        self.say("It is stopped.")

    @property
    def stopped(self) -> bool:
        """Whether the service was stopped by a commissioning, this one or one that was cut off."""
        return self.draft.stopped == self.service.name

    def note_stopped(self, name: str) -> None:
        """Beside the config; raises SpeedsignError."""
        self.draft.stopped = name
        self.save()

    def give_back(self) -> None:
        """Start the service again where we have stopped it; never raises."""
        if not self.stopped:
            return
        try:
            self.service.start()
            self.say("The sign runs again.")
            self.note_stopped("")
        except SpeedsignError as error:
            self.troubles.append(str(error))
            self.say(str(error))


def _ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of a config's tables: a new file is written so."""

    def place(dotted: str) -> int:
        table = dotted.partition(".")[0]
        return _ORDER.index(table) if table in _ORDER else len(_ORDER)

    return {key: values[key] for key in sorted(values, key=place)}


def _without(dotted: str) -> Any:
    """What holds where a config does not have this key, as TOML has it; None: nothing does."""
    table, _, key = dotted.rpartition(".")
    default = _FIELDS[table][key].default if table in _FIELDS else MISSING
    if default is MISSING:
        return None
    return list(default) if isinstance(default, tuple) else default


def _shown(value: Any) -> str:
    """A value as a person would type it."""
    if isinstance(value, bool):
        return "y" if value else "n"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
