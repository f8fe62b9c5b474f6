"""What a station writes, as plain sentences: one event in, one sentence out, from the catalogue.

A kind that the catalogue does not know is named as it is, so that nothing is kept quiet.
"""

from collections.abc import Iterable
from typing import Any

from diadema.sim.people import Person
from diadema.words import section

# the field by which a kind has several sentences
_VARIANT = {
    "station.booted": "cause",
    "station.clock": "source",
    "session.opened": "provisional",
    "session.denied": "reason",
    "session.closed": "reason",
    "presence.changed": "to",
    "presence.intended": "to",
    "contact.missed": "cause",
    "contact.ended": "by",
    "contact.typified": "how",
    "wrapup.ended": "cause",
    "command.refused": "reason",
    "audio.changed": "mute",
}
_TONES = {"session": "who", "presence": "who", "contact": "call", "wrapup": "call"}
_BAD = ("session.denied", "command.refused", "station.fault", "contact.missed", "station.lost")


class Teller:
    """Knows the names of one site; keeps nothing of the events."""

    def __init__(
        self, persons: Iterable[Person], reasons: list[dict[str, Any]], tree: dict[str, Any]
    ) -> None:
        self._names = {person.id: person.name for person in persons}
        self._reasons = {reason["code"]: reason["label"] for reason in reasons}
        self._codes = dict(_paths(tree["nodes"], ()))

    def sentence(self, event: dict[str, Any], language: str) -> str | None:
        """None for what says nothing to a person at the desk."""
        kind = event["k"]
        if _is_idle(event):
            return None
        words = section("desk", language)
        variant = str(event.get(_VARIANT.get(kind, ""), "")).lower()
        for key in (f"said.{kind}.{variant}", f"said.{kind}", "said.other"):
            if key in words:
                return words[key].format_map(_Places(self._values(event, language)))
        raise KeyError("said.other")

    def _values(self, event: dict[str, Any], language: str) -> dict[str, Any]:
        words = section("desk", language)
        values = dict(event)
        values["name"] = self._names.get(event.get("a", ""), event.get("a", ""))
        values["reason"] = self._reason(event.get("reason"), language)
        values["code"] = self._codes.get(event.get("code", ""), event.get("code"))
        values["part"] = words.get(f"part.{event.get('part')}", event.get("part"))
        values["command"] = words.get(f"command.{event.get('command')}", event.get("command"))
        values["queue"] = event.get("queue") or "—"
        values |= {key[:-3] + "_s": round(value / 1000) for key, value in _lengths(event)}
        return values

    def _reason(self, code: str | None, language: str) -> str:
        label: str = self._reasons.get(code or "", "")
        if code is not None and code not in self._reasons:
            label = section("floor", language).get(f"reason.{code}", code)
        return label


def tone(event: dict[str, Any]) -> str:
    """Which colour a sentence has beside it: call, who, bad, or station for the rest."""
    if event["k"] in _BAD:
        return "bad"
    return _TONES.get(event["k"].partition(".")[0], "station")


class _Places(dict[str, Any]):
    """A field that the event lacks leaves a dash, never an error."""

    def __missing__(self, key: str) -> str:
        return "—"


def _is_idle(event: dict[str, Any]) -> bool:
    kind = event["k"]
    if kind == "voice.summary":
        return not (event.get("agent_ms") or event.get("caller_ms"))
    return kind == "station.health" or (
        kind == "presence.changed" and event.get("to") == "logged_out"  # the session said it
    )


def _lengths(event: dict[str, Any]) -> Iterable[tuple[str, int]]:
    return [(k, v) for k, v in event.items() if k.endswith("_ms") and isinstance(v, int)]


def _paths(nodes: list[Any], above: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    for code, label, *children in nodes:
        here = (*above, label)
        if children and children[0]:
            yield from _paths(children[0], here)
        else:
            yield code, " › ".join(here)
