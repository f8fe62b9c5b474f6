"""`fallas`: tickets as the hub's journal tells them, and what reports of faults cost, as sets of
seconds (`lost_time`).
"""

from collections import defaultdict
from functools import cache

from . import lost_time, plan, raw, states
from .centre import grouped
from .switch import at_rank

MINUTES = {1: (5, 60), 2: (15, 120), 3: (15, 240)}  # to take and to solve, where nobody says
UNKNOWN, NO_TICKET = "(no se sabe)", "(sin falla)"
STATES = {
    "open": "reportada", "taken": "en atención", "resolved": "resuelta",
    "confirmed": "cerrada, confirmada", "unanswered": "cerrada, sin respuesta",
    "rejected": "rechazada", "duplicate": "duplicada",
}  # fmt: skip


class Ticket:
    """`told`: until when it is to be taken and solved, as far as anybody said."""

    def __init__(self, event):
        f = event.f
        self.name, self.opened = f["ticket"], event.utc
        self.area, self.part, self.severity = f["area"], f.get("part"), f["severity"]
        self.state, self.outcome, self.again = "open", None, 0
        self.taken = self.resolved = self.closed = None
        self.told = {"open": f.get("due"), "taken": None}

    def due(self, state):
        """In milliseconds of UTC; None in a state that waits for nobody."""
        if state not in self.told or self.told[state]:
            return self.told.get(state)
        return self.opened + 60_000 * MINUTES[self.severity][state == "taken"]

    def take(self, event):
        f = event.f
        match event.k:
            case "ticket.taken":
                self.state, self.taken = "taken", self.taken or event.utc
                self.told["taken"] = f.get("due") or self.told["taken"]
            case "ticket.changed":
                self.severity = f.get("severity", self.severity)
                self.area, self.part = f.get("area", self.area), f.get("part", self.part)
                if f.get("due"):
                    self.told["open" if self.state == "open" else "taken"] = f["due"]
            case "ticket.resolved":
                self.state, self.resolved = "resolved", event.utc
            case "ticket.reopened":
                self.state = "taken" if self.taken is not None else "open"
                self.again += 1
                self.resolved = self.closed = self.outcome = None
                self.told["taken"] = f.get("due") or self.told["taken"]
            case "ticket.closed":
                self.state, self.closed, self.outcome = "closed", event.utc, f["outcome"]


def tickets(given):
    """By their name, and by each report that of the ticket that adopted it last."""
    found, of = {}, {}
    for (s, _), events in given.journals.items():
        for event in events if s.startswith("HUB-") else ():
            if event.k == "ticket.opened":
                found[event.f["ticket"]] = Ticket(event)
            elif event.k.startswith("ticket."):
                found[event.f["ticket"]].take(event)
            if event.k.startswith("ticket.") and event.f.get("of"):
                of[tuple(event.f["of"])] = event.f["ticket"]
    return found, of


def boards(given):
    """Of each event of a station its board and its firmware."""
    found = {}
    for (s, e), events in given.stations().items():
        now = None, None
        for event in events:
            if event.k == "station.booted":
                now = event.f.get("board"), event.f.get("firmware")
            found[s, e, event.n] = now
    return found


class Found:
    def __init__(self, asked):
        self.asked, centre, given = asked, asked.centre, asked.whole.given
        first, _ = states.bounds(asked.days[0], centre.zone)
        _, last = states.bounds(asked.days[-1], centre.zone)
        self.first, self.last = first, min(last, asked.now_s)
        self.tickets, self.of = tickets(given)
        self.boards = boards(given)
        mine = cache(lambda agent, quarter: self._mine(agent, quarter * 900))
        its = []
        for one in lost_time.stops(given, self.first, self.last):
            agent, opened = one.press.agent, one.press.open
            seconds = {at for at in one.seconds if mine(agent, at // 900)}
            calls = {
                key for key, at in lost_time.missed(given)[agent].items()
                if key in one.calls and mine(agent, at // 900_000)
            }  # fmt: skip
            inside = opened is not None and 1000 * first <= opened < 1000 * last
            if seconds or calls or (inside and mine(agent, opened // 900_000)):
                its.append(lost_time.Lost(one.press, seconds, calls))
        self.lost = its
        self.cases = [
            one for one in self.tickets.values()
            if one.opened < 1000 * last and (one.closed is None or one.closed >= 1000 * first)
        ]  # fmt: skip
        if asked.of in ("agent", "team"):
            touched = {self.of.get(one.press.key) for one in its}
            self.cases = [one for one in self.cases if one.name in touched]
        rows = given.on(centre.last, "fault_areas")
        self.labels = {one["Código"]: one["Etiqueta"] for one in rows}
        self.parts = {
            (one["Código"], *part.split("=")[:1]): part.split("=")[1]
            for one in rows for part in raw.several(one["Partes"])
        }  # fmt: skip

    def _mine(self, agent, second):
        day = self.asked.centre.day(second)
        return self.asked.of == "queue" or self.asked.of_agent(agent, day)

    def area(self, lost):
        ticket = self.tickets.get(self.of.get(lost.press.key))
        return (ticket and ticket.area) or lost.press.area or ""

    def part(self, lost):
        ticket = self.tickets.get(self.of.get(lost.press.key))
        area = self.area(lost)
        part = (ticket and ticket.part) or lost.press.part or ""
        name = self.parts.get((area, part), part)
        return self.labels.get(area, area) or UNKNOWN, name or UNKNOWN

    def late(self, ticket):
        due = ticket.due(ticket.state)
        return due is not None and due < self.asked.now_ms

    def cost(self, of):
        parts, whole = lost_time.costs(self.lost, of)
        return {part: priced(one) for part, one in parts.items()}, priced(whole)


def priced(told):
    return dict(zip(("stopped", "lost_s", "lost_alone_s", "lost_shared_s", "lost_calls"), told,
                    strict=True))  # fmt: skip


NOTHING = priced((0, 0, 0, 0, 0))


def counted(found, cases):
    """Tickets of some cases, as far as they are told in numbers."""
    now, first = found.asked.now_ms, 1000 * found.first
    begun = [one for one in cases if one.opened >= first]
    valid = [one for one in begun if one.outcome not in ("rejected", "duplicate")]
    accepts = [
        raw.seconds(max(one.taken - one.opened, 0)) for one in valid if one.taken is not None
    ]
    solves = [raw.seconds(max(one.resolved - one.opened, 0)) for one in valid
              if one.resolved is not None]  # fmt: skip
    its = {
        "tickets": len(begun), "tickets_void": len(begun) - len(valid),
        "tickets_open": sum(one.state in ("open", "taken") for one in cases),
        "tickets_late": sum(map(found.late, cases)),
        "tickets_reopened": sum(one.again > 0 for one in valid),
        "accept_n": len(accepts), "accept_p50_s": at_rank(accepts, 50),
        "accept_p90_s": at_rank(accepts, 90), "solve_n": len(solves),
        "solve_p50_s": at_rank(solves, 50), "solve_p90_s": at_rank(solves, 90),
    }  # fmt: skip
    for name, due, done in (
        ("accept", "open", lambda one: one.taken or one.resolved),
        ("solve", "taken", lambda one: one.resolved),
    ):
        known = [
            (done(one) or now) <= one.due(due) for one in valid
            if done(one) is not None or now > one.due(due)
        ]  # fmt: skip
        met = sum(known)
        its |= {f"{name}_due": len(known), f"{name}_met": raw.percent(met, len(known)),
                f"{name}_met_within": raw.within(met, len(known))}  # fmt: skip
    return its


def make(asked):
    found = Found(asked)
    cost, whole = found.cost(lambda one: found.of.get(one.press.key, ""))
    lines = {
        one.name: {"severity": one.severity, "times_reopened": one.again}
        | cost.pop(one.name, NOTHING)
        for one in found.cases
    }
    if "" in cost:
        lines[NO_TICKET] = {"severity": None, "times_reopened": None} | cost[""]
    again = [one.again for one in found.cases]
    lines[None] = {"times_reopened": sum(again) if again else None} | whole
    made = {"tickets": lines}
    by_area, whole = found.cost(found.area)
    cases = grouped(found.cases, lambda one: one.area)
    made["faults_areas"] = {
        found.labels.get(area, area) or UNKNOWN:
            counted(found, cases.get(area, [])) | by_area.get(area, NOTHING)
        for area in {*cases, *by_area}
    }  # fmt: skip
    made["faults_areas"][None] = counted(found, found.cases) | whole
    zone = asked.centre.zone

    def team(lost):
        day = max(raw.day_of((lost.press.open or 0) // 1000, zone), asked.days[0])
        return asked.centre.team(lost.press.agent, day) or "(sin equipo)"

    for key, of in (
        ("faults_parts", found.part),
        ("faults_boards", lambda one: found.boards[one.press.key][0] or UNKNOWN),
        ("faults_firmware", lambda one: found.boards[one.press.key][1] or UNKNOWN),
        ("faults_teams", team),
        ("faults_agents", lambda one: one.press.agent),
    ):
        its, whole = found.cost(of)
        made[key] = its | {None: whole}
    return made


def summary(asked):
    found = Found(asked)
    its, whole = counted(found, found.cases), found.cost(lambda _: "")[1]
    around = [plan.date.fromordinal(asked.days[0].toordinal() - 1), *asked.days]
    lost = defaultdict(set)
    for one in found.lost:
        lost[one.press.agent] |= one.seconds
    seconds = taken = shifts = 0
    for one in plan.plans(asked.whole.given, around).values():
        start, end = (one.start, one.end) if one.works else (0, 0)
        start, end = max(start, found.first), min(end, found.last)
        if start < end and (asked.of == "queue" or asked.of_agent(one.agent, one.day)):
            shifts += 1
            seconds += end - start
            taken += len(lost[one.agent] & set(range(start, end)))
    return {
        "tickets": (its["tickets"], None),
        "accept_met": (its["accept_met"], its["accept_due"], its["accept_met_within"]),
        "solve_met": (its["solve_met"], its["solve_due"], its["solve_met_within"]),
        "lost_s": (whole["lost_s"], whole["stopped"]),
        "lost_calls": (whole["lost_calls"], None),
        "operative": (raw.percent(seconds - taken, seconds), shifts),
    }
