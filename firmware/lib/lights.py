"""What the three lights show: one priority ladder, the first rung that holds wins."""

# rung: (ready, busy, ring)
LADDER = (
    ("offered", (0, 0, 1)),
    ("dialing", (0, 1, 0)),
    ("talking", (0, 1, 0)),
    ("held", (0, 1, 1)),
    ("closing", (0, 1, 0)),
    ("wrapup", (0, 1, 0)),
    ("message", (0, 0, 1)),
    ("ready", (1, 0, 0)),
    ("not_ready", (0, 0, 0)),
    ("logged_out", (0, 0, 0)),
)


def decide(station):
    """(ready, busy, ring) for the station's situation."""
    situation = station.situation
    for rung, lights in LADDER:
        if rung == situation or (rung == "message" and station.message):
            return lights
    return (0, 0, 0)
