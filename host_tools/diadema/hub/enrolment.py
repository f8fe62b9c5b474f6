"""The stations' MQTT credentials: one a station, made with its key, renewed or revoked on request.

A password is HMAC-SHA256 of the credential's number under the station's key: it can be told again
with each configuration and stands nowhere in clear. The store has its hash.

Answers the broker's question whether a station or a gateway may connect (NATS' auth callout).

It may with its own credential and under its own name, to publish and to hear under its own topic;
and only at a broker whose stream was found right since that broker started.

Ends a station's MQTT connection, so that a revoked credential is worth nothing at once.

The tokens of NATS' auth callout: Ed25519 keys in NATS' notation, and JSON Web Tokens by them.

See https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout.

Asks a running hub for the MQTT credential of a station, or of a gateway (`gw-` and its name), a
new one, or an end of it.

Watches the broker's log for clients that publish where they may not: the broker acknowledges
such a message and drops it, so nobody else would notice.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec
import nats
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import select

from diadema.base.credentials import Secrets, gateway_password, is_gateway
from diadema.base.paths import DataDir
from diadema.hub.broker import ACCOUNT
from diadema.ingest.core import Ingest
from diadema.site.station_keys import StationKeys
from diadema.store import tables
from diadema.wire.ask_hub import ask_hub
from diadema.wire.events import UNREADABLE


class Credential(Struct):
    """`number` grows with each renewal."""

    number: int
    sha256: bytes
    revoked: bool


class Enrolment:
    """Raises StoreUnavailable where it writes; then nothing has changed."""

    def __init__(self, ingest: Ingest, keys: StationKeys) -> None:
        self._ingest = ingest
        self._keys = keys
        self._credentials: dict[str, Credential] = {}
        with ingest.changing([]) as tx:
            for s, number, sha256, revoked in tx.execute(select(tables.credentials)):
                self._credentials[s] = Credential(number, sha256, bool(revoked))

    def enrol(self, stations: Iterable[str]) -> None:
        """A key and a credential for each of `stations` that has none, all at once."""
        stations = list(stations)
        self._keys.make(stations)
        self._write({s: self._made(s, 1) for s in stations if s not in self._credentials})

    def renew(self, s: str) -> None:
        """Another key and another password; the old ones are worth nothing any more. Also after a
        revocation.
        """
        self._keys.renew(s)
        known = self._credentials.get(s)
        self._write({s: self._made(s, known.number + 1 if known else 1)}, doubted=[s])

    def revoke(self, s: str) -> None:
        known = self._credentials.get(s)
        if known is not None:
            self._write({s: Credential(known.number, known.sha256, True)})

    def knows(self, s: str) -> bool:
        """It was enrolled once, whatever became of it and of its place in the site."""
        return s in self._credentials

    def revoked(self, s: str) -> bool:
        return s in self._credentials and self._credentials[s].revoked

    def password(self, s: str) -> str | None:
        """None for a station that is not enrolled or was revoked."""
        known = self._credentials.get(s)
        return None if known is None or known.revoked else self._password(s, known.number)

    def passwords(self) -> dict[str, str]:
        """Of every station that may connect."""
        known = self._credentials.items()
        return {s: self._password(s, one.number) for s, one in known if not one.revoked}

    def admits(self, s: str, password: str) -> bool:
        known = self._credentials.get(s)
        given = hashlib.sha256(password.encode()).digest()
        return known is not None and hmac.compare_digest(known.sha256, given) and not known.revoked

    def _made(self, s: str, number: int) -> Credential:
        digest = hashlib.sha256(self._password(s, number).encode()).digest()
        return Credential(number, digest, False)

    def _password(self, s: str, number: int) -> str:
        key = self._keys.of(s)
        assert key is not None
        secret = hmac.digest(key, b"mqtt\n%d" % number, hashlib.sha256)
        return base64.urlsafe_b64encode(secret).decode().rstrip("=")

    def _write(self, credentials: dict[str, Credential], doubted: Collection[str] = ()) -> None:
        if credentials:
            rows = [(s, c.number, c.sha256, c.revoked) for s, c in credentials.items()]
            with self._ingest.changing(doubted) as tx:
                for s in doubted:  # what it showed is worth nothing any more
                    self._ingest.station(s).hello.proven = False
                self._ingest.writer.put(tx, tables.credentials, rows)
            self._credentials |= credentials


_ACCOUNT = 0  # the first character of an account's key becomes A
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class Issuer:
    """Signs as an account. `seed` is 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        body = bytes([_ACCOUNT << 3]) + raw
        check = binascii.crc_hqx(body, 0).to_bytes(2, "little")  # CRC-16/XMODEM
        self.public = base64.b32encode(body + check).decode().rstrip("=")

    def sign(self, kind: str, subject: str, audience: str, nats: dict[str, Any]) -> str:
        """A token about `subject`; `nats` is what NATS adds to a JWT."""
        claims = {
            "iat": int(time.time()),
            "iss": self.public,
            "sub": subject,
            "aud": audience,
            "nats": nats | {"type": kind, "version": 2},
        }
        digest = hashlib.sha256(msgspec.json.encode(claims)).digest()
        claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
        text = f"{_part(_HEADER)}.{_part(claims)}"
        return f"{text}.{_base64(self._key.sign(text.encode()))}"


def claims_of(token: bytes) -> dict[str, Any]:
    """What a token says; the signature is not looked at. Raises ValueError."""
    try:
        part = token.split(b".")[1]
        text = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
        claims: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except (IndexError, binascii.Error, *UNREADABLE) as error:
        raise ValueError(f"no token: {error}") from error
    return claims


def _part(content: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(content))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


SUBJECT = "$SYS.REQ.USER.AUTH"

log = logging.getLogger("diadema.ingest")


class Admission:
    """`server`: the id of the broker that may let stations in; empty: none may."""

    def __init__(self, issuer: Issuer, enrolment: Enrolment, secrets: Secrets) -> None:
        self._issuer = issuer
        self._enrolment = enrolment
        self._secrets = secrets
        self.server = ""
        self.refused = 0

    async def serve(self, client: Client) -> None:
        await client.subscribe(SUBJECT, cb=self._on_request)

    async def _on_request(self, message: Msg) -> None:
        try:
            asked = claims_of(message.data)["nats"]
            answer = self._answer(asked)
            subject, server = asked["user_nkey"], asked["server_id"]["id"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("no question of a broker's: %r", error)
            return
        if "error" in answer:
            self.refused += 1
        response = self._issuer.sign("authorization_response", subject, server, answer)
        await message.respond(response.encode())

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = asked["connect_opts"]
        user, password = str(given.get("user", "")), str(given.get("pass", ""))
        if not self.server or asked["server_id"]["id"] != self.server:
            return {"error": "the stream has not been looked at yet"}
        if asked["client_info"].get("mqtt_id") != user:
            return {"error": "whoever connects by MQTT does so under his own name"}
        if not self._admits(user, password):
            log.warning("%s is refused: not enrolled, or a wrong password", user[:40] or "nobody")
            return {"error": "not enrolled, or a wrong password"}
        return {"jwt": self._issuer.sign("user", asked["user_nkey"], ACCOUNT, _rights(user))}

    def _admits(self, user: str, password: str) -> bool:
        name = user.removeprefix("gw-")
        if name == user:
            return self._enrolment.admits(user, password)
        if not is_gateway(name):
            return False
        right = gateway_password(self._secrets, name)
        return right is not None and hmac.compare_digest(right.encode(), password.encode())


def _rights(name: str) -> dict[str, Any]:
    """Of a station; of a gateway, whose stations the ingest knows."""
    own = f"diadema.v1.{name}."
    says, hears = [own + "ev", own + "st.wifi"], [own + "ack", own + "cmd"]
    if name.startswith("gw-"):
        says = [own + "st", own + "*.ev", own + "*.st"]
        hears = [own + "*.*.ack", own + "*.*.cmd", own + "*.st"]
    return {
        "pub": {"allow": says},
        "sub": {"allow": [*hears, "$MQTT.sub.>"]},
        "subs": -1,
        "data": -1,
        "payload": -1,  # by MQTT the server asks nobody for it: the streams' own bound holds
        "allowed_connection_types": ["MQTT"],
    }


_ANSWER_S = 2.0


async def kick(url: str, password: str, s: str) -> int:
    """How many connections were ended. Raises NatsError, OSError or TimeoutError."""
    client = await nats.connect(url, user="system", password=password, allow_reconnect=False)
    try:
        server = f"$SYS.REQ.SERVER.{client._server_info['server_id']}"
        found = await _ask(client, f"{server}.CONNZ", {"mqtt_client": s})
        connections = found.get("data", {}).get("connections") or []
        for connection in connections:
            await _ask(client, f"{server}.KICK", {"cid": connection["cid"]})
    finally:
        await client.close()
    return len(connections)


async def _ask(client: Client, subject: str, body: dict[str, object]) -> dict[str, dict]:  # type: ignore[type-arg]
    reply = await client.request(subject, msgspec.json.encode(body), timeout=_ANSWER_S)
    return msgspec.json.decode(reply.data, type=dict)


def enrol(data: DataDir, s: str, *, renew: bool = False, revoke: bool = False) -> dict[str, Any]:
    """`{"s", "user", "password", "host", "port", "ca"}`; `password` null after revoking.

    Raises DiademaError when no hub runs there, or it refuses.
    """
    return asyncio.run(ask_hub(data, "hub.enrol", {"s": s, "renew": renew, "revoke": revoke}))


_VIOLATION = re.compile(rb'(?:"[^"]*" - )?Publish Violation.*')  # whose, and of what
_PIECE = 1_000_000  # bytes looked at in one go


class ViolationWatch:
    """From the end of the log on, over its rotations. `count` is of all looks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, self._at = self._where()
        self._rest = b""
        self.count = 0

    def look(self) -> list[str]:
        """What is new since the last look."""
        file, size = self._where()
        if file != self._file or size < self._at:
            self._file, self._at, self._rest = file, 0, b""
        if size == self._at:
            return []
        try:
            with self._path.open("rb") as log:
                log.seek(self._at)
                data = log.read(_PIECE)
        except OSError:  # rotated just now
            return []
        self._at += len(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_PIECE:]
        matches = [match[0] for line in lines if (match := _VIOLATION.search(line))]
        self.count += len(matches)
        return [match.decode(errors="replace") for match in matches]

    def _where(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size
