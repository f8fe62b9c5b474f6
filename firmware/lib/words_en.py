"""The station's words in English, a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists.
"""

from lib.words import Words

WORDS = Words(
    """
logged_out: Logged out
ready: AVAILABLE
not_ready: Not ready
offered: Ringing
dialing: Calling
talking: On call
held: On hold
consulting: Consult
wrapup: Wrap-up

go_ready: Ready
choose_reason: Pause
dial.begin: Dial
step: Step
answer: Conn.
typify: Code
hold: Hold
resume: Back
intend: Next
transfer.join: Join
transfer.swap: Swap
transfer.confer: Confer
transfer.back: Back
help.ask: Help
pin.code: Code
menu.show: Menu
seen: Seen

tap_badge: Tap your badge
answer_hint: 1 answer · 2 silence
silenced: Ring silenced
hang_up_hint: 1 hang up · 3 connected
muted: Microphone muted
next: Next: %s
finish_hint: 1 done
login: Just logged in
no_answer: No answer
auxiliar: Not ready
hello: Hello, %s!
missed_no_answer: Not answered: not ready
help_waits: Help %s
help_comes: Help: %s comes
limit_left: %s left
limit_over: Over by %s
set_by: Set by %s
supervisor: supervision
with_area: With %s
with_caller: With the caller
unrecorded: Recording paused
greeting: Greeting
identity: Identity
need: Need
information: Information
doubts: Doubts
closing: Closing
step_at: Step %s
guide: Playbook %s
undo_hint: 1 undo · %s
pending_count: Codes to give: %s
conference: In a conference

more: More ›
reasons_list: Pause
menu_list: Menu
tree_list: Call code
close_session: Log out
mark_out: OUT
""",
    "words_en_more",
)
