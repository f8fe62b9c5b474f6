"""What `diadema report month` gives without a kind, from the roll-ups: how long callers waited, as
in `servicio`, and who served them, as in `llamadas` and `tmo`.

Flow is booked where the call entered the queue, a contact where an agent took it, and seconds of
conversation are split across the half-hours in which they passed. What cannot be is in flow and
in load, left out of means, and counted beside them.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from diadema.figures.rows import Sums
from diadema.figures.switch import NOBODY
from diadema.metrics import calls as of_calls
from diadema.metrics import queue as of_queue
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import Flow
from diadema.report.asked import Asked
from diadema.store import open_reader
from diadema.store import reader as switch_calls

_ASIDE = {  # why a mean does not take a conversation, by the field that counts it
    "open": "aside_open",
    "interrupted": "aside_interrupted",
    "no_agent": "aside_unnamed",
    "estimated": "aside_estimated",
    "impossible": "aside_impossible",
}


class Served:
    """Contacts (atenciones) and seconds of conversation; `n` of them are in the mean."""

    def __init__(self, sums: Sums) -> None:
        calls = sums.calls()
        self.contacts = of_calls.handled(calls)
        self.talk_s = sums.load.talking + sums.load.switch_talk_s
        self.n = calls.n
        self.mean_talk_s = of_calls.talk_mean(calls)
        self.aside = {why: n for why, name in _ASIDE.items() if (n := getattr(calls, name))}

    def __bool__(self) -> bool:
        return bool(self.contacts or self.talk_s)


class Month:
    """The figures of one month of the whole floor. Intervals are known by their first second in
    UTC. Raises DiademaError where there is no store.
    """

    def __init__(self, asked: Asked) -> None:
        figures = asked.figures
        self.word = asked.period.word
        self.zone = asked.zone
        self.threshold_s = asked.threshold_s("")
        self.thresholds = asked.thresholds()
        self.short_s = asked.short_s
        self.cut_at = datetime.fromtimestamp(figures.cut.at_ms / 1000, asked.zone).isoformat(
            timespec="seconds"
        )
        self.position = figures.cut.position
        self.queue = figures.queue()
        self.flows = _flows(asked)
        self.total = Flow()
        for flow in self.flows.values():
            self.total += flow
        self.served = Served(asked.total)
        self.no_agent = Served(figures.agent(NOBODY)).contacts
        agents = {a: Served(sums) for a, sums in figures.agents().items()}
        self.agents = {a: agents[a] for a in sorted(agents, key=_nobody_last) if agents[a]}
        halves = {at: Served(s) for day in figures.days for at, s in day.half_hours().items()}
        self.halves = {at: row for at, row in halves.items() if row}
        self.days = figures.days
        reader = open_reader(asked.data.store)
        try:
            with reader.engine.connect() as tx:
                self.sources = switch_calls.sources(tx, *asked.bounds_ms)
                self.first_and_last = switch_calls.days(tx, asked.zone)
        finally:
            reader.close()

    @property
    def at_once(self) -> dict[str, int]:
        """Calls that waited no second."""
        queue = self.queue
        return {
            "answered": queue.answered_waits.get(0, 0),
            "abandoned": queue.abandoned_waits.get(0, 0),
        }

    def as_json(self) -> dict[str, Any]:
        """For a script. Service levels and abandonment in percent; a mean that has nothing is
        null.
        """
        local = Intervals(self.zone).local
        starts = {at: local(at).isoformat() for at in sorted({*self.flows, *self.halves})}
        nothing = Served(Sums())
        return {
            "report": "month",
            "month": self.word,
            "zone": self.zone.key,
            "sources": self.sources,
            "cut_off": {"at": self.cut_at, "position": self.position},
            "threshold_s": self.threshold_s,
            "thresholds": self.thresholds,
            "short_s": self.short_s,
            **_figures(self.total),
            "formulas": of_queue.VARIANTS,
            "outside_queue": self.queue.outside,
            "no_agent": self.no_agent,
            "at_once": self.at_once,
            **_served(self.served),
            "agents": [{"agent": a or None, **_served(row)} for a, row in self.agents.items()],
            "intervals": [
                {
                    "start": start,
                    **_figures(self.flows.get(at, Flow())),
                    "contacts": self.halves.get(at, nothing).contacts,
                    "talk_s": self.halves.get(at, nothing).talk_s,
                }
                for at, start in starts.items()
            ],
            "agent_intervals": [
                {
                    "start": starts[at],
                    "agent": a or None,
                    "contacts": row.contacts,
                    "talk_s": row.talk_s,
                }
                for day in self.days
                for at, its in day.intervals.items()
                for a in sorted(its, key=_nobody_last)
                if (row := Served(its[a]))
            ],
        }


def _flows(asked: Asked) -> dict[int, Flow]:
    flows = {
        at: asked.flow(queues)
        for day in asked.figures.days
        for at, queues in day.queue_intervals.items()
    }
    return {at: flow for at, flow in flows.items() if flow.received}


def _nobody_last(agent: str) -> tuple[bool, str]:
    return agent == NOBODY, agent


def _figures(flow: Flow) -> dict[str, Any]:
    return {
        "service_level": of_queue.service_level(flow),
        "asa_s": of_queue.asa(flow),
        "abandonment": of_queue.abandonment(flow),
        "abandonment_noshort": of_queue.abandonment_noshort(flow),
        "abandonment_received": of_queue.abandonment_received(flow),
        "n": {**asdict(flow), "service_level": {v: n(flow) for v, n in of_queue.BASES.items()}},
    }


def _served(row: Served) -> dict[str, Any]:
    return {
        "contacts": row.contacts,
        "talk_s": row.talk_s,
        "mean_talk_s": row.mean_talk_s,
        "mean_n": row.n,
        "aside": row.aside,
    }
