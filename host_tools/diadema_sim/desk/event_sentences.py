"""The events of a station as plain sentences of the catalogue, in any language.

A kind that the catalogue does not know is named as it is, so that no event is hidden.
"""

from collections.abc import Iterable
from typing import Any

from diadema.words import section

# the field by which a kind has several sentences
_VARIANT = {
    "station.booted": "cause",
    "station.clock": "source",
    "station.selftest": "fit",
    "attendance.marked": "direction",
    "session.opened": "provisional",
    "session.denied": "reason",
    "session.corrected": "verdict",
    "session.closed": "reason",
    "presence.changed": "to",
    "presence.intended": "to",
    "contact.blocked": "rule",
    "contact.listened": "state",
    "contact.missed": "cause",
    "contact.consult_ended": "result",
    "contact.transferred": "kind",
    "contact.step": "result",
    "contact.ended": "by",
    "contact.typified": "how",
    "wrapup.ended": "cause",
    "help.rated": "answer",
    "fault.confirmed": "answer",
    "command.refused": "reason",
}
_TONES = {
    "attendance": "who", "session": "who", "presence": "who", "contact": "call", "wrapup": "call",
    "help": "help", "fault": "help", "message": "help",
}  # fmt: skip
_BAD = (
    "session.denied", "command.refused", "station.fault", "contact.missed", "station.lost",
    "contact.blocked", "contact.disagreed",
)  # fmt: skip
_NAMED = ("part", "command", "step", "rule", "result", "who")  # whose codes have a word


class EventSentences:
    """Writes sentences with the names of one site; `site` is the content of its `site.json`."""

    def __init__(self, site: dict[str, Any]) -> None:
        self._names = {agent["id"]: agent["name"] for agent in site["agents"]}
        self._reasons = _labels(site["reasons"])
        self._codes = dict(_paths(site["tree"]["nodes"], ()))
        self._motives = {node[0]: node[1] for node in site["tree"]["nodes"]}
        self._areas = _labels(site.get("areas", ()))
        self._methods = _labels(site.get("identity_methods", ()))
        self._topics = _labels(site.get("help_topics", ()))
        self._faults = _labels(site.get("fault_areas", ()))

    def sentence(self, event: dict[str, Any], language: str) -> str | None:
        """None for what says nothing to a person at the desk."""
        kind = event["k"]
        if _is_idle(event):
            return None
        words = section("desk", language)
        variant = str(event.get(_VARIANT.get(kind, ""), "")).lower()
        if kind == "contact.step" and event.get("method"):  # the step itself was said before
            variant = "verified"
        for key in (f"said.{kind}.{variant}", f"said.{kind}", "said.other"):
            if key in words:
                sentence = words[key].format_map(_Places(self._values(event, language)))
                return sentence.replace("..", ".")  # after a name that ends with a stop
        raise KeyError("said.other")

    def _values(self, event: dict[str, Any], language: str) -> dict[str, Any]:
        words = section("desk", language)
        values = dict(event)
        values["name"] = self._names.get(event.get("a") or "", words["somebody"])
        values["reason"] = self._reason(event.get("reason"), language)
        values["code"] = self._codes.get(event.get("code", ""), event.get("code"))
        values["motive"] = self._motives.get(event.get("motive", ""), event.get("motive"))
        values["topic"] = self._topics.get(event.get("topic", ""), event.get("topic"))
        values["method"] = self._methods.get(event.get("method", ""), event.get("method"))
        for key in ("area", "target"):
            code = event.get(key, "")
            values[key] = self._areas.get(code) or self._faults.get(code, code) or "—"
        for key in _NAMED:
            values[key] = words.get(f"{key}.{event.get(key)}", event.get(key))
        values["queue"] = event.get("queue") or "—"
        values |= {key[:-3] + "_s": round(value / 1000) for key, value in _lengths(event)}
        return values

    def _reason(self, code: str | None, language: str) -> str:
        if code is None:
            return "—"
        floor = section("floor", language)
        label: str = self._reasons.get(code) or floor.get(f"reason.{code}", code)
        return label


def tone(event: dict[str, Any]) -> str:
    """Which colour a sentence has beside it: call, who, help, bad, or station for the rest."""
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


def _labels(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {row["code"]: row["label"] for row in rows}


def _paths(nodes: list[Any], above: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    for code, label, *children in nodes:
        here = (*above, label)
        if children and children[0]:
            yield from _paths(children[0], here)
        else:
            yield code, " › ".join(here)
