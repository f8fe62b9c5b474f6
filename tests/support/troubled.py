"""Days of agents who move between two seats, whose power is cut, whose clocks are set, who call
for help and report faults; and what people did about it. From numbers that a test draws.
"""

from datetime import date

from hypothesis import strategies as st

from tests.support.assisted import Desk
from tests.support.peopled import AGENTS, SEATS, Centre

DAY = date(2026, 11, 18)
TICKETS = ("abc123def456", "abc123def457", "abc123def458")
AREAS = {"equipo": "diadema", "red": "enlace"}
TOPICS = ("saldo", "fraude", None)
HELPERS = ("Ana", "Luz")


class Shift:
    """One agent's day. `asks`: her calls for help."""

    def __init__(self, centre, k, steps):
        self.agent = AGENTS[k]
        self.seats = [Desk(SEATS[4 * k]), Desk(SEATS[4 * k + 1])]
        self.at, self.now, self.asks = 0, centre.at(DAY, 8 + k), []
        self.seat.start(self.now).enter(self.agent).show("ready")
        self.inside = True
        for step, length, which in steps:
            self.now += length
            self._step(step, which)
        self.seat.to(self.now)

    @property
    def seat(self):
        return self.seats[self.at]

    def _step(self, step, which):
        seat = self.seat.to(self.now, which)
        if not self.inside:
            seat.enter(self.agent).show("ready")
            self.inside = True
            return
        area = [*AREAS][which % 2]
        match step:
            case 0 | 1 | 2:
                seat.fault(area=area, part=AREAS[area])
            case 3:
                seat.served(talk=90_000, faulty=True)
            case 4 | 5:
                seat.mended(("resolved", "rejected")[which % 2])
            case 6:
                seat.rang(3000, "technical")
            case 7:
                seat.cut(which * 9, anchored=which % 4 > 0)
            case 8:
                seat.leave()
                self.inside = False
            case 9 | 10:
                if which % 2:
                    seat.leave()
                self._move()
            case 11:
                by_s = which - 500 if abs(which - 500) > 5 else 90  # less is taken for drift
                seat.power += 1000 * by_s
                seat.anchor()
            case 12 | 13 | 14:
                self._ask(seat, which)
            case _:
                seat.show("not_ready", "break")
        self.now = max(self.now, self.seat.second)

    def _move(self):
        """To the other seat; the one that she left may still show her."""
        self.at = 1 - self.at
        if not self.seat.n:
            self.seat.start(self.now)
        self.seat.to(self.now).enter(self.agent).show("ready")

    def _ask(self, seat, which):
        """Somebody comes or not, in time or not, before her call is over or not."""
        name, topic, by = None, TOPICS[which % 3], HELPERS[which % 2]
        if which % 5 == 0:
            seat.calls += 1
            name = f"{seat.s[-2:]}{seat.e}-{seat.calls}"
            seat.offer(name, 0).contact("answered", name, 3000, via="key", ring_ms=3000)
        of = seat.ask(topic, **({"c": name} if name else {}))
        self.asks.append(of)
        wait = (which % 7) * 13
        if name and which % 2:
            seat.contact("ended", name, 20_000, by="caller", on_hold=False)
        match which % 4:
            case 0:
                seat.answer("accepted", of, wait, by=by).answer("resolved", of, 30 + wait, by=by)
            case 1:
                seat.answer("accepted", of, wait, by=by).answer("accepted", of, 5, by="Ana")
            case 2:
                seat.add("help.cancelled", 1000 * wait, a=seat.agent, of=of)
        if name and not which % 2:
            seat.contact("ended", name, 20_000, by="caller", on_hold=False)
        if name:
            seat.wrapup("started", name, 0).wrapup("ended", name, 4000, cause="agent")
        if which % 4 == 0:
            seat.add("help.rated", 1000, a=seat.agent, of=of, answer=("yes", "no")[which % 3 % 2])


STEPS = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from([1, 20, 300, 1800, 7000]), st.integers(0, 999)),
    min_size=3, max_size=14,
)  # fmt: skip
ADOPTED = st.lists(st.integers(0, 3), min_size=1, max_size=5)
SAID = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 999)), max_size=14)


def adopt(presses, chosen):
    """Tickets over reports, (of, moment): `chosen`, turn by turn, 3 is none."""
    said, opened = [], set()
    for at, (of, t) in enumerate(presses):
        which = chosen[at % len(chosen)]
        if which == 3:
            continue
        ticket, area = TICKETS[which], [*AREAS][which % 2]
        base = {"t": t, "ticket": ticket, "of": of}
        if ticket in opened:
            said.append({"k": "ticket.linked", **base})
            continue
        opened.add(ticket)
        due = {"due": t + 600_000} if which else {}
        said.append({"k": "ticket.opened", "area": area, "severity": which + 1, "title": "CRM",
                     **base, **due})  # fmt: skip
    return said


def treated(said, steps, begin_ms):
    """What people did about the tickets that were opened, in any order."""
    opened = {one["ticket"] for one in said}
    t, more = begin_ms, []
    for what, which, n in steps:
        t += 1000 * n
        if TICKETS[which] not in opened:
            continue
        base = {"t": t, "ticket": TICKETS[which]}
        due = {"due": t + 60_000 * n} if n % 2 else {}
        more.append((
            {"k": "ticket.taken", "to": "teo", **due, **base},
            {"k": "ticket.taken", "to": "ana", **base},
            {"k": "ticket.changed", "severity": 1 + n % 3, "reason": "peor", **due, **base},
            {"k": "ticket.changed", "area": [*AREAS][n % 2], "reason": "no es", **base},
            {"k": "ticket.resolved", "cause": "cable", **base},
            {"k": "ticket.resolved", "cause": "switch", "fix": "otro puerto", **base},
            {"k": "ticket.reopened", "reason": "sigue", **due, **base},
            {"k": "ticket.closed", "outcome": ("confirmed", "rejected")[n % 2], **base},
        )[what])  # fmt: skip
    return said + more


def noted(asks, t):
    """What helpers said that playbooks lack, of every other one, of some twice."""
    gaps, said = ("missing", "unclear", "wrong", "none"), []
    for at, of in enumerate(asks[::2]):
        base = {"k": "help.noted", "t": t + at, "of": of}
        book = {"playbook": ("fraudes", "saldos")[at % 2], "version": 1 + at % 2} if at % 3 else {}
        said.append(base | {"gap": gaps[at % 4]} | book)
        said += [base | {"text": "nada más"}, base | {"gap": gaps[at % 3]} | book][: at % 3]
    return said


def troubled(root, lives, chosen, steps):
    """The centre, and the second until which it is known."""
    centre = Centre(root, multi_login="allow")
    for code in TOPICS[:2]:
        centre.entry("help_topics", code=code, label=code.title())
    for area, part in AREAS.items():
        centre.entry(
            "fault_areas", code=area, label=area.title(), parts=[f"{part}={part.upper()}"]
        )
    centre.entry("targets", metric="help_wait_s", value=40)
    centre.roster((a, DAY, "M", None) for a in AGENTS[: len(lives)])
    shifts = [Shift(centre, k, life) for k, life in enumerate(lives)]
    seats = [seat for shift in shifts for seat in shift.seats if seat.n]
    presses = [
        ([seat.s, seat.e, n], centre.at(DAY, 9) * 1000)
        for seat in seats
        for n, body in enumerate(seat.bodies, 1)
        if b'"fault.reported"' in body and b'"of"' not in body
    ]
    begin = centre.at(DAY, 9) * 1000
    said = treated(adopt(presses, chosen), steps, begin)
    said += noted([of for shift in shifts for of in shift.asks], begin)
    now = max(shift.now for shift in shifts) + 600
    centre.take(now * 1000, seats, said)
    return centre, now
