"""What the host asks of the desk: the fields of a command, whether it fits the situation, and then
the table's action.
"""

from lib.commands import TABLE
from lib.desk import PENDING
from lib.transitions import SITUATIONS, cell
from micropython import const

_REPEATED = const(("contact", "queue", "pbx", "parent", "campaign", "reference"))
_REPEATED_BYTES = const(240)  # in contact.offered, which must fit a frame

# command: its fields, each with the bytes it may have, its values, or # for a whole number; a
# minus: it may be missing
FIELDS = {
    "ring": "contact 64 direction in|out queue -64 pbx -64 campaign -24 parent -64 reference -32",
    "dial": "contact 64 campaign -24 queue -64 pbx -64 consent -# reference -32",
    "recording": "contact 64 state paused|resumed",
    "listened": "contact 64 state on|off who 32",
    "withdraw": "contact 64 cause no_answer|caller_gave_up|withdrawn|rejected|technical",
    "answer": "contact 64",
    "hold": "contact 64",
    "resume": "contact 64",
    "hangup": "contact 64 by agent|caller|system result -busy|no_answer|failed",
    "failed": "contact 64",
    "consult": "contact 64 area 24",
    "consult_end": "contact 64 result back|dropped|failed",
    "transfer": "contact 64 target 24 kind blind|consulted|conference completed -#",
    "telephone": "state ok|no_phone|no_switch",
    "presence": "to not_ready| reason 64 who -32 note -32 agent -24",
    "wrapup": "contact 64 who -32",
    "text": "m 64 text 320 sign -# agent -24",
    "session": "agent 24 verdict confirm|close reason -24 who -32 note -32",
    "selftest": "skip -# agent -24",
    "help": "of # state accepted|resolved by 32 result -24",
    "fault": "of # state accepted|resolved|rejected by 32 cause -24",
}


def obey(station, name, details):
    """Do it, or answer why not."""
    fields = FIELDS.get(name)
    if fields is None:
        station.refuse(details, "unknown_command")
        return
    situation = station.situation
    action = cell(name, situation, TABLE)
    wrong = wrong_field(details, fields)
    if not wrong and name == "ring":
        texts = [details.get(field) or "" for field in _REPEATED]
        if sum(_size(text) for text in texts) > _REPEATED_BYTES:
            wrong = "contact and the rest: bytes at most %d" % _REPEATED_BYTES
    reason = "bad_command" if wrong else _refusal(name, situation, action)
    reason = reason or _not_now(station, name, action, details)
    if not reason:
        station.act(action, details)
    elif (
        reason not in ("no_such_contact", "wrong_state")
        or station.stopped("disagree")
        or not station.do("disagree.by_host", details)
    ):
        station.refuse(details, reason, wrong)


def _not_now(station, name, action, details):
    """Why a command that fits the situation does not fit the desk, or None."""
    desk = station.desk
    ours = details.get("contact", desk.contact) == desk.contact
    if not ours and name != "ring" and name != "dial":
        return "no_such_contact"
    if name != "session" and details.get("agent") not in (None, desk.agent):
        return "another_agent"  # the desk changed hands meanwhile
    if action == "offer_next":
        wants = desk.intended and desk.intended[0] != "ready"
        if desk.leaving or wants or "telephone" in desk.faults:
            return "not_ready"
        if not desk.code and len(station.uncoded()) >= PENDING:
            return "pending"
    return None


def _refusal(name, situation, action):
    """Why a command is refused in this situation, or None."""
    if action is None:
        return "no_such_contact" if SITUATIONS.index(situation) < 3 else "wrong_state"
    return action[1:] if action[0] == "!" else None


def _size(text):
    """Bytes in an event's JSON."""
    return len(text.encode()) + text.count('"') + text.count("\\")


def wrong_field(details, fields):
    """What is wrong with a command's fields, "" when nothing is."""
    fields = fields.split()
    for name, limit in zip(fields[::2], fields[1::2]):  # noqa: B905
        value = details.get(name)
        if limit[0] == "-":
            if value is None:
                continue
            limit = limit[1:]
        if limit == "#":
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                return name + ": a whole number"
        elif "|" in limit:
            if not isinstance(value, str) or not value or value not in limit.split("|"):
                return name + ": one of " + limit
        elif value is None:
            return name + ": missing"
        elif not isinstance(value, str) or not 0 < _size(value) <= int(limit):
            return name + ": text, bytes at most " + limit
        elif min(value.encode()) < 0x20:  # a loop over a text keeps each of its letters for good
            return name + ": has a control character"
    return ""
