"""Who sits here: what a badge at the reader does to the session. Loaded for a badge, and let go of
after it.
"""


def badge(station, details):
    """details: (keyed hash or None, agent id or None[, method, or why it is refused]); None for
    what could not be read.
    """
    if details is None:
        _deny(station, None, "bad_read")
        return
    keyed, agent = details[:2]
    if keyed is None:
        _deny(station, None, "no_roster")
    elif agent is None:
        _deny(station, keyed, details[2] if len(details) > 2 else "unknown_badge")
    else:
        station.act(station.action("badge"), details)


def _deny(station, keyed, reason):
    if not station.stopped(reason):
        station.emit("session.denied", badge=keyed, reason=reason)
        station.notify(reason)


def deny(station, details):
    _deny(station, details[0], "in_call")


def log_in(station, details):
    agent = details[1]
    method = details[2] if len(details) > 2 else "badge"
    station.emit("session.opened", a=agent, method=method, provisional=station.provisional)
    station.emit(
        "presence.changed", a=agent, to="not_ready", reason="login", by="system",
        **{"from": "logged_out"},
    )  # fmt: skip
    station.notify("hello", station.config.name_of(agent))


def relieve(station, details):
    """The agent's own badge logs out; another's ends this session and opens its own."""
    station.menu = None
    if details[1] == station.desk.agent:
        _log_out(station, "agent", "logout", "agent")
    else:
        _log_out(station, "relieved", "relieved", "system")
        if not station.full:
            log_in(station, details)


def leave(station, details):
    """The own badge in the wrap-up ends both."""
    if details[1] != station.desk.agent:
        deny(station, details)
        return
    station.close_wrapup("session_closed")
    _log_out(station, "agent", "logout", "agent")


def _log_out(station, why, reason, by):
    station.said("session.closed", reason=why, by="agent")
    station.presence("logged_out", reason, by)
    station.notify("goodbye")
