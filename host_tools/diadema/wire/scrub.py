"""One event without what tells of a person: the agent under another name, no text, no badge."""

import secrets
from typing import Any

ERASED = "erased-"
_AGENTS = ("a", "author", "agent")
_GONE = ("reference", "badge", "note", "evidence", "who", "detail")
_EMPTIED = ("text", "verifier")  # which their kinds must have
_SIDES = frozenset(
    {"agent", "system", "supervisor", "caller", "transfer", "interrupted", "technical"}
)
_TEXT_REASONS = ("attendance.corrected", "attendance.justified", "supervision.acted")


class Names:
    """Who is called what instead, the same all over one erasure. Nobody keeps this."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    @property
    def known(self) -> set[str]:
        """Who had another name before."""
        return {*self._known}

    def of(self, name: str) -> str:
        if name.startswith(ERASED):
            return name
        if name not in self._known:
            self._known[name] = ERASED + secrets.token_hex(5)
        return self._known[name]


def scrubbed(event: dict[str, Any], names: Names) -> dict[str, Any]:
    """A new one; the same event if there was nothing to take away."""
    made: dict[str, Any] = {}
    for key, value in event.items():
        if key in _GONE:
            continue
        if key in _EMPTIED and isinstance(value, str):
            made[key] = ""
        elif isinstance(value, str) and (key in _AGENTS or (key == "by" and value not in _SIDES)):
            made[key] = names.of(value)
        elif key == "reason" and event.get("k") in _TEXT_REASONS:
            made[key] = ""
        else:
            made[key] = value
    return made
