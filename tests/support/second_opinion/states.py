"""What the time logged in was spent on (`tmo`): seconds by state, occupancy, utilisation, reasons
not to be ready, technical time.
"""

from collections import Counter, defaultdict
from datetime import timedelta

from . import desks, plan, raw
from .centre import grouped

PRIVATE = "privado"
SYSTEM = {
    "login": "inicio de sesión", "no_answer": "no contestó", "fault": "falla técnica",
    "link": "enlace", "supervisor": "supervisor", "wrapup_end": "fin de post llamada",
    None: "(sin motivo)", PRIVATE: "auxiliar privada",
}  # fmt: skip
STAGES = ("piso", "nesting", "formación")
HANDLING = ("talking", "held", "consulting", "wrapup", "dialing")


def bounds(day, zone):
    """Seconds of UTC of a local day."""
    return plan.moment(day, "00:00", zone), plan.moment(day + timedelta(days=1), "00:00", zone)


def load(given, found, days, wanted=lambda agent, day: True):
    """(by agent, by half-hour's first second): seconds by state; `reasons` and `system` by reason;
    `technical`. `wanted`: whether that agent's day is asked for.
    """
    agents = defaultdict(new)
    halves = defaultdict(new)
    spans = [(day, *bounds(day, given.zone)) for day in days]
    for agent, shown in desks.by_agent(found).items():
        faults = desks.technical(found, agent, shown)
        for day, first, last in spans:
            if not wanted(agent, day):
                continue
            for start, end, state, reason, by in shown:
                for half, seconds in cut(start, end, first, last, given.zone):
                    for cell in (agents[agent], halves[half]):
                        cell[state] += seconds
                        cell["agents"][agent] += seconds
                        if state == "not_ready":
                            cell["reasons"][reason] += seconds
                            if by == "system":
                                cell["system"][reason] += seconds
            for start, end, _ in faults:
                for half, seconds in cut(start, end, first, last, given.zone):
                    agents[agent]["technical"] += seconds
                    halves[half]["technical"] += seconds
    return dict(agents), dict(halves)


def new():
    cell = Counter()
    cell["reasons"], cell["system"], cell["agents"] = Counter(), Counter(), Counter()
    return cell


def cut(start, end, first, last, zone):
    return raw.split(max(start, first), min(end, last), zone)


def add(cells):
    total = new()
    for cell in cells:
        for key, value in cell.items():
            if isinstance(value, Counter):
                total[key].update(value)
            else:
                total[key] += value
    return total


def row(cell):
    logged = sum(cell[state] for state in desks.STATES)
    handling = sum(cell[state] for state in HANDLING)
    return {
        "logged_s": logged, "ready": cell["ready"], "offered_s": cell["offered"],
        "dialing_s": cell["dialing"], "talking": cell["talking"], "held": cell["held"],
        "consulting": cell["consulting"], "wrapup": cell["wrapup"],
        "not_ready": cell["not_ready"], "off": cell["off"], "technical_s": cell["technical"],
        "occupancy": raw.percent(handling, handling + cell["ready"]),
        "utilisation": raw.percent(handling + cell["ready"], logged),
    }  # fmt: skip


def reasons(cell, known):
    """By reason, the private ones as one."""
    seconds, system = Counter(), Counter()
    for told, into in ((cell["reasons"], seconds), (cell["system"], system)):
        for reason, value in told.items():
            private = reason == PRIVATE or (reason in known and known[reason].private)
            into[PRIVATE if private else reason] += value
    return {
        reason: {"seconds": seconds[reason], "system_s": system[reason],
                 "share": raw.percent(seconds[reason], cell["not_ready"])}
        for reason in seconds
    }  # fmt: skip


def of(asked, stage=None):
    """`load` of the question, of those at that stage; None of a queue, which nobody logs in to."""
    if asked.of == "queue":
        return None

    def wanted(agent, day):
        at = stage is None or floor(asked.centre.stage(agent, day)) == stage
        return at and asked.of_agent(agent, day)

    return load(asked.whole.given, asked.whole.desks, asked.days, wanted)


def floor(stage):
    return stage or "piso"


def make(asked):
    """Tables by their key."""
    its = of(asked)
    if its is None:
        return {}
    agents, halves = its
    centre = asked.centre
    rows = {agent: row(cell) for agent, cell in agents.items()}
    by_clock = grouped(halves, lambda half: centre.clock(centre.halves(half)))
    hours = {at: row(add(halves[half] for half in some)) for at, some in by_clock.items()}
    whole = add(agents.values())
    known = plan.reasons(asked.whole.given, asked.days[-1])
    total = {None: row(whole)}
    told = reasons(whole, known)
    words = SYSTEM | {code: one.label for code, one in known.items()}
    made = {
        "load_agents": rows | total,
        "load_halves": hours | total,
        "reasons": {words.get(code, code): cell for code, cell in told.items()} | {None: {
            "seconds": whole["not_ready"], "system_s": sum(whole["system"].values()),
            "share": raw.percent(whole["not_ready"], whole["not_ready"])}},
    }  # fmt: skip
    stages = {stage: row(add(of(asked, stage)[0].values())) for stage in STAGES}
    stages = {stage: cell for stage, cell in stages.items() if cell["logged_s"]}
    if set(stages) - {"piso"}:
        made["load_stages"] = stages | total
    return made


def summary(asked):
    its = of(asked)
    if its is None:
        return {}
    agents, _ = its
    total = row(add(agents.values()))
    n = sum(row(cell)["logged_s"] > 0 for cell in agents.values())
    return {name: (total[name], n) for name in ("occupancy", "utilisation")}


def intraday(asked):
    """By half-hour what `intradia` has of it, and of all under None."""
    its = of(asked)
    if its is None:
        return {}

    def cells(cell):
        busy = sum(cell[state] for state in HANDLING)
        return {
            "busy_s": busy, "ready": cell["ready"], "present": len(cell["agents"]),
            "occupancy": raw.percent(busy, busy + cell["ready"]),
        }  # fmt: skip

    agents, halves = its
    return {half: cells(cell) for half, cell in halves.items()} | {
        None: cells(add(agents.values())) | {"present": None}
    }
