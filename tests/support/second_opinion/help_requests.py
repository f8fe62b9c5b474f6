"""`ayudas`: calls for help as the stations' own journals and what people said at the hub tell of
them. Milliseconds of UTC, or of a boot.
"""

from collections import Counter, defaultdict

from . import raw
from .asked import Asked
from .booked import handled, summed
from .centre import grouped
from .switch import at_rank

TARGET_S, SHIFT_MS = 60, 16 * 3_600_000
GAPS = ("none", "missing", "unclear", "wrong")
METRIC = "espera de la ayuda (s)"


class Ask:
    """`open`, `taken` and `closed`: (boot, uptime, UTC)."""

    def __init__(self, event):
        self.open, self.agent = moment(event), event.f["a"]
        self.contact, self.taken, self.by = event.f.get("c"), None, None
        self.closed, self.outcome, self.topic, self.answer = None, None, None, None
        self.too_late = False  # its call was over before somebody came


def moment(event):
    return event.b, event.u, event.utc


def since(start, end):
    """Milliseconds; None where nobody knows."""
    if start[0] == end[0]:
        return end[1] - start[1]
    return None if None in (start[2], end[2]) else max(0, end[2] - start[2])


def read(given):
    found = {}
    for events in given.stations().values():
        for event in events:
            ask = found.get(tuple(event.f.get("of") or ()))
            match event.k:
                case "help.requested":
                    found[event.s, event.e, event.n] = Ask(event)
                case "contact.ended" | "contact.missed":
                    for (s, *_), one in found.items():
                        if s == event.s and one.contact == event.f["c"] and one.taken is None:
                            one.too_late |= one.closed is None
                case _ if ask is None:
                    continue
                case "help.topic":
                    ask.topic = event.f["topic"]
                case "help.accepted":
                    ask.taken, ask.by = ask.taken or moment(event), event.f["by"]
                case "help.cancelled" | "help.resolved":
                    ask.closed, ask.outcome = moment(event), event.k.removeprefix("help.")
                case "help.rated":
                    ask.answer = event.f["answer"]
    return found


def target_s(asked):
    rows = [one for one in asked.centre.targets if one["Indicador"] == METRIC]
    plain = [one for one in rows if not one["Cola"] and not one["Etapa"]]
    return round(float(plain[0]["Meta"])) if plain else TARGET_S


def cells(asked, asks, *, of_helper=False):
    aim, n = target_s(asked), Counter()
    waits, solves = [], []
    for one in asks:
        n["asked"] += 1
        if one.outcome == "resolved" and one.taken is not None:
            solved = since(one.taken, one.closed)
            solves += [] if solved is None else [raw.seconds(solved)]
        if one.taken is not None:
            n["taken"] += 1
            waited = since(one.open, one.taken)
            if waited is not None:
                waits.append(raw.seconds(waited))
                n["due"] += 1
                n["met"] += waits[-1] <= aim
            continue
        age = asked.now_ms - one.open[2]
        if one.outcome is None and not one.too_late and age < SHIFT_MS:
            n["waiting"] += 1
            n["due"] += age > 1000 * aim
            continue
        n["never"] += 1
        same = one.closed is not None and one.closed[0] == one.open[0]
        back = one.outcome == "cancelled" and same and since(one.open, one.closed) <= 1000 * aim
        n["due"] += not back
    its = {
        "help_asked": n["asked"], "help_taken": n["taken"], "help_never": n["never"],
        "help_waiting": n["waiting"], "help_met": raw.percent(n["met"], n["due"]),
        "help_met_within": raw.within(n["met"], n["due"]), "help_wait_n": len(waits),
        "help_wait_p50_s": at_rank(waits, 50), "help_wait_p90_s": at_rank(waits, 90),
        "help_solve_n": len(solves), "help_solve_p50_s": at_rank(solves, 50),
        "help_solve_p90_s": at_rank(solves, 90),
    }  # fmt: skip
    if of_helper:
        its |= {"help_served": None, "help_served_within": None}
    return its | {"due": n["due"]}


def _of(asked):
    """Those of the days and of whom is asked about, of all for a queue."""
    return {
        key: one
        for key, one in read(asked.whole.given).items()
        if one.open[2] is not None
        and (day := asked.centre.day(one.open[2] // 1000)) in asked.days
        and (asked.of == "queue" or asked.of_agent(one.agent, day))
    }


def make(asked):
    its, centre, given = _of(asked), asked.centre, asked.whole.given
    asks = [*its.values()]
    topics = {one["Código"]: one["Etiqueta"] for one in given.on(centre.last, "help_topics")}

    def topic(one):
        return topics.get(one.topic, one.topic) or "(sin tema)"

    def team(one):
        return centre.team(one.agent, centre.day(one.open[2] // 1000)) or "(sin equipo)"

    def half(one):
        return f"{raw.local(centre.halves(one.open[2] // 1000), centre.zone):%H:%M}"

    made = {}
    for key, of in (("topics", topic), ("helpers", lambda one: one.by or "(nadie acudió)"),
                    ("help_teams", team), ("help_halves", half)):  # fmt: skip
        own = {"of_helper": key == "helpers"}
        made[key] = {at: cells(asked, some, **own) for at, some in grouped(asks, of).items()}
        made[key][None] = cells(asked, asks, **own)
    return made | {"gaps": _gaps(asked, its)}


def _gaps(asked, its):
    """What was noted last of each."""
    last = {}
    for events in asked.whole.given.journals.values():
        for event in events:
            if event.k == "help.noted" and event.f.get("gap"):
                last[tuple(event.f["of"])] = event.f
    noted = defaultdict(Counter)
    for of, f in last.items():
        if of in its:
            version = f.get("version")
            version = None if version is None else str(version)
            noted[f.get("playbook") or "(sin instructivo)", version][f["gap"]] += 1
    rows = {
        at: {"gaps": n.total(), **{f"gap_{gap}": n[gap] for gap in GAPS}}
        for at, n in noted.items()
    }
    total = Counter()
    for row in rows.values():
        total.update(row)
    return rows | {None: {name: total[name] for name in ("gaps", *(f"gap_{one}" for one in GAPS))}}


def summary(asked):
    its = cells(asked, [*_of(asked).values()])
    if asked.of == "queue":  # it is of all then
        asked = Asked(asked.whole, asked.days[0], asked.days[-1], asked.now_ms)
    calls = handled(summed(asked.booked))
    return {
        "help_asked": (its["help_asked"], None),
        "help_met": (its["help_met"], its["due"], its["help_met_within"]),
        "help_wait_p50_s": (its["help_wait_p50_s"], its["help_wait_n"]),
        "help_wait_p90_s": (its["help_wait_p90_s"], its["help_wait_n"]),
        "help_solve_p50_s": (its["help_solve_p50_s"], its["help_solve_n"]),
        "help_solve_p90_s": (its["help_solve_p90_s"], its["help_solve_n"]),
        "help_never": (its["help_never"], its["help_asked"]),
        "help_share": (raw.percent(its["help_asked"], calls), calls),
    }
