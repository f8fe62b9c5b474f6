"""The agent's menu (key 6): what the labels above her keys do not show."""

from lib.actions import IN_CALL


def show(station, details):
    station.open_words("menu", _rows(station), _chosen, "idle wrapup " + IN_CALL)


def _rows(station):
    """[action, word] of each line."""
    desk = station.desk
    if desk.work in IN_CALL:
        rows = [
            (desk.work != "consulting", "intend", "intend"),
            (station.config.tree and not desk.code, "typify", "typify"),
        ]
    else:
        rows = [(desk.work == "wrapup", "intend", "intend")]
    return [[action, word] for holds, action, word in rows if holds]


def _chosen(station, node):
    station.act(node[0])
