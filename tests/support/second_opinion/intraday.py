"""`intradia`: each half-hour of each date, and how the waits were spread."""

from tests.support.second_opinion import former, raw, states
from tests.support.second_opinion.booked import summed
from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import Flow, at_rank

_OF_QUEUES = (
    "received", "answered", "abandoned", "left", "waiting", "answered_within", "abandonment",
    "wait_s", "asa_s", "longest_wait_s",
)  # fmt: skip
BUCKETS = (5, 10, 20, 30, 60, 120, 300)


def switched(asked):
    """A switch told of calls of whom is asked about."""
    return asked.of in ("floor", "queue") and bool(asked.stays)


def cells(asked, stays, items):
    its = {}
    if switched(asked):
        flow = Flow(stays, asked.centre)
        variant = asked.centre.aim(asked.code if asked.of == "queue" else "")[0]
        its |= {
            "received": flow.received, "answered": flow.answered, "abandoned": flow.abandoned,
            "left": flow.left, "waiting": flow.waiting, "answered_within": flow.within,
            f"sl_{variant}": flow.levels()[f"sl_{variant}"][0],
            "abandonment": raw.percent(flow.abandoned, flow.ended), "wait_s": flow.wait,
            "asa_s": raw.rounded(flow.wait, flow.answered),
            "longest_wait_s": max(flow.waits(), default=None),
        }  # fmt: skip
    else:
        its |= dict.fromkeys(_OF_QUEUES)
        its[f"sl_{asked.centre.aim()[0]}"] = None
    n = summed(items)
    handle = n["talk_s"] + n["hold_s"] + n["wrap_s"]
    return its | {"n": n["n"], "handle_s": handle, "aht_s": raw.rounded(handle, n["n"])}


def make(asked):
    centre = asked.centre
    stays = grouped(asked.stays, lambda one: centre.halves(one.entered))
    items = grouped(asked.booked, lambda one: centre.halves(one.utc_s))
    load = states.intraday(asked)
    nobody = dict.fromkeys(("busy_s", "ready", "occupancy", "present"), None if not load else 0)
    due = former.planned(asked)
    days = {centre.day(half) for half in due}
    rows = {
        (centre.day(half).isoformat(), centre.clock(half)):
            cells(asked, stays.get(half, []), items.get(half, []))
            | load.get(half, nobody | {"occupancy": None})
            | {"planned_agents": due[half] if centre.day(half) in days else None}
        for half in {*stays, *items, *load, *due} - {None}
    }  # fmt: skip
    rows[None] = cells(asked, asked.stays, asked.booked) | load.get(None, nobody)
    made = {"intraday": rows}
    if switched(asked):
        made["waits"] = waits(Flow(asked.stays, centre))
    return made


def waits(flow):
    rows, low = {}, 0
    for high in (*BUCKETS, None):
        name = f"{low} – {high} s" if high is not None else f"> {low - 1} s"

        def within(values, low=low, high=high):
            return sum(low <= one and (high is None or one <= high) for one in values)

        until = sum(high is None or one <= high for one in flow.answered_waits)
        rows[name] = {
            "answered": within(flow.answered_waits), "abandoned": within(flow.abandoned_waits),
            "left": within(flow.left_waits), "cumulated": raw.percent(until, flow.answered),
        }  # fmt: skip
        low = (high or 0) + 1
    rows[None] = {
        "answered": flow.answered, "abandoned": flow.abandoned, "left": len(flow.left_waits),
    }  # fmt: skip
    return rows


def summary(asked):
    centre = asked.centre
    whole = cells(asked, asked.stays, asked.booked)
    told = {"aht_s": (whole["aht_s"], whole["n"])}
    told |= {name: its for name, its in states.summary(asked).items() if name == "occupancy"}
    if switched(asked):
        flow = Flow(asked.stays, centre)
        variant, goal = centre.aim(asked.code if asked.of == "queue" else "")
        level, of = flow.levels()[f"sl_{variant}"]
        halves = [
            Flow(some, centre).levels()[f"sl_{variant}"][0]
            for some in grouped(asked.stays, lambda one: centre.halves(one.entered)).values()
        ]
        have = [one for one in halves if one is not None]
        met = None if goal is None else raw.percent(sum(one >= goal for one in have), len(have))
        told |= {
            f"sl_{variant}": (level, of),
            "halves_met": (met, len(have)),
            "asa_s": (whole["asa_s"], flow.answered),
            "wait_p50_s": (at_rank(flow.answered_waits, 50), flow.answered),
            "wait_p90_s": (at_rank(flow.answered_waits, 90), flow.answered),
            "longest_wait_s": (whole["longest_wait_s"], len(flow.waits())),
            "abandonment": (whole["abandonment"], flow.ended),
        }
    return told
