"""What the three lights show: one priority ladder, the first rung that holds wins.

Two rungs that mean different things differ in place, brightness or blink, never in colour alone.
"""

# rung; ready, busy and ring: * lit, o blinking; the blink's period and for how long it is lit, ms
_LADDER = (  # noqa: SIM905
    "offered ..o 500 250 dialing .*. 0 0 talking .*. 0 0 held .*o 2000 1000 "
    "consulting .*o 2000 1000 closing .*. 0 0 wrapup .o. 2000 1000 "
    "message ..o 2000 200 ready *.. 0 0"
).split()


def decide(station, u):
    """((ready, busy, ring), 0 or 1 each) for the station's situation at `u`, and when it changes
    by time alone, or None.
    """
    holds = (station.situation, "message" if station.message else "")
    if station.menu and station.menu.lit:  # the self-test asks whether they are seen
        return (1, 1, 1), None
    for at in range(0, len(_LADDER), 4):
        rung, lights, period, lit = _LADDER[at : at + 4]
        if rung in holds:
            on, due = "*", None
            if "o" in lights:
                phase = (u - station.desk.since) % int(period)
                on = "*o" if phase < int(lit) else "*"
                due = u - phase + int(lit if len(on) > 1 else period)
            return tuple(int(light in on) for light in lights), due
    return (0, 0, 0), None
