"""What each command of the host does in each situation, as `lib.transitions` has it of what people
do. `!` refuses, with that reason; so does `.`, as there is no such contact,
or it is in the wrong state.
"""

from lib.transitions import cut

_TABLE = {
    # one cell: the same everywhere; else
    # logged_out, not_ready, ready, offered, dialing, talking, held, consulting, wrapup, closing
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
    "wrapup": ". . . . . . . . call.end_wrapup .",
    "presence": "!logged_out set set want want want want want want !busy",
    "session": "session.told",
    "selftest": "!logged_out selftest.asked !busy !busy !busy !busy !busy !busy !busy !busy",
    "help": "help.told",
    "fault": "help.fault_told",
    "text": (
        "message.show message.show message.show !busy !busy message.show message.show "
        "message.show message.show !busy"
    ),
}
TABLE = cut(_TABLE)
