"""How the exchange is reached, and what may be asked of it: `switch.json`. Its passwords lie in
`secrets.json`.
"""

import ssl
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from diadema.base.certificates import trusting
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.site.directory.kinds import EXTENSION
from diadema.words import Sentence

type Port = Annotated[int, Meta(ge=1, le=65_535)]
type Extension = Annotated[str, Meta(pattern=f"^{EXTENSION}\\Z")]


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """`name`: the exchange's events are those of `PBX-name`. `ca`: PEM of the CA that its
    certificates are checked by; empty: those of the system. `foreign`: what becomes of a member
    that somebody changes at the exchange itself. `allowed`: numbers that agents may dial, as a
    dialplan has patterns; `hourly`: so many calls out of one telephone at most. `listeners`: by
    account, the telephone at which it hears calls.
    """

    kind: Literal["asterisk"] = "asterisk"
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")] = "central"
    host: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z")] = "127.0.0.1"
    ami_port: Port = 5038
    ari_port: Port = 8088
    tls: bool = False
    ca: str = ""
    user: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")] = "diadema"
    foreign: Literal["put_right", "leave"] = "leave"
    allowed: Annotated[list[Annotated[str, Meta(pattern=r"^[0-9XZN.\[\]-]{1,40}\Z")]],
                       Meta(max_length=32)] = []  # fmt: skip
    hourly: Annotated[int, Meta(ge=0, le=1000)] = 60
    listeners: Annotated[dict[Annotated[str, Meta(min_length=1, max_length=32)], Extension],
                         Meta(max_length=500)] = {}  # fmt: skip

    @property
    def context(self) -> ssl.SSLContext | None:
        """Of TLS connections; None for plain ones. Raises DiademaError. Who signed, the name and
        the dates are checked; not how the certificate was written: those that Asterisk makes with
        its `ast_tls_cert` have not all the extensions that RFC 5280 asks for. One may be given
        itself in place of its CA.
        """
        if not self.tls:
            return None
        context = trusting(self.ca)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def read(data: DataDir) -> Settings | None:
    """None where no exchange is set up. Raises DiademaError."""
    try:
        return msgspec.json.decode(data.switch.read_bytes(), type=Settings)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=data.switch, reason=error)
        ) from error


def check(settings: Settings) -> None:
    """Raises DiademaError for what `read` would not take."""
    try:
        msgspec.json.decode(msgspec.json.encode(settings), type=Settings)
    except msgspec.ValidationError as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=Path("switch.json"), reason=error)
        ) from error


def write(data: DataDir, settings: Settings) -> None:
    """Raises DiademaError for what `read` would not take."""
    check(settings)
    write_whole(data.switch, msgspec.json.format(msgspec.json.encode(settings)))
