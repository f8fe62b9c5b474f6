"""Mail: the server that takes it, and the addresses to which anything may be sent at all.

`mail.json` has both, `secrets.json` the password. The connection is TLS with a checked
certificate, or there is none: neither password nor report ever goes in the clear.
"""

import asyncio
import re
from contextlib import AbstractContextManager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from typing import Literal

import aiosmtplib
import msgspec
from msgspec import Struct

from diadema.base import credentials
from diadema.base.certificates import trusting
from diadema.base.errors import DiademaError, MailError
from diadema.base.locks import changing
from diadema.base.paths import DataDir
from diadema.base.reaching import obstacle, quoted
from diadema.base.sanitize import hidden, mail_address, visible
from diadema.words import Sentence

MOST_ADDRESSES = 200
_STEP_S = 20.0  # for one answer of the server
_LONGEST_S = 120.0  # for a whole message
_SUBJECT = 200  # characters
_Answered = aiosmtplib.SMTPResponseException
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-fA-F:.]{2,45}")


class Server(Struct, kw_only=True, frozen=True):
    """`security`: `tls` from the first byte, or `starttls`, which must then be there. `ca`: PEM
    of the CA that its certificate is checked by; empty: those of the system.
    """

    host: str
    port: int
    security: Literal["starttls", "tls"]
    sender: str
    user: str = ""
    ca: str = ""


class Mail(Struct, kw_only=True):
    """`addresses`: each to which something may be sent, and whether it is human resources'."""

    server: Server | None = None
    addresses: dict[str, bool] = {}


def load(data: DataDir) -> Mail:
    """Raises DiademaError when the file cannot be read."""
    try:
        return msgspec.json.decode(data.mail.read_bytes(), type=Mail)
    except FileNotFoundError:
        return Mail()
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=data.mail, reason=error)
        ) from error


def _changing(data: DataDir) -> AbstractContextManager[Mail]:
    return changing(data.mail, lambda: load(data))


def set_server(data: DataDir, server: Server, password: str) -> None:
    """Raises MailError for what is no server or no address."""
    right = _HOST.fullmatch(server.host) and 0 < server.port < 65_536
    if not right or server.security not in ("starttls", "tls") or hidden(server.user + password):
        raise MailError(Sentence("errors.base.mail.no_server"))
    _checked(server.sender)
    with _changing(data) as known:
        known.server = server
        with credentials.changing(data) as secrets:
            secrets.mail = password


def allow(data: DataDir, address: str, is_hr: bool) -> None:
    """Raises MailError for what is no address."""
    with _changing(data) as known:
        if len(known.addresses) >= MOST_ADDRESSES:
            raise MailError(Sentence("errors.base.mail.full", most=MOST_ADDRESSES))
        known.addresses[_checked(address)] = is_hr


def deny(data: DataDir, address: str) -> None:
    """Raises MailError for one that is not listed."""
    with _changing(data) as known:
        del known.addresses[_listed(known, address)]


def listed(data: DataDir, address: str) -> str:
    """As it is listed. Raises MailError for one that is not."""
    return _listed(load(data), address)


def _listed(known: Mail, address: str) -> str:
    if address.lower() not in known.addresses:
        raise MailError(Sentence("errors.base.mail.unlisted", address=visible(address[:254])))
    return address.lower()


def _checked(given: str) -> str:
    try:
        return mail_address(given)
    except ValueError as error:
        reason = Sentence("errors.base.mail.no_address", given=visible(given[:254]))
        raise MailError(reason) from error


def message(server: Server, to: list[str], subject: str, text: str) -> EmailMessage:
    """What is hidden in the subject, line ends above all, stays in it as a visible sign."""
    made = EmailMessage(policy=SMTP)
    made["From"] = server.sender
    made["To"] = ", ".join(to)
    made["Subject"] = visible(subject)[:_SUBJECT]
    made["Date"] = localtime()
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text, cte="quoted-printable")
    return made


def server_of(known: Mail) -> Server:
    """Raises MailError where there is none yet."""
    if known.server is None:
        raise MailError(Sentence("errors.base.mail.not_set"))
    return known.server


async def send(data: DataDir, server: Server, to: list[str], content: bytes) -> list[str]:
    """Those that the server did not take it for; it took it for others. Raises MailError."""
    try:
        password = credentials.load(data).mail
        async with asyncio.timeout(_LONGEST_S):
            refused, _ = await aiosmtplib.send(
                content,
                sender=server.sender,
                recipients=to,
                hostname=server.host,
                port=server.port,
                username=server.user or None,
                password=password or None,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                tls_context=trusting(server.ca),
                timeout=_STEP_S,
            )
    except TimeoutError:
        reason = Sentence("errors.base.mail.too_slow")
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        reason = _why(error)
    else:
        return sorted(refused)
    raise MailError(Sentence("errors.base.mail.not_sent", host=server.host, reason=reason))


def _why(error: Exception) -> Sentence:
    """Why the server did not take it, with what to do and what it says itself."""
    name, values = _refusal(error)
    if not name:
        return obstacle(error)
    said = quoted(f"{error.code} {error.message}" if isinstance(error, _Answered) else error)
    return Sentence(f"errors.base.mail.{name}", **{"said": said} | values)


def _refusal(error: Exception) -> tuple[str, dict[str, str]]:
    """Which sentence says it, and what belongs into it; nothing where the way there failed."""
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return "no_login", {}
        case aiosmtplib.SMTPSenderRefused():
            return "no_sender", {"sender": visible(error.sender)}
        case aiosmtplib.SMTPRecipientsRefused():
            first = error.recipients[0]
            to = ", ".join(visible(one.recipient) for one in error.recipients)
            return "no_recipient", {"to": to, "said": quoted(f"{first.code} {first.message}")}
        case _Answered():
            return "answered", {}
        case aiosmtplib.SMTPException() if "STARTTLS" in error.message:
            return "no_starttls", {}
        case aiosmtplib.SMTPException() if "AUTH" in error.message:
            return "no_auth", {}
    return "", {}
