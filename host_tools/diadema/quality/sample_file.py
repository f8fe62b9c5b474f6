"""A draw as a file: its contacts, its secret and its list, and whether these belong together. Who
has the file needs nothing else to check it, and compares its two hashes with what was published.

`sample.json` tells of the draw; `frame.csv` has a row of the frame in each line, so that its
SHA-256 is the frame's; `list.csv` has the calls, those that were replaced too.
"""

import hashlib
import os
import re
import tempfile
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import IO, Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from diadema.base.errors import DiademaError, why
from diadema.base.paths import cannot_write
from diadema.quality.frame import Frame
from diadema.quality.sampling import (
    Draw,
    Earlier,
    SamplePeriod,
    StratumDraw,
    allocation,
    commitment,
    first_of,
    names_of,
)
from diadema.site.directory.quality import Count, SamplePlan
from diadema.store.contact_rows import Key
from diadema.words import Sentence

type Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
type Rows = Iterable[bytes]

_ABOUT, _FRAME, _LIST = "sample.json", "frame.csv", "list.csv"
_MOST = {_ABOUT: 64 << 20, _FRAME: 1 << 30, _LIST: 64 << 20}  # bytes, unpacked
_LONGEST, _BLOCK, _AT_ONCE = 1024, 1 << 18, 10_000
_NAMED = 3  # strata, where a frame was altered
_DATE = (1980, 1, 1, 0, 0, 0)
_HEAD = b"agent,stratum,rank,s,e,n,replaced"
_KEY = rb"[\w.~%-]{1,100},\d{1,16},\d{1,16}"
_STRATUM = rb"[\w.~%-]{0,100},[\w.~%/-]{0,400}"
_is_row = re.compile(_KEY + b"," + _STRATUM).fullmatch
_is_listed = re.compile(_STRATUM + rb",\d{1,9}," + _KEY + rb",[a-z_]{0,40}").fullmatch
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip


class StratumLine(Struct, frozen=True):
    """`hash`: SHA-256 of its rows, so that an altered one is found in it."""

    agent: str
    stratum: str
    size: Count
    taken: Count
    hash: Hash


class Sample(Struct, kw_only=True, frozen=True):
    """`of`: the first draw of the period, where this is that of the contacts that came later, and
    `earlier` what that had. `beside`: plans that may draw from the same contacts.
    """

    format: Literal[1] = 1
    draw: str
    of: str | None = None
    plan: SamplePlan
    version: int
    period: SamplePeriod
    commit: Hash
    secret: Hash
    frame: Count
    frame_hash: Hash
    excluded: dict[str, Count] = field(default_factory=dict)
    strata: list[StratumLine]
    earlier: Earlier = field(default_factory=Earlier)
    beside: list[str] = field(default_factory=list)


class Listed(Struct, frozen=True):
    """`replaced`: why the next of its stratum took its place; else empty."""

    agent: str
    stratum: str
    rank: int
    s: str
    e: int
    n: int
    replaced: str = ""


class Verified(Struct, frozen=True):
    """`chosen`: calls of the list that were not replaced. `faults`: empty where all is right."""

    sample: Sample
    chosen: int
    replaced: int
    faults: list[Sentence]


def listed(drawn: Draw) -> list[Listed]:
    """Its calls, of which none was replaced."""
    return [
        Listed(of.agent, of.stratum, call.rank, *call.key)
        for of in drawn.strata
        for call in of.calls
    ]


def sample_of(
    draw: str,
    plan: SamplePlan,
    version: int,
    period: SamplePeriod,
    secret: bytes,
    frame: Frame,
    drawn: Draw,
    *,
    of: str | None = None,
    earlier: Earlier | None = None,
    beside: Sequence[str] = (),
) -> Sample:
    """What a file tells of a draw; of the plan all but who evaluates."""
    hashes = _look(frame.rows).hashes
    return Sample(
        draw=draw,
        of=of,
        plan=msgspec.structs.replace(plan, monitors=()),
        version=version,
        period=period,
        commit=commitment(secret),
        secret=secret.hex(),
        frame=len(frame.rows),
        frame_hash=frame.hash,
        excluded=frame.excluded,
        strata=[
            StratumLine(
                one.agent, one.stratum, one.size, one.taken, hashes[_stratum(one)].hexdigest()
            )
            for one in drawn.strata
        ],
        earlier=earlier or Earlier(),
        beside=[*beside],
    )


def write_sample(file: IO[bytes], sample: Sample, rows: Rows, calls: Iterable[Listed]) -> None:
    """The same content makes the same bytes."""
    lines = (
        f"{one.agent},{one.stratum},{one.rank},{one.s},{one.e},{one.n},{one.replaced}".encode()
        for one in calls
    )
    about = msgspec.json.format(msgspec.json.encode(sample))
    with zipfile.ZipFile(file, "w") as made:
        _add(made, _ABOUT, [about])
        _add(made, _FRAME, _in_blocks(rows))
        _add(made, _LIST, (_HEAD + b"\n", *_in_blocks(lines)))


def _add(made: zipfile.ZipFile, name: str, blocks: Iterable[bytes]) -> None:
    about = zipfile.ZipInfo(name, _DATE)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o600 << 16
    with made.open(about, "w") as member:
        for block in blocks:
            member.write(block)


def _in_blocks(rows: Rows) -> Iterator[bytes]:
    for some in batched(rows, _AT_ONCE):
        yield b"\n".join(some) + b"\n"


class Lines:
    """The lines of what `open_file` opens, as often as they are asked for; one that is longer than
    any row is cut, and is none.
    """

    def __init__(self, open_file: Callable[[], IO[bytes]]) -> None:
        self._open = open_file

    def __iter__(self) -> Iterator[bytes]:
        with self._open() as file:
            rest = b""
            while block := file.read(_BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                yield from lines
                rest = rest[: _LONGEST + 1]
            if rest:
                yield rest


def keep_frame(path: Path, rows: Rows) -> None:
    """Written whole, and once: what a draw was made from is never another. Raises DiademaError
    where there is one.
    """
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(made)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(_in_blocks(rows))
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise DiademaError(Sentence("errors.quality.drawn_already", path=path)) from None
    except OSError as error:
        raise cannot_write(path, error) from error


def read_frame(path: Path) -> Lines:
    return Lines(lambda: path.open("rb"))


class _Look(Struct):
    """What there is in a frame."""

    count: int
    hash: str
    sizes: Counter[bytes]
    hashes: "dict[bytes, hashlib._Hash]"


def _look(rows: Rows) -> _Look:
    count, whole = 0, hashlib.sha256()
    sizes = Counter[bytes]()
    hashes: defaultdict[bytes, hashlib._Hash] = defaultdict(hashlib.sha256)
    for row in rows:
        count += 1
        line = row + b"\n"
        whole.update(line)
        stratum = row.split(b",", 3)[3]
        sizes[stratum] += 1
        hashes[stratum].update(line)
    return _Look(count, whole.hexdigest(), sizes, hashes)


def _stratum(of: StratumDraw | StratumLine | Listed) -> bytes:
    return f"{of.agent},{of.stratum}".encode()


def verify(path: Path, commit: str | None = None, frame_hash: str | None = None) -> Verified:
    """Whether the list is what the secret draws from the contacts. `commit`, `frame_hash`: as they
    were published. Raises DiademaError where the file is none of ours.
    """
    with _opened(path) as packed:
        sample = msgspec.json.decode(packed.read(_ABOUT), type=Sample)
        faults = [*_published(sample, commit, frame_hash)]
        rows = Lines(lambda: packed.open(_FRAME))
        wrong, sizes = _of_frame(sample, rows)
        secret = bytes.fromhex(sample.secret)
        if commitment(secret) != sample.commit:
            wrong.append(Sentence("errors.quality.other_secret"))
        calls = [*_listed(Lines(lambda: packed.open(_LIST)), wrong)]
        replaced = sum(bool(one.replaced) for _, one in calls)
        faults += wrong
        if wrong:
            faults.append(Sentence("errors.quality.list_unchecked"))
        else:
            quotas, _ = allocation(sample.plan, sizes, secret, sample.earlier)
            faults += _of_quotas(sample, sizes, quotas)
            faults += _of_list(calls, rows, secret, sizes, quotas)
    return Verified(sample, len(calls) - replaced, replaced, faults)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Whatever is broken in it raises DiademaError that says so."""
    none = DiademaError(Sentence("errors.quality.no_sample", path=path))
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            if sorted(one.filename for one in members) != sorted(_MOST):
                raise none
            for one in members:
                plain = one.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                if one.file_size > _MOST[one.filename] or not plain:
                    raise none
            yield packed
    except OSError as error:
        reason = why(error)
        raise DiademaError(
            Sentence("errors.quality.cannot_read", path=path, reason=reason)
        ) from error
    except _BROKEN as error:
        raise none from error


def _published(sample: Sample, commit: str | None, frame_hash: str | None) -> Iterator[Sentence]:
    if commit is not None and commit.lower() != sample.commit:
        yield Sentence("errors.quality.other_commitment", found=sample.commit, published=commit)
    if frame_hash is not None and frame_hash.lower() != sample.frame_hash:
        yield Sentence("errors.quality.other_frame", found=sample.frame_hash, published=frame_hash)


def _of_frame(sample: Sample, rows: Rows) -> tuple[list[Sentence], Mapping[bytes, int]]:
    """What is wrong with it, and the sizes of its strata."""
    faults: list[Sentence] = []
    look = _look(_sound(rows, faults))
    if faults:
        return faults, look.sizes
    if look.count != sample.frame:
        faults.append(
            Sentence("errors.quality.other_count", found=look.count, published=sample.frame)
        )
    if look.hash != sample.frame_hash:
        published = {_stratum(one): one.hash for one in sample.strata}
        found = {stratum: one.hexdigest() for stratum, one in look.hashes.items()}
        odd = sorted(one for one in published | found if published.get(one) != found.get(one))
        names = [" ".join(names_of(one)).strip() for one in odd[:_NAMED]]
        where = ", ".join([*names, *(["…"] if len(odd) > _NAMED else [])]) or "—"
        faults.append(Sentence("errors.quality.frame_altered", where=where))
    return faults, look.sizes


def _sound(rows: Rows, faults: list[Sentence]) -> Iterator[bytes]:
    """Up to the first line that is no row, or not after the one before."""
    last = b""
    for number, row in enumerate(rows, 1):
        if _is_row(row) is None:
            faults.append(Sentence("errors.quality.no_row", number=number, file=_FRAME))
            return
        if row <= last:
            faults.append(Sentence("errors.quality.row_order", number=number, file=_FRAME))
            return
        last = row
        yield row


def _listed(lines: Rows, faults: list[Sentence]) -> Iterator[tuple[int, Listed]]:
    """With the number of its line, up to the first that is no row."""
    for number, line in enumerate(lines, 1):
        if number == 1 and line == _HEAD:
            continue
        if number == 1 or _is_listed(line) is None:
            faults.append(Sentence("errors.quality.no_row", number=number, file=_LIST))
            return
        agent, stratum, rank, s, e, n, replaced = line.decode().split(",")
        yield number, Listed(agent, stratum, int(rank), s, int(e), int(n), replaced)


def _of_quotas(
    sample: Sample, sizes: Mapping[bytes, int], quotas: Mapping[bytes, int]
) -> Iterator[Sentence]:
    """Strata of which the file says another size, or that more or fewer were drawn."""
    said = {_stratum(one): (one.size, one.taken) for one in sample.strata}
    right = {one: (size, quotas[one]) for one, size in sizes.items()}
    for one in sorted(said | right):
        if said.get(one) != right.get(one):
            size, taken = said.get(one, (0, 0))
            there, wanted = right.get(one, (0, 0))
            yield Sentence(
                "errors.quality.other_quota", where=" ".join(names_of(one)).strip(),
                taken=taken, size=size, wanted=wanted, there=there,
            )  # fmt: skip


def _of_list(
    calls: Sequence[tuple[int, Listed]],
    rows: Rows,
    secret: bytes,
    sizes: Mapping[bytes, int],
    quotas: Mapping[bytes, int],
) -> Iterator[Sentence]:
    """Calls that the order does not have there."""
    replaced = Counter(_stratum(one) for _, one in calls if one.replaced)
    wanted = {one: min(n + replaced[one], sizes[one]) for one, n in quotas.items()}
    order = first_of(rows, secret, wanted)
    found: dict[tuple[bytes, int], tuple[int, Key]] = {}
    for number, one in calls:
        place, key = (_stratum(one), one.rank), (one.s, one.e, one.n)
        if place in found or not 0 < one.rank <= wanted.get(place[0], 0):
            yield Sentence("errors.quality.not_drawn", number=number, file=_LIST, call=_said(key),
                           where=_where(one))  # fmt: skip
        else:
            found[place] = number, key
    for stratum in sorted(order):
        for call in order[stratum]:
            agent, rest = names_of(stratum)
            where = _where(Listed(agent, rest, call.rank, *call.key))
            right = _said(call.key)
            number, key = found.get((stratum, call.rank), (0, call.key))
            if not number:
                yield Sentence("errors.quality.not_listed", file=_LIST, call=right, where=where)
            elif key != call.key:
                yield Sentence("errors.quality.swapped", number=number, file=_LIST,
                               call=_said(key), right=right, where=where)  # fmt: skip


def _where(one: Listed) -> str:
    return " ".join(part for part in (one.agent, one.stratum, f"#{one.rank}") if part)


def _said(key: Key) -> str:
    return "|".join(map(str, key))
