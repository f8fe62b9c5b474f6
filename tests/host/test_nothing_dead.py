"""What is counted, worked out or asked for is read by some report, page or rule: a sum that changes
none of them, a metric that nothing outside of `diadema.metrics` comes to, and a field of the
directory of which nothing is told are dead.
"""

from datetime import date

import msgspec
import pytest
import reported_day
from diadema.figures import agent_day as days
from diadema.figures import overview as overviews
from diadema.figures.rows import Calls, Load, QueueSums, Sums
from diadema.report import asked as asking
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from scripted_station import SITE, T0
from targeted import a_day, bring

DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
SUMS = [(of, name) for of in (Calls, Load, Sums, QueueSums) for name in of.__struct_fields__
        if (of, name) not in ((Sums, "queues"), (Sums, "load"))]  # sums of their own
STEPS = [{"step": "greeting"}, {"step": "identity"}, {"step": "closing"}]
DESCRIBED = SITE | {"campaigns": [{"code": "v", "label": "Ventas", "steps": STEPS}]}
KEYS = {"transfers": "blind x", "handles": 7, "answered_waits": 7, "abandoned_waits": 7,
        "left_waits": 7}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    made = reported_day.stations(folder, site=DESCRIBED)
    bring(made, a_day("ventas"))
    return made


def more(value, field):
    if isinstance(value, int):
        return value + 7
    key = next(iter(value), KEYS.get(field, "v closing"))
    return {**value, key: value.get(key, 0) + 7}


def grown(figures, of, field):
    """The same, with more of that sum wherever there may be any."""
    figures = figures.only(lambda *_: True)
    for day in figures.days:
        its = [*day.agents.values(), *(s for half in day.intervals.values() for s in half.values())]
        queues = [
            *day.queues.values(),
            *(s for half in day.queue_intervals.values() for s in half.values()),
        ]
        found = {
            Sums: its,
            Load: [sums.load for sums in its],
            Calls: [calls for sums in its for calls in sums.queues.values()],
            QueueSums: queues,
        }[of]
        assert found
        for one in found:
            setattr(one, field, more(getattr(one, field), field))
    return figures


def shown(data, monkeypatch, change):
    """What every report and page says, without «Cuadre», of changed figures."""
    with monkeypatch.context() as patched:
        for module in (asking, overviews, days):
            plainly = module.read
            patched.setattr(
                module, "read", lambda *a, _read=plainly, **k: change(_read(*a, **k))
            )
        for kind in KINDS:
            report = make(data, kind, around("day", DAY), Scope(), NOW)
            report.sections = [one for one in report.sections if one.key != "sums"]
            yield made_as("json", report)
        yield msgspec.json.encode(
            overviews.overview(data, DAY, DAY, NOW, ["a001", "a002"], intervals=True).rows
        )
        yield msgspec.json.encode(days.agent_page(data, "a001", DAY, NOW))


@pytest.fixture(scope="module")
def before(data):
    with pytest.MonkeyPatch.context() as patch:
        return [*shown(data, patch, lambda figures: figures)]


@pytest.mark.parametrize(("of", "field"), SUMS, ids=lambda one: getattr(one, "__name__", one))
def test_every_sum_changes_some_report_or_page(data, before, monkeypatch, of, field):
    its = shown(data, monkeypatch, lambda figures: grown(figures, of, field))
    assert any(one != plain for one, plain in zip(its, before, strict=False))
