"""Keys: made for one person, never overwritten, refused when others can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.config.load import parse_config
from speedsign.errors import UsageError
from telemetry.command.signature import (
    PrivateKey,
    public_bytes,
    public_text,
    read_private,
    verify,
    write_private,
)
from tests.cli.command import as_json, speedsign
from tests.core.test_config_remote import HEAD


def test_a_key_signs_what_its_public_half_verifies() -> None:
    key, other = PrivateKey.new(), PrivateKey.new()
    signature = key.sign(b"text")
    assert verify(key.public, signature, b"text")
    assert not verify(key.public, signature, b"texts")
    assert not verify(other.public, signature, b"text")
    assert not verify(key.public, bytes(64), b"text")
    assert public_bytes(public_text(key.public)) == key.public


def test_a_signature_as_rfc_8032_has_it() -> None:
    """7.1, TEST 2."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify(public, signature, b"\x72")
    assert not verify(public, signature, b"\x73")


@given(st.text())
def test_no_text_but_a_key_is_a_key(text: str) -> None:
    with pytest.raises(ValueError, match="must be ed25519:"):
        public_bytes(text)


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_key_comes_back_from_its_file(tmp_path: Path, passphrase: str | None) -> None:
    key, path = PrivateKey.new(), tmp_path / "anna.key"
    write_private(path, key, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path, passphrase).public == key.public
    assert (b"ENCRYPTED" in path.read_bytes()) == (passphrase is not None)


def test_a_key_is_made_for_its_owner_alone_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "anna.key", PrivateKey.new(), None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "anna.key").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "anna.key"
    write_private(path, PrivateKey.new(), None)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        write_private(path, PrivateKey.new(), None)
    assert path.read_bytes() == before


def test_a_key_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = tmp_path / "anna.key"
    write_private(path, PrivateKey.new(), "secret")
    with pytest.raises(UsageError, match="is locked: its passphrase is needed"):
        read_private(path, None)
    with pytest.raises(UsageError, match="or the passphrase is wrong"):
        read_private(path, "guess")
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others than its owner can read this key; run: chmod 600"):
        read_private(path, "secret")
    path.chmod(0o600)
    path.write_bytes(b"no key")
    with pytest.raises(UsageError, match="is no private key"):
        read_private(path, None)
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="is a key of another kind"):
        read_private(path, None)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_private(tmp_path / "none.key", None)


def test_what_the_command_prints_belongs_into_a_config(tmp_path: Path) -> None:
    path = tmp_path / "anna.key"
    result = speedsign("command", "key", "anna", "--out", path, "--role", "read", "--role", "display")
    assert result.exit_code == 0
    config = parse_config(HEAD + result.stdout, "sign.toml")
    (key,) = config.remote.key
    assert (key.id, key.roles) == ("anna", ("read", "display"))
    assert public_bytes(key.public) == read_private(path, None).public
    written = tmp_path / "sign.toml"
    written.write_text(HEAD + result.stdout)
    assert "remote   anna (read, display)" in speedsign("check", "--config", written).stdout
    again = speedsign("command", "key", "anna", "--out", path)
    assert again.exit_code == 2
    assert "never overwritten" in again.stderr
    assert "PRIVATE" not in result.output


def test_a_key_for_reading_alone_is_the_default(tmp_path: Path) -> None:
    result = speedsign("command", "key", "anna", "--out", tmp_path / "a.key", "--json")
    assert as_json(result)["roles"] == ["read"]


@pytest.mark.parametrize("name", ["Anna", "", "a" * 41, "anna.key", "../anna"])
def test_a_name_that_no_config_takes(tmp_path: Path, name: str) -> None:
    result = speedsign("command", "key", name, "--out", tmp_path / "a.key")
    assert result.exit_code == 2
    assert "a key's name is 1 to 40" in result.stderr
    assert not (tmp_path / "a.key").exists()


def test_a_locked_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from speedsign.cli import main

    path = tmp_path / "anna.key"
    args = ["command", "key", "anna", "--out", str(path), "--passphrase"]
    result = CliRunner().invoke(main, args, input="secret\nsecret\n")
    assert result.exit_code == 0
    assert read_private(path, "secret").public
    assert "secret" not in result.output
