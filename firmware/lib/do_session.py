"""Who sits here: what a badge at the reader does to attendance and session, and what the host says
of the session.

The mark comes before anything else and whatever follows: attendance is the tap's, a session the
desk's.
"""

from lib.actions import act_chosen
from lib.desk import MARKS_SINCE_S
from lib.menus import Menu
from micropython import const

_GONE_MS = const(5_000)
_SHIFT_S = const(57_600)  # a mark in says nothing of the shift after 16 h
_LIST_MS = const(8_000)
_ENDS = ("supervisor", "moved", "shift_end")  # the host's words that an end of a session may have


def badge(station, details):
    """details: (keyed hash or None, agent id or None[, method, or why it is refused]); None for
    what could not be read, "two_badges" for two at once.
    """
    if details is None or details == "two_badges":
        if not (station.menu and station.menu.all_keys):  # it swings by while the agent types
            deny(station, (None, None), details or "bad_read")
        return
    keyed, agent = details[:2]
    method = details[2] if len(details) > 2 else "badge"
    if keyed is None:
        deny(station, details, "no_roster")
    elif agent is None and len(details) > 2:  # a card that is not what it says marks nobody
        deny(station, details, method)
    else:
        _tap(station, (keyed, agent, method))


def coded(station, agent):
    """An agent without a badge: code and PIN were right."""
    _tap(station, (None, agent, "code_pin"))


def _tap(station, details):
    keyed, agent, method = details
    key = agent or keyed
    if station.gone and station.gone[0] == key and station.u - station.gone[1] < _GONE_MS:
        return  # the badge that swings on its lanyard as the agent leaves
    of = None
    leaving = agent and agent == station.desk.agent and station.desk.leaving == "agent"
    if _newest(station, key) <= 0 and not leaving:
        of = station.name_of(0)
        _mark(station, details, "in")
        station.fresh = agent
    details = (keyed, agent, method, of)
    if agent is None:
        if of:
            deny(station, details, "unknown_badge")
            station.notify("marked_unknown", _wall_time(station, station.u))
        elif station.desk.work != "idle":  # the keys are the call's
            deny(station, details)
        else:
            _ask(station, details, [["", ""], ["", ""]])
    else:
        station.act(station.action("badge"), details)


# ------------------------------------------------------------------ attendance


def _newest(station, key):
    """The newest known mark of this shift: above 0 in, below 0 out, 0 none."""
    here, there = station.desk.marks.get(key, 0), station.marks.get(key, 0)
    newest = there if 1 < abs(here) < abs(there) or not here else here
    if abs(newest) > 1:
        utc = station.utc(station.u)
        if utc is None or abs(utc // 1000 - MARKS_SINCE_S - abs(newest)) >= _SHIFT_S:
            return 0
    return newest


def _mark(station, details, direction, u=None):
    """Write the mark; `u` of a tap that was a moment ago."""
    keyed, agent, method = details[:3]
    newest = _newest(station, agent or keyed)
    repeated = newest and (newest > 0) == (direction == "in")
    more = {} if u is None else {"u": u}
    station.emit(
        "attendance.marked", a=agent, direction=direction, method=method, badge=keyed, **more
    )
    wall_time = _wall_time(station, station.u if u is None else u)
    name = agent and agent != station.desk.agent and station.desk.open
    if repeated:
        station.notify("mark_repeated")
    elif name:  # at a desk that is somebody else's
        station.notify("marked_" + direction, wall_time + "\n" + station.config.name_of(agent))
    else:
        station.notify("marked_" + direction, wall_time)


def _wall_time(station, u):
    utc = station.utc(u)
    if utc is None:
        return ""
    minutes = utc // 60_000 + station.config.utc_offset_min
    return "%02d:%02d" % (minutes // 60 % 24, minutes % 60)


# ------------------------------------------------------------------ sessions


def deny(station, details, reason="in_call"):
    """`details` as a tap's; what it could do is not done."""
    if station.menu and station.menu.all_keys:
        station.menu = None
    if not station.stopped(reason):
        more = {"a": details[1]} if details[1] else {}
        station.emit("session.denied", badge=details[0], reason=reason, **more)
        if len(details) < 4 or not details[3] or reason != "in_call":  # else the mark is told
            station.notify(reason)


def _asks_pin(station, method):
    policy = station.config.pin
    if method in ("badge_pin", "code_pin") or policy == "none":
        return False
    return policy == "always" or method != "badge_secure"


def log_in(station, details):
    if _asks_pin(station, details[2]):
        station.do("pin.ask", details)
        return
    _, agent, method, of = details
    more = {"of": of} if of else {}
    station.menu = None
    station.emit("session.opened", a=agent, method=method, provisional=station.provisional, **more)
    station.emit(
        "presence.changed", a=agent, to="not_ready", reason="login", by="system",
        **{"from": "logged_out"},
    )  # fmt: skip
    if not of or method == "badge_pin":
        station.notify("hello", station.config.name_of(agent))
    if station.fresh == agent and station.config.selftest:
        station.do("selftest.begin", None)
    station.fresh = None


def proven(station, details):
    """The agent's PIN was right."""
    station.act(station.action("badge"), details)


def relieve(station, details):
    """At an idle desk: its agent is asked what to do, another's session takes its place."""
    if details[1] == station.desk.agent:
        ask(station, details)
    elif _asks_pin(station, details[2]):
        log_in(station, details)
    else:
        station.menu = None
        _log_out(station, "relieved", "relieved", "system")
        if not station.full:
            log_in(station, details)
            if not details[3]:
                station.notify("relief", station.config.name_of(details[1]))


def ask(station, details):
    """The own badge asks what to do; in a call nobody else's does anything."""
    if details[1] != station.desk.agent:
        deny(station, details)
    elif not station.do("message.signed", details):
        aux = "choose_reason" if station.desk.work == "idle" else "intend"
        _ask(station, details, [[aux, "auxiliar"], ["session.close", "close_session"]])


def _ask(station, details, nodes):
    tapped = [details, station.u]
    nodes += [["session.leave", "mark_out", tapped], [None, "cancel"]]
    menu = Menu("session", nodes, act_chosen)
    menu.said = menu.urgent = True
    station.open(menu, _LIST_MS)


def leave(station, chosen):
    """SALIDA: the mark has the tap's time; the session ends at once, or with the call."""
    details, tapped = chosen
    _mark(station, details, "out", tapped)
    if station.desk.work != "idle":
        return
    station.gone = (details[1] or details[0], station.u)
    if details[1]:
        _log_out(station, "agent", "logout", "agent")


def close(station, details):
    work = station.desk.work
    if work not in ("idle", "wrapup"):
        station.wanted("logged_out", "logout")
        return
    if work == "wrapup":
        station.close_wrapup("session_closed")
    _log_out(station, "agent", "logout", "agent")
    station.notify("goodbye")


def end(station):
    """The call is over: what was to end the session does so."""
    desk = station.desk
    _end(station, desk.leaving or "agent", *desk.leaver)


def _end(station, why, who=None, note=None):
    if why == "agent":
        _log_out(station, "agent", "logout", "agent")
    else:
        by = "supervisor" if who or why == "supervisor" else "system"
        _log_out(station, why if why in _ENDS else "corrected", why, by, who, note)


def _log_out(station, why, reason, by, who=None, note=None):
    station.flag()
    if station.desk.help:  # who comes next did not ask
        station.said("help.cancelled", of=station.name_of(station.desk.help))
    more = {"who": who} if who else {}
    station.said("session.closed", reason=why, by=by, **more)
    station.presence("logged_out", reason, by, who, note)


def by_host(station, details):
    """The host's word on a session that was opened without it."""
    if details["agent"] != station.desk.agent:
        station.refuse(details, "no_such_session")
    elif details["verdict"] == "confirm":
        station.said("session.confirmed", details)
    else:
        reason = details.get("reason") or "corrected"
        more = {name: details[name] for name in ("who", "note") if details.get(name)}
        station.said("session.corrected", details, verdict="closed", reason=reason, **more)
        if station.desk.work == "idle":
            station.menu = None
            _end(station, reason, **more)
        elif "who" in more:
            station.notify("closed_by", more["who"])
        else:
            known = "ended_" + reason in station.words
            station.notify("ended_" + reason if known else "ended", reason)
