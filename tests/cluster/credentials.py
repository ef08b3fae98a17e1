"""Keys, certificates and tokens of one control plane, as files that its programs read."""

import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

LIFE = datetime.timedelta(days=2)


@dataclass(frozen=True)
class Credentials:
    """A folder with `ca.crt`, `server.crt` and `server.key` (for 127.0.0.1 and localhost), `accounts.key`, `tokens.csv`."""

    folder: Path
    admin_token: str

    @classmethod
    def made(cls, folder: Path) -> "Credentials":
        """Make new ones in a folder."""
        folder.mkdir(mode=0o700)
        token = secrets.token_urlsafe(32)
        (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
        (folder / "accounts.key").write_bytes(_pem(_key()))
        _write_certificates(folder)
        return cls(folder, token)

    def file(self, name: str) -> str:
        """Return the path of one of the files."""
        return str(self.folder / name)

    @property
    def authority(self) -> str:
        """The certificate that signs the servers', as PEM text."""
        return (self.folder / "ca.crt").read_text()


def _write_certificates(folder: Path) -> None:
    ca_key, server_key = _key(), _key()
    ca = _begun("iacplatform tests", "iacplatform tests", ca_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    server = _begun("127.0.0.1", "iacplatform tests", server_key).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]),
        critical=False,
    )
    for name, certificate in (("ca", ca), ("server", server)):
        signed = certificate.sign(ca_key, hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(_pem(server_key))


def _begun(subject: str, issuer: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFE)
        .not_valid_after(now + LIFE)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
