"""What each command of the host does in each situation; `lib.transitions` has the same of what
people do, and explains the cells. `!` refuses with the reason behind it. `.` refuses too: there is
no such contact, or it is in the wrong state.
"""

from lib.transitions import cut

TABLE = cut(
    {
        # one cell: the same everywhere; else
        # logged_out, not_ready, ready, offered, dialing, talking, held, consulting, wrapup,
        # closing
        "ring": "!logged_out !not_ready offer !busy !busy !busy !busy !busy offer_next !busy",
        "withdraw": ". . . withdraw . . . . . .",
        "answer": ". . . answer answer . . . . .",
        "hold": ". . . . . hold . . . .",
        "resume": ". . . . . . resume . . .",
        "hangup": ". . . . hang_up hang_up hang_up hang_up . .",
        "failed": ". . . . phone.failed phone.failed phone.failed phone.failed . .",
        "dial": "!logged_out !not_ready dial.by_host !busy !busy !busy !busy !busy !busy !busy",
        "recording": ". . . . . call.recording call.recording call.recording . .",
        "listened": ". . . . . call.listened call.listened call.listened . .",
        "consult": ". . . . . transfer.consult transfer.consult . . .",
        "consult_end": ". . . . . . . transfer.end . .",
        "transfer": ". . . . . transfer.by_host transfer.by_host transfer.by_host . .",
        "wrapup": ". . . . . . . . call.end_wrapup .",
        "presence": "!logged_out set set want want want want want want !busy",
        "telephone": "phone.by_host",
        "session": "session.by_host",
        "selftest": "!logged_out selftest.by_host !busy !busy !busy !busy !busy !busy !busy !busy",
        "help": "help.by_host",
        "fault": "help.fault_by_host",
        "text": (
            "message.show message.show message.show !busy !busy message.show message.show "
            "message.show message.show !busy"
        ),
    }
)
