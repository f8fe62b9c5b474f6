"""An identity provider under TLS on this machine, that also lies as it is told.

It has no page: `code` is what a person who agrees there would be sent back with.
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives import serialization
from diadema.access.provider import Grant, Provider
from diadema.base.certificates import Certificates
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "diadema", "client-secret"
GRANTS = {
    "sup": Grant(role="supervisor", teams=["Norte"]),
    "rrhh": Grant(role="hr"),
    "asesores": Grant(role="agent"),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of one that gave up on it: nobody wants to read that."""


class OidcProvider:
    """`tamper` changes the claims of the next tokens; `signed` makes the whole token of them."""

    def __init__(self, folder: Path, algorithm: str = "RS256") -> None:
        certificates = Certificates(folder)
        certificates.make(["localhost"])
        self.ca = certificates.ca_pem().decode()
        self.algorithm = algorithm
        self.reset()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.server, certificates.server_key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.issuer = f"https://localhost:{self._server.server_port}/realms/a"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """It is honest again, and knows of no login."""
        self.roll_keys()
        self.codes: dict[str, dict[str, str]] = {}
        self.taken: list[dict[str, str]] = []
        self.requests: list[str] = []
        self.tamper: dict[str, Any] = {}
        self.signed: Callable[[dict[str, Any]], str] = self.sign
        self.said: dict[str, Any] = {}
        self.answer: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def roll_keys(self) -> None:
        kid = {"kid": secrets.token_hex(4), "use": "sig"}
        self.key: Any = (
            RSAKey.generate_key(2048, kid)
            if self.algorithm == "RS256"
            else ECKey.generate_key("P-256", kid)
        )

    def settings(self, **more: Any) -> Provider:
        fields: dict[str, Any] = {
            "issuer": self.issuer, "client_id": CLIENT, "name": "Intranet", "claim": "groups",
            "grants": GRANTS, "algorithm": self.algorithm, "agent_claim": "worker", "ca": self.ca,
        }  # fmt: skip
        return Provider(**fields | more)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.ca)

    def code(self, url: str) -> dict[str, str]:
        """The query of the way back, of somebody who was sent to this address."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        made = {"alg": self.algorithm, "kid": self.key.kid} | header
        return jwt.encode(made, dict(claims), self.key, algorithms=[made["alg"]])

    def public_pem(self) -> bytes:
        public = self.key.public_key
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes(public.public_bytes(serialization.Encoding.PEM, kind))

    def _token(self, form: Mapping[str, str], header: str) -> tuple[int, dict[str, Any]]:
        self.taken.append({**form, "authorization": header})
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=")
        who = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if header != f"Basic {who}":
            return 401, {"error": "invalid_client"}
        if asked is None or challenge.decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "s-1", "nonce": asked["nonce"], "iat": now,
            "exp": now + 300, "name": "Rosa Quispe", "groups": ["sup"], **self.tamper,
        }  # fmt: skip
        given = {name: value for name, value in claims.items() if value is not None}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.signed(given)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests.append(self.path)
                if provider.answer(self):
                    return
                if self.path.endswith("/.well-known/openid-configuration"):
                    issuer = provider.issuer
                    self._send(
                        200,
                        {
                            "issuer": issuer,
                            "authorization_endpoint": f"{issuer}/auth",
                            "token_endpoint": f"{issuer}/token",
                            "jwks_uri": f"{issuer}/keys",
                            **provider.said,
                        },
                    )
                else:
                    self._send(200, {"keys": [provider.key.as_dict(private=False)]})

            def do_POST(self) -> None:
                provider.requests.append(self.path)
                length = int(self.headers["content-length"])
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
                if not provider.answer(self):
                    self._send(*provider._token(form, self.headers.get("authorization", "")))

            def _send(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def unsigned(claims: Mapping[str, Any]) -> str:
    return ".".join([_part({"alg": "none"}), _part(claims), ""])


def signed_by_hmac(key: bytes, claims: Mapping[str, Any]) -> str:
    """As if a public key, or the client's secret, were a shared one."""
    signed = f"{_part({'alg': 'HS256'})}.{_part(claims)}"
    digest = hmac.digest(key, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
