"""What each input of a person does in each situation: the state machine's table. What the host's
commands do stands in `lib.commands`.

A situation is the presence while no call is on, else the work. `closing` lasts only when the power
went between the end of a call and its wrap-up. An action is the method `_name` of `lib.states`;
`room.name` is the function `name` of `lib.do_room` (`lib.rooms`).
"""

SITUATIONS = (
    "logged_out not_ready ready offered dialing talking held consulting wrapup closing".split()  # noqa: SIM905
)
IN_CALL = "talking held consulting"  # a list opened there may stay open in all of them
BUSY = "offered dialing " + IN_CALL  # keys 1 and 2 and the headset belong to the call


def cut(table):
    """Its rows as lists of cells, into which `cell` looks at each key."""
    return {name: row.split() for name, row in table.items()}


TABLE = cut(
    {
        # one cell: the same everywhere; else
        # logged_out, not_ready, ready, offered, dialing, talking, held, consulting, wrapup,
        # closing
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
    }
)
# what may still be done when only the journal's reserve is left: it ends something
ENDING = (  # noqa: SIM905
    "hang_up phone.failed withdraw miss time_out finish session.ask session.relieve session.leave "
    "session.close silence interrupt wrap_up typify message.acknowledge message.turn "
    "transfer.drop transfer.back transfer.end transfer.join call.listened"
).split()


def cell(name, situation, table=TABLE):
    """The action of input `name`, or None."""
    cells = table.get(name, ".")
    action = cells[SITUATIONS.index(situation) if len(cells) > 1 else 0]
    return None if action == "." else action
