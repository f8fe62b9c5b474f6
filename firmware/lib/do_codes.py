"""Tipificación: the codes that the agent uses most and the tree, the calls whose code waits, and a
code taken back.
"""

from lib.config import label_of
from lib.menus import Menu
from lib.transitions import IN_CALL
from micropython import const

_MOST_USED = const(3)


def tree(station, details):
    """For the contact at hand: under its motive, if it has one."""
    desk = station.desk
    _open(station, desk.contact, desk.motive, 0, IN_CALL + " wrapup")


def waiting(station, details):
    """Pendientes."""
    rows = [[row, _label(station, row)] for row in station.desk.pending]
    station.open_list("pending", rows, _waiting_chosen, "idle")


def _label(station, row):
    """When the call ended, and what it was about."""
    config = station.config
    motive = label_of(config.motives, row[2])
    if not row[1]:
        return motive or row[0]
    minutes = row[1] + config.utc_offset_min
    return "%02d:%02d %s" % (minutes // 60 % 24, minutes % 60, motive)


def _waiting_chosen(station, node):
    contact, _, motive, n = node[0]
    _open(station, contact, motive, n, "idle")


def undo(station, details):
    """The code just given was the wrong one: the list again, for the same contact."""
    contact, motive = station.undo[:2]
    station.undo = None
    _open(station, contact, motive, station.desk.coded, "idle")


def _open(station, contact, motive, n, works):
    """`n`: of the event that gave the contact its code, 0 before it has one."""

    def chosen(station, node):
        _give(station, contact, motive, n, node)

    nodes = station.config.tree
    menu = Menu("tree", _most_used(station, nodes) + nodes, chosen, works, True)
    for node in nodes:
        if node[0] == motive:
            menu.enter([motive, node[1], _most_used(station, node[2]) + node[2]])
    station.open(menu)


def _most_used(station, nodes):
    """Of the codes below `nodes` those that the agent used most lately, as leaves of four
    columns.
    """
    recent = station.desk.recent
    labels: dict[str, str] = {}
    _find(nodes, recent, labels)
    codes = sorted(labels, key=lambda code: (-recent.count(code), recent.index(code)))
    return [[code, labels[code], None, 1] for code in codes[:_MOST_USED]]


def _find(nodes, codes, labels):
    for node in nodes:
        if len(node) > 2 and node[2]:
            _find(node[2], codes, labels)
        elif node[0] in codes:
            labels[node[0]] = node[1]


def _give(station, contact, motive, n, node):
    code, version = node[0], station.config.tree_version
    wrapup = station.desk.work == "wrapup"
    if n:
        station.said(
            "contact.retypified", c=contact, code=code, version=version,
            author=station.desk.agent, of=station.name_of(n),
        )  # fmt: skip
    else:
        station.typified(code, "favourite" if len(node) > 3 else "agent", contact)
    if wrapup:
        station.end_wrapup("typified")
    if wrapup or station.desk.work == "idle":
        station.can_undo(contact, motive, node[1])
