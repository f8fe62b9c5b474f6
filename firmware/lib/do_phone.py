"""The agent's telephone, which the switch calls: the host says how it is, and that it was not
there when somebody was to talk.
"""

_PARTS = (("no_phone", "telephone"), ("no_switch", "switch"))


def failed(station, details):
    """Nobody could talk: it was no call, with nothing to wrap up, and what follows is técnica."""
    station.notify("phone_failed")
    station.end_call("technical", details)


def by_host(station, details):
    """The newest word is the truth of the switch; without one, nothing is known of telephones."""
    state, faults = details["state"], station.desk.faults
    command = details  # the first event answers it
    for code, part in _PARTS:
        if code == state and part not in faults:
            station.emit("station.fault", command, part=part, code=code)
        elif code != state != "no_switch" and part in faults:
            station.emit("station.fault_cleared", command, part=part, code=code)
        else:
            continue
        command = None
    if command:
        station.refuse(details, "no_change")
    elif state == "no_phone" and station.situation == "ready":
        station.notify("no_phone")
        station.presence("not_ready", "fault", "system")
