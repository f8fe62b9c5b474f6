"""`escuchas`: who heard calls, by the hub's journal, and how long the calls were, by the
stations'.
"""

from . import raw
from .centre import grouped

UNKNOWN, NO_PURPOSE = "(no se sabe quién)", "sin propósito"
PURPOSES = {
    "evaluation": "evaluación", "calibration": "calibración", "dispute": "apelación",
    "coaching": "orientación", "complaint": "reclamo", "drill": "práctica", "help": "ayuda",
    "onboarding": "inducción", "case": "caso de Recursos Humanos",
}  # fmt: skip
REASONS = {
    "other_team": "este asesor no es de sus equipos",
    "no_switch": "la central no está conectada ahora",
    "no_recording": "esta llamada no tiene grabación, o ya no está",
}  # those that tests have


class Entry:
    """One that began or was refused; `heard_s` once it is over."""

    def __init__(self, event):
        f = event.f
        self.utc, self.agent, self.by = event.utc, f["a"], f["by"]
        self.call, self.source, self.via = tuple(f["call"]), f["source"], f.get("via")
        self.purpose, self.reason = f.get("purpose"), f.get("reason")
        self.refused, self.heard_s = event.k == "listening.refused", None


def read(given):
    found = {}
    for events in given.journals.values():
        for event in events:
            if event.k in ("listening.started", "listening.refused"):
                found[event.s, event.e, event.n] = Entry(event)
            elif event.k == "listening.ended" and tuple(event.f["of"]) in found:
                its = found[tuple(event.f["of"])]
                if its.heard_s is None:
                    its.heard_s = raw.seconds(event.f["heard_ms"])
    return [*found.values()]


def _of(asked):
    return [
        one for one in read(asked.whole.given)
        if (day := asked.centre.day(one.utc // 1000)) in asked.days
        and (asked.of == "queue" or asked.of_agent(one.agent, day))
    ]  # fmt: skip


def cells(asked, entries):
    talked = {
        one.key: one.talk + one.hold
        for one in asked.whole.contacts
        if one.answered and one.is_over
    }
    begun = [one for one in entries if not one.refused]
    live = [one for one in begun if one.source == "live"]
    calls = {one.call: talked[one.call] for one in begun if one.call in talked}
    known = sum(one.heard_s or 0 for one in begun if one.call in talked)
    return {
        "listen_started": len(begun), "listen_live": len(live),
        "listen_recorded": len(begun) - len(live),
        "listen_outside": sum(one.via == "outside" for one in live),
        "listen_heard_s": sum(one.heard_s or 0 for one in begun), "listen_calls": len(calls),
        "listen_call_s": sum(calls.values()),
        "listen_share": raw.percent(known, sum(calls.values())),
        "listen_refused": len(entries) - len(begun),
    }  # fmt: skip


def make(asked):
    entries, centre = _of(asked), asked.centre

    def team(one):
        return centre.team(one.agent, centre.day(one.utc // 1000)) or "(sin equipo)"

    made = {}
    for key, of in (
        ("listeners", lambda one: UNKNOWN if one.by.startswith("rule:") else one.by),
        ("listen_purposes", lambda one: PURPOSES.get(one.purpose, one.purpose or NO_PURPOSE)),
        ("listen_teams", team),
        ("listen_agents", lambda one: one.agent),
    ):
        made[key] = {at: cells(asked, some) for at, some in grouped(entries, of).items()}
        made[key][None] = cells(asked, entries)
    refused = [one for one in entries if one.refused]
    why = grouped(refused, lambda one: REASONS.get(one.reason, one.reason))
    made["listen_refusals"] = {at: {"listen_refused": len(some)} for at, some in why.items()}
    made["listen_refusals"][None] = {"listen_refused": len(refused)}
    return made


def summary(asked):
    its = cells(asked, _of(asked))
    return {
        "listen_started": (its["listen_started"], None),
        "listen_heard_s": (its["listen_heard_s"], its["listen_started"]),
        "listen_share": (its["listen_share"], its["listen_calls"]),
        "listen_refused": (its["listen_refused"], its["listen_started"] + its["listen_refused"]),
        "listen_outside": (its["listen_outside"], its["listen_live"]),
    }
