"""To another area: a call is handed over at once, or after the area was consulted, whether a
key or the host asks.
"""

from lib.calls import via


def areas(station, details):
    """The directory; each area says whether it is consulted first."""
    station.open_list("areas", station.config.areas, _area_chosen, "talking held")


def _area_chosen(station, area):
    if area[2]:
        _consult(station, area[0], "area")
    else:
        station.open_list("areas", [area], _blind, "talking held")
        station.menu.asks = True


def _blind(station, area):
    _hand_over(station, "blind", area[0])


def consult(station, details):
    _consult(station, details["area"], "area", details)


def _consult(station, area, heard, details=None):
    station.contact("contact.consulted", details, via=via(details), area=area, heard=heard)


def swap(station, details):
    desk = station.desk
    _consult(station, desk.area, "area" if desk.heard == "caller" else "caller")


def back(station, details):
    station.end_consult("back")


def drop(station, details):
    station.end_consult("dropped")


def end(station, details):
    station.end_consult(details["result"], details)


def join(station, details):
    _hand_over(station, "consulted", station.desk.area)


def confer(station, details):
    _hand_over(station, "conference", station.desk.area)


def by_host(station, details):
    """The host's command; one that did not come about (completed 0) changes nothing."""
    kind = details["kind"]
    if kind == "blind" and station.desk.work == "consulting":
        station.end_consult("dropped")
    _hand_over(station, kind, details["target"], details, details.get("completed") != 0)


def _hand_over(station, kind, target, details=None, completed=True):
    station.contact(
        "contact.transferred", details, via=via(details), kind=kind, target=target,
        completed=completed,
    )  # fmt: skip
    if completed and kind != "conference":
        station.end_call("transfer")
