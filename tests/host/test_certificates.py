"""The broker's certificates: made once, valid for a station that does not know the hour."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from diadema.errors import DiademaError
from diadema.hub.certificates import Certificates


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
