"""`llamadas`: contestación, nivel de atención, rings, causes, transfers, calls out."""

from collections import Counter

from tests.support.second_opinion import raw
from tests.support.second_opinion.booked import handled, summed
from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import Flow

CAUSES = {
    "": "sin causa", "no_answer": "no contestó", "caller_gave_up": "el usuario colgó antes",
    "withdrawn": "la central la retiró", "rejected": "rechazada", "technical": "técnica",
    "busy": "ocupado", "failed": "falló", "interrupted": "interrumpida",
}  # fmt: skip
KINDS = {"blind": "ciega", "consulted": "consultada", "conference": "conferencia"}
_COUNTED = ["offered", "answered", "missed", "excused", "open", "unrung"]
_OF_RINGS = ("offered", "missed", "excused", "open")
_OF_CALLERS = ["received", "switch_answered", "abandoned", "answer_rate", "abandonment"]
_OUT = ["dialed", "connected", "not_answered", "dialing"]


def pickup(n):
    """Rings answered over rings offered, without those that were not hers to take."""
    return raw.percent(n["answered"] - n["unrung"], rang(n))


def rang(n):
    return n["offered"] - n["excused"]


def _rings_of(n):
    """Where a switch told of calls and of no rings, of these nothing is known."""
    known = n["offered"] or not n["unrung"]
    its = {name: n[name] for name in _COUNTED}
    return its if known else its | dict.fromkeys(_OF_RINGS)


def cells(items):
    n = summed(items)
    return {
        **_rings_of(n),
        "pickup_rate": pickup(n),
        **{name: n[name] for name in _OUT},
        "transferred": n["transferred"],
        "transfer_rate": raw.percent(n["transferred"], handled(n)),
    }


def ring_cells(items):
    n = summed(items)
    its = _rings_of(n)
    return {
        **its,
        "pickup_rate": pickup(n),
        **{name: n[name] for name in ("rung_out", "ring_n", "ring_s")},
        "missed_ring_s": None if its["missed"] is None else n["missed_ring_s"],
        "ring_mean_s": raw.rounded(n["ring_s"], n["ring_n"]),
        "left_on_hold": n["left_on_hold"],
        "failed": n["failed"],
    }


def out_cells(items):
    n = summed(items)
    return {
        **{name: n[name] for name in _OUT},
        "connect_rate": raw.percent(n["connected"], n["dialed"]),
        "dial_n": n["dial_n"],
        "dial_s": n["dial_s"],
        "dial_mean_s": raw.rounded(n["dial_s"], n["dial_n"]),
    }


def tables(asked, cells, name, items=None):
    """By agent, queue, half-hour, stage and, of several days, by day."""
    items = asked.booked if items is None else items
    centre = asked.centre

    def table(key):
        rows = {at: cells(some) for at, some in grouped(items, key).items()}
        total = cells(items)
        for name in total.keys() & {*_OF_RINGS, "missed_ring_s"}:  # of those who know
            known = [row[name] for row in rows.values() if row[name] is not None]
            total[name] = sum(known) if known else None
        return rows | {None: total}

    made = {
        f"{name}_agents": table(lambda one: one.agent),
        f"{name}_queues": table(lambda one: centre.queue_name(one.queue)),
        f"{name}_halves": table(lambda one: centre.clock(centre.halves(one.utc_s))),
    }
    if len(asked.days) > 1:
        made[f"{name}_days"] = table(lambda one: centre.day(one.utc_s).isoformat())
    stages = table(lambda one: stage(centre, one))
    if set(stages) - {None, "piso"}:
        made[f"{name}_stages"] = stages
    return made


def stage(centre, one):
    return centre.stage(one.agent, centre.day(one.utc_s)) or "piso"


def make(asked):
    items = asked.booked
    who = {
        one.agent for one in items if one.n["offered"] or one.n["answered"] or one.n["rung_out"]
    }
    rung = [one for one in items if one.agent in who]
    out = [one for one in items if one.n["dialed"]]
    made = tables(asked, cells, "calls")
    made["rings_agents"] = tables(asked, ring_cells, "x", rung)["x_agents"]
    made["outbound_agents"] = tables(asked, out_cells, "x", out)["x_agents"]
    causes = Counter(CAUSES[one.cause] for one in items if one.cause is not None)
    made["causes"] = counted(causes)
    made["transfers"] = transfers(asked)
    made["check"] = check(asked)
    return made


def counted(its, share=False):
    whole = sum(its.values())
    rows = {key: {"count": n} for key, n in its.items()} | {None: {"count": whole}}
    if share:
        for row in rows.values():
            row["share"] = raw.percent(row["count"], whole)
    return rows


def transfers(asked):
    centre, found = asked.centre, Counter()
    for one in asked.booked:
        if one.transfer:
            kind, area = one.transfer
            where = (
                "externa" if area in centre.outside
                else "interna" if area in centre.inside
                else "no se sabe"
            )  # fmt: skip
            found[KINDS[kind], asked.centre.areas.get(area, "—"), where] += 1
    return counted(found, share=True)


def check(asked):
    """Received less all that can have become of it."""
    n, flow = summed(asked.booked), Flow(asked.stays, asked.centre)
    none = {"missed": None, "excused": None, "abandoned": None, "left": None}
    both = _sides(n, _rings(n), "estaciones, salientes")
    sides = {side: none | row for side, row in both}
    if n["unrung"] and not n["offered"]:  # a switch told of calls and of no rings
        del sides[_rings(n)]
    if asked.of in ("floor", "queue") and flow.received:
        sides["central, cola"] = none | {
            "received": flow.received, "answered": flow.answered, "abandoned": flow.abandoned,
            "left": flow.left, "open": flow.waiting,
        }  # fmt: skip
    late = summed(asked.hourless)
    for side, n in _sides(late, "sin hora todavía, entrantes", "sin hora todavía, salientes"):
        if n["received"]:
            sides[side] = none | n
    for row in sides.values():
        row["difference"] = 0
    return sides


def _sides(n, rings, out):
    return (
        (rings, {
            "received": n["offered"], "answered": n["answered"] - n["unrung"],
            "missed": n["missed"], "excused": n["excused"], "open": n["open"],
        }),
        (out, {
            "received": n["dialed"], "answered": n["connected"], "missed": n["not_answered"],
            "open": n["dialing"],
        }),
    )  # fmt: skip


def _rings(n):
    """Who told of the calls that were taken."""
    told = n["by_switch"] - n["unrung"]
    if not told:
        return "estaciones, entrantes"
    return (
        "central, timbres de asesores"
        if told == n["answered"]
        else ("estaciones y central, timbres")
    )


def summary(asked):
    n, centre = summed(asked.booked), asked.centre
    areas = Counter(one.transfer[1] for one in asked.booked if one.transfer)
    inside = sum(count for area, count in areas.items() if area in centre.inside)
    outside = sum(count for area, count in areas.items() if area in centre.outside)
    whole = handled(n)
    its = _rings_of(n)
    rings = its["offered"]
    told = {
        "offered": (rings, None),
        "handled": (whole, None),
        "distinct": (whole - n["continued"], whole),
        "missed": (its["missed"], rings),
        "excused": (its["excused"], rings),
        "failed": (n["failed"], None),
        "pickup_rate": (pickup(n), None if rings is None else rang(n)),
        "transfer_rate": (raw.percent(n["transferred"], whole), whole),
        "transfer_internal_rate": (raw.percent(inside, whole), whole),
        "transfer_external_rate": (raw.percent(outside, whole), whole),
        "connect_rate": (raw.percent(n["connected"], n["dialed"]), n["dialed"]),
        "typified": (n["typified"], n["typified"] + n["untyped"]),
    }
    told |= dict.fromkeys(_OF_CALLERS, (None, None))
    if asked.of in ("floor", "queue") and asked.stays:
        flow = Flow(asked.stays, centre)
        told |= {
            "received": (flow.received, None),
            "switch_answered": (flow.distinct, flow.answered),
            "abandoned": (flow.abandoned, flow.received),
            "answer_rate": (raw.percent(flow.answered, flow.received), flow.received),
            "abandonment": (raw.percent(flow.abandoned, flow.ended), flow.ended),
        }
    return told
