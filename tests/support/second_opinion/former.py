"""Beside the span before, over the last spans, and by weekday and hour."""

from collections import Counter
from datetime import timedelta
from fractions import Fraction
from math import floor

from . import desks, plan, raw
from .asked import Asked
from .booked import summed
from .centre import days, grouped

SPANS = {"day": 7, "week": 8, "month": 6}
TREND = {
    "servicio": ("sl", "abandonment", "asa_s"),
    "intradia": ("sl", "aht_s", "occupancy"),
    "llamadas": ("pickup_rate", "answer_rate", "abandonment"),
    "tmo": ("aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "occupancy"),
    "tipificacion": ("typified_rate",),
    "protocolo": ("ticked_share", "one_by_one_share"),
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def spans(grain, first, many):
    """(word, first, last) of so many before that day, the latest last."""
    found = []
    for _ in range(many):
        last = first - timedelta(1)
        if grain == "day":
            first, word = last, last.isoformat()
        elif grain == "week":
            first = last - timedelta(6)
            year, week, _ = first.isocalendar()
            word = f"{year}-W{week:02}"
        else:
            first = last.replace(day=1)
            word = f"{first:%Y-%m}"
        found.insert(0, (word, first, last))
    return found


def told(asked):
    """Whether there is anything of these days: of whom is asked about, or of any queue."""
    centre, whole = asked.centre, asked.whole
    if any(centre.day(one.entered) in asked.days for one in whole.stays):
        return True
    mine = asked.of_agent if asked.of in ("agent", "team") else lambda agent, day: True
    days_of = {(one.agent, centre.day(one.utc_s)) for one in whole.booked if one.utc_s is not None}
    for agent, shown in desks.by_agent(whole.desks).items():
        for start, end, *_ in shown:
            its = days(centre.day(start), centre.day(max(start, end - 1)))
            days_of |= {(agent, day) for day in its}
    return any(day in asked.days and mine(agent, day) for agent, day in days_of)


def make(asked, kind, span, summary):
    """`summary`: that of the kind, by its keys."""
    first = asked.days[0]
    last_ones = spans(span.grain, first, SPANS[span.grain] - 1)
    former = [
        (word, Asked(asked.whole, start, end, asked.now_ms, asked.of, asked.code))
        for word, start, end in last_ones
    ]
    while former and not told(former[0][1]):
        former.pop(0)
    if not former:
        return {}
    mine, before = summary(asked), summary(former[-1][1])
    level = f"sl_{asked.centre.aim(asked.code if asked.of == 'queue' else '')[0]}"
    keys = [level if key == "sl" else key for key in TREND[kind]]
    told_of = [(word, summary(one)) for word, one in former] + [(span.word, mine)]
    keys = [key for key in keys if any(key in its for _, its in told_of)]
    trend = {}
    for word, its in told_of:
        trend[word] = {key: its.get(key, (None, None))[0] for key in keys}
        trend[word]["n"] = its.get(keys[0], (None, None))[1]
    beside_it = {key: beside(mine[key], before.get(key), key) for key in mine}
    return {"compared": beside_it, "trend": trend}


def beside(now, before, key):
    value, n = now
    was, n_was = before or (None, None)
    of_share = key.startswith("sl_") or isinstance(value if value is not None else was, float)
    both = value is not None and was is not None
    return {
        "value": value, "n": n, "before": was, "n_before": n_was,
        "change": tenth(Fraction(100 * (value - was), was)) if both and was and not of_share
        else None,
        "points": tenth(Fraction(str(value)) - Fraction(str(was))) if both and of_share else None,
    }  # fmt: skip


def tenth(value):
    return floor(value * 10 + Fraction(1, 2)) / 10


def maps(asked, kind, grain):
    """How many came at each hour of each weekday, on average of the days with any."""
    if grain == "day" or kind not in ("servicio", "intradia", "llamadas"):
        return {}
    if kind == "intradia" and (asked.of in ("agent", "team") or not asked.stays):
        return {}
    centre, counts = asked.centre, Counter()
    known, unknown, told_of = set(), set(), set()
    if kind == "llamadas":
        halves = grouped(asked.booked, lambda one: centre.halves(one.utc_s))
        for half, items in halves.items():
            n = summed(items)
            at = f"{centre.clock(half)[:2]}:00", WEEKDAYS[centre.day(half).weekday()]
            if not n["offered"] and not n["answered"]:
                continue
            if n["unrung"] and not n["offered"]:
                unknown.add(at)
                continue
            known.add(at)
            told_of.add(centre.day(half))
            counts[at] += n["offered"]
    else:
        for one in asked.stays:
            half = centre.halves(one.entered)
            at = f"{centre.clock(half)[:2]}:00", WEEKDAYS[centre.day(half).weekday()]
            known.add(at)
            told_of.add(centre.day(half))
            counts[at] += 1
    begun = Counter(WEEKDAYS[day.weekday()] for day in told_of)
    rows = {
        hour: {
            name: None if (hour, name) in unknown - known else
            raw.rounded(counts[hour, name], begun[name])
            for name in WEEKDAYS
        }
        for hour in {hour for hour, _ in known}
    }  # fmt: skip
    whole = Counter()
    for (_, name), n in counts.items():
        whole[name] += n
    rows[None] = {name: raw.rounded(whole[name], begun[name]) for name in WEEKDAYS}
    key = {"llamadas": "calls_map", "servicio": "service_map", "intradia": "intraday_map"}
    return {key[kind]: rows}


def planned(asked):
    """By half-hour that has begun, how many have a shift in it; of days on which anybody has."""
    if asked.of == "queue":
        return {}
    centre = asked.centre
    around = [asked.days[0] - timedelta(1), *asked.days, asked.days[-1] + timedelta(1)]
    found = Counter()
    for one in plan.plans(asked.whole.given, around).values():
        if not one.works or not asked.of_agent(one.agent, one.day):
            continue
        for half, _ in raw.split(one.start, min(one.end, asked.now_s), centre.zone):
            if centre.day(half) in asked.days:
                found[half] += 1
    return found
