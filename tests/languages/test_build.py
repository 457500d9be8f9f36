"""The package as it is built: catalogues compiled, from a clone and from a source package alike."""

from __future__ import annotations

import gettext
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from hatch_build import compiled
from tests.languages.catalogues import PLURALS, ROOT, path_of

pytestmark = pytest.mark.wires

BUILD = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"


def built(kind: str, source: Path, target: Path) -> Path:
    """The file that a build front end gets: kind is build_wheel or build_sdist."""
    command = [sys.executable, "-c", BUILD, kind, str(target)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    return target / result.stdout.split()[-1]


def test_a_wheel_from_the_source_package_speaks_every_language(tmp_path: Path) -> None:
    with tarfile.open(built("build_sdist", ROOT, tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert not list(source.rglob("*.mo"))
    with zipfile.ZipFile(built("build_wheel", source, tmp_path)) as wheel:
        for code in PLURALS:
            name = f"speedsign/locale/{code}/LC_MESSAGES/speedsign.mo"
            assert wheel.read(name) == compiled(path_of(code))
            found = gettext.GNUTranslations(BytesIO(wheel.read(name)))
            assert found.gettext("Vehicles") != "Vehicles"
        assert "telemetry/report/report.typ" in wheel.namelist()


def test_the_same_words_give_the_same_file() -> None:
    assert compiled(path_of("lv")) == compiled(path_of("lv"))
    assert b"Date: 2000-01-01" in compiled(path_of("lv"))
