"""A record that a hub signs and a person carries away: JSON, with the signature and the signer's
public key beside what is signed.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError


def statement(**parts: Any) -> bytes:
    """What is signed: the parts by name, as JSON with sorted keys, in ASCII, without spaces. Each
    kind of record has other names, so that none passes for another.
    """
    told = {name: msgspec.to_builtins(part) for name, part in parts.items()}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def written(signed: Struct) -> bytes:
    told = msgspec.to_builtins(signed)
    return json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"


def read[T: Struct](file: Path, kind: type[T], command: str) -> T:
    """`command`: who makes such files. Raises DiademaError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise DiademaError(f"cannot read {file}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DiademaError(f"{file}: it is no record of `{command}`: {error}") from error
