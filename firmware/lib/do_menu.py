"""The agent's menu (key 6): what the labels above her keys do not show."""

from lib.actions import IN_CALL


def show(station, details):
    station.open_words("menu", _rows(station), _chosen, "idle wrapup " + IN_CALL)


def _rows(station):
    """[action, word] of each line."""
    desk = station.desk
    if desk.work in IN_CALL:
        rows = [
            (station.config.areas, "transfer.areas", "transfer"),
            (desk.work != "consulting", "intend", "after_call"),
            (station.config.tree and not desk.code, "typify", "code_now"),
        ]
    else:
        rows = [(desk.work == "wrapup", "intend", "after_call")]
    return [[action, word] for holds, action, word in rows if holds]


def _chosen(station, node):
    station.act(node[0])
