"""What the time logged in was spent on (`tmo`): seconds by state, occupancy, utilisation, reasons
not to be ready, technical time.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

from . import desks, plan, raw

PRIVATE = "privado"
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
    cell["reasons"], cell["system"] = Counter(), Counter()
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


def clock(halves, zone):
    """The half-hours of a span by the local clock, several days' together. Those of an hour that a
    change of the clock brings twice on a day are told apart by their offset.
    """
    by_day = defaultdict(list)
    for half in halves:
        by_day[raw.day_of(half, zone)].append(half)
    found = defaultdict(list)
    for its in by_day.values():
        words = Counter(word(half, zone) for half in every(its, zone))
        for half in its:
            twice = words[word(half, zone)] > 1
            found[word(half, zone) + (f" {offset(half, zone)}" if twice else "")].append(half)
    return {at: add(halves[half] for half in its) for at, its in found.items()}


def every(its, zone):
    """All half-hours of the day of these."""
    first, last = bounds(raw.day_of(its[0], zone), zone)
    half = first
    while half < last:
        yield half
        half = raw.next_half(half, zone)


def word(half, zone):
    return datetime.fromtimestamp(half, UTC).astimezone(zone).strftime("%H:%M")


def offset(half, zone):
    minutes = datetime.fromtimestamp(half, UTC).astimezone(zone).utcoffset() // timedelta(
        minutes=1
    )
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours:02}" + (f":{rest:02}" if rest else "")
