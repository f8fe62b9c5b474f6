"""Signing on by OpenID Connect: the authorization code flow with PKCE, and the proof of what comes
back of it. https://openid.net/specs/openid-connect-core-1_0.html

All that one login needs is made of a secret in the browser's sealed cookie and a key of ours, so
that who only looks at the login page leaves nothing here. Everything blocks, for a bounded time:
it is for threads of its own, so that a provider that is away keeps nobody else waiting.
"""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import Struct

from diadema.access.codes import new_secret
from diadema.access.provider import Provider, is_https
from diadema.base.certificates import trusting
from diadema.base.errors import DiademaError
from diadema.base.reaching import obstacle
from diadema.words import Sentence

LIMIT_S = 8.0  # for all that is asked of the provider in one request
FLOW_S = 600  # from the login page to the return
_STEP_S = 4.0
_FRESH_S = 600.0  # in which what the provider says of itself is not asked again
_BYTES = 1 << 20
_LEEWAY_S = 30  # between two clocks
_SUBJECT = 255  # characters, by the specification
_SCOPE = "openid profile"
_KINDS = ("RSA", "EC")  # of keys that can sign; others do not concern us
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NoSignOn(DiademaError):
    """`word` says why: away, begin_again, denied, no_proof, no_role, disabled. `reason`: what kept
    the provider from being reached, for whoever runs this.
    """

    def __init__(self, word: str, reason: Sentence | None = None) -> None:
        self.word, self.reason = word, reason
        super().__init__(Sentence(f"accounts.provider.{word}"))


class Return(Struct, array_like=True, frozen=True):
    """One login that was begun: what the browser keeps of it, under our seal."""

    secret: str
    until_ms: int
    issuer: str
    redirect: str
    onward: str


class Proved(Struct, kw_only=True, frozen=True):
    """Who it is, as the provider has signed it."""

    subject: str
    claims: dict[str, Any]


class _Known(Struct, frozen=True):
    """What the provider has said of itself, and until when that is fresh."""

    provider: Provider
    until_s: float
    endpoints: dict[str, Any]
    keys: Any


class SignOn:
    """`key` seals, `secret` gives the client's secret, `now` is in milliseconds."""

    def __init__(self, key: str, secret: Callable[[], str], now: Callable[[], int]) -> None:
        self._key = key.encode()
        self._secret = secret
        self._now = now
        self._known: _Known | None = None
        self.logged = ""  # why the provider was not reached last

    def begin(self, provider: Provider, redirect: str, onward: str) -> tuple[str, str]:
        """The provider's page to go to, and the cookie to keep meanwhile. Raises NoSignOn."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        known = self._discovered(provider, _Deadline())
        begun = Return(
            new_secret(), self._now() + FLOW_S * 1000, provider.issuer, redirect, onward
        )
        url: str = prepare_grant_uri(
            known.endpoints["authorization_endpoint"],
            client_id=provider.client_id,
            response_type="code",
            redirect_uri=redirect,
            scope=_SCOPE,
            state=self._made("state", begun),
            nonce=self._made("nonce", begun),
            code_challenge=create_s256_code_challenge(self._made("verifier", begun)),
            code_challenge_method="S256",
        )
        return url, self._sealed(begun)

    def begun(self, provider: Provider, cookie: str, state: str) -> Return:
        """The login that this browser began here, and that is not over. Asks nobody.

        Raises NoSignOn.
        """
        content, _, seal = cookie.partition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(content)):
            raise NoSignOn("begin_again")
        begun = msgspec.json.decode(base64.urlsafe_b64decode(content), type=Return)
        ours = hmac.compare_digest(
            state.encode("utf-8", "replace"), self._made("state", begun).encode()
        )
        if not ours or begun.until_ms <= self._now() or begun.issuer != provider.issuer:
            raise NoSignOn("begin_again")
        return begun

    def end(self, provider: Provider, begun: Return, answer: Mapping[str, str]) -> Proved:
        """Who the provider says it is, by what it has sent back. Raises NoSignOn."""
        if answer.get("iss", provider.issuer) != provider.issuer:
            raise NoSignOn("no_proof")
        if "error" in answer or not answer.get("code"):
            raise NoSignOn("denied")
        deadline = _Deadline()
        known = self._discovered(provider, deadline)
        token = self._token(known, begun, answer["code"], deadline)
        return self._proved(known, token, self._made("nonce", begun), deadline)

    # -- what the provider is asked

    def _discovered(self, provider: Provider, deadline: "_Deadline") -> _Known:
        known = self._known
        if known is None or known.provider != provider or known.until_s <= time.monotonic():
            known = self._known = self._discover(provider, deadline)
        return known

    def _discover(self, provider: Provider, deadline: "_Deadline") -> _Known:
        from authlib.oidc.discovery import get_well_known_url

        url = get_well_known_url(provider.issuer, external=True)
        said = _content(_ask(provider, deadline, "GET", url))
        if said.get("issuer") != provider.issuer or not all(
            is_https(said.get(name)) for name in _ENDPOINTS
        ):
            raise NoSignOn("away")
        keys = _keys(_content(_ask(provider, deadline, "GET", said["jwks_uri"])))
        return _Known(provider, time.monotonic() + _FRESH_S, said, keys)

    def _token(
        self, known: _Known, begun: Return, code: str, deadline: "_Deadline"
    ) -> dict[str, Any]:
        from authlib.oauth2.auth import ClientAuth

        provider, secret = known.provider, self._secret()
        methods = known.endpoints.get("token_endpoint_auth_methods_supported")
        posts = isinstance(methods, list) and "client_secret_basic" not in methods
        method = "client_secret_post" if posts else "client_secret_basic"
        body = urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": begun.redirect,
                "code_verifier": self._made("verifier", begun),
            }
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        who = ClientAuth(provider.client_id, secret, method if secret else "none")
        url, headers, body = who.prepare("POST", known.endpoints["token_endpoint"], headers, body)
        answer = _ask(provider, deadline, "POST", url, headers, body)
        if 400 <= answer.status < 500:
            raise NoSignOn("no_proof")
        return _content(answer)

    def _proved(
        self, known: _Known, token: Mapping[str, Any], nonce: str, deadline: "_Deadline"
    ) -> Proved:
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        provider = known.provider
        try:
            signed = _signed(provider, token.get("id_token"), known.keys)
            if signed is None:  # the provider may have new keys
                known = self._known = self._discover(provider, deadline)
                signed = _signed(provider, token.get("id_token"), known.keys)
            if signed is None:
                raise NoSignOn("no_proof")
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                {
                    "iss": {"essential": True, "value": provider.issuer},
                    "aud": {"essential": True, "value": provider.client_id},
                },
                {
                    "nonce": nonce,
                    "client_id": provider.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise NoSignOn("no_proof") from error
        subject = claims["sub"]
        if not subject or len(subject) > _SUBJECT:
            raise NoSignOn("no_proof")
        return Proved(subject=subject, claims=dict(claims))

    # -- what is made of the secret in the cookie

    def _made(self, what: str, begun: Return) -> str:
        """43 characters that nobody can know who has not our key."""
        digest = hmac.digest(self._key, f"sign-on:{what}:{begun.secret}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _sealed(self, begun: Return) -> str:
        content = base64.urlsafe_b64encode(msgspec.json.encode(begun)).decode()
        return f"{content}.{self._seal(content).decode()}"

    def _seal(self, content: str) -> bytes:
        sealed = f"sign-on:cookie:{content}".encode("utf-8", "replace")
        return hmac.digest(self._key, sealed, "sha256").hex().encode()


class _Deadline:
    """When all that one request asks of the provider has to be there."""

    def __init__(self) -> None:
        self._end = time.monotonic() + LIMIT_S

    @property
    def left_s(self) -> float:
        """Raises NoSignOn when nothing is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise NoSignOn("away")
        return left


class _Answer(Struct, frozen=True):
    status: int
    body: bytes


def _ask(
    provider: Provider,
    deadline: _Deadline,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> _Answer:
    """Over TLS with a checked certificate; follows nobody elsewhere, and takes no more than fits.

    Raises NoSignOn.
    """
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    try:
        trust = trusting(provider.ca)
        step = min(_STEP_S, deadline.left_s)
        taken = bytearray()
        with (
            httpx.Client(verify=trust, timeout=step, trust_env=False) as client,
            client.stream(method, url, headers=sent, content=body) as answer,
        ):
            for part in answer.iter_raw():
                taken += part
                if len(taken) > _BYTES or deadline.left_s <= 0:
                    raise NoSignOn("away")
        return _Answer(answer.status_code, bytes(taken))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise NoSignOn("away", obstacle(error)) from error


def _content(answer: _Answer) -> dict[str, Any]:
    """The JSON object that it is. Raises NoSignOn."""
    if answer.status != 200:
        raise NoSignOn("away")
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NoSignOn("away") from error


def _keys(said: Any) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        ours = [one for one in said["keys"] if one["kty"] in _KINDS and one.get("use") != "enc"]
        return KeySet.import_key_set({"keys": ours})
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoSignOn("away") from error


def _signed(provider: Provider, id_token: Any, keys: Any) -> Any:
    """The token, if one of these keys has signed it by the one algorithm; else None."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    if not isinstance(id_token, str):
        return None
    try:
        return jwt.decode(id_token, keys, algorithms=[provider.algorithm])
    except (JoseError, ValueError, TypeError):
        return None
