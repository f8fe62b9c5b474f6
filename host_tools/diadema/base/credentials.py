"""All secrets of a data directory, in `secrets.json` (mode 0600): the run's random passwords, the
site's badge and card keys, and what commands were told for others outside.

The random ones are made once: the badge key must stay, or no roster would know its badges any
more; and so must the card key, from which the keys in all the secure badges were made.
"""

import base64
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.locks import changing as changing_file
from diadema.base.paths import DataDir
from diadema.words import Sentence

_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Secrets(Struct):
    """Passwords of NATS' users, the API's bearer token, badge key and card key (hex). Of
    `gateway` each gateway's password is made, by its name.
    """

    host: str
    gateway: str
    api: str
    badge_key: str
    issuer: str = ""  # hex seed by which answers to NATS about stations are signed
    bridge: str = ""  # of mosquitto, where it stands in for the stations' listener
    card_key: str = ""  # of it the secure badges' keys are made; no station is told
    system: str = ""  # of NATS' own account, which ends connections
    gateways: dict[str, int] = {}  # renewed: number of the credential; below zero, revoked
    backup: str = ""  # passphrase of scheduled backups: it protects them where they lie
    mail: str = ""  # password of the mail server
    webhooks: dict[str, str] = {}  # by name, by which its receiver knows who sends
    switch: str = ""  # of the bridge to the telephone exchange
    exchange: dict[str, str] = {}  # what the exchange knows that bridge by: `ami`, `ari`
    provider: str = ""  # by which we prove to the provider of sign-on who asks


def load_or_create(data: DataDir) -> Secrets:
    """The secrets of `data`; new random ones the first time."""
    known = load(data) if data.secrets.exists() else None
    made = known and (known.issuer, known.bridge, known.card_key, known.system, known.switch)
    if known and made and all(made):
        return known
    with changing(data) as known:
        return known


@contextmanager
def changing(data: DataDir) -> Iterator[Secrets]:
    """Those of `data`, whole, to be changed by one process at a time; written when nothing was
    raised. Raises DiademaError.
    """
    with changing_file(data.secrets, lambda: _completed(data)) as known:
        yield known


def _completed(data: DataDir) -> Secrets:
    """With those that an older program did not make, or all."""
    if data.secrets.exists():
        known = load(data)
    else:
        known = Secrets(
            host=secrets.token_urlsafe(24),
            gateway=secrets.token_urlsafe(24),
            api=secrets.token_urlsafe(24),
            badge_key=secrets.token_hex(32),
        )
    known.issuer = known.issuer or secrets.token_hex(32)
    known.bridge = known.bridge or secrets.token_urlsafe(24)
    known.card_key = known.card_key or secrets.token_hex(16)
    known.system = known.system or secrets.token_urlsafe(24)
    known.switch = known.switch or secrets.token_urlsafe(24)
    return known


def is_gateway(name: str) -> bool:
    """Whether a gateway may be called so."""
    return _GATEWAY.fullmatch(name) is not None


def gateway_password(known: Secrets, name: str) -> str | None:
    """Of the gateway's present credential; None after it was revoked."""
    number = known.gateways.get(name, 1)
    if number < 0:
        return None
    secret = hmac.digest(known.gateway.encode(), b"gw-%b\n%d" % (name.encode(), number), "sha256")
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def change_gateway(data: DataDir, known: Secrets, name: str, *, revoke: bool) -> None:
    """A new credential in place of the old one, or none."""
    number = abs(known.gateways.get(name, 1))
    known.gateways[name] = -number if revoke else number + 1
    with changing(data) as stored:  # commands have written other secrets since
        stored.gateways = known.gateways


def change_provider(data: DataDir, secret: str) -> None:
    """The secret that the provider of sign-on knows us by; empty for none."""
    with changing(data) as known:
        known.provider = secret


def load(data: DataDir) -> Secrets:
    """Raises DiademaError when they are missing, unreadable, or open to other users."""
    try:
        if os.name == "posix" and data.secrets.stat().st_mode & 0o077:
            raise DiademaError(
                Sentence("errors.access.path_can_read_others_run", path=data.secrets)
            )
        return msgspec.json.decode(data.secrets.read_bytes(), type=Secrets)
    except FileNotFoundError:
        raise DiademaError(
            Sentence("errors.base.no_secrets_start_diadema_hub", secrets=data.secrets)
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence(
                "errors.base.cannot_read_secrets_error_restore", secrets=data.secrets, error=error
            )
        ) from error
