"""Ayuda and Falla: the first press sends the request at once; what it is about is asked after it,
and may be left out. Once it is resolved, the agent is asked whether it served, or works.
"""

from lib.actions import YES_NO
from lib.config import label_of
from lib.menus import Menu


def ask(station, details):
    """Ayuda; pressed again, it offers to cancel."""
    desk = station.desk
    if desk.help:
        station.open_words("help", [["cancel", "cancel_help"], ["topic", "topic"]], _again)
    else:
        station.said("help.requested", **_contact(desk))
        _topics(station)


def _contact(desk):
    return {"c": desk.contact} if desk.contact else {}


def _topics(station):
    if station.config.help:
        station.open_list("help", station.config.help, _topic)


def _topic(station, node):
    if station.desk.help:
        station.said("help.topic", of=station.name_of(station.desk.help), topic=node[0])


def _again(station, node):
    if node[0] == "topic":
        _topics(station)
    elif station.desk.help:
        station.said("help.cancelled", of=station.name_of(station.desk.help))


def by_host(station, details):
    """The host's word on a request: accepted or resolved."""
    waits = 0 < details["of"] == station.desk.help
    if waits:
        station.turn = None
    _by_host(station, details, "help", waits, "result")
    _over(station, details, "help", waits)


def _over(station, details, kind, its):
    """The list of what it is about goes with it."""
    if its and details["state"] != "accepted" and station.menu and station.menu.kind == kind:
        station.menu = None


def _by_host(station, details, what, waits, more):
    if not waits:
        station.refuse(details, "no_such_request")
        return
    state, by = details["state"], details["by"]
    fields = {more: details[more]} if details.get(more) else {}
    of = station.name_of(details["of"])
    station.said(what + "." + state, details, of=of, by=by, **fields)
    station.notify(what + "_" + state, by)


def report(station, area=None, part=None):
    """A fault; what it is about may be told after it."""
    desk = station.desk
    about = _contact(desk)
    if area:
        about["area"] = area
    if part:
        about["part"] = part
    station.said("fault.reported", **about)
    if desk.open and desk.work == "idle" and desk.presence == "ready":
        station.presence("not_ready", "fault", "system")
    elif desk.open and desk.work not in ("idle", "offered"):  # the time from then on is técnica
        station.wanted("not_ready", "fault", by="system")
    station.notify("fault_sent")


def fault(station, details):
    """Falla: something does not work."""
    report(station)
    if station.config.faults:
        station.open_list("faults", station.config.faults, _area)


def _area(station, node):
    area = node[0]

    def part(station, chosen):
        _detail(station, area=area, part=chosen[0])

    if len(node) > 2 and node[2]:
        station.open_list("faults", node[2], part)
        station.menu.title = node[1]
    else:
        _detail(station, area=area)


def _detail(station, **fields):
    if station.desk.ticket:
        station.said("fault.reported", of=station.name_of(station.desk.ticket), **fields)


def fault_by_host(station, details):
    """The host's word on a fault: accepted, resolved or rejected."""
    row = station.desk.report(details["of"])
    _by_host(station, details, "fault", row and not row[1], "cause")
    _over(station, details, "faults", details["of"] == station.desk.ticket)


# ------------------------------------------------------------------ what is asked afterwards


def owed(station):
    """What the next question is about, a row of the desk's reports or [n] of a request; None where
    there is none.
    """
    for row in station.desk.reports + [[n] for n in station.desk.served]:
        if (not row[1:] or row[1]) and row[0] not in station.done_questions:
            return row
    return None


def question(station):
    """Of a request only once, whatever takes it away; of a fault until somebody says."""
    row, desk = owed(station), station.desk
    station.done_questions = [
        n for n in station.done_questions if n in desk.served or desk.report(n)
    ]
    if not row[1:]:
        station.done_questions.append(row[0])
    station.open(_Question(station, row))


class _Question(Menu):
    """Over nothing else; key 1 leaves it unanswered for good."""

    def __init__(self, station, row):
        kind = "confirm" if row[1:] else "rate"
        Menu.__init__(self, kind, YES_NO, self.answered, "idle")
        self.said = True
        self._row = row
        if row[2:]:
            self.about = _label(station.config, *row[2:])

    def fits(self, station):
        return Menu.fits(self, station) and not station.desk.foreign

    def press(self, station, key):
        if key == 1:
            station.done_questions.append(self._row[0])
        Menu.press(self, station, key)

    def answered(self, station, node):
        n, answer = self._row[0], node[0]
        what = "fault.confirmed" if self.kind == "confirm" else "help.rated"
        station.said(what, of=station.name_of(n), answer=answer)
        if what == "fault.confirmed" and answer == "no":
            report(station, *self._row[2:])


def _label(config, area, part):
    """What the list of faults calls it, or that of tools."""
    for row in config.faults:
        if row[0] == area:
            return label_of(row[2], part) if part else row[1]
    return label_of(config.tools, part)
