"""Where the web pages are served: plain HTTP on this machine only, HTTPS wherever else."""

import contextlib
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from diadema.base.certificates import PageCertificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.hub.broker import LOOPBACK

_EVERY = "0.0.0.0"
_HERE = ("localhost", LOOPBACK)


@dataclass(frozen=True)
class PageDoor:
    """`cert` and `key`: given ones; else, where other machines come, one of our own CA."""

    host: str = LOOPBACK
    cert: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()  # addresses whose word of who asks is believed

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise DiademaError("--tls-cert and --tls-key belong together")
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise DiademaError(
                    f"--proxy {proxy}: give the address of the proxy, as 192.0.2.7"
                ) from error

    @property
    def is_here(self) -> bool:
        return self.host in _HERE

    @property
    def is_secure(self) -> bool:
        return self.cert is not None or not self.is_here

    @property
    def near(self) -> str:
        """Where this machine itself finds it."""
        return LOOPBACK if self.is_here or self.host == _EVERY else self.host

    def url(self, port: int) -> str:
        name = socket.gethostname() if self.host == _EVERY else self.near
        return f"{'https' if self.is_secure else 'http'}://{name}:{port}"

    def authority(self, data: DataDir) -> Path | None:
        """The CA that browsers are to install; None where they need none of ours."""
        return PageCertificates(data.tls).ca if self.is_secure and self.cert is None else None

    def too_early(self) -> DiademaError:
        """Other machines would come to a set-up that nobody has done."""
        return DiademaError(
            f"{self.host} would let other machines in, and there is no account yet: make one with "
            "`diadema account add NAME --role admin`, or leave --host out for the set-up"
        )

    def arguments(self, data: DataDir, names: list[str]) -> list[str]:
        """For the web process; makes the certificate. Raises DiademaError."""
        own = [] if self.host == _EVERY else [self.host]
        called = [*dict.fromkeys([*names, socket.gethostname(), *own, *_HERE])]
        told = ["--host", LOOPBACK if self.host == "localhost" else self.host]
        told += [part for name in called for part in ("--name", name)]
        told += [part for proxy in self.proxies for part in ("--proxy", proxy)]
        if not self.is_secure:
            return told
        cert, key = self.cert, self.key
        if cert is None or key is None:
            made = PageCertificates(data.tls)
            made.make([*called, *_addresses()])
            cert, key = made.server, made.server_key
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        except OSError as error:
            raise DiademaError(f"cannot use {cert} with {key}: {error}") from error
        return [*told, "--tls-cert", str(cert.absolute()), "--tls-key", str(key.absolute())]


def _addresses() -> list[str]:
    """Of this machine, as far as it knows them, so that the pages can be asked for by number."""
    found = []
    with contextlib.suppress(OSError):
        found = [str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None)]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent; it tells the way out
        found.append(str(probe.getsockname()[0]))
    return [one for one in dict.fromkeys(found) if "%" not in one]
