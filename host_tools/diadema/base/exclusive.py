"""A data directory for one program: while it works on the store itself, no hub may run there."""

import contextlib
from collections.abc import Iterator

from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir

_INGEST_S = 10.0  # the ingest of a hub that was killed needs a moment to end


@contextlib.contextmanager
def alone(data: DataDir, note: str) -> Iterator[None]:
    """Raises DiademaError while a hub, or another such program, runs there."""
    try:
        with (
            locked(data.lock, note=f"diadema {note}"),
            locked(data.ingest_lock, wait_s=_INGEST_S, note=f"diadema {note}"),
        ):
            yield
    except AlreadyLocked as error:
        raise DiademaError(
            f"{data.root} is in use ({error.owner}): end that hub first, then {note}"
        ) from error
