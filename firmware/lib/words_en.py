"""The station's words in English, a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists.
"""

_LINES = """
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
dial: Dial
answer: Conn.
typify: Code
hold: Hold
resume: Back
intend: Next
turn: More ›
acknowledge: Read
transfer.join: Join
transfer.swap: Swap
transfer.confer: Confer
transfer.back: Back
help.ask: Help
menu.show: Menu
seen: Seen

tap_badge: Tap your badge
no_config: Not configured
answer_hint: 1 answer · 2 silence
silenced: Ring silenced
hang_up_hint: 1 hang up · 3 connected
muted: Microphone muted
next: Next: %s
finish_hint: 1 done
login: Just logged in
no_answer: No answer
auxiliar: Not ready
volume: Volume %s
hello: Hello, %s!
goodbye: See you!
missed: Not answered: not ready
unknown_badge: Badge not known
not_genuine: Badge is not genuine
no_roster: Configuration missing
in_call: Finish your call first
bad_read: Tap your badge again
journal_full: Memory full: tell someone
broken: Fault: %s
fault: Technical fault
badge_reader: badge reader
codec: audio
keys: keys
headset: headset
screen: screen
journal: memory
uplink: link
wifi: Wi-Fi
wifi.wrong_password: Wrong Wi-Fi password
config: configuration
help_waits: Help %s
help_comes: Help: %s comes
help_accepted: %s comes
help_resolved: Help given
fault_sent: Fault reported
fault_accepted: Fault: %s sees it
fault_resolved: Fault mended
fault_rejected: Fault rejected
limit_near: Your time is nearly over
limit_left: %s left
limit_over: Over by %s
set_by: Set by %s
supervisor: supervision
with_area: With %s
with_caller: With the caller
conference: In a conference

more: More ›
reasons_list: Pause
intend_list: Next
menu_list: Menu
help_list: Help
faults_list: Fault
transfer: Transfer
after_call: Afterwards…
code_now: Code the call
cancel_help: Cancel help
topic: Tell the topic
tree_list: Call code
areas_list: Transfer to
"""
WORDS = dict(line.split(": ", 1) for line in _LINES.split("\n") if line)
