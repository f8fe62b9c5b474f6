"""What a person at a station knows of her own day: it is all in what the station wrote."""

from collections.abc import Callable, Sequence
from typing import Any

from diadema_sim.witness import Witnessed

_WORK = {
    "contact.offered": "offered",
    "contact.dialed": "dialing",
    "contact.answered": "talking",
    "contact.held": "held",
    "contact.resumed": "talking",
    "contact.consulted": "consulting",
    "contact.consult_ended": "held",
    "contact.transferred": "talking",  # a conference; another one ends the call
    "contact.missed": "idle",
    "contact.ended": "wrapup",
    "wrapup.ended": "idle",
    "session.closed": "idle",
}
_CODES = ("contact.typified", "contact.retypified")
_UNCODED = "SIN_TIPIFICAR"
_RECENT = 8
_WAITING = 3
_NEVER_MS = 0


class Past:
    """Of one station; `events` grows as it writes on."""

    def __init__(self, events: Sequence[Witnessed]) -> None:
        self._events = events

    @property
    def presence(self) -> str:
        last = self._last(lambda event: event["k"] == "presence.changed")
        return str(last["to"]) if last else "logged_out"

    @property
    def work(self) -> tuple[str, str | None]:
        last = self._last(
            lambda event: (
                event["k"] in _WORK
                and (event["k"] != "contact.transferred" or event["kind"] == "conference")
                and event.get("completed") is not False
            )
        )
        if last is None:
            return "idle", None
        work = _WORK[last["k"]]
        if last.get("dial_result"):
            work = "idle"
        elif last.get("result") == "back":
            work = "talking"
        return work, last.get("c")

    def kinds(self, since: int) -> set[str]:
        """What was written from event `since` on."""
        return {seen.event["k"] for seen in self._events[since:]}

    def happened(self, kind: str, contact: str, by: tuple[str, ...] = ()) -> bool:
        event = self._last(lambda event: event["k"] == kind and event.get("c") == contact)
        return event is not None and (not by or event.get("by") in by)

    def answered_ms(self, contact: str) -> int:
        """When; 0 for a call that was not answered."""
        seen = self._newest(
            lambda event: event["k"] == "contact.answered" and event["c"] == contact
        )
        return seen.at_ms if seen else _NEVER_MS

    def came_ms(self) -> int:
        """When the newest change came that was not the person's own: a command's, or time's."""
        seen = self._newest(
            lambda event: (
                "i" in event
                or event.get("by") == "system"
                or event.get("cause") == "timeout"
                or event["k"] in ("contact.missed", "session.opened")
            )
        )
        return seen.at_ms if seen else _NEVER_MS

    def recent(self) -> list[str]:
        """The codes that the agent gave last at this station, the newest first."""
        codes: list[str] = []
        agent = None
        for seen in self._events:
            event = seen.event
            if event["k"] == "session.opened" and event["a"] != agent:
                agent = event["a"]
                codes = []
            elif event["k"] in _CODES and event["code"] != _UNCODED:
                codes = [event["code"], *codes[: _RECENT - 1]]
        return codes

    def waiting(self) -> list[str]:
        """The calls that can still get a code, the oldest first."""
        calls: list[str] = []
        coded: set[str] = set()
        agent = None
        for seen in self._events:
            event = seen.event
            if event["k"] == "session.opened" and event["a"] != agent:
                agent = event["a"]
                calls = []
            elif event["k"] in _CODES and event["code"] != _UNCODED:
                coded.add(event["c"])
                calls = [call for call in calls if call != event["c"]]
            elif event["k"] == "wrapup.ended" and event["c"] not in coded:
                calls += [event["c"]] * (event["cause"] != "agent")
        return calls[-_WAITING:]

    def motive(self, contact: str) -> str | None:
        last = self._last(lambda event: event["k"] == "contact.motive" and event["c"] == contact)
        return str(last["motive"]) if last else None

    def steps_left(self, contact: str, campaigns: list[dict[str, Any]]) -> int:
        """How many steps of its campaign's protocol can still be ticked."""
        begun = self._last(
            lambda event: (
                event["k"] in ("contact.offered", "contact.dialed") and event["c"] == contact
            )
        )
        named = begun.get("campaign") if begun else None
        rows = [row for row in campaigns if row["code"] == named] or campaigns[:1]
        done = {
            seen.event["step"]
            for seen in self._events
            if seen.event["k"] == "contact.step" and seen.event["c"] == contact
        }
        return sum(
            step["step"] not in done and not (step["automatic"] and step["step"] == "closing")
            for row in rows
            for step in row["steps"]
        )

    def _last(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        seen = self._newest(wanted)
        return seen.event if seen else None

    def _newest(self, wanted: Callable[[dict[str, Any]], bool]) -> Witnessed | None:
        return next((seen for seen in reversed(self._events) if wanted(seen.event)), None)
