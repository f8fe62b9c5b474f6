"""Ayuda and Falla: the first press sends the request at once; what it is about is asked after it,
and may be left out.
"""


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
    _by_host(station, details, "help", station.desk.help, "result")


def _by_host(station, details, what, open_n, more):
    if details["of"] != open_n:
        station.refuse(details, "no_such_request")
        return
    state, by = details["state"], details["by"]
    fields = {more: details[more]} if details.get(more) else {}
    of = station.name_of(open_n)
    station.said(what + "." + state, details, of=of, by=by, **fields)
    station.notify(what + "_" + state, by)


def fault(station, details):
    """Falla: something does not work."""
    desk = station.desk
    station.said("fault.reported", **_contact(desk))
    if desk.open and desk.work == "idle" and desk.presence == "ready":
        station.presence("not_ready", "fault", "system")
    elif desk.open and desk.work not in ("idle", "offered"):  # the time from then on is técnica
        station.wanted("not_ready", "fault", by="system")
    station.notify("fault_sent")
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
    _by_host(station, details, "fault", station.desk.ticket, "cause")
