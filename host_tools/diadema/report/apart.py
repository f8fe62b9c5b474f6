"""What has no agent, no hour or no end yet: how many that no table shows there are."""

from diadema.report.asked import Asked
from diadema.report.model import Section
from diadema.report.tables import Line, Part, table


def apart(asked: Asked) -> Section:
    """A line each: calls that the switch says were answered and by nobody it names; contacts of
    stations that never knew the hour, which are on no day; contacts that still ring, are dialled
    or are not closed; callers of whom no end is known, who wait or whose end the log lost.
    """
    calls, floor = asked.total.calls(asked.queue), asked.scope.of == "floor"
    late = asked.hourless
    counts = {"no_hour": late.offered + late.dialed}
    counts |= {"no_end": calls.open + calls.dialing + calls.aside_open}
    if floor or asked.queue is not None:
        side = asked.figures.queue(asked.queue)
        counts = {"no_agent": side.no_agent, **counts, "no_end_queue": side.waiting}
    order = ("no_agent", "no_hour", "no_end", "no_end_queue")
    lines: list[Line[int]] = [
        ([asked.say(f"apart.{name}")], counts[name]) for name in order if name in counts
    ]
    part = Part[int]("count", lambda n: n, total=None)
    return table(asked, "apart", [("what", "text")], [part], lines, total=False)
