"""The consolidated report: how many different users were attended, and what came of it."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from diadema.figures.rows import Calls, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.fcr import WINDOW_DAYS, Visit, fcr
from diadema.report.asked import Asked
from diadema.report.dispositions import COUNT, Counted, coded, flag_word
from diadema.report.model import Cell, Section
from diadema.report.tables import AGENT, Line, Part, Stated, agent_lines, summary, table
from diadema.store import kept_contacts, open_reader, tables
from diadema.store.rows import Contact

FLAGS = ("resuelto", "seguimiento", "reclamo", "negativa", "")
_DAY_MS = 86_400_000


class _Seen(Struct):
    """Of contacts with a conversation: how many, of those with a reference how many and whose;
    what the share of resolved ones is worked out of.
    """

    n: int = 0
    referred: int = 0
    references: set[str] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)
    unknown: int = 0


def make(asked: Asked) -> list[Section]:
    whole = asked.scope.of == "floor" and asked.sees_all
    seen = _look(asked, whole)
    calls = asked.total.calls(asked.queue)
    stated = [
        Stated("handled", "count", of_calls.handled(calls)),
        Stated("distinct", "count", of_calls.distinct(calls)),
        Stated("referred", "count", seen.referred, seen.n),
        Stated("users", "count", len(seen.references), seen.referred),
    ]
    notes = [asked.say("note.users", n=len(seen.references), m=seen.referred, all=seen.n)]
    if whole:
        start, end = asked.bounds_ms
        said = fcr(seen.visits, start, end, asked.now_ms, seen.unknown)
        stated.append(Stated("fcr", "percent", said.rate, said.n))
        notes.append(
            asked.say("note.fcr", days=said.days, pending=said.pending, unknown=said.unknown)
        )
    else:
        notes.append(asked.say("note.fcr_of_all", days=WINDOW_DAYS))
    return [summary(asked, stated, notes), _flags(asked, calls), _agents(asked)]


def _look(asked: Asked, whole: bool) -> _Seen:
    """In one pass, as a month has many. For the whole floor as far beyond the span as a second
    call counts as one.
    """
    start, end = asked.bounds_ms
    until = end + WINDOW_DAYS * _DAY_MS if whole else end
    seen, motives = _Seen(), {code: its[0] for code, its in asked.people.codes.items() if its}
    for one in _attended(asked, start, until):
        assert one.start_utc is not None
        more, inside = one.more, one.start_utc < end
        reference = more.reference if more else None
        if inside and _is_ours(asked, one):
            seen.n += 1
            if reference:
                seen.referred += 1
                seen.references.add(reference)
        if whole:
            motive = (more.motive if more else None) or motives.get(one.code or "")
            if reference is None or motive is None:
                seen.unknown += inside
            else:
                seen.visits.append((reference, motive, one.start_utc))
    return seen


def _attended(asked: Asked, start: int, end: int) -> Iterator[Contact]:
    """With a conversation."""
    reader, row = open_reader(asked.data.store), tables.contacts.c
    within = (row.start_utc >= start) & (row.start_utc < end)
    try:
        with reader.engine.connect() as tx:
            going = {kept_contacts.key_of(one): one for one in kept_contacts.running(tx)}
            for one in kept_contacts.ended(tx, within):
                if one.outcome == "answered" and kept_contacts.key_of(one) not in going:
                    yield one
            for one in going.values():
                if one.outcome == "answered" and start <= (one.start_utc or 0) < end:
                    yield one
    finally:
        reader.close()


def _is_ours(asked: Asked, one: Contact) -> bool:
    agents = asked.agents
    queue = asked.switch_queues.get(one.queue or "", one.queue or "")
    return (agents is None or one.a in agents) and asked.queue in (None, queue)


def _flag(asked: Asked, code: str) -> str:
    given = asked.people.flags.get(code, "")
    if not given and code in asked.people.negative_codes:
        return "negativa"
    return given if given in FLAGS else ""


def _by_flag(asked: Asked, calls: Calls) -> Counter[str]:
    counted: Counter[str] = Counter()
    for code, n in coded(calls).items():
        counted[_flag(asked, code)] += n
    return counted


def _word(asked: Asked, flag: str) -> str:
    return flag_word(asked, flag) or asked.say("flag.none")


def _flags(asked: Asked, calls: Calls) -> Section:
    counted = _by_flag(asked, calls)
    whole = sum(counted.values())
    lines: list[Line[Counted]] = [
        ([_word(asked, flag)], Counted(counted[flag], whole)) for flag in FLAGS
    ]
    return table(asked, "flags", [("flag", "text")], COUNT, lines)


def _agents(asked: Asked) -> Section:
    def calls(sums: Sums) -> Calls | None:
        its = sums.calls(asked.queue)
        return its if of_calls.handled(its) else None

    def counted(flag: str) -> Part[Calls]:
        def get(calls: Calls) -> Cell:
            return _by_flag(asked, calls)[flag]

        return Part(f"flag_{flag or 'none'}", get)

    parts = [
        Part[Calls]("handled", of_calls.handled),
        Part[Calls]("distinct", of_calls.distinct),
        *(counted(flag) for flag in FLAGS),
    ]
    return table(asked, "consolidated_agents", AGENT, parts, agent_lines(asked, calls))
