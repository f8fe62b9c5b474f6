"""Files below the folders that are set up, and nothing else: each step of a path is opened by
itself and follows no link.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEP = 8


class Found(Struct, frozen=True):
    """`path` below `root`, as it is written there."""

    root: str
    path: str
    size: int
    mtime_ns: int
    inode: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@contextlib.contextmanager
def opened(root: str, path: str) -> Iterator[int]:
    """A descriptor of a plain file, to read. Raises OSError, also for what is a link."""
    with _folder(root, PurePosixPath(path).parts[:-1]) as folder:
        name = PurePosixPath(path).name
        descriptor = os.open(name, _FLAGS | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileNotFoundError(name)
            yield descriptor
        finally:
            os.close(descriptor)


def delete(root: str, path: str) -> None:
    """Raises OSError."""
    with _folder(root, PurePosixPath(path).parts[:-1]) as folder:
        os.unlink(PurePosixPath(path).name, dir_fd=folder)


@contextlib.contextmanager
def _folder(root: str, parts: tuple[str, ...]) -> Iterator[int]:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if part in ("", ".", ".."):
                raise FileNotFoundError(part)
            below = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def is_there(root: str) -> bool:
    return Path(root).is_dir()


def still_there(found: Found) -> bool:
    """The very file, under that path."""
    with contextlib.suppress(OSError), opened(found.root, found.path) as descriptor:
        return os.fstat(descriptor).st_ino == found.inode
    return False


def listed(root: str, path: str) -> tuple[int, list[Found], list[str]]:
    """Of a folder (empty: the root itself): its time, its plain files and its folders. Links are
    neither, and folders deeper than any recorder makes them are none. Raises OSError.
    """
    with _folder(root, PurePosixPath(path).parts) as folder:
        changed_ns, found, folders = os.fstat(folder).st_mtime_ns, [], []
        with os.scandir(folder) as entries:
            for entry in entries:
                below = f"{path}/{entry.name}" if path else entry.name
                with contextlib.suppress(FileNotFoundError):  # gone since
                    if entry.is_dir(follow_symlinks=False) and below.count("/") < _DEEP:
                        folders.append(below)
                    elif entry.is_file(follow_symlinks=False):
                        its = entry.stat(follow_symlinks=False)
                        found.append(found_of(root, below, its))
        return changed_ns, sorted(found, key=lambda one: one.path), sorted(folders)


def changed_ns(root: str, path: str) -> int:
    """When something came into a folder or left it. Raises OSError."""
    with _folder(root, PurePosixPath(path).parts) as folder:
        return os.fstat(folder).st_mtime_ns


def found_of(root: str, path: str, its: os.stat_result) -> Found:
    return Found(root, path, its.st_size, its.st_mtime_ns, its.st_ino)
