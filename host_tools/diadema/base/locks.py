"""One owner a directory: an advisory lock that ends with the process, however it ends.

A data directory for one program: while it works on the store itself, no hub may run there.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.words import Sentence

_LOOK_S = 0.05
_CHANGE_S = 10.0


class AlreadyLocked(DiademaError):
    """Another process holds it; `owner` is what that one wrote into the file."""

    def __init__(self, path: Path, owner: str) -> None:
        by = f" ({owner})" if owner else ""
        super().__init__(Sentence("errors.base.in_use", path=path, by=by))
        self.owner = owner


@contextmanager
def locked(path: Path, *, wait_s: float = 0.0, note: str = "") -> Iterator[None]:
    """Hold the lock; raise AlreadyLocked when it is not free within `wait_s` of real time.

    It blocks while it waits.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    try:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    owner = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                    raise AlreadyLocked(path, owner) from None
                time.sleep(_LOOK_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def changing[T](file: Path, read: Callable[[], T]) -> Iterator[T]:
    """What is in `file`, to be changed by one process at a time: `read` gives it, and it is
    written, for its owner alone, when nothing was raised. Raises DiademaError.
    """
    with locked(file.with_suffix(".lock"), wait_s=_CHANGE_S):
        known = read()
        yield known
        write_whole(file, msgspec.json.format(msgspec.json.encode(known)))


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
            Sentence(
                "errors.base.root_use_owner_end_hub", root=data.root, owner=error.owner, note=note
            )
        ) from error
