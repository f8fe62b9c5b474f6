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
from diadema.words import Sentence


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
            raise DiademaError(
                Sentence("errors.gateway.hub_s_ca_cannot_read", error=error)
            ) from error


def here(data: DataDir, name: str) -> Access | None:
    """The access to the hub of this data directory; None while none runs. Raises DiademaError."""
    hub = data.read_hub()
    if hub is None:
        return None
    password = credentials.gateway_password(credentials.load(data), name)
    if password is None:
        raise DiademaError(
            Sentence("errors.gateway.credential_gateway_name_revoked_make", name=name)
        )
    host, port = hub.mqtt
    return Access(f"gw-{name}", password, host, port, Certificates(data.tls).broker_ca())


def load(path: Path) -> Access:
    """The access of a file. Raises DiademaError when it cannot be read, or others may read it."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=path))
        access = msgspec.json.decode(path.read_bytes(), type=Access)
    except (OSError, msgspec.MsgspecError) as error:
        raise DiademaError(
            Sentence("errors.gateway.cannot_read_path_error_write", path=path, error=error)
        ) from error
    if not access.user.startswith("gw-"):
        raise DiademaError(
            Sentence("errors.gateway.path_credential_user_which_no", path=path, user=access.user)
        )
    access.context()
    return access
