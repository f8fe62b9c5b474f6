"""Answers the broker's question whether a station or a gateway may connect (NATS' auth callout).

It may with its own credential and under its own name, to publish and to hear under its own topic;
and only at a broker whose stream was found right since that broker started.
"""

import hmac
import logging
import re
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from diadema.base.credentials import Secrets, gateway_password, is_gateway
from diadema.hub.broker import ACCOUNT
from diadema.hub.enrolment import Enrolment
from diadema.hub.nats_jwt import Issuer, claims_of

SUBJECT = "$SYS.REQ.USER.AUTH"
_VIOLATION = re.compile(rb'(?:"[^"]*" - )?Publish Violation.*')  # whose, and of what
_PIECE = 1_000_000  # bytes looked at in one go

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
            request = claims_of(message.data)["nats"]
            answer = self._answer(request)
            subject, server = request["user_nkey"], request["server_id"]["id"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("no question of a broker's: %r", error)
            return
        if "error" in answer:
            self.refused += 1
        response = self._issuer.sign("authorization_response", subject, server, answer)
        await message.respond(response.encode())

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        given = request["connect_opts"]
        user, password = str(given.get("user", "")), str(given.get("pass", ""))
        if not self.server or request["server_id"]["id"] != self.server:
            return {"error": "the stream has not been looked at yet"}
        if request["client_info"].get("mqtt_id") != user:
            return {"error": "whoever connects by MQTT does so under his own name"}
        if not self._admits(user, password):
            log.warning("%s is refused: not enrolled, or a wrong password", user[:40] or "nobody")
            return {"error": "not enrolled, or a wrong password"}
        return {"jwt": self._issuer.sign("user", request["user_nkey"], ACCOUNT, _rights(user))}

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


class ViolationWatch:
    """Clients that publish where they may not: the broker acknowledges such a message and drops
    it, so that only its log tells.

    From the end of the log on, over its rotations; `count` is of all looks.
    """

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
