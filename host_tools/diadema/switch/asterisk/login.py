"""Where Asterisk is, who we are there, and how far the way to it may be trusted."""

import ipaddress
import ssl
from dataclasses import dataclass

from diadema.switch.exchange import SwitchError
from diadema.words import Sentence

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


def is_near(host: str) -> bool:
    """Whether that is this machine by what is written, whatever a DNS says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
