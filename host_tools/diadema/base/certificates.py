"""TLS of the broker and of the pages: a CA for each in this data directory, and a certificate
under it.

Stations hold the broker's CA. It and the broker's certificate are valid from 1970 on, so that a
station that does not know the time can connect. Another takes its place in steps: `begin`, and
stations are told both; `sign_by_next` once each of them holds both; `finish` once the broker shows
that certificate, and the old one is gone.

Browsers hold the pages' CA, which can name nothing but the pages and machines of a LAN by their
numbers (mbedTLS refuses a CA with that critical extension, so it cannot be the stations'), for
five years. A certificate is made anew when its names change; that of the pages also before its
year is over, for browsers take none that is older.
"""

import hashlib
import ipaddress
import ssl
from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from diadema.base.errors import DiademaError
from diadema.base.paths import write_whole
from diadema.words import Sentence

_FROM = datetime(1970, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2099, 12, 31, tzinfo=UTC)
_DAY, _YEAR, _RENEW = timedelta(days=1), timedelta(days=397), timedelta(days=60)
_FIVE_YEARS = timedelta(days=5 * 365 + 1)
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_LAN = [  # RFC 1918, 3927, 4193, 4291: no site of the internet has such a number
    x509.IPAddress(ipaddress.ip_network(network))
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
]  # fmt: skip


class _Signed:
    """A CA and a certificate under it, in `folder`. Making the object touches nothing."""

    _called = ""  # whom the certificate names

    def __init__(self, folder: Path, ca: str, name: str) -> None:
        self._folder = folder
        self.ca = folder / f"{ca}.pem"
        self._ca_key = folder / f"{ca}.key"
        self.server = folder / f"{name}.pem"
        self.server_key = folder / f"{name}.key"

    def make(self, names: Iterable[str]) -> None:
        """Make what is missing, for these DNS names and addresses. Raises DiademaError."""
        wanted = [_general_name(name) for name in dict.fromkeys(names)]
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            self._make_ca(wanted)
            if not self._serves(wanted):
                self._sign(wanted, self.ca, self._ca_key)
        except (OSError, ValueError) as error:
            raise DiademaError(
                Sentence(
                    "errors.base.cannot_use_certificates_folder_error",
                    folder=self._folder,
                    error=error,
                    lost=Sentence(f"errors.base.lost.{self.ca.stem}"),
                )
            ) from error

    def _make_ca(self, wanted: list[x509.GeneralName]) -> None:
        raise NotImplementedError

    def _authorities(self) -> list[Path]:
        """Those whose certificate may be shown."""
        return [self.ca]

    def _valid(self) -> tuple[datetime, datetime]:
        """From when and until when a certificate made now is."""
        return _FROM, _UNTIL

    def _serves(self, names: list[x509.GeneralName]) -> bool:
        try:
            found = _read(self.server)
        except FileNotFoundError:
            return False
        return (
            _names_of(found) == names
            and self.server_key.exists()
            and found.not_valid_after_utc - datetime.now(UTC) > _RENEW
            and any(_is_by(found, _read(ca)) for ca in self._authorities())
        )

    def _sign(self, names: list[x509.GeneralName], ca_file: Path, key_file: Path) -> None:
        ca = _read(ca_file)
        ca_key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        certificate = (
            _builder(_name(self._called), ca.subject, key, self._valid())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(_SERVER, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(identifier, critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        self.server.unlink(missing_ok=True)  # never one's key beside the other's certificate
        write_whole(self.server_key, _private(key), 0o600)
        write_whole(self.server, certificate.public_bytes(_PEM))


class Certificates(_Signed):
    """The broker's."""

    _called = "Diadema broker"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "ca", "server")
        self._next = folder / "ca-next.pem"
        self._next_key = folder / "ca-next.key"

    @property
    def changing(self) -> bool:
        """Another CA is on its way to the stations."""
        return self._next.exists()

    def ca_der(self) -> bytes:
        """The CA as stations hold it; while it changes the next one behind it."""
        return b"".join(_read(ca).public_bytes(_DER) for ca in self._authorities())

    def ca_pem(self) -> bytes:
        """The same for programs that read PEM."""
        return b"".join(_read(ca).public_bytes(_PEM) for ca in self._authorities())

    def broker_ca(self) -> str:
        """`ca_der` in base64: `broker.ca` of a configuration."""
        return b64encode(self.ca_der()).decode()

    def mark(self) -> str:
        """How a station names what it was told, once it holds it."""
        return ca_mark(self.broker_ca())

    def begin(self) -> None:
        """Make the next CA. Raises DiademaError while there is one."""
        if self.changing:
            raise DiademaError(Sentence("errors.base.broker_s_ca_being_changed"))
        _write_ca(self._next, self._next_key, f"Diadema broker CA {datetime.now(UTC):%Y-%m-%d}")

    def sign_by_next(self) -> None:
        """The broker's certificate is the next CA's; the broker must read it again."""
        found = _read(self.server)
        if self._next_key.exists() and not _is_by(found, _read(self._next)):
            self._sign(_names_of(found), self._next, self._next_key)

    def is_shown(self, pem: str) -> bool:
        """Whether a client that holds the next CA alone would take this certificate."""
        return _is_by(x509.load_pem_x509_certificate(pem.encode()), _read(self._next))

    def finish(self) -> None:
        """The next CA is the only one. After a cut it is done again."""
        if self._next_key.exists():
            self._next_key.replace(self._ca_key)
        self._next.replace(self.ca)

    def _make_ca(self, wanted: list[x509.GeneralName]) -> None:
        if self.changing and not self._next_key.exists():
            self.finish()
        if not self.ca.exists():
            _write_ca(self.ca, self._ca_key, "Diadema broker CA")
            self.server.unlink(missing_ok=True)

    def _authorities(self) -> list[Path]:
        return [self.ca, self._next] if self.changing else [self.ca]


class PageCertificates(_Signed):
    """Those of the pages."""

    _called = "Diadema pages"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "pages-ca", "web")

    def _make_ca(self, wanted: list[x509.GeneralName]) -> None:
        if self.ca.exists():
            found = _read(self.ca)
            left = found.not_valid_after_utc - datetime.now(UTC)
            if left > _RENEW and all(_permits(found, name) for name in wanted):
                return
        now = datetime.now(UTC)
        named = [name for name in wanted if not any(_covers(lan, name) for lan in _LAN)]
        constraints = x509.NameConstraints([*map(_subtree, named), *_LAN], None)
        _write_ca(
            self.ca, self._ca_key, f"Diadema pages CA {now:%Y-%m-%d}",
            (now - _DAY, now + _FIVE_YEARS), [(constraints, True), (_SERVER, False)],
        )  # fmt: skip

    def _valid(self) -> tuple[datetime, datetime]:
        now = datetime.now(UTC)
        return now - _DAY, min(now + _YEAR, _read(self.ca).not_valid_after_utc)


def ends_of(files: Iterable[Path]) -> dict[Path, datetime]:
    """Until when each is valid; without those that are not there or cannot be read."""
    found = {}
    for file in files:
        with suppress(OSError, ValueError):
            found[file] = _read(file).not_valid_after_utc
    return found


def trusting(ca: str) -> ssl.SSLContext:
    """For a connection to somebody else, whose certificate and name are checked by `ca` (PEM), or
    by the system's where that is empty.
    """
    return ssl.create_default_context(cadata=ca or None)


def ca_mark(broker_ca: str) -> str:
    """Of `broker.ca` of a configuration; as the firmware makes it."""
    return hashlib.sha256(broker_ca.encode()).hexdigest()[:8]


def _write_ca(
    file: Path,
    key_file: Path,
    called: str,
    valid: tuple[datetime, datetime] = (_FROM, _UNTIL),
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> None:
    """`more`: extensions, and whether they are critical. The certificate is there last."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(called)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _builder(name, name, key, valid)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(key, hashes.SHA256())
    write_whole(key_file, _private(key), 0o600)
    write_whole(file, certificate.public_bytes(_PEM))


def _read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _is_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError):
        return False
    return True


def _names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return [*certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    """Of this name alone, and of those below it."""
    if isinstance(name, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(name.value))
    return name


def _permits(ca: x509.Certificate, name: x509.GeneralName) -> bool:
    found = ca.extensions.get_extension_for_class(x509.NameConstraints).value
    return any(_covers(subtree, name) for subtree in found.permitted_subtrees or [])


def _covers(subtree: x509.GeneralName, name: x509.GeneralName) -> bool:
    network = subtree.value
    if isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return isinstance(name, x509.IPAddress) and name.value in network
    return name == subtree


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
