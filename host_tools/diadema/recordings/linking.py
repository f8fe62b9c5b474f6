"""Which contact a recording is of. By the switch's id of the call in its name; else by the agent
and the start, and never where two would fit.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from diadema.recordings.calls import Pauses
from diadema.recordings.index import File, Link, Recorded
from diadema.recordings.silence import verdict
from diadema.store.rows import Contact

NEAR_MS = 5_000
_LENGTH = 0.10
_NAME_MS = 5_000  # how far off a start is that a name alone tells
AROUND_MS = 60_000  # what is further from a call than this has nothing to do with it

type Agents = Callable[[str, int | None], str]


class Fit(Struct, frozen=True):
    """`start_utc`: when it began by the host's clock, None where nothing tells; `stopped_utc`:
    when the switch said that it ended. `uncertain_ms`: of that start.
    """

    file: File
    how: str
    start_utc: int | None
    stopped_utc: int | None = None
    uncertain_ms: int = 0


def choose(
    contacts: Sequence[Contact],
    files: Iterable[File],
    recorded: Mapping[str, list[Recorded]],
    agent_of: Agents,
) -> dict[int, Fit | None]:
    """By the contact's place in the list, its recording; None where two would fit, or where it
    would fit two. What the id of the call tells goes before what agent and start tell.
    """
    by_call: dict[str, list[int]] = defaultdict(list)
    by_agent: dict[str, list[int]] = defaultdict(list)
    for at, contact in enumerate(contacts):
        by_agent[contact.agent].append(at)
        if contact.pbx:
            by_call[contact.pbx].append(at)
    of_call: dict[int, list[Fit]] = defaultdict(list)
    of_start: dict[int, list[Fit]] = defaultdict(list)
    fitted: Counter[int] = Counter()  # contacts of each file
    for file in files:
        its = recorded.get(file.named.pbx, [])
        calls = dict.fromkeys([file.named.pbx, *(one.linked for one in its)])
        named = [at for call in calls if call for at in by_call.get(call, ())]
        for at in named:
            fit = _of_call(contacts[at], file, its)
            if fit is not None:
                of_call[at].append(fit)
        if not named and file.named.agent and file.named.utc_ms is not None:
            agent = agent_of(file.named.agent, file.named.utc_ms)
            near = [at for at in by_agent.get(agent, ()) if _is_near(contacts[at], file)]
            fitted[file.id] = len(near)
            for at in near:
                of_start[at].append(Fit(file, "hour", file.named.utc_ms, None, NEAR_MS))
    found = {at: fits[0] if len(fits) == 1 else None for at, fits in of_call.items()}
    for at, fits in of_start.items():
        sure = len(fits) == 1 and fitted[fits[0].file.id] == 1
        found.setdefault(at, fits[0] if sure else None)
    return found


def _of_call(contact: Contact, file: File, its: list[Recorded]) -> Fit | None:
    """None where it was made at another time of the same call."""
    named = file.named.utc_ms
    near = [one for one in its if _meets(contact, one.started_utc, one.stopped_utc)]
    if near:
        one = min(near, key=lambda one: abs(one.started_utc - (named or one.started_utc)))
        return Fit(file, "pbx", one.started_utc, one.stopped_utc)
    if its or (named is not None and not _meets(contact, named, file.end_utc)):
        return None
    return Fit(file, "pbx", named, None, _NAME_MS)


def link(contact: Contact, fit: Fit, uncertainty_ms: int, pauses: Pauses) -> Link:
    """`uncertainty_ms` of the contact's own times. What the file lacks of what was recorded is
    uncertainty too: nobody knows where it is lacking.
    """
    probed, start = fit.file.probed, contact.start_utc
    assert probed is not None
    offset = None if fit.start_utc is None or start is None else fit.start_utc - start
    uncertain = None
    if fit.start_utc is not None and offset is not None:
        uncertain = uncertainty_ms + fit.uncertain_ms + _lacking_ms(contact, fit, probed.ms)
    return Link(
        call=(contact.station, contact.epoch, contact.sequence),
        agent=contact.agent,
        file=fit.file.id,
        how=fit.how,
        hash=probed.hash,
        ms=probed.ms,
        rate=probed.rate,
        channels=probed.sides,
        format=probed.format,
        offset_ms=offset,
        uncertainty_ms=uncertain,
        pauses=verdict(pauses, probed.silences, probed.ms, offset, uncertain),
    )


def _lacking_ms(contact: Contact, fit: Fit, file_ms: int) -> int:
    if fit.start_utc is None:
        return 0
    if fit.stopped_utc is not None:
        return abs(fit.stopped_utc - fit.start_utc - file_ms)
    return max((contact.end_utc or 0) - fit.start_utc - file_ms, 0)


def _meets(contact: Contact, start_utc: int, end_utc: int | None) -> bool:
    first, last = contact.start_utc, contact.end_utc
    if first is None or last is None:
        return True
    return start_utc <= last + AROUND_MS and (end_utc is None or end_utc >= first - AROUND_MS)


def _is_near(contact: Contact, file: File) -> bool:
    """It began when the call rang or was answered, and is as long as the rest of it."""
    end, start = contact.end_utc, file.named.utc_ms
    if end is None or start is None or file.probed is None:
        return False
    return any(
        begun is not None
        and abs(start - begun) <= NEAR_MS
        and abs(file.probed.ms - (end - begun)) <= _LENGTH * (end - begun)
        for begun in (contact.start_utc, contact.answered_utc)
    )
