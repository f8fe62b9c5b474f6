"""The station's words in English, a line each: `key: word`. Groups: states; soft labels by
what the key does, which fit 28 pixels (about six letters); the line of detail; lists; messages;
the technician's test.
"""

from lib.words import catalogue

WORDS = catalogue("""
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
headset_out: Plug your headset in
next: Next: %s
finish_hint: 1 done
login: Just logged in
no_answer: No answer
auxiliar: Not ready
hello: Hello, %s!
missed_no_answer: Not answered: not ready
help_waits: Help %s
help_comes: Help: %s
turn_ahead: %s before you
turn_next: You are next
turn_to: Asked: %s
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
today: Calls here today: %s
mute: MUTE
conference: In a conference

more: More ›
reasons_list: Pause
menu_list: Menu
tree_list: Call code
close_session: Log out
mark_out: OUT

message.turn: More ›
message.acknowledge: Read
message.aside: Later
message.agree: Agree
message.observe: Object

no_config: Not configured
by_cable: Wi-Fi set: configure by cable
safe_mode: Safe mode
safe_crashes: Fails: tell support
safe_no_program: No program
safe_old_image: Image lacks PSRAM
safe_no_psram: PSRAM has failed
volume: Volume %s
goodbye: See you!
missed_caller_gave_up: The caller hung up
missed_withdrawn: Call withdrawn
missed_rejected: Call withdrawn
phone_failed: Your phone did not answer
no_phone: Your phone is not registered
missed_technical: Not counted: a fault
unknown_badge: Badge not known
not_genuine: Badge is not genuine
no_roster: Configuration missing
in_call: Finish your call first
bad_read: Tap your badge again
two_badges: Tap one badge only
journal_full: Memory full: tell someone
broken: Fault: %s
fault: Technical fault
badge_reader: badge reader
codec: audio
keys: keys
keys.inputs_unsure: A key may be missing
headset: headset
screen: screen
journal: memory
uplink: link
telephone.no_phone: No phone
switch.no_switch: No switch
wifi: Wi-Fi
wifi.wrong_password: Wrong Wi-Fi password
wifi.no_network: Wi-Fi not found
wifi.other_security: Wi-Fi of another kind
wifi.too_weak: Wi-Fi too weak
wifi.no_name: Server not found
wifi.certificate: Certificate not valid
wifi.tls: Server: TLS fails
wifi.refused: Credential not valid
wifi.no_memory: No memory for Wi-Fi
wifi.radio: Wi-Fi radio fails
config: configuration
help_accepted: Coming: %s
help_resolved: Help given
fault_sent: Fault reported
fault_accepted: Fault seen by %s
fault_resolved: Fault mended
fault_rejected: Fault rejected
limit_near: Your time is nearly over
blocked_hours: Not at this hour: do not call
blocked_day: No calls today
blocked_consent: No consent: do not call
blocked_clock: Hour unknown: cannot call
sign_it: Sign it with your badge
signed: Do you agree?
marked_in: In %s
marked_out: Out %s
mark_repeated: Marked twice
marked_unknown: Marked %s: unknown
relief: Relief: %s
wrong_pin: Wrong PIN
wrong_left: Wrong PIN, %s left
pin_cancelled: No PIN: tap again
wait: Wait %s s
mark_pin: In %s · PIN
type_pin: Type your PIN
type_new: Choose your PIN
type_again: The same again
weak_pin: Too easy: another
other_pin: Not the same: again
type_code: Type your code
checking: One moment
closed_by: Closed by %s
ended: Session closed: %s
ended_moved: Logged in elsewhere
ended_at_other_seat: Already at another desk
ended_unknown_badge: Badge not valid
ended_not_in_roster: Not in the roster
ended_pin_required: PIN is missing
ended_locked: PIN locked
ended_shift_end: Shift has ended
ended_corrected: Session corrected
fit: Seat in order
unfit: Not in order: %s
microphone: microphone
lights: lights
link: link
clock: hour
firmware: firmware
materials: materials
tools: tools
test_keys: Press %d
test_keys_how: Each key, from 1 to 6
test_microphone: Speak
test_microphone_how: Say: one, two, three
test_lights: Lights?
test_lights_how: All three: 3 Yes · 4 No

intend_list: Next
help_list: Help
faults_list: Fault
rate_list: Did it help?
confirm_list: Does it work?
motive: Reason for call
pause_recording: Pause recording
go_on_recording: Resume recording
skip_step: Skip a step
pending: Codes to give
yes: Yes
no: No
transfer: Transfer
after_call: Afterwards
code_now: Code the call
cancel_help: Cancel help
topic: Tell the topic
messages: Messages
selftest: Self-test
selftest_list: Self-test
prove_list: Chip test
prove_hear: Is it heard?
prove_hear_how: 3 Yes · 4 No
prove_told: Do what the computer says
selftest_begin: Begin
selftest_skip: Leave it out
skip_list: Why?
call_waits: A call waits
done_before: Did it before
no_time: No time
tools_list: %s?
tool_fault_list: Report the fault?
materials_list: What is missing?
all_there: Nothing
rest_there: Nothing else
settings_list: Settings
settings: Settings
set_volume: Volume %s
set_microphone: Microphone %s dB
set_sidetone: Sidetone %s
set_tones: Tones %s
tones_on: on
tones_off: off
set_brightness: Brightness %s
set_language: Language %s
brightness_high: high
brightness_mid: medium
brightness_low: low
language_es: español
language_en: English
pending_list: Codes to give
campaigns_list: Campaign
consent_list: Did they consent?
methods_list: Verified how?
motives_list: Reason for call
quiet_list: Still on the call?
areas_list: Transfer to
session_list: What next?
pin_list: PIN
code_list: Code
with_code: Without badge
cancel: Cancel

flash: damaged program
badge_uid: badge
badge_secure: secure badge
badge_em: 125 kHz badge
badge_wiegand: badge
bench_keys: Press %d
bench_keys_how: Each key, from 1 to 6
bench_other: Key %d came
bench_lights: Lights?
bench_lights_how: All three: 3 Yes · 4 No
bench_screen: Screen?
bench_screen_how: No spots: 3 Yes · 4 No
bench_headset_out: Unplug
bench_headset_out_how: The headset
bench_headset_in: Plug in
bench_headset_in_how: The headset
bench_microphone: Microphone
bench_microphone_how: Hold the earphone to it
bench_badge: Badge
bench_uid_how: Hold any there
bench_secure_how: Hold a secure one
bench_em_how: Hold one of 125 kHz
bench_wiegand_how: Hold any there
bench_wait: One moment
bench_wait_how: The memory is tested
bench_yes: Fit
bench_no: Not fit
bench_left: Test broken off
bench_crash: The program failed
""")
