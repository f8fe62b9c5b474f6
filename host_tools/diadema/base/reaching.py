"""Why another machine was not reached: in our words with what to do, and behind them in quotes
what the library says. For mail, webhooks, the identity provider and the hub of a standby.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

from diadema.base.sanitize import visible
from diadema.words import Sentence

_SAID = 200  # characters of what a library says
_CERTIFICATE = {  # X509_V_ERR_… of OpenSSL
    9: "early", 10: "ended", 62: "name", 64: "name",
    2: "unknown_ca", 18: "unknown_ca", 19: "unknown_ca", 20: "unknown_ca", 21: "unknown_ca",
    24: "bad_ca", 25: "bad_ca", 32: "bad_ca", 79: "bad_ca", 85: "bad_ca", 86: "bad_ca",
    89: "bad_ca", 92: "bad_ca",
}  # fmt: skip
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH")
_NO_WAY = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
_HUNG_UP = ("RemoteProtocolError", "ReadError", "WriteError")  # of httpcore and of httpx


def obstacle(error: BaseException) -> Sentence:
    """What kept the connection from being made, or cut it."""
    found = [*_behind(error)]
    for one in found:
        if (name := _name(one)) is not None:
            return _sentence(name, one)
    for one in found:
        if isinstance(one, ConnectionError | EOFError) or type(one).__name__ in _HUNG_UP:
            return _sentence("hung_up", one)
    return _sentence("other", error)


def quoted(said: object) -> str:
    """What others say, safe to print and not too long."""
    return visible(str(said).strip() or type(said).__name__)[:_SAID]


def _sentence(name: str, error: BaseException) -> Sentence:
    said = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error
    return Sentence(f"errors.base.reach.{name}", said=quoted(said))


def _name(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(error.verify_code, "certificate")
        case ssl.SSLError():
            return "no_tls" if any(one in str(error) for one in _NO_TLS) else "tls"
        case socket.gaierror():
            return "no_name"
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "too_slow"
        case OSError() if error.errno in _NO_WAY:
            return "no_way"
    return None


def _behind(error: BaseException) -> Iterator[BaseException]:
    """It, and what it came of."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _behind(one)
    if (cause := error.__cause__ or error.__context__) is not None:
        yield from _behind(cause)
