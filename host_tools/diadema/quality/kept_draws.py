"""What is kept of each draw beside its events: the contacts that it was made from and its whole
list, written before the first event says of it. So a hub that was killed in the middle goes on
with what is kept, and a draw can be exported and checked for as long as the files are there.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.quality.assigning import Assignment, Left
from diadema.quality.frame import Frame
from diadema.quality.sample_file import Lines, Listed, Sample, keep_frame, read_frame
from diadema.quality.sampling import Earlier
from diadema.words import Sentence

_FRAME, _REST, _COUNTED = ".csv", ".json", ".late"
SAMPLE_FILES = (_FRAME, _REST)  # of a draw
_STRATUM_CHARACTERS = 30  # of a sample.assigned
_HEAD, _DIGEST = 21, 8


class StoredDraw(Struct, kw_only=True):
    """`form`, `form_version`: what is evaluated by. `calls`: who evaluates which, in their order;
    `left`: those that nobody can; `short`: as a `Draw` has it. `cut_ms`: until when contacts came
    in that it knew, `contacts`: how many of its period there were then.
    """

    sample: Sample
    form: str
    form_version: int
    due_ms: int
    calls: list[Assignment]
    left: list[Left]
    alone: int
    listed: list[Listed]
    short: dict[str, tuple[int, int]]
    cut_ms: int
    contacts: int


class LateCount(Struct):
    """`late`: how many could have been drawn, when there were so many `contacts` of the period."""

    contacts: int
    late: int


def draw_id(commit: str, *, late: bool = False) -> str:
    """Of the only draw, or the only one of late contacts, that a commitment can have."""
    return hashlib.sha256(f"{'late' if late else 'draw'}|{commit}".encode()).hexdigest()[:12]


def keep(data: DataDir, stored: StoredDraw, frame: Frame) -> None:
    """Both files, the list last: while it is not there, the draw was not made. Raises
    DiademaError.
    """
    draw = stored.sample.draw
    path = data.samples / f"{draw}{_REST}"
    try:
        data.samples.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            frame_path(data, draw).unlink(missing_ok=True)  # of one that did not come to an end
            keep_frame(frame_path(data, draw), frame.rows)
            write_whole(path, msgspec.json.encode(stored))
    except OSError as error:
        raise cannot_write(path, error) from error


def stored_draw(data: DataDir, draw: str) -> StoredDraw | None:
    """None where it was not made. Raises DiademaError where it cannot be read."""
    path = data.samples / f"{draw}{_REST}"
    try:
        return msgspec.json.decode(path.read_bytes(), type=StoredDraw)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise DiademaError(Sentence("errors.quality.kept_broken", path=path)) from error


def frame_path(data: DataDir, draw: str) -> Path:
    return data.samples / f"{draw}{_FRAME}"


def frame_rows(data: DataDir, draw: str) -> Lines:
    """The contacts that it was made from. Raises DiademaError where the file is gone."""
    path = frame_path(data, draw)
    if not path.exists():
        raise DiademaError(Sentence("errors.quality.kept_broken", path=path))
    return read_frame(path)


def earlier_of(stored: StoredDraw) -> Earlier:
    """What the first draw of a period had, for that of the late contacts."""
    sizes: dict[str, int] = {}
    taken: dict[str, int] = {}
    for one in stored.sample.strata:
        sizes[one.agent] = sizes.get(one.agent, 0) + one.size
        taken[one.agent] = taken.get(one.agent, 0) + one.taken
    return Earlier(sizes, taken)


def late_count(data: DataDir, draw: str) -> LateCount | None:
    """As it was counted last; None where nothing came since."""
    path = data.samples / f"{draw}{_COUNTED}"
    try:
        return msgspec.json.decode(path.read_bytes(), type=LateCount)
    except (OSError, msgspec.MsgspecError):
        return None  # it is counted again


def keep_late_count(data: DataDir, draw: str, found: LateCount) -> None:
    path = data.samples / f"{draw}{_COUNTED}"
    try:
        write_whole(path, msgspec.json.encode(found))
    except OSError as error:
        raise cannot_write(path, error) from error


def short_stratum(stratum: str) -> str:
    """As an event has room for it; two long ones that begin alike stay two."""
    if len(stratum) <= _STRATUM_CHARACTERS:
        return stratum
    digest = hashlib.sha256(stratum.encode()).hexdigest()[:_DIGEST]
    return f"{stratum[:_HEAD]}~{digest}"


def strata_of(stored: StoredDraw, agent: str) -> Iterator[str]:
    """Of that agent, in full."""
    return (one.stratum for one in stored.sample.strata if one.agent == agent)
