"""What is counted, worked out or asked for is read by some report, page or rule. Dead are a sum
that changes none of them, a metric that nothing outside of `diadema.metrics` comes to, and a field
of the directory of which nothing is told.
"""

import ast
import json
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import diadema
import msgspec
import pytest
from diadema.figures import agent_day as days
from diadema.figures import overview as overviews
from diadema.figures.rows import Calls, Load, QueueSums, Spread, Sums
from diadema.report import context as asking
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site.directory import kinds
from diadema.site.directory.book import Directory
from diadema.site.directory.freezing import fresh
from diadema.site.directory.notices import Notice
from diadema.site.directory.people import (
    Area,
    FaultArea,
    People,
    Planned,
    Reason,
    Spell,
    Tool,
    Topic,
    Worker,
)
from diadema.site.directory.people_of import _Day, people_of
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.quality_of import written_scorecards
from diadema.site.directory.scorecards import Item
from diadema.site.directory.site_json import Draft

from tests.support import reported_day
from tests.support.scripted_station import SITE, T0
from tests.support.targeted import a_day, bring, centre, put

PACKAGE = Path(diadema.__file__).parent
DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
SUMS = [
    (of, name)
    for of in (Calls, Spread, Load, Sums, QueueSums)
    for name in of.__struct_fields__
    if (of, name) not in ((Sums, "queues"), (Sums, "load"), (Calls, "spreads"))
]  # sums of their own
STEPS = [{"step": "greeting"}, {"step": "identity"}, {"step": "closing"}]
DESCRIBED = SITE | {"campaigns": [{"code": "v", "label": "Ventas", "steps": STEPS}]}
KEYS = {"transfers": "blind x", "answered_waits": 7, "abandoned_waits": 7,
        "left_waits": 7}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    made = reported_day.stations(folder, site=DESCRIBED)
    bring(made, a_day("ventas"))
    return made


def more(value, field):
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value, 7]
    key = next(iter(value), KEYS.get(field, "v closing"))
    return {**value, key: value.get(key, 0) + 1}


def grown(figures, of, field):
    """The same, with more of that sum wherever there may be any."""
    figures = figures.only(lambda *_: True)
    for day in figures.days:
        its = [
            *day.agents.values(),
            *(s for half in day.intervals.values() for s in half.values()),
        ]
        queues = [
            *day.queues.values(),
            *(s for half in day.queue_intervals.values() for s in half.values()),
        ]
        found = {
            Sums: its,
            Load: [sums.load for sums in its],
            Calls: (calls := [calls for sums in its for calls in sums.queues.values()]),
            Spread: calls,
            QueueSums: queues,
        }[of]
        assert found
        for one in found:
            if of is Spread:
                spread = one.spread()
                setattr(spread, field, more(getattr(spread, field), field))
                one.spreads = []
                one.add_spread(spread)
            else:
                setattr(one, field, more(getattr(one, field), field))
    return figures


def shown(data, monkeypatch, change):
    """What every report and page says, without «Cuadre», of changed figures."""
    with monkeypatch.context() as patched:
        for module in (asking, overviews, days):
            plainly = module.read
            patched.setattr(
                module,
                "read",
                lambda *a, _read=plainly, **k: (
                    change(_read(*a, **k))
                    if k.get("intervals") or not k.get("together")
                    else _read(*a, **k)
                ),
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
    try:
        assert any(one != plain for one, plain in zip(its, before, strict=True))
    except ValueError as error:  # it is taken off what another one is divided by
        assert "divisor must be positive" in str(error)


ITSELF = {  # say what the row is to whoever edits it, or are published as they are
    ("shifts", "name"), ("holidays", "name"), ("notices", "name"), ("notices", "text"),
}  # fmt: skip


class Body(dict):
    """Notes what is read of it."""

    def __init__(self, kind, body, seen):
        super().__init__(body)
        self.kind, self.seen = kind, seen

    def __getitem__(self, name):
        self.seen.add((self.kind, name))
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.seen.add((self.kind, name))
        return super().get(name, default)

    def items(self):
        self.seen.update((self.kind, name) for name in self)
        return super().items()


ONE_OF_EACH = {
    "teams": {"code": "Norte", "name": "Equipo Norte"},
    "employers": {"code": "rh", "name": "RH SAC", "ruc": "20100070970"},
    "queues": {"code": "saldos", "name": "Saldos", "switch_names": ["saldos"]},
    "supervisors": {"account": "nelly", "teams": ["Norte"]},
    "shifts": {"code": "M", "name": "Mañana", "start": "08:00", "end": "16:00",
               "tolerance_min": 10, "pauses": ["12:00-12:45 refrigerio"]},
    "roster": {"day": "2026-11-18", "agent": "a001", "shift": "M"},
    "targets": {"metric": "service_level", "value": 80, "threshold_s": 20},
    "alert_limits": {"rule": "queue_waiting", "queue": "saldos", "value": 5},
    "holidays": {"day": "2026-12-25", "name": "Navidad"},
    "campaigns": {"code": "v", "label": "Ventas", "steps": ["greeting*"], "call_from": "08:00",
                  "call_to": "20:00", "call_days": ["mon"], "consent": True},
    "playbooks": {"motive": "1", "id": "INS-1", "version": "1"},
    "seats": {"code": "Z-99", "station": "DIA-0000000000f9", "extension": "PJSIP/199"},
    "areas": {"code": "afp", "label": "AFP", "consulted": True, "external": True, "order": 1},
    "help_topics": {"code": "h", "label": "Ayuda", "urgent": True, "order": 1},
    "helpers": {"account": "nelly", "topics": ["h"], "days": ["mon"]},
    "help_results": {"code": "r", "label": "Escalada", "order": 1},
    "fault_areas": {"code": "f", "label": "Falla", "parts": ["a=A"], "order": 1},
    "fault_targets": {"severity": 1, "area": "f", "accept_min": 5, "solve_min": 9},
    "tools": {"campaign": "v", "code": "crm", "label": "CRM abre", "order": 1},
    "materials": {"code": "m", "label": "Lapicero", "order": 1},
    "identity_methods": {"code": "i", "label": "DNI", "order": 1},
    "notices": {"code": "graba", "name": "Grabación", "side": "caller", "text": "Se graba."},
    "scorecards": {"code": "c", "name": "Atención"},
    "scorecard_sections": {"scorecard": "c", "code": "s", "name": "Trato"},
    "scorecard_items": {"scorecard": "c", "code": "i", "section": "s", "text": "Saluda",
                        "weight": 1},
    "sample_plans": {"code": "s", "name": "Semanal", "scorecard": "c", "per_agent": 2,
                     "monitors": ["noe"]},
    "conflicts": {"account": "noe", "agent": "a001"},
    "sample_exclusions": {"agent": "a001", "why": "nesting"},
}  # fmt: skip


def test_every_field_of_the_directory_is_read(tmp_path, monkeypatch):
    """By what reports, pages and rules are told of people, or by what stations are."""
    data = centre(tmp_path)
    for kind, given in ONE_OF_EACH.items():
        put(data, kind, **given)
    seen = set()

    def noting(plainly):
        def found(book, kind, *given, **more_):
            its = plainly(book, kind, *given, **more_)
            many = [*its] if isinstance(its, list) else [] if its is None else [its]
            made = [
                msgspec.structs.replace(one, body=one.body and Body(kind, one.body, seen))
                for one in many
            ]
            return made if isinstance(its, list) else next(iter(made), None)

        return found

    for name in ("entries", "entry", "versions"):
        monkeypatch.setattr(Directory, name, noting(getattr(Directory, name)))
    with Directory(data.directory) as book:
        people = people_of(book, DAY, DAY, ZoneInfo("America/Lima"))
        Draft(book, DAY, json.loads(data.site.read_text()), {})
        assert [*written_scorecards(book)] and fresh(book, "notices")
    assert people.planned("a001", DAY).tolerance_s == 600
    seen |= {("roster", name) for name in _Day.__struct_fields__}
    for kind, of in (
        ("scorecard_items", Item), ("sample_plans", SamplePlan), ("notices", Notice),
    ):  # fmt: skip
        names = {"label": "name", "days": "plan_days"} if of is SamplePlan else {}
        seen |= {(kind, names.get(name, name)) for name in of.__struct_fields__}
    asked = {
        (kind.name, field.name)
        for kind in kinds.KINDS.values()
        for field in kind.fields
        if field.name not in kind.key
    }
    assert len(asked) > 80
    assert sorted(asked - seen - ITSELF) == []


@pytest.mark.parametrize(
    "of",
    [People, Worker, Planned, Reason, Area, Spell, Topic, FaultArea, Tool],
)
def test_what_reports_and_pages_are_told_of_people_is_asked_for(of):
    told = {
        node.attr
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "directory"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    through = {"spells": "on", "stage_targets": "target", "targets": "target",
               "thresholds": "threshold_s", "variants": "variant", "roster": "planned",
               "since": "spells", "fault_targets": "targets_of_fault", "owners": "playbooks_of",
               "accounts": "areas_of", "vital": "is_vital", "scorecards": "scorecard",
               "retention": "retention_days", "sample_exclusions": "left_out"}  # fmt: skip
    left = [name for name in of.__struct_fields__ if through.get(name, name) not in told]
    assert left == []
