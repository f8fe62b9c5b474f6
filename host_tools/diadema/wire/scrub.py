"""One event without what tells of a person: the agent under another name, no text, no badge."""

import secrets
from typing import Any

from diadema.wire.actions import OF_A_RULE

ERASED = "erased-"
_AGENTS = ("a", "author", "agent")
_GONE = ("reference", "badge", "note", "evidence", "who", "detail", "document", "witnesses")
_EMPTIED = ("text", "verifier")  # which their kinds must have
_SIDES = frozenset(
    {"agent", "system", "supervisor", "caller", "transfer", "interrupted", "technical"}
)
_TEXT_REASONS = (
    "attendance.corrected", "attendance.justified", "supervision.acted", "help.assigned",
    "ticket.changed", "ticket.reopened", "ticket.closed", "sample.annulled", "recording.released",
    "recording.held", "evaluation.revised", "evaluation.annulled", "case.opened", "case.closed",
)  # fmt: skip
_RESULTS = ("help", "fault")  # actions whose reason is a code
_TEXTS = {  # fields that people write freely, of these kinds alone
    "ticket.opened": ("title",),
    "ticket.resolved": ("cause", "fix"),
    "help.noted": ("sha256",),
    "ticket.noted": ("sha256",),
    "evaluation.noted": ("sha256",),
    "recording.released": ("receiver",),
    "case.opened": ("number",),
}
_ACCOUNTS = ("help.assigned", "ticket.taken", "sample.assigned")  # whose `to` is one
_NOTHING = "—"  # for a field that must have something


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
    kind = event.get("k", "")
    for key, value in event.items():
        if key in _GONE:
            continue
        if key in _EMPTIED and isinstance(value, str):
            made[key] = ""
        elif isinstance(value, str) and _is_name(kind, key, value):
            made[key] = names.of(value)
        elif key in _TEXTS.get(kind, ()):
            if key != "sha256":
                made[key] = _NOTHING
        elif key == "reason" and kind in _TEXT_REASONS and event.get("action") not in _RESULTS:
            made[key] = ""
        else:
            made[key] = value
    return made


def _is_name(kind: str, key: str, value: str) -> bool:
    if key == "by":
        return value not in _SIDES and not value.startswith(OF_A_RULE)
    return key in _AGENTS or (key == "to" and kind in _ACCOUNTS)
