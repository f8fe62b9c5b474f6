"""The README's examples of figures are what the figures say."""

from pathlib import Path

from diadema.figures.rows import Calls
from diadema.metrics import calls as of
from diadema.metrics.fcr import Fcr
from diadema.metrics.queue import Flow, answer_rate
from diadema.report.durations import clock, percent

TEXT = (Path(__file__).parents[2] / "README.md").read_text()


def row(name):
    return next(line for line in TEXT.splitlines() if line.startswith(f"| {name}"))


def test_the_examples_of_calls_are_worked_out():
    """Each number of the table, from the counts that stand beside it."""
    rings = Calls(offered=309, answered=53, missed=256)
    spared = Calls(offered=4, answered=1, excused=3)
    talks = Calls(n=3, talk_s=540, handles={60: 1, 80: 1, 400: 1})
    handed = Calls(answered=53, transferred=1)
    for name, *values in (
        ("Nivel de atención", answer_rate(Flow(received=61, answered=53))),
        ("Contestación", of.pickup_rate(rings), of.pickup_rate(spared)),
        ("% transferidas", of.transfer_rate(handed)),
        ("Contactabilidad", of.connect_rate(Calls(dialed=4, connected=3))),
        ("FCR", Fcr(n=4, resolved=2).rate),
    ):
        for value in values:
            assert percent(value, "es") in row(name), name
    for seconds in (of.aht(talks), of.aht_median(talks), of.aht_p90(talks)):
        assert f" {clock(seconds)}" in row("TMO"), seconds
