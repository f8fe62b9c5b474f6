"""How a gateway connects: its credential, and the address of the broker.

On the hub's machine both are read from the data directory. Elsewhere they stand in a file, which
`diadema enrol gateway NAME --json` has written.
"""

import os
import ssl
from base64 import b64decode
from pathlib import Path

import msgspec
from msgspec import Struct

from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir


class Access(Struct):
    """`ca`: base64, as a station's configuration has it. `user`: `gw-` and the gateway's name."""

    user: str
    password: str
    host: str
    port: int
    ca: str

    def context(self) -> ssl.SSLContext:
        """A TLS context that trusts no other CA. Raises DiademaError."""
        try:
            return ssl.create_default_context(cadata=b64decode(self.ca, validate=True))
        except (ValueError, ssl.SSLError) as error:
            raise DiademaError(f"the hub's CA cannot be read: {error}") from error


def here(data: DataDir, name: str) -> Access | None:
    """The access to the hub of this data directory; None while none runs. Raises DiademaError."""
    hub = data.read_hub()
    if hub is None:
        return None
    password = credentials.gateway_password(credentials.load(data), name)
    if password is None:
        raise DiademaError(
            f"the credential of the gateway {name} was revoked: make a new one with "
            f"`diadema enrol gateway {name} --renew`"
        )
    host, port = hub.mqtt
    return Access(f"gw-{name}", password, host, port, Certificates(data.tls).broker_ca())


def load(path: Path) -> Access:
    """The access of a file. Raises DiademaError when it cannot be read, or others may read it."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(f"{path} can be read by others: run chmod 600 on it")
        access = msgspec.json.decode(path.read_bytes(), type=Access)
    except (OSError, msgspec.MsgspecError) as error:
        raise DiademaError(
            f"cannot read {path} ({error}): write it on the hub's machine with "
            "`diadema enrol gateway NAME --json`"
        ) from error
    if not access.user.startswith("gw-"):
        raise DiademaError(f"{path} is the credential of {access.user}, which is no gateway")
    access.context()
    return access
