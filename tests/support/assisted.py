"""Mornings with calls for help, faults and tickets, of which every figure is known by hand."""

import json
from datetime import date

from diadema.wire.long_texts import parts_of

from tests.support.peopled import AGENTS, SEATS, Centre, Seat

DAY = date(2026, 11, 18)
MASS, LONE, VOID = "abc123def456", "abc123def457", "abc123def458"
LEARNT = "La asesora llamó al banco emisor. " * 9 + "Se bloquea primero y se pregunta después."


class Desk(Seat):
    """One that asks for help too."""

    def ask(self, topic=None, **more):
        self.add("help.requested", 0, a=self.agent, **more)
        of = [self.s, self.e, self.n]
        if topic:
            self.add("help.topic", 0, a=self.agent, of=of, topic=topic)
        return of

    def answer(self, what, of, after=0, by="Ana", **more):
        return self.add(f"help.{what}", 1000 * after, of=of, i=9, by=by, **more)


def assisted(root):
    """The centre, and the second until which it is known."""
    centre = Centre(root)
    for code, label, urgent in (("saldo", "Saldos", False), ("fraude", "Fraude", True)):
        centre.entry("help_topics", code=code, label=label, urgent=urgent)
    centre.entry("fault_areas", code="equipo", label="Equipo", parts=["diadema=Diadema"])
    centre.entry("fault_areas", code="red", label="Red", parts=["enlace=Enlace"])
    at = centre.at(DAY, 9)
    centre.roster((a, DAY, "M", None) for a in AGENTS[:3])
    seats = [Desk(SEATS[4 * k]).start(at).enter(a).show("ready") for k, a in enumerate(AGENTS[:3])]
    said = []
    _help(seats[0].to(at + 600), said, at)
    _faults(centre, seats, said, at + 7200)
    for seat in seats:
        seat.to(at + 14_400).show("not_ready", "break")
        seat.to(at + 14_500).leave()
    now = at + 18_000
    centre.take(now * 1000, seats, said)
    return centre, now


def _help(seat, said, at):
    """Twelve to which somebody comes after 20 s and that Ana solves after 100 s more, the last of
    which Luz handed over to her; one that Luz takes after 90 s, one that nobody takes, one that is
    taken back after 5 s; two calls beside them.
    """
    seat.served().served()

    def comes(of, by):
        said.append({"k": "supervision.acted", "t": at * 1000 + len(said), "action": "help",
                     "of": of, "state": "accepted", "a": seat.agent, "by": by})  # fmt: skip

    for number in range(12):
        of = seat.ask("saldo")
        if number == 11:
            comes(of, "luz")
            seat.answer("accepted", of, 20, by="Luz").answer("accepted", of, 10)
            seat.answer("resolved", of, 90)
        else:
            seat.answer("accepted", of, 20).answer("resolved", of, 100)
        comes(of, "ana")
        if number < 10:
            seat.add("help.rated", 1000, a=seat.agent, of=of, answer=("yes", "no")[number == 9])
    of = seat.ask("fraude")
    seat.answer("accepted", of, 90, by="Luz").answer("resolved", of, 30, by="Luz")
    said.append({"k": "help.assigned", "t": at * 1000, "of": of, "to": "luz", "by": "ana",
                 "reason": "sabe de fraudes"})  # fmt: skip
    comes(of, "luz")
    noted = {"k": "help.noted", "of": of, "playbook": "fraudes", "version": 2}
    said += [noted | {"t": at * 1000 + 1, "gap": "unclear"},
             noted | {"t": at * 1000 + 2, "gap": "missing"}]  # fmt: skip
    said += [
        {"k": "help.noted", "t": at * 1000 + 3, "of": of, **part} for part in parts_of(LEARNT)
    ]
    of = seat.ask()
    seat.add("help.cancelled", 200_000, a=seat.agent, of=of)
    of = seat.ask()
    seat.add("help.cancelled", 5000, a=seat.agent, of=of)


def _faults(centre, seats, said, at):
    """A mass failure of three seats: 600 s, 900 s with a missed call, and 300 s until she leaves
    for another seat; a report that no ticket adopted, of 400 s, 200 of them at once with it; one
    ticket that is open and late, one that was rejected.
    """
    first, second, third = seats
    for seat, wait in ((first, 0), (second, 60), (third, 120)):
        seat.to(at + wait).fault()
    ofs = [seat.faults[0] for seat in seats]
    second.to(at + 200).rang(3000, "technical")
    first.to(at + 400).fault()
    first.to(at + 600).mended()
    first.to(at + 800).mended()
    second.to(at + 960).mended()
    third.to(at + 420).leave()
    ticket = {"ticket": MASS, "by": "teo"}
    t = at * 1000
    said += [
        {"k": "ticket.opened", "t": t + 60_000, "area": "red", "part": "enlace", "severity": 2,
         "title": "Sin enlace", "of": ofs[0], "due": t + 960_000, **ticket, "by": "rule:mass"},
        {"k": "ticket.linked", "t": t + 61_000, "of": ofs[1], **ticket},
        {"k": "ticket.linked", "t": t + 121_000, "of": ofs[2], **ticket},
        {"k": "ticket.taken", "t": t + 180_000, "to": "teo", "due": t + 7_260_000,
         "external": "INC-7", **ticket},
        {"k": "ticket.noted", "t": t + 200_000, "text": "Se llamó al proveedor", **ticket},
        {"k": "ticket.resolved", "t": t + 960_000, "cause": "switch", "fix": "puerto nuevo",
         **ticket},
        {"k": "ticket.closed", "t": t + 970_000, "outcome": "confirmed", **ticket},
        {"k": "ticket.opened", "t": t, "ticket": LONE, "area": "equipo", "severity": 3,
         "title": "CRM lento", "by": "ana", "due": t + 60_000},
        {"k": "ticket.opened", "t": t, "ticket": VOID, "area": "equipo", "severity": 4,
         "title": "Ruido", "by": "ana", "due": t + 60_000},
        {"k": "ticket.closed", "t": t + 30_000, "ticket": VOID, "outcome": "rejected",
         "reason": "no hay falla", "by": "teo"},
    ]  # fmt: skip


def guided(root):
    """One who is guided in two calls, by who comes and by a message; tests of three sessions, in
    which agents are asked for two tools and a material. As `assisted` gives it.
    """
    place = Centre(root)
    for code in ("uno", "dos"):
        place.entry("campaigns", code=code, label=f"Campaña {code}", steps=["need"])
    for order, campaign, code, label in ((1, "uno", "crm", "CRM"), (2, "dos", "crm", "CRM"),
                                         (3, "dos", "correo", "Correo")):  # fmt: skip
        place.entry("tools", campaign=campaign, code=code, label=label, order=order)
    site = json.loads(place.data.site.read_text())
    site["materials"] = [{"code": "anexos", "label": "Anexos"}]
    site["campaigns"] = [{"code": code, "label": f"Campaña {code}"} for code in ("uno", "dos")]
    place.data.site.write_text(json.dumps(site))
    at = place.at(DAY, 9)
    place.roster((a, DAY, "M", None) for a in AGENTS[:3])
    seats = [Desk(SEATS[4 * k]).start(at).enter(a).show("ready") for k, a in enumerate(AGENTS[:3])]
    first, second, _ = seats
    tested = {"checks": {"keys": "ok", "headset": "failed"}, "fit": False, "reason": "headset",
              "missing": ["anexos"], "tools": ["crm"]}  # fmt: skip
    first.add("station.selftest", checks={"keys": "ok"}, fit=True, tools=None, missing=None)
    first.add("station.selftest", checks={"keys": "failed"}, fit=False)
    second.add("station.selftest", **tested)
    said = []
    for name, taken in (("c1", True), ("c2", False)):
        first.offer(name).contact("answered", name, via="key")
        first.add("help.requested", 0, a=first.agent, c=name)
        of = [first.s, first.e, first.n]
        if taken:
            first.answer("accepted", of, 10)
        else:
            said.append({"k": "supervision.acted", "t": first.power + first.u, "by": "luz",
                         "action": "message", "of": of, "a": first.agent})  # fmt: skip
        first.contact("ended", name, 30_000, by="caller", on_hold=False).wrapup("started", name, 0)
        first.wrapup("ended", name, 5000, cause="agent")
    of = first.ask()
    first.answer("accepted", of, 5)
    now = at + 7200
    place.take(now * 1000, seats, said)
    return place, now
