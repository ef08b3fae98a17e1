"""Whose certificates are believed, and which ones are shown, comes from the config's own text."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pools import kube
from tests.cluster.credentials import Credentials
from tests.pools.servers import asked, authority, config, encoded, server, version

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_authority_of_the_kubeconfig_is_believed(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        assert asked(config(address, authority(credentials))) == "v1.99"


def test_another_authority_is_not(credentials: Credentials, tmp_path: Path) -> None:
    other = Credentials.made(tmp_path / "other")
    with server(version, credentials) as address, pytest.raises(kube.Unreachable, match="certificate verify failed"):
        asked(config(address, authority(other)))


def test_without_one_only_the_systems_own_are(credentials: Credentials) -> None:
    with server(version, credentials) as address, pytest.raises(kube.Unreachable, match="certificate verify failed"):
        asked(config(address))


def test_a_certificate_of_another_name_is_not_believed(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        with pytest.raises(kube.Unreachable, match=r"(?i)hostname mismatch|doesn't match"):
            asked(config(address, {**authority(credentials), "tls-server-name": "cluster.example"}))
        assert asked(config(address, {**authority(credentials), "tls-server-name": "localhost"})) == "v1.99"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_is_left_out_where_the_kubeconfig_says_so(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        assert asked(config(address, {"insecure-skip-tls-verify": True})) == "v1.99"


def client_certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate that signs itself to `client.crt`; return it and its key as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "client.crt").write_bytes(certificate)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.decode(), key.private_bytes(*form).decode()


def test_a_client_certificate_is_shown_and_left_nowhere(
    credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    certificate, key = client_certificate(credentials.folder)
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    with server(version, credentials, asks=True) as address:
        assert asked(config(address, authority(credentials), user=user)) == "v1.99"
        with pytest.raises(kube.Unreachable):
            asked(config(address, authority(credentials)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({}, {"certificate-authority-data": encoded("x")}, "cannot be read"),
        ({}, {"certificate-authority-data": "€"}, "certificate-authority-data is not base64"),
        ({"client-certificate-data": encoded("x"), "client-key-data": encoded("y")}, {}, "cannot be read"),
        ({"client-certificate-data": encoded("x"), "client-key-data": "hunter2!"}, {}, "client-key-data is not base64"),
    ],
)
def test_credentials_that_cannot_be_read_are_named_and_not_shown(
    user: dict[str, Any], cluster: dict[str, Any], words: str
) -> None:
    with pytest.raises(kube.Unreachable, match=words) as refused:
        asked(config("https://127.0.0.1:1", cluster, user=user))
    assert "hunter2" not in str(refused.value)
