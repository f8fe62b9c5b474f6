"""A morning on which calls were heard, of which every figure of the report is known by hand."""

from datetime import date

from tests.support.peopled import AGENTS, SEATS, Centre, Seat

DAY = date(2026, 11, 18)


def heard(at, seat, call, n, *, by="luz", ms=40_000, source="recording", why="coaching", **more):
    """What the hub says of one listening that is its `n`th event; the end is the one after."""
    listening = f"aaaaaaaa{n:04}"
    said = {"k": "listening.started", "t": at * 1000, "listening": listening, "a": seat.agent,
            "call": call, "source": source, "purpose": why, "via": "browser", "announced": False,
            "by": by}  # fmt: skip
    begun = {name: value for name, value in (said | more).items() if value is not None}
    if ms is None:
        return [begun]
    ended = {"k": "listening.ended", "t": at * 1000 + ms, "of": ["HUB-x", 1, n],
             "heard_ms": ms, "cause": "closed", "by": by}  # fmt: skip
    return [begun, ended]


def refused(at, seat, call, *, by="elena", reason="other_team", **more):
    said = {"k": "listening.refused", "t": at * 1000, "a": seat.agent, "call": call,
            "source": "recording", "purpose": "complaint", "reason": reason, "by": by}  # fmt: skip
    return [said | more]


def place(root, entries):
    """The centre, and the second until which it is known. Two agents of other teams have two calls
    each, of 30 and 60 s; `entries(seats, calls, at)` gives what the hub said.
    """
    centre = Centre(root)
    at = centre.at(DAY, 9)
    seats = [Seat(SEATS[4 * k]).start(at).enter(a).show("ready") for k, a in enumerate(AGENTS[:2])]
    calls = []
    for seat in seats:
        seat.to(at + 600)
        its = []
        for hold in (0, 15_000):
            its.append((seat.s, seat.e, seat.n + 1))
            seat.served(hold=hold)
        calls.append(its)
        seat.to(at + 3600).show("not_ready", "break")
        seat.to(at + 3700).leave()
    now = at + 18_000
    centre.take(now * 1000, seats, entries(seats, calls, at + 4000))
    return centre, now


def morning(root):
    """Luz hears three recordings, one of them twice; Elena whispers; somebody spies; two ask and
    are not let; one goes on.
    """

    def entries(seats, calls, at):
        said = []
        for seat, call, more in (
            (seats[0], calls[0][0], {}),
            (seats[0], calls[0][0], {"ms": 20_000}),
            (seats[0], calls[0][1], {"why": "dispute", "ms": 45_400}),
            (seats[1], calls[1][0], {"by": "elena", "source": "live", "mode": "whisper",
                                     "via": "switch", "announced": True, "ms": 15_000}),
            (seats[1], calls[1][1], {"by": "rule:listening", "source": "live", "why": None,
                                     "via": "outside", "ms": 5000}),
            (seats[1], calls[1][1], {"by": "ana", "why": "evaluation", "ms": None}),
        ):  # fmt: skip
            said += heard(at + len(said), seat, call, len(said) + 1, **more)
        said += refused(at + 90, seats[1], calls[1][0])
        return said + refused(at + 91, seats[0], calls[0][0], by="ana", reason="no_recording")

    return place(root, entries)
