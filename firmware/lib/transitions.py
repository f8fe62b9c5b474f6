"""What each input does in each situation: the state machine's table, and what commands must have.

A situation is the presence while no call is on, else the work. `closing` lasts only when the power
went between the end of a call and its wrap-up. An action is the method `_name` of `lib.states`;
`room.name` is the function `name` of `lib.do_room`, which is loaded for it and let go of after.
"""

SITUATIONS = (
    "logged_out not_ready ready offered dialing talking held consulting wrapup closing".split()  # noqa: SIM905
)
TABLE = {
    # one cell: the same everywhere; else
    # logged_out, not_ready, ready, offered, dialing, talking, held, consulting, wrapup, closing
    "key1": ". . . answer hang_up hang_up hang_up transfer.drop finish .",
    "key2": ". . . silence . mute . mute . .",
    "key3": ". go_ready choose_reason . answer step step transfer.join . .",
    "key4": ". choose_reason dial.begin . . hold resume transfer.swap . .",
    "key5": ". help.ask help.ask . . help.ask help.ask transfer.confer help.ask .",
    "key6": "pin.code menu.show menu.show . . menu.show menu.show transfer.back menu.show .",
    "long5": "help.fault",
    "long6": "settings.show settings.show settings.show . . . . . . .",
    "badge": (
        "session.log_in session.relieve session.relieve session.deny session.ask session.ask "
        "session.ask session.ask session.ask session.deny"
    ),
    "quiet": ". . . . . quiet.ask . . . .",
    "power_back": ". . . interrupt interrupt interrupt interrupt interrupt . wrap_up",
    # commands: `!` refuses; so does `.`, as there is no such contact, or it is in the wrong state
    "ring": "!logged_out !not_ready offer !busy !busy !busy !busy !busy offer_next !busy",
    "withdraw": ". . . withdraw . . . . . .",
    "answer": ". . . answer answer . . . . .",
    "hold": ". . . . . hold . . . .",
    "resume": ". . . . . . resume . . .",
    "hangup": ". . . . hang_up hang_up hang_up hang_up . .",
    "dial": "!logged_out !not_ready dial.told !busy !busy !busy !busy !busy !busy !busy",
    "recording": ". . . . . call.recording call.recording call.recording . .",
    "consult": ". . . . . transfer.consult transfer.consult . . .",
    "consult_end": ". . . . . . . transfer.end . .",
    "transfer": ". . . . . transfer.told transfer.told transfer.told . .",
    "presence": "!logged_out set set want want want want want want !busy",
    "session": "session.told",
    "selftest": ("!logged_out selftest.asked !busy !busy !busy !busy !busy !busy !busy !busy"),
    "help": "help.told",
    "fault": "help.fault_told",
    "text": (
        "message.show message.show message.show !busy !busy message.show message.show "
        "message.show message.show !busy"
    ),
}
# what may still be done when only the journal's reserve is left: it ends something
ENDING = (  # noqa: SIM905
    "hang_up withdraw miss time_out finish session.ask session.relieve silence interrupt "
    "wrap_up typify message.acknowledge message.turn transfer.drop transfer.back transfer.end "
    "transfer.join"
).split()
# command: its fields, each with the bytes it may have, its values, or # for a whole number; a
# minus: it may be missing
FIELDS = {
    "ring": "contact 64 direction in|out queue -64 pbx -64 campaign -24 parent -64 reference -32",
    "dial": "contact 64 campaign -24 queue -64 pbx -64 consent -#",
    "recording": "contact 64 state paused|resumed",
    "withdraw": "contact 64 cause no_answer|caller_gave_up|withdrawn|rejected|technical",
    "answer": "contact 64",
    "hold": "contact 64",
    "resume": "contact 64",
    "hangup": "contact 64 by agent|caller|system",
    "consult": "contact 64 area 24",
    "consult_end": "contact 64 result back|dropped|failed",
    "transfer": "contact 64 target 24 kind blind|consulted|conference completed -#",
    "presence": "to not_ready| reason 64 who -32",
    "text": "m 64 text 320 sign -#",
    "session": "agent 24 verdict confirm|close reason -24",
    "selftest": "",
    "help": "of # state accepted|resolved by 32 result -24",
    "fault": "of # state accepted|resolved|rejected by 32 cause -24",
}


def cell(name, situation):
    """The action of input `name`, or None."""
    row = TABLE.get(name)
    cells = row.split() if row else "."
    action = cells[SITUATIONS.index(situation) if len(cells) > 1 else 0]
    return None if action == "." else action


def refusal(name, situation, action):
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
        elif min(value) < " ":
            return name + ": has a control character"
    return ""
