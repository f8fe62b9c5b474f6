"""Two authorities: the broker's, made once and valid for a station that does not know the hour,
and the pages', which can be nothing else to a browser.
"""

import ipaddress
import shutil
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from diadema.base.certificates import Certificates, PageCertificates, ca_mark
from diadema.base.errors import DiademaError

from tests.support.trust import trusting


@pytest.fixture
def made(tmp_path):
    certificates = Certificates(tmp_path / "tls")
    certificates.make(["hub.local", "localhost", "127.0.0.1", "localhost"])
    return certificates


def read(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_validity_names_and_rights(made):
    ca, server = read(made.ca), read(made.server)
    for certificate in (ca, server):
        assert certificate.not_valid_before_utc.year == 1970
        assert certificate.not_valid_after_utc.year == 2099
        assert certificate.public_key().curve.name == "secp256r1"
    server.verify_directly_issued_by(ca)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.local", "localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    folder = made.ca.parent
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert {oct(key.stat().st_mode)[-3:] for key in folder.glob("*.key")} == {"600"}
    assert made.ca_der() == ca.public_bytes(Encoding.DER)


def test_the_ca_stays_and_the_server_follows_its_names(made):
    ca, server = made.ca.read_bytes(), made.server.read_bytes()
    made.make(["hub.local", "localhost", "127.0.0.1"])
    assert (made.ca.read_bytes(), made.server.read_bytes()) == (ca, server)
    made.make(["otro.local"])
    assert made.ca.read_bytes() == ca
    assert made.server.read_bytes() != server
    read(made.server).verify_directly_issued_by(read(made.ca))


def test_a_broken_ca_is_not_made_anew(made):
    made.ca.write_text("no certificate")
    with pytest.raises(DiademaError, match="backup"):
        made.make(["otro.local"])
    assert made.ca.read_text() == "no certificate"


# -- the pages'


@pytest.fixture
def pages(tmp_path):
    certificates = PageCertificates(tmp_path / "tls")
    certificates.make(["centro.local", "localhost", "192.168.1.20", "203.0.113.9"])
    return certificates


def signed(ca_file, names):
    """What somebody makes who has the key beside that file."""
    ca = read(ca_file)
    key = load_pem_private_key(ca_file.with_suffix(".key").read_bytes(), None)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([])).issuer_name(ca.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )  # fmt: skip
    return made.sign(key, hashes.SHA256())


def named(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def trusts(ca, certificate, name):
    """As a browser does that has this authority installed."""
    verifier = PolicyBuilder().store(Store([read(ca)])).build_server_verifier(named(name))
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        return False
    return True


def test_a_browser_takes_the_pages_of_their_authority(pages):
    ca, shown = read(pages.ca), read(pages.server)
    for name in ("centro.local", "localhost", "192.168.1.20", "203.0.113.9"):
        assert trusts(pages.ca, shown, name)
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    lasts = ca.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=5 * 365 - 1) < lasts < timedelta(days=5 * 366)
    assert shown.not_valid_after_utc - shown.not_valid_before_utc < timedelta(days=399)
    assert oct(pages.ca.with_suffix(".key").stat().st_mode)[-3:] == "600"


def test_its_stolen_key_is_good_for_no_other_site(pages):
    """But for a machine of the LAN by its number, where the hub itself may be tomorrow."""
    for name in ("banco.example", "xcentro.local", "local", "203.0.113.10", "2001:db8::1"):
        assert not trusts(pages.ca, signed(pages.ca, [named(name)]), name)
    for name in ("centro.local", "10.1.2.3", "fe80::1"):
        assert trusts(pages.ca, signed(pages.ca, [named(name)]), name)


def test_the_pages_authority_stays_while_it_can_name_them_and_is_valid(pages, monkeypatch):
    ca, shown = pages.ca.read_bytes(), pages.server.read_bytes()
    pages.make(["centro.local", "localhost", "192.168.1.77", "203.0.113.9"])
    assert pages.ca.read_bytes() == ca and pages.server.read_bytes() != shown
    pages.make(["otro.local"])
    assert pages.ca.read_bytes() != ca
    assert trusts(pages.ca, read(pages.server), "otro.local")
    ca = pages.ca.read_bytes()
    later = datetime.now(UTC) + timedelta(days=4 * 365)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return later

    monkeypatch.setattr("diadema.base.certificates.datetime", Later)
    pages.make(["otro.local"])
    assert pages.ca.read_bytes() == ca
    assert read(pages.server).not_valid_after_utc == read(pages.ca).not_valid_after_utc
    later += timedelta(days=330)
    pages.make(["otro.local"])
    assert pages.ca.read_bytes() != ca


def test_neither_authority_stands_for_the_other(made, pages):
    assert pages.ca.parent == made.ca.parent
    read(pages.server).verify_directly_issued_by(read(pages.ca))
    for name in ("localhost", "centro.local"):
        assert not trusts(made.ca, read(pages.server), name)
        assert not trusts(made.ca, signed(pages.ca, [named(name)]), name)
        assert not trusts(pages.ca, read(made.server), name)
        assert not trusts(pages.ca, signed(made.ca, [named(name)]), name)


def test_a_directory_with_one_authority_keeps_it_for_its_stations(made):
    """As every hub had it before: the pages' certificate was of the stations' CA."""
    folder = made.ca.parent
    for ending in ("pem", "key"):
        shutil.copy(folder / f"server.{ending}", folder / f"web.{ending}")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    Certificates(folder).make(["hub.local", "localhost", "127.0.0.1"])
    PageCertificates(folder).make(["hub.local", "localhost", "127.0.0.1"])
    now = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {name for name in before if now[name] != before[name]} == {"web.pem", "web.key"}
    assert trusts(folder / "pages-ca.pem", read(folder / "web.pem"), "hub.local")


# -- another CA for the stations


def test_another_authority_takes_the_place_of_the_first(made):
    old, shown = read(made.ca), made.server.read_bytes()
    told = made.broker_ca()
    assert not made.changing
    made.begin()
    assert made.changing and made.server.read_bytes() == shown
    assert made.ca_der().startswith(old.public_bytes(Encoding.DER))
    assert made.broker_ca() != told and made.mark() == ca_mark(made.broker_ca()) != ca_mark(told)
    assert len(made.broker_ca()) < 1400  # a station takes 2048
    with pytest.raises(DiademaError, match="already"):
        made.begin()
    made.make(["hub.local", "localhost", "127.0.0.1"])  # the hub starts again
    assert made.changing and made.server.read_bytes() == shown
    assert not made.is_shown(shown.decode())
    made.sign_by_next()
    after = made.server.read_text()
    assert made.is_shown(after)
    made.sign_by_next()
    made.make(["hub.local", "localhost", "127.0.0.1"])
    assert made.server.read_text() == after
    both = trusting(made)
    assert len(both.get_ca_certs()) == 2
    made.finish()
    assert not made.changing and read(made.ca) != old
    read(made.server).verify_directly_issued_by(read(made.ca))
    assert len(trusting(made).get_ca_certs()) == 1
    assert {file.name for file in made.ca.parent.iterdir()} == {
        "ca.pem", "ca.key", "server.pem", "server.key",
    }  # fmt: skip
    made.make(["otro.local"])
    read(made.server).verify_directly_issued_by(read(made.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server, made.server_key)


def test_a_change_that_a_power_cut_ended_in_its_midst_goes_on(made):
    made.begin()
    made.sign_by_next()
    folder, coming = made.ca.parent, made.ca.with_name("ca-next.pem").read_bytes()
    (folder / "ca-next.key").replace(folder / "ca.key")
    made.make(["hub.local", "localhost", "127.0.0.1"])
    assert not made.changing and made.ca.read_bytes() == coming
    made.make(["otro.local"])
    read(made.server).verify_directly_issued_by(read(made.ca))
