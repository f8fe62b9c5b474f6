"""The consolidated report: how many different users were attended, and what came of it."""

from collections import Counter
from collections.abc import Iterable, Iterator

from diadema.figures.rows import Calls, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.fcr import WINDOW_DAYS, Fcr, fcr
from diadema.report.asked import Asked
from diadema.report.dispositions import COUNT, Counted, flag_word
from diadema.report.model import Cell, Section
from diadema.report.tables import AGENT, Line, Part, Stated, agent_lines, summary, table
from diadema.store import open_reader
from diadema.store.rows import Contact

FLAGS = ("resuelto", "seguimiento", "reclamo", "negativa", "")
_DAY_MS = 86_400_000


def make(asked: Asked) -> list[Section]:
    start, end = asked.bounds_ms
    contacts = [*_attended(asked, start, end)]
    its = [one for one in contacts if _is_ours(asked, one, start, end)]
    references = {one.more.reference for one in its if one.more and one.more.reference}
    referred = sum(bool(one.more and one.more.reference) for one in its)
    calls = asked.total.calls(asked.queue)
    stated = [
        Stated("handled", "count", of_calls.handled(calls)),
        Stated("distinct", "count", of_calls.distinct(calls)),
        Stated("referred", "count", referred, len(its)),
        Stated("users", "count", len(references), referred),
    ]
    notes = [asked.say("note.users", n=len(references), m=referred, all=len(its))]
    if asked.scope.of == "floor" and asked.sees_all:
        said = _fcr(asked, contacts)
        stated.append(Stated("fcr", "percent", said.rate, said.n))
        notes.append(
            asked.say("note.fcr", days=said.days, pending=said.pending, unknown=said.unknown)
        )
    else:
        notes.append(asked.say("note.fcr_of_all", days=WINDOW_DAYS))
    return [summary(asked, stated, notes), _flags(asked, calls), _agents(asked)]


def _attended(asked: Asked, start: int, end: int) -> Iterator[Contact]:
    """With a conversation; as far beyond the span as a second call counts as one."""
    reader = open_reader(asked.data.store)
    try:
        found = reader.contacts(start_utc=start, end_utc=end + WINDOW_DAYS * _DAY_MS)
    finally:
        reader.close()
    return (one for one in found if one.outcome == "answered")


def _is_ours(asked: Asked, one: Contact, start: int, end: int) -> bool:
    return (
        one.start_utc is not None
        and start <= one.start_utc < end
        and (asked.agents is None or one.a in asked.agents)
        and asked.queue in (None, one.queue or "")
    )


def _fcr(asked: Asked, contacts: Iterable[Contact]) -> Fcr:
    start, end = asked.bounds_ms
    visits, unknown = [], 0
    for one in contacts:
        more = one.more
        labels = asked.people.codes.get(one.code or "", [])
        motive = (more.motive if more else None) or (labels[0] if labels else None)
        reference = more.reference if more else None
        if reference is None or motive is None or one.start_utc is None:
            unknown += one.start_utc is not None and start <= one.start_utc < end
        else:
            visits.append((reference, motive, one.start_utc))
    return fcr(visits, start, end, asked.now_ms, unknown)


def _flag(asked: Asked, code: str) -> str:
    given = asked.people.flags.get(code, "")
    if not given and code in asked.people.negative_codes:
        return "negativa"
    return given if given in FLAGS else ""


def _by_flag(asked: Asked, calls: Calls) -> Counter[str]:
    counted: Counter[str] = Counter()
    for code, n in calls.codes.items():
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
