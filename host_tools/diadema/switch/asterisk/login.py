"""Where Asterisk is, who we are there, and how far the way to it may be trusted."""

import ipaddress
import ssl
from dataclasses import dataclass

from diadema.switch.exchange import SwitchDistrusted, SwitchError
from diadema.words import Sentence

DENIED = "Permission denied"
REFUSED_S = 180.0  # a fail2ban beside the exchange shuts out who is refused often
_DISTRUST = {9: "date", 10: "date", 62: "name", 64: "name"}  # OpenSSL's X509_V_ERR_*
WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # before each try to reach it again


@dataclass(frozen=True)
class Login:
    """Of one interface. `tls`: None for a plain connection, which is made to this machine only."""

    host: str
    port: int
    user: str
    secret: str
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        """Raises SwitchError."""
        if self.tls is None and not is_near(self.host):
            raise SwitchError(Sentence("errors.switch.plain", host=self.host))
        if self.tls is None and self.host == "localhost":  # whoever answers for names is not asked
            object.__setattr__(self, "host", "127.0.0.1")

    @property
    def where(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def unreachable(self, error: BaseException) -> SwitchError:
        """What is to be said of a connection that could not be made."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            return SwitchError(
                Sentence("errors.switch.unreachable", where=self.where, error=error)
            )
        word = _DISTRUST.get(cause.verify_code, "unknown")
        return SwitchDistrusted(
            Sentence(
                f"errors.switch.certificate_{word}",
                where=self.where,
                host=self.host,
                reason=cause.verify_message,
            )
        )


def is_near(host: str) -> bool:
    """Whether that is this machine by what is written, whatever a DNS says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
