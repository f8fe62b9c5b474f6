"""An entry of the register in the reader's words."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from diadema.base.sanitize import visible
from diadema.site.directory.people import People
from diadema.store.register import Acted
from diadema.wire.live_rows import PRIVATE
from diadema.words.formatting import NOTHING, local_time

Words = Mapping[str, str]


def action_of(one: Acted) -> str:
    """What was done: the kind of a note, else the action."""
    act = one.act
    return act.kind if act.action == "note" and act.kind else act.action


def summary_of(one: Acted, words: Words) -> str:
    """What was done, and where to. `words` are of the area `reports`."""
    name = action_of(one)
    said = words.get(f"action.{name}", name)
    return f"{said} · {visible(one.act.seat)}" if one.act.seat else said


def reason_of(one: Acted, people: People, words: Words) -> str:
    """As it was typed, or the site's word for the code that was chosen; no private one's."""
    if people.shown(one.act.reason) == PRIVATE:
        return words["reason.private"]
    known = people.reasons.get(one.act.reason or "")
    return known.label if known else visible(one.act.reason or "") or NOTHING


def outcome_of(one: Acted, words: Words, zone: ZoneInfo) -> str:
    """What the station made of it; or who annulled it, when and why."""
    if (act := one.annulled) is not None:
        at = local_time(act.utc, zone, "date_second")
        by, why = visible(act.who or act.by), visible(act.reason or "")
        return words["annulled"].format(by=by, at=at, why=why)
    if one.outcome is None:
        return NOTHING
    said = words.get(f"outcome.{one.outcome.result}", one.outcome.result)
    return f"{said}: {one.outcome.reason}" if one.outcome.reason else said


def by_of(one: Acted) -> str:
    return visible(one.act.who or one.act.by)
