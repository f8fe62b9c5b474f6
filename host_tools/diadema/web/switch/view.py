"""What a report of the bridge means to whoever looks at it: sentences, figures and rows, each with
trouble first. Nothing here draws.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from diadema.access.roles import Person
from diadema.base.sanitize import visible
from diadema.site.directory.people import People, queue_of
from diadema.wire.live_rows import PRIVATE
from diadema.wire.switching import MemberState, PhoneState, Report
from diadema.words import Sentence, section
from diadema.words.formatting import NOTHING, grouped, local_time

_NAMED = 6  # of those that a sentence is about
_UNSENT = 200  # events; fewer are on their way
_MENDED = {  # where in the directory a trouble is put right
    "errors.switch.no_extension": "seats",
    "errors.switch.no_number": "areas",
    "errors.switch.no_queue": "queues",
    "errors.switch.bar": "reasons",
}
_BAD = ("ready", "paused", "gone", "there")  # what a member should be, in the order of its words


@dataclass(frozen=True)
class Line:
    """A sentence, and the way to where it is put right."""

    said: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class TroubleLine(Line):
    """A trouble, at the time of the last; `often`: how many times and since when, if several."""

    time: str = ""
    often: str = ""


@dataclass(frozen=True)
class View:
    report: Report
    people: People
    person: Person
    language: str
    zone: tzinfo

    @property
    def words(self) -> Mapping[str, str]:
        return section("switch", self.language)

    # -- how it stands

    def figures(self) -> list[tuple[str, str, bool]]:
        """Name, value, and whether that is bad."""
        queues, agents = self.queues, self.agents
        away = sum(one.there is False for one in self.report.phones)
        waiting = sum(row["waiting"] for row in queues)
        found: list[tuple[str, int | None, bool]] = [
            ("waiting", waiting, any(row["waiting_missed"] for row in queues)),
            ("free", sum(row["is"] == "ready" for row in agents), False),
            ("busy", sum(row["is"] == "busy" for row in agents), False),
            ("paused", sum(row["is"] == "paused" for row in agents), False),
            ("away", away if self.report.phones else None, away > 0),
        ]
        return [
            (self.words[f"figure.{name}"], NOTHING if value is None else grouped(value), bad)
            for name, value, bad in found
        ]

    def about(self) -> str:
        words, said = self.words, []
        said.append(words["name"].format(name=self.report.name))
        if self.report.version:
            said.append(words["version"].format(version=visible(self.report.version)))
        said.append(words["calls"].format(count=grouped(self.report.calls)))
        if self.report.unsent:
            said.append(words["unsent"].format(count=grouped(self.report.unsent)))
        return " · ".join(said)

    # -- what is to be done

    def to_do(self) -> Iterator[Line]:
        """The gravest first."""
        phones, people = self.report.phones, self.people
        yield from self._of("phones_gone", map(self._phone, _by(phones, False)))
        wrong = [row["agent"] for row in self.agents if row["differs"]]
        yield from self._of("members", wrong)
        unmapped = [visible(one.name) for one in self.report.queues if not one.mapped]
        yield from self._of("queues", unmapped, "queues")
        yield from self._of("phones_unknown", map(self._phone, _by(phones, None)), "seats")
        without = people.seats.keys() - people.phones.keys()
        yield from self._of("seats", (people.seats[one] for one in without), "seats")
        if self.report.unsent >= _UNSENT:
            said = self.words["todo.unsent"].format(count=grouped(self.report.unsent))
            yield Line(said)

    def _of(self, what: str, whom: Iterable[str], kind: str = "") -> Iterator[Line]:
        its = sorted(whom)
        if not its:
            return
        names = ", ".join(its[:_NAMED])
        if len(its) > _NAMED:
            rest = grouped(len(its) - _NAMED)
            names = self.words["and_more"].format(names=names, count=rest)
        word = f"todo.{what}.one" if len(its) == 1 else f"todo.{what}"
        said = self.words[word].format(names=names, count=grouped(len(its)))
        yield Line(said, *self._way(kind))

    def _phone(self, one: PhoneState) -> str:
        seat = self.people.seats.get(one.station, one.station)
        return visible(f"{seat} ({one.extension})")

    def _way(self, kind: str) -> tuple[str, str]:
        return way_to(kind, self.person, self.language)

    # -- queues, members, telephones

    @cached_property
    def queues(self) -> list[dict[str, Any]]:
        """Those where somebody waits for nobody first, then by how many wait."""
        rows: list[dict[str, Any]] = []
        for queue in self.report.queues:
            its = [
                one
                for one in self.report.members
                if one.queue == queue.name and one.wanted != "there"
            ]
            free = sum(_is(one) == "ready" for one in its)
            rows.append(
                {
                    "id": queue.name,
                    "here": self._queue(queue.name)
                    if queue.mapped
                    else self.words["unmapped"].format(name=visible(queue.name)),
                    "there": visible(queue.name),
                    "waiting": queue.waiting,
                    "waiting_missed": queue.waiting > 0 and not free,
                    "free": free,
                    "busy": sum(_is(one) == "busy" for one in its),
                    "paused": sum(_is(one) == "paused" for one in its),
                    "members": len(its),
                }
            )
        rows.sort(key=lambda row: (not row["waiting_missed"], -row["waiting"], row["here"]))
        return rows

    def _queue(self, name: str) -> str:
        code = queue_of(self.people.switch_queues, name, None)
        return visible(self.people.queues.get(code, code))

    @cached_property
    def agents(self) -> list[dict[str, Any]]:
        """One row an agent, whatever the number of queues; those that are otherwise at the
        exchange than at their station first.
        """
        members = defaultdict(list)
        for one in self.report.members:
            members[one.agent or one.name].append(one)
        rows = [self._agent(name, its) for name, its in members.items()]
        rows.sort(key=lambda row: (not row["differs"], row["agent"].casefold()))
        return rows

    def _agent(self, name: str, its: list[MemberState]) -> dict[str, Any]:
        is_known = its[0].agent is not None
        there = [one for one in its if one.wanted != "there"]
        states: dict[str, list[MemberState]] = defaultdict(list)
        for one in there:
            states[self._state(one)].append(one)
        said = [*states]
        if len(states) > 1:
            said = [f"{state} ({self._queues(members)})" for state, members in states.items()]
        differs = [
            self.words[f"differs.{bad}"].format(queues=self._queues(members))
            for bad in _BAD
            if (members := [one for one in its if one.wanted == bad])
        ]
        if not is_known:
            differs = [self.words["differs.nobody"]]
        row = {
            "id": name,
            "agent": visible(self.people.name(name)),
            "queues": self._queues(its),
            "state": "; ".join(said) or NOTHING,
            "differs": " ".join(differs),
            "is": _is(there[0]) if there else "",
        }
        if is_known and self.person.may("figures") and self.person.sees(name, self.people):
            row["link"] = f"/ui/agents/{name}?lang={self.language}"
        return row

    def _queues(self, members: Iterable[MemberState]) -> str:
        return ", ".join(sorted(self._queue(one.queue) for one in members))

    def _state(self, one: MemberState) -> str:
        state = _is(one)
        reason = self._reason(one) if state == "paused" else ""
        if reason:
            return self.words["member.paused_for"].format(reason=reason)
        return self.words[f"member.{state}"]

    def _reason(self, one: MemberState) -> str:
        """In the directory's words or, of the stations' own ones, the floor's. Why somebody pauses
        is for those alone who see that person's figures.
        """
        agent = one.agent
        if not one.reason or (agent is not None and not self.person.sees(agent, self.people)):
            return ""
        floor = section("floor", self.language)
        if self.people.shown(one.reason) == PRIVATE:
            return floor["reason.private"]
        known = self.people.reasons.get(one.reason)
        return known.label if known else floor.get(f"reason.{one.reason}", visible(one.reason))

    @cached_property
    def phones(self) -> list[dict[str, Any]]:
        """Those that are not registered first, then those that nobody knows there."""
        order = (False, None, True)
        phones = sorted(
            self.report.phones, key=lambda one: (order.index(one.there), self._phone(one))
        )
        words = {True: "there", False: "gone", None: "unknown"}
        return [
            {
                "id": one.station,
                "seat": visible(self.people.seats.get(one.station, one.station)),
                "extension": visible(one.extension),
                "state": self.words[f"phone.{words[one.there]}"],
                "missed": one.there is not True,
            }
            for one in phones
        ]

    # -- what went wrong

    def troubles(self) -> list[TroubleLine]:
        """The newest first."""
        today = local_time(self.report.utc_ms, self.zone, "day")
        found = []
        for one in reversed(self.report.troubles):
            time = time_of(one.utc_ms, self.zone, today)
            often = ""
            if one.times > 1:
                since = time_of(one.first_utc_ms, self.zone, today)
                often = self.words["often"].format(count=grouped(one.times), time=since)
            said = sentence(one.sentence, self.language)
            found.append(
                TroubleLine(said, *self._way(_MENDED.get(one.sentence[0], "")), time, often)
            )
        return found


def sentence(parts: list[Any], language: str) -> str:
    """As one that stands alone, from a wire."""
    said = visible(Sentence.of(parts).say(language).rstrip("."))
    return f"{said[:1].upper()}{said[1:]}."


def time_of(utc_ms: int, zone: tzinfo, today: str) -> str:
    """With its day where that is another."""
    same = local_time(utc_ms, zone, "day") == today
    return local_time(utc_ms, zone, "hour" if same else "day_minute")


def way_to(kind: str, person: Person, language: str) -> tuple[str, str]:
    """To that list of the directory, and its name, for whoever may go there."""
    if not kind or not person.may("people"):
        return "", ""
    query = urlencode({"kind": kind, "lang": language})
    return f"/ui/people?{query}", section("people", language)[f"kind.{kind}"]


def _by(phones: list[PhoneState], there: bool | None) -> list[PhoneState]:
    return [one for one in phones if one.there is there]


def _is(one: MemberState) -> str:
    return "busy" if one.busy else "paused" if one.paused else "ready"
