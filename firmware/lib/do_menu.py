"""The agent's menu (key 6): what the labels above the keys do not show."""

from lib.actions import act_chosen
from lib.transitions import IN_CALL


def show(station, details):
    work = station.desk.work
    works = IN_CALL if work in IN_CALL else work
    station.open_words("menu", _rows(station), act_chosen, works)


def _rows(station):
    """[action, word] of each line."""
    desk = station.desk
    if desk.work in IN_CALL:
        rows = [
            (station.config.areas, "transfer.areas", "transfer"),
            (station.config.motives, "call.motive", "motive"),
            (not desk.unrecorded, "call.recording", "pause_recording"),
            (desk.unrecorded, "call.recording", "go_on_recording"),
            (station.progress(), "call.skip", "skip_step"),
            (desk.work != "consulting", "intend", "after_call"),
            (station.config.motives and not desk.code, "typify", "code_now"),
        ]
    else:
        rows = [
            (desk.work == "idle" and desk.pending, "codes.waiting", "pending"),
            (desk.presence == "not_ready", "selftest.begin", "selftest"),
            (station.texts, "message.open_again", "messages"),
            (desk.work == "idle" and station.config.codes, "pin.code", "with_code"),
            (desk.work == "idle", "settings.show", "settings"),
            (desk.work == "wrapup", "intend", "after_call"),
        ]
    return [[action, word] for holds, action, word in rows if holds]
