"""The sign's own key for TLS: made here, never overwritten; and what certificates are there."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from speedsign.certificates import CertificateFacts, make_request, read_certificates
from speedsign.errors import UsageError
from tests.cli.command import as_json, speedsign
from tests.telemetry.certificates import Authority

CONFIG = """[sign]
id = "street-1"
limit_kmh = 50
[radar]
driver = "ops243"
port = "/dev/ttyACM0"
[mqtt]
host = "broker.example.org"
certificate_file = "{folder}/sign.pem"
key_file = "{folder}/sign.key"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sign.toml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


def test_a_request_names_the_sign_and_its_key_stays(config: Path, tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    result = speedsign("certificate", "request", "--config", config, "--out", tmp_path / "sign.csr")
    assert result.exit_code == 0, result.stderr
    request = x509.load_pem_x509_csr((tmp_path / "sign.csr").read_bytes())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=street-1"
    key_path = tmp_path / "sign.key"
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    key = load_pem_private_key(key_path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert key.public_key() == request.public_key()
    assert "PRIVATE" not in result.output


def test_each_request_has_a_key_of_its_own(tmp_path: Path) -> None:
    made = [make_request("street-1", tmp_path / f"{n}.key") for n in range(3)]
    keys = {(tmp_path / f"{n}.key").read_bytes() for n in range(3)}
    assert len(keys) == len(set(made)) == 3


def test_a_key_is_never_overwritten(config: Path, tmp_path: Path) -> None:
    assert speedsign("certificate", "request", "--config", config).stdout.startswith("-----BEGIN CERT")
    before = (tmp_path / "sign.key").read_bytes()
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 2
    assert "sign.key is there already, and a key is never overwritten" in result.stderr
    assert (tmp_path / "sign.key").read_bytes() == before


def test_a_request_that_is_there_leaves_no_key_behind(config: Path, tmp_path: Path) -> None:
    (tmp_path / "sign.csr").write_text("older")
    result = speedsign("certificate", "request", "--config", config, "--out", tmp_path / "sign.csr")
    assert result.exit_code == 2
    assert not (tmp_path / "sign.key").exists()
    assert (tmp_path / "sign.csr").read_text() == "older"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_signs_user(config: Path, tmp_path: Path) -> None:
    """Or the service could not read its own key."""
    data, credentials = tmp_path / "data", tmp_path / "credentials"
    data.mkdir()
    os.chown(data, 4711, 4712)
    text = config.read_text().replace(f"{tmp_path}/sign.", f"{credentials}/sign.")
    config.write_text(f'{text}[store]\npath = "{data}/sign.db"\n')
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 0, result.stderr
    for path, mode in ((credentials, 0o750), (credentials / "sign.key", 0o600)):
        found = path.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4711, 4712, mode)
    assert "belongs to root" not in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_is_told_where_it_is_not_known_whose_key_it_is(config: Path, tmp_path: Path) -> None:
    config.write_text(f'{config.read_text()}[store]\npath = "{tmp_path}/not-yet/sign.db"\n')
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 0
    assert f"sign.key belongs to root; a sign that runs as another user needs: chown USER: {tmp_path}" in (
        result.stderr
    )


def test_a_key_of_somebody_elses_sign_is_not_made(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    config.write_text(f'{config.read_text()}[store]\npath = "{data}/sign.db"\n')
    if os.geteuid() == 0:
        os.chown(data, 4711, 4712)
    monkeypatch.setattr(os, "geteuid", lambda: 4713)
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 2
    assert "belongs to another user, who could not read a key made by you; run this as" in result.stderr
    assert not (tmp_path / "sign.key").exists()


def test_a_key_that_cannot_be_written_ends_in_a_sentence(config: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config.write_text(config.read_text().replace(f"{tmp_path}/sign.key", f"{tmp_path}/file/deep/sign.key"))
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 2
    assert "the key cannot be written: Not a directory; its folder is made by: install -d" in result.stderr


def test_a_sign_without_a_key_file_is_told_so(config: Path) -> None:
    text = config.read_text()
    config.write_text(text.partition("certificate_file")[0].replace("broker.example.org", "localhost"))
    result = speedsign("certificate", "request", "--config", config)
    assert result.exit_code == 2
    assert "[mqtt] key_file is missing: where the key is to be kept" in result.stderr
    result = speedsign("certificate", "show", "--config", config)
    assert result.exit_code == 2
    assert "[mqtt] names no certificate" in result.stderr


def test_what_is_there_and_until_when(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", name="Roads CA")
    good, old = authority.client("street-1"), authority.client("street-2", (-30.0, -1.0))
    nearly = authority.client("street-3", (-9.0, 1.0))
    server = authority.server("broker", ("broker.example.org", "192.0.2.1"))
    result = speedsign("certificate", "show", good.certificate, server.certificate, nearly.certificate)
    assert result.exit_code == 0
    assert f"{good.certificate}: CN=street-1\n  signed by CN=Roads CA\n" in result.stdout
    assert "for broker.example.org, 192.0.2.1" in result.stdout
    assert result.stdout.count("time for a new one") == 1
    result = speedsign("certificate", "show", good.certificate, old.certificate, "--json")
    assert result.exit_code == 1
    rows = as_json(result)
    assert [row["state"] for row in rows] == ["good", "not good"]
    assert rows[1]["days_left"] < 0


def test_a_file_without_a_certificate(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    for content in (b"", b"nothing", b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="has no certificate in it"):
            read_certificates(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_certificates(tmp_path / "none.pem")


def test_a_new_one_is_due_at_two_thirds() -> None:
    from_utc = datetime(2026, 1, 1, tzinfo=UTC)
    facts = CertificateFacts("CN=a", "CN=b", from_utc, from_utc + timedelta(days=90), ())
    assert facts.renewal_utc() == from_utc + timedelta(days=60)
