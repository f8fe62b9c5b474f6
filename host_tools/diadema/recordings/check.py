"""Whether what is set up can work: each folder, the names in it, and the newest recording."""

from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

from diadema.recordings.decoding import Decoders, Unfit
from diadema.recordings.files import Found, listed, opened
from diadema.recordings.settings import Names, Settings

_MOST = 5_000  # files that are looked at


class Folder(Struct):
    """`state`: right, absent, empty, unnamed (no name is as the pattern has it) or unfit, and then
    `reason` says why the newest recording cannot be decoded; else `format` is what it is.
    """

    folder: str
    state: str = "right"
    files: int = 0
    named: int = 0
    format: str = ""
    reason: str = ""


def look(settings: Settings) -> list[Folder]:
    names = Names(settings)
    with Decoders() as decoders:
        return [_look(folder, names, decoders) for folder in settings.folders]


def _look(root: str, names: Names, decoders: Decoders) -> Folder:
    found = Folder(root)
    newest: Found | None = None
    try:
        for file in _files(root, ""):
            found.files += 1
            if names.read(file.name) is not None:
                found.named += 1
                if newest is None or file.mtime_ns > newest.mtime_ns:
                    newest = file
            if found.files == _MOST:
                break
        if newest is not None:
            with opened(newest.root, newest.path) as descriptor:
                found.format = decoders.probe(descriptor)[0].format
    except OSError:
        found.state = "absent"
    except Unfit as error:
        found.state, found.reason = "unfit", error.reason
    else:
        if newest is None:
            found.state = "unnamed" if found.files else "empty"
    return found


def _files(root: str, folder: str) -> Iterator[Found]:
    """Of the folders that were made last, first: their names tell the day, as a rule."""
    _, files, below = listed(root, folder)
    for one in reversed(below):
        with suppress(FileNotFoundError):
            yield from _files(root, one)
    yield from files
