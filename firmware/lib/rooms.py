"""The rooms of actions: where `lib.transitions` says `room.name`, the function `name` of one of
these does it. A room calls another through the station (`station.do`), and imports none.
"""

from lib import (
    do_call,
    do_codes,
    do_command,
    do_dial,
    do_disagree,
    do_help,
    do_menu,
    do_message,
    do_new_pin,
    do_phone,
    do_pin,
    do_quiet,
    do_selftest,
    do_session,
    do_settings,
    do_transfer,
)  # fmt: skip

ROOMS = {
    "call": do_call, "codes": do_codes, "command": do_command, "dial": do_dial,
    "disagree": do_disagree, "help": do_help, "menu": do_menu, "message": do_message,
    "new_pin": do_new_pin, "pin": do_pin, "quiet": do_quiet, "selftest": do_selftest,
    "session": do_session, "settings": do_settings, "phone": do_phone,
    "transfer": do_transfer,
}  # fmt: skip
