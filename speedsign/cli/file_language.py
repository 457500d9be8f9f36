"""In which language a written report is: asked for, the config's, or that of the sign's country."""

from __future__ import annotations

from pathlib import Path

from speedsign.cli.selection import Choice
from speedsign.countries import country_of
from speedsign.language import LANGUAGES, Language, language


def file_language(code: str | None, choice: Choice, config_path: Path, timezone: str) -> Language:
    """The config's, when the config is what names the database; else that of the sign's time zone.

    Raises ConfigError.
    """
    return language(code or _found(choice, config_path, timezone))


def _found(choice: Choice, config_path: Path, timezone: str) -> str:
    if choice.db_path is None:
        from speedsign.config.officer_keys import officer_keys

        return officer_keys(config_path).language
    country = country_of(None, timezone).name
    return country if country in LANGUAGES else "en"
