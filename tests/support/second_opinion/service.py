"""`servicio`: how long callers waited, by the switch."""

from tests.support.second_opinion import joins, raw
from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import Flow


def cells(flow):
    return {
        "received": flow.received,
        "answered": flow.answered,
        "abandoned": flow.abandoned,
        "left": flow.left,
        "waiting": flow.waiting,
        "answered_within": flow.within,
        "abandoned_within": flow.gone_within,
        "short": flow.short,
        **{name: level for name, (level, _) in flow.levels().items()},
        "answer_rate": raw.percent(flow.answered, flow.received),
        "wait_s": flow.wait,
        "asa_s": raw.rounded(flow.wait, flow.answered),
        "abandonment": raw.percent(flow.abandoned, flow.ended),
        "abandonment_noshort": raw.percent(flow.abandoned - flow.short, flow.ended - flow.short),
        "abandonment_received": raw.percent(flow.abandoned, flow.received),
    }


def make(asked):
    """Tables by their key: rows by what stands before the figures, and the total under None."""
    centre, stays = asked.centre, asked.stays

    def table(key):
        rows = {at: cells(Flow(some, centre)) for at, some in grouped(stays, key).items()}
        return rows | {None: cells(Flow(stays, centre))}

    made = {
        "service_queues": table(lambda one: centre.queue_name(one.queue)),
        "service_halves": table(lambda one: centre.clock(centre.halves(one.entered))),
    }
    if len(asked.days) > 1:
        made["service_days"] = table(lambda one: centre.day(one.entered).isoformat())
    if asked.is_floor:
        made["joined"] = joins.by_day(asked)
    return made


def summary(asked):
    """By figure: value and n."""
    flow = Flow(asked.stays, asked.centre)
    its = cells(flow)
    n = {
        "answer_rate": flow.received, "asa_s": flow.answered, "abandonment": flow.ended,
        "abandonment_noshort": flow.ended - flow.short, "abandonment_received": flow.received,
        **{name: of for name, (_, of) in flow.levels().items()},
    }  # fmt: skip
    return {key: (its[key], n[key]) for key in n}
