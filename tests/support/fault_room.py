"""A room of seats for the desk of faults: stations that obey what they are told, by one clock that
the test moves, on a store that a hub can be begun anew on.
"""

import json

import msgspec
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.hub.fault_desk import FaultDesk
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.people import of_site
from diadema.store import open_reader, open_writer
from diadema.store.assistance import ticket_cases

from tests.support.scripted_station import SITE, T0, FixedClock, Script

BY = {"by": "elena", "who": "Elena Soto"}
AREAS = [
    {"code": "sistemas", "label": "Sistemas", "parts": [
        {"code": "crm", "label": "CRM"}, {"code": "red", "label": "Red"}]},
    {"code": "audio", "label": "Audio", "parts": []},
]  # fmt: skip


class Seat:
    """Its station, and the agent there. `ticket`: n of the open report, as a station has it."""

    def __init__(self, room, number):
        self.room, self.name = room, f"A-{number:02}"
        self.script = Script(f"DIA-{number:012x}", agent=f"a{number:03}")
        self.ticket = self.closed = 0
        self.what = {}
        self.heard = []
        self.at = number
        self.script.boot().clock(room.clock.now)
        self.take(1)

    def take(self, first):
        self.room.ingest.take(self.script.messages(first=first), "stream", "server")

    def say(self, k, **fields):
        script = self.script
        after = max(1, self.room.clock.now - script.offset - script.u)
        script.add(k, after, **fields)
        self.take(script.n)
        return self

    def log_in(self, agent=None):
        first = self.script.n + 1
        self.script.agent = agent or self.script.agent
        self.script.u = max(self.script.u, self.room.clock.now - self.script.offset)
        self.script.login(after=1)
        self.take(first)
        return self

    def log_out(self):
        first = self.script.n + 1
        self.script.logout()
        self.take(first)
        return self

    def press(self, area="sistemas", part="crm"):
        """*Falla*, and what fails where it is named."""
        self.say("fault.reported", a=self.script.agent)
        self.ticket = self.script.n
        self.what = {}
        return self.name_it(area, part) if area else self

    def name_it(self, area, part=None):
        self.what = {"area": area} | ({"part": part} if part else {})
        return self.say("fault.reported", a=self.script.agent, of=self.of(), **self.what)

    def of(self, n=None):
        return [self.script.s, self.script.e, n or self.ticket]

    def obey(self, command):
        """A station knows its last report alone."""
        told = {"i": command["i"]}
        self.heard.append((command["state"], command["by"]))
        if command["of"] != self.ticket:
            self.say("command.refused", command="fault", reason="no_such_request", **told)
            return
        more = {"cause": command["cause"]} if "cause" in command else {}
        of = self.of()
        if command["state"] != "accepted":
            self.closed, self.ticket = self.ticket, 0
        self.say(f"fault.{command['state']}", of=of, by=command["by"], **told, **more)

    def confirm(self, answer):
        """«¿Funciona?», and after a «No» the same again."""
        self.say("fault.confirmed", a=self.script.agent, of=self.of(self.closed), answer=answer)
        if answer == "no":
            what = self.what
            self.press(None)
            if what:
                self.name_it(what["area"], what.get("part"))
        return self


class Room:
    """`queues`: of each agent by number. `seats` are logged in."""

    def __init__(self, folder, count, queues=None):
        self.data = DataDir(folder)
        self.clock = FixedClock(T0)
        self.queues = queues or (lambda number: [])
        numbers = range(1, count + 1)
        self.site = sites.parse(
            json.dumps(
                SITE
                | {"fault_areas": AREAS}
                | {"stations": [
                    {"id": f"DIA-{n:012x}", "seat": f"A-{n:02}"} for n in numbers]}
                | {"agents": [
                    {"id": f"a{n:03}", "name": f"Asesor {n}", "short": f"A{n}",
                     "alias": f"A{n}", "badges": []} for n in numbers]}
            ).encode()
        )  # fmt: skip
        self.people = of_site(self.site)
        for n in numbers:
            self.people.workers[f"a{n:03}"].queues = self.queues(n)
        self.begin()
        self.seats = {}
        for n in numbers:
            self.seats[n] = Seat(self, n).log_in()

    def begin(self):
        """A hub on what the store has."""
        self.writer = open_writer(self.data.store)
        self.reader = open_reader(self.data.store)
        self.ingest = Ingest(self.writer, self.site, self.clock)
        self.commands = Commands(self.ingest, None)
        self.desk = FaultDesk(
            self.data, self.ingest, self.commands, self.reader, lambda: self.people
        )
        self.actions = Actions(self.ingest, self.commands, self.reader, None)
        self.actions.of_ticket = self.desk.follow

    def end(self):
        self.desk.close()
        self.reader.close()
        self.writer.close()

    def restart(self):
        """As after a kill: what is open is told again by the commands that wait."""
        self.end()
        self.begin()
        self.deliver(
            (s, one.i, one.cmd, one.fields)
            for s, waiting in self.commands._open.items()
            for one in waiting.values()
        )

    def deliver(self, commands):
        for s, i, cmd, fields in sorted(commands, key=lambda one: one[:2]):
            self.commands.answered(s, i)
            if cmd == "fault":
                self.seats[int(s[4:], 16)].obey({"i": i, **fields})

    def send(self, done):
        frames = [(s, json.loads(body)) for s, body in done.frames]
        self.deliver((s, one.pop("i"), one.pop("cmd"), one) for s, one in frames)

    def settle(self):
        """All that the rules have to say."""
        said = 0
        while done := self.desk.look():
            said += 1
            assert said < 50, "the rules come to no end"
            self.send(done)
        return said

    def wait(self, ms):
        self.clock.now += ms
        self.settle()

    def act(self, action, **fields):
        answer, done = self.desk.act({"action": f"ticket_{action}", **BY, **fields})
        self.send(done)
        self.settle()
        return answer["ticket"]

    def answer(self, seat, state, **fields):
        """As one does from the floor, to one report."""
        asked = {"action": "fault", "of": seat.of(), "state": state, **BY, **fields}
        _, done = self.actions.act(asked)
        self.send(done)
        self.settle()

    # -- what is there

    def cases(self, **which):
        with self.reader.engine.connect() as tx:
            return sorted(ticket_cases(tx, **which), key=lambda one: one.ticket.sequence)

    def case(self, name):
        (found,) = self.cases(ids=[name])
        return found

    def going(self):
        return [one for one in self.cases() if one.ticket.state in ("open", "taken")]

    def one(self):
        """The only ticket that goes on."""
        (found,) = self.going()
        return found

    def told(self):
        """Of each ticket, without what is chance: what it is, its reports, and its way."""
        return [
            (
                one.ticket.by, one.ticket.title, one.ticket.state, one.ticket.outcome,
                one.ticket.severity, sorted((r.station, r.sequence) for r in one.reports),
                [(step.kind, step.by, step.reason) for step in one.steps],
            )
            for one in self.cases()
        ]  # fmt: skip


def seats_of(case):
    return sorted(int(one.station[4:], 16) for one in case.reports)


def plain(ticket):
    return msgspec.to_builtins(ticket)
