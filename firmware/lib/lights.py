"""What the three lights show: one priority ladder, the first rung that holds wins."""

# rung, and which of ready, busy and ring are lit
_LADDER = (  # noqa: SIM905
    "offered ..* dialing .*. talking .*. held .** closing .*. wrapup .*. message ..* ready *.."
).split()


def decide(station):
    """(ready, busy, ring) for the station's situation, 0 or 1 each."""
    holds = (station.situation, "message" if station.message else "")
    for rung, lights in zip(_LADDER[::2], _LADDER[1::2]):  # noqa: B905
        if rung in holds:
            return tuple(int(light == "*") for light in lights)
    return (0, 0, 0)
