"""The stations' contacts, from their events in the order of each journal. Every part of one is
measured by the station's own milliseconds, in whole seconds; hours only say where it is booked.
"""

from collections import Counter

from tests.support.second_opinion.protocol import declare
from tests.support.second_opinion.raw import seconds

LONGEST_S = 16 * 3600
EXCUSED = ("technical", "withdrawn", "caller_gave_up")


class Contact:
    """`utc_s`: of its beginning, None where nobody knows. `phase`: ringing, talk, hold, consult,
    wrapup or closed. `ms`: what each phase took. `ring`: until it was taken or missed, None where
    the power went in it.
    """

    def __init__(self, event):
        f = event.f
        self.key, self.s = (event.s, event.e, event.n), event.s
        self.c, self.agent, self.out = f["c"], f["a"], event.k == "contact.dialed"
        self.queue, self.pbx, self.parent = f.get("queue"), f.get("pbx"), f.get("parent")
        self.reference, self.campaign, self.ticks = f.get("reference"), f.get("campaign"), {}
        self.utc, self.utc_s = event.utc, None if event.utc is None else event.utc // 1000
        self.b, self.u, self.since = event.b, event.u, event.u
        self.phase, self.ms, self.ring, self.boots = "ringing", Counter(), None, {event.b}
        self.answered = self.answered_utc = self.ended_utc = self.cause = None
        self.is_over = self.interrupted = self.estimated = self.left_on_hold = False
        self.code = self.author = self.motive = self.transfer = None
        self.consults, self.asks, self.doubtful = 0, False, False
        self.call = self.stopped = self.ended_by = None

    def go_on(self, event, phase):
        """What went on until now is over."""
        self.ms[self.phase] += event.u - self.since if event.b == self.b else 0
        self.b, self.since, self.phase = event.b, event.u, phase

    def never_talked(self, event):
        """She took it, and had no telephone: as a call that could not be taken."""
        self.answered = self.answered_utc = self.transfer = None
        self.cause, self.stopped, self.ticks, self.consults = "technical", event.utc, {}, 0
        self.go_on(event, "closed")

    @property
    def closed(self):
        return self.phase == "closed"

    @property
    def talk(self):
        return seconds(self.ms["talk"])

    @property
    def hold(self):
        return seconds(self.ms["hold"] + self.ms["consult"])

    @property
    def consult(self):
        return seconds(self.ms["consult"])

    @property
    def wrap(self):
        return seconds(self.ms["wrapup"])

    @property
    def aside(self):
        """Why no mean takes it, one reason; None where they do."""
        if not self.closed:
            return "open"
        if self.interrupted:
            return "interrupted"
        if self.estimated:
            return "estimated"
        if self.doubtful or sum(self.ms[p] for p in ("talk", "hold", "consult", "wrapup")) > (
            LONGEST_S * 1000
        ):
            return "impossible"
        return None


def read(given):
    found = []
    for events in given.stations().values():
        found += _journal(events)
    _doubt(found)
    return found


def _journal(events):
    found, by_id = [], {}
    for event in events:
        if event.k == "station.booted":
            for one in found:  # power was lost: in it, or nobody knows how long its wrap-up took
                one.interrupted |= one.phase not in ("closed", "wrapup")
                one.estimated |= one.phase == "wrapup"
        if "c" not in event.f or event.k.split(".")[0] not in ("contact", "wrapup"):
            continue
        if event.k in ("contact.offered", "contact.dialed"):
            found.append(Contact(event))
            by_id[found[-1].c] = found[-1]
        elif event.f["c"] in by_id:
            _take(by_id[event.f["c"]], event)
    return found


def _take(one, event):
    f = event.f
    match event.k:
        case "contact.answered":
            one.ring = event.u - one.u if one.out else f.get("ring_ms")
            one.go_on(event, "talk")
            one.answered, one.answered_utc = True, event.utc
        case "contact.missed":
            one.ring = f.get("ring_ms")
            one.cause, one.stopped = f["cause"], event.utc
            one.go_on(event, "closed")
        case "contact.held":
            one.go_on(event, "hold")
        case "contact.resumed":
            one.go_on(event, "talk")
        case "contact.consulted":
            one.consults += one.phase in ("talk", "hold") and not one.asks
            one.asks = True
            one.go_on(event, "consult" if f.get("heard") != "caller" else "talk")
        case "contact.consult_ended":
            one.asks = False
            one.go_on(event, "talk")
        case "contact.transferred":
            if f["completed"]:
                one.transfer = f["kind"], f["target"]
            if f["kind"] == "conference":
                one.go_on(event, "talk")
        case "contact.ended":
            one.left_on_hold = f.get("on_hold", False)
            one.estimated |= f.get("estimated", False)
            one.ended_utc, one.ended_by, one.is_over = event.utc, f["by"], True
            if f["by"] == "technical" and one.answered:
                one.never_talked(event)
                return
            if not one.answered:  # nobody took the call out
                one.cause = f.get("dial_result") or f["by"]
                one.ring = event.u - one.u if event.b == one.b else None
            one.go_on(event, "ended" if one.answered else "closed")
        case "wrapup.started":
            one.go_on(event, "wrapup")
        case "wrapup.ended":
            one.go_on(event, "closed")
        case "contact.typified":
            one.code = f["code"]
        case "contact.retypified":
            if f["code"] != one.code:
                one.code, one.author = f["code"], f["author"]
        case "contact.step":
            declare(one.ticks, event, late=one.phase in ("wrapup", "closed"))
        case "contact.motive":
            one.motive = f["motive"]


def _doubt(contacts):
    """Nobody leads two conversations: of two the later one is in doubt, and contradicts nothing;
    nor does what no mean takes.
    """
    until = {}
    known = [one for one in contacts if one.answered and one.aside is None and one.utc is not None]
    for one in sorted(known, key=lambda one: (one.answered_utc, one.key)):
        one.doubtful = one.answered_utc < until.get(one.agent, 0)
        if not one.doubtful:
            until[one.agent] = one.ended_utc
