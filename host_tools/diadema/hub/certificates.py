"""TLS of the broker and of the pages: a CA of this data directory, and certificates under it.

The CA and the broker's certificate are valid from 1970 on, so that a station that does not know
the hour can connect. The CA is made once: stations hold it. A certificate is made anew when its
names change; that of the pages also before its year is over, for browsers take none that is older.
"""

import contextlib
import ipaddress
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from diadema.errors import DiademaError
from diadema.paths import write_whole

_FROM = datetime(1970, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2099, 12, 31, tzinfo=UTC)
_DAY, _YEAR, _RENEW = timedelta(days=1), timedelta(days=397), timedelta(days=60)
_PEM = serialization.Encoding.PEM


class Certificates:
    """The files in `folder`. Making the object touches nothing."""

    def __init__(self, folder: Path, name: str = "server") -> None:
        """`name`: `server` is the broker's, `web` that of the pages."""
        self._folder = folder
        self._pages = name == "web"
        self.ca = folder / "ca.pem"
        self.server = folder / f"{name}.pem"
        self.server_key = folder / f"{name}.key"
        self._ca_key = folder / "ca.key"

    def make(self, names: Iterable[str]) -> None:
        """Make what is missing, for these DNS names and addresses. Raises DiademaError."""
        wanted = [_general_name(name) for name in dict.fromkeys(names)]
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            if not self.ca.exists():
                self._make_ca()
            if not self._serves(wanted):
                self._make_server(wanted)
        except (OSError, ValueError) as error:
            raise DiademaError(
                f"cannot use the certificates in {self._folder} ({error}): restore them from a "
                "backup; with a new CA each station needs its configuration over the cable"
            ) from error

    def ca_der(self) -> bytes:
        """The CA as stations hold it."""
        return x509.load_pem_x509_certificate(self.ca.read_bytes()).public_bytes(
            serialization.Encoding.DER
        )

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts this CA only. Raises DiademaError before the first hub."""
        try:
            return ssl.create_default_context(cafile=str(self.ca))
        except (OSError, ssl.SSLError) as error:
            raise DiademaError(f"cannot read {self.ca}: {error}") from error

    def _make_ca(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Diadema CA")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        usage = _usage(key_cert_sign=True, crl_sign=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            _builder(name, name, key)
            .add_extension(basic, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        write_whole(self._ca_key, _private(key), 0o600)
        write_whole(self.ca, certificate.public_bytes(_PEM))
        self.server.unlink(missing_ok=True)

    def _serves(self, names: list[x509.GeneralName]) -> bool:
        with contextlib.suppress(FileNotFoundError):
            found = x509.load_pem_x509_certificate(self.server.read_bytes())
            extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            left = found.not_valid_after_utc - datetime.now(UTC)
            return list(extension.value) == names and self.server_key.exists() and left > _RENEW
        return False

    def _make_server(self, names: list[x509.GeneralName]) -> None:
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        ca_key = serialization.load_pem_private_key(self._ca_key.read_bytes(), None)
        assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        now = datetime.now(UTC)
        valid = (now - _DAY, now + _YEAR) if self._pages else (_FROM, _UNTIL)
        called = "Diadema pages" if self._pages else "Diadema broker"
        certificate = (
            _builder(_name(called), ca.subject, key, valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(identifier, critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        self.server.unlink(missing_ok=True)  # never one's key beside the other's certificate
        write_whole(self.server_key, _private(key), 0o600)
        write_whole(self.server, certificate.public_bytes(_PEM))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: tuple[datetime, datetime] = (_FROM, _UNTIL),
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
