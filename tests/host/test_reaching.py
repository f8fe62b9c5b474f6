"""Why another machine was not reached: our own sentence with what to do, in the language of
whoever reads it, and behind it what the library says.
"""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from diadema.base import webhooks
from diadema.base.certificates import trusting
from diadema.base.errors import HookError
from diadema.base.reaching import obstacle

NOW = datetime.now(UTC)
HOOK = {"name": "avisos", "networks": ["127.0.0.0/8", "::1/128"]}


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Issued:
    """A CA and a certificate of `names` under it; without `usage` the CA has no keyUsage."""

    def __init__(self, folder, names=("localhost",), *, usage=True, begins=-1, ends=1):
        ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        ca = self._begun("CA de prueba", "CA de prueba", ca_key, -1, 1)
        ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
        ca = ca.add_extension(own, critical=False)
        if usage:
            wanted = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "encipher_only", "decipher_only", "crl_sign", "digital_signature"), False,
            )  # fmt: skip
            ca = ca.add_extension(x509.KeyUsage(key_cert_sign=True, **wanted), critical=True)
        one = self._begun("servidor", "CA de prueba", key, begins, ends)
        its = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        of_ca = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        one = one.add_extension(its, critical=False).add_extension(of_ca, critical=False)
        pem = serialization.Encoding.PEM
        self.ca = ca.sign(ca_key, hashes.SHA256()).public_bytes(pem).decode()
        file = folder / "server.pem"
        file.write_bytes(
            one.sign(ca_key, hashes.SHA256()).public_bytes(pem)
            + key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)

    def _begun(self, name, issuer, key, begins, ends):
        made = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(NOW + timedelta(days=begins))
        return made.not_valid_after(NOW + timedelta(days=ends))


@asynccontextmanager
async def listening(context, answer=b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"):
    """Gives the port of a server that answers so."""

    async def talk(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def strict(ca):
    """As Python from 3.13 on checks by itself."""
    context = trusting(ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def failure(port, context):
    """Of a request as the provider of identity and the standby's hub are asked."""
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=300) as client:
        with pytest.raises((httpx.HTTPError, OSError)) as raised:
            await client.get(f"https://localhost:{port}/")
    return obstacle(raised.value)


def both(found, spanish, english, behind):
    """What it says in both languages, with what the library says behind it."""
    for said, part in ((found.say("es"), spanish), (str(found), english)):
        assert part in said and said.index(part) < said.index(f"(«{behind}")


@pytest.mark.parametrize(
    ("more", "spanish", "english", "behind"),
    [
        ({"names": ["otro.pe"]}, "lleva otro nombre", "names another host", "Hostname mismatch"),
        ({"begins": -9, "ends": -8}, "venció", "has ended", "certificate has expired"),
        ({"begins": 8, "ends": 9}, "aún no empieza", "has not begun", "certificate is not yet"),
        ({"usage": False}, "keyUsage", "keyUsage", "CA cert does not include key usage"),
    ],
)
async def test_a_certificate_that_is_not_right(tmp_path, more, spanish, english, behind):
    issued = Issued(tmp_path, **more)
    async with listening(issued.context) as port:
        both(await failure(port, strict(issued.ca)), spanish, english, behind)


async def test_a_ca_that_nobody_named(tmp_path):
    issued = Issued(tmp_path)
    async with listening(issued.context) as port:
        found = await failure(port, trusting(""))
        both(found, "CA que no se conoce", "a CA that is not known", "unable to get local issuer")
        async with httpx.AsyncClient(verify=trusting(issued.ca), trust_env=False) as client:
            assert (await client.get(f"https://localhost:{port}/")).status_code == 200


async def test_a_port_that_speaks_no_tls_one_that_is_closed_and_a_name_of_nobody(tmp_path):
    context = trusting("")
    async with listening(None) as port:
        both(await failure(port, context), "no habla TLS", "speaks no TLS", "")
    both(await failure(port, context), "nadie atiende", "nobody listens", "")
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        with pytest.raises(httpx.HTTPError) as raised:
            await client.get("https://nobody.invalid/")
    both(obstacle(raised.value), "no se encuentra ese nombre", "name is not found", "")


async def test_whoever_hangs_up(tmp_path):
    issued = Issued(tmp_path)
    async with listening(issued.context, b"") as port:
        found = await failure(port, trusting(issued.ca))
    both(found, "cortó", "hung up", "")


def test_what_is_not_known_is_said_as_it_is():
    found = obstacle(ValueError("no sense\x07"))
    both(found, "falló", "failed", "no sense")
    assert "\x07" not in found.say("es")


async def test_a_webhook_says_it_too(tmp_path):
    issued = Issued(tmp_path, ["otro.pe"])
    async with listening(issued.context) as port:
        hook = webhooks.Hook(url=f"https://localhost:{port}/", ca=issued.ca, **HOOK)
        with pytest.raises(HookError) as raised:
            await webhooks.post(hook, "whsec_AAAA", "msg_1", 1, b"{}")
    assert raised.value.say("es").startswith("no se llega a avisos: su certificado lleva otro")
