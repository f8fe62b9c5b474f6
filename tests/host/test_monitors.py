"""What monitors did of what they were assigned, and how far two who evaluated one call agree."""

import json
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest
from diadema.ingest.core import Ingest
from diadema.quality import monitors
from diadema.quality.agreement import Bias, gwet_ac1
from diadema.site import description as sites
from diadema.site.directory.scorecards import Item, Scorecard, Section
from diadema.store import open_reader, open_writer

from tests.support.monitored import Monitor
from tests.support.scripted_station import SITE, T0, FixedClock, S, Script

LIMA, DAY_MS = ZoneInfo("America/Lima"), 86_400_000
ITEMS = ("saludo", "cierre")
DUE = T0 + 5 * DAY_MS


def form(version=1, **of_first):
    items = [Item(code=code, text=code, section="s", weight=50, na=True) for code in ITEMS]
    if of_first:
        items[0] = Item(code="saludo", text="saludo", section="s", weight=50, na=True, **of_first)
    section = Section(code="s", label="s")
    return Scorecard(
        code="F", label="Forma", version=version, sections=(section,), items=tuple(items)
    )


FORMS = {("F", 1): form(), ("F", 2): form(2), ("F", 3): form(3, scale="0_2")}


class Desk:
    """Draws of calls at one station, told as the hub does."""

    def __init__(self, folder, calls=40):
        self.writer = open_writer(folder / "store.sqlite3")
        site = sites.parse(json.dumps(SITE).encode())
        self.ingest = Ingest(self.writer, site, FixedClock(T0 + 9 * DAY_MS))
        script = Script().boot().clock(T0 - DAY_MS).login().ready()
        for n in range(calls):
            script.call(f"c{n}", talk=60_000)
        self.ingest.take(script.messages(), "stream", "server")
        self.calls = [
            (S, 7, n) for n, body in enumerate(script.bodies, 1) if b"contact.offered" in body
        ]
        self.monitor = Monitor(self.take)
        self.path = folder / "store.sqlite3"
        self.made = 0

    def take(self, messages):
        self.ingest.take(messages, "stream", "server")

    def assign(self, n, to, at=T0, **fields):
        told = {"to": to, "form": "F", "version": 1, "due": DUE, "t": at, "draw": "d" * 12}
        return self.monitor.assigned(self.calls[n], **told | fields)

    def evaluate(self, of, n, by, answers, raw, **fields):
        self.made += 1
        told = {"evaluation": f"{self.made:012}", "by": by, "answers": answers, "raw": raw,
                "score": raw, "version": 1, "notes": 0}  # fmt: skip
        return self.monitor.submitted(of, self.calls[n], **told | fields)

    def pair(self, n, one, other, at=T0, names=("ana", "beto"), **fields):
        """Both evaluate it: answers and raw of each."""
        keys = [
            self.assign(n, to, at, second=second, **fields)
            for to, second in zip(names, (None, True), strict=True)
        ]
        return [
            self.evaluate(key, n, who, *given)
            for key, who, given in zip(keys, names, (one, other), strict=True)
        ]

    def read(self, start=T0 - 90 * DAY_MS, end=T0 + 90 * DAY_MS):
        with open_reader(self.path) as reader, reader.engine.connect() as tx:
            return monitors.tasks(tx, start, end)

    def twice(self):
        return monitors.twice(self.read(), FORMS, LIMA)


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    with closing(made.writer):
        yield made


def test_a_task_is_done_late_or_waits(desk):
    done, late = desk.assign(0, "ana"), desk.assign(1, "ana")
    desk.evaluate(done, 0, "ana", "11", 1000)
    tasks = desk.read()
    assert [one.state(DUE) for one in tasks] == ["done", "late"]
    assert [one.state(DUE - 1) for one in tasks] == ["done", "waiting"]
    assert tasks[0].call_ms == 60_000 and late
    assert {one.monitor for one in tasks} == {"ana"}


def test_what_was_replaced_annulled_or_chosen_by_a_rule_is_no_task(desk):
    first = desk.assign(0, "ana")
    desk.assign(1, "ana", of=first, reason="unplayable")
    desk.assign(2, "ana", draw=None, stratum=None, rank=None, pool=None)
    planned = desk.monitor.planned()
    drawn = desk.monitor.drawn(planned, draw="e" * 12)
    desk.assign(3, "ana", draw="e" * 12)
    desk.monitor.annulled(drawn, reason="la pidió Teo")
    calls = [one.given.assignment.call_n for one in desk.read()]
    assert calls == [desk.calls[1][2]]


def test_heard_is_what_whoever_evaluates_heard_of_that_call(desk):
    key = desk.assign(0, "ana")
    desk.assign(0, "beto", second=True)
    call = desk.calls[0]
    for by, purpose, ms in (
        ("ana", "evaluation", 30_000),
        ("ana", "evaluation", 41_000),
        ("ana", "coaching", 9_000),
        ("beto", "evaluation", 7_000),
    ):
        said = desk.monitor.heard(call, by=by, purpose=purpose, listening=f"{ms:012}")
        desk.monitor.say("listening.ended", of=said, heard_ms=ms, cause="closed", by=by)
    desk.monitor.heard(call, by="ana", listening="f" * 12)  # goes on
    assert [one.heard_ms for one in desk.read()] == [71_000, 7_000] and key


def test_a_pair_is_compared_by_what_was_submitted_and_not_by_what_was_decided(desk):
    first, _ = desk.pair(0, ("10", 500), ("11", 1000))
    desk.monitor.revised(first, answers="11", raw=1000, score=1000)
    (pair,) = desk.twice()
    assert [*pair.differences] == [("ana", -500), ("beto", 500)]
    assert pair.first.raw == 1000, "what counts is another thing"
    (greets, closes) = monitors.agreements([pair])
    assert (greets.agreement.same, closes.agreement.same) == (1, 0)


def test_no_pair_is_one_that_one_of_them_has_not_evaluated_or_whose_evaluation_was_annulled(desk):
    key = desk.assign(0, "ana")
    desk.assign(0, "beto", second=True)
    desk.evaluate(key, 0, "ana", "11", 1000)
    _, second = desk.pair(1, ("11", 1000), ("11", 1000))
    desk.monitor.step("annulled", second, reason="era otra llamada")
    desk.pair(2, ("111", 1000), ("11", 1000))  # of no such form
    desk.pair(3, ("11", 1000), ("11", 1000), version=9)
    assert desk.twice() == []


def test_where_nothing_applied_to_one_of_them_there_is_no_difference(desk):
    desk.pair(0, ("--", None), ("11", 1000))
    (pair,) = desk.twice()
    assert [*pair.differences] == []


def test_agreement_by_month_and_item_in_the_forms_order(desk):
    for n in range(12):
        desk.pair(n, ("11", 1000), ("11" if n else "01", 1000 if n else 500))
    desk.pair(12, ("11", 1000), ("11", 1000), at=T0 + 20 * DAY_MS, version=2)
    desk.pair(13, ("21", 1000), ("11", 750), at=T0, version=3)
    found = monitors.agreements(desk.twice())
    assert [(one.month, one.item.code, one.item.scale, one.agreement.n) for one in found] == [
        ("2026-11", "saludo", "0_2", 1), ("2026-11", "saludo", "yes_no", 12),
        ("2026-11", "cierre", "yes_no", 13),
        ("2026-12", "saludo", "yes_no", 1), ("2026-12", "cierre", "yes_no", 1),
    ]  # fmt: skip
    greets = found[1].agreement
    table = [("1", "1")] * 11 + [("1", "0")]
    assert (greets.same, greets.percent, greets.ac1) == (11, 91.7, gwet_ac1(table, 3))
    assert found[0].agreement.ac1 is None and not greets.review


def test_bias_of_two_months_is_an_alert(desk):
    for month, at in enumerate((T0 - 25 * DAY_MS, T0)):
        for n in range(6):
            higher = 900 + 10 * n
            desk.pair(6 * month + n, ("11", higher), ("10", 800), at=at)
    found = monitors.biases(desk.twice())
    assert [(one.monitor, one.month, one.pairs) for one in found] == [
        ("ana", "2026-10", 6), ("ana", "2026-11", 6),
        ("beto", "2026-10", 6), ("beto", "2026-11", 6),
    ]  # fmt: skip
    assert found[0].bias == Bias(12.5, 10.5, 14.5, 6)
    assert found[2].bias == Bias(-12.5, -14.5, -10.5, 6)
    assert monitors.biased(found, "2026-11") == ["ana", "beto"]
    assert monitors.biased(found, "2026-10") == [], "of one month alone nothing is said"
    assert monitors.biased(found, "2026-12") == []
    with open_reader(desk.path) as reader, reader.engine.connect() as tx:
        for now, told in (
            (T0 + 13 * DAY_MS, ("2026-11", ["ana", "beto"])),
            (T0, ("2026-10", [])),
        ):
            assert monitors.biased_lately(tx, FORMS, LIMA, now) == told


def test_a_month_is_the_zones():
    ends = 1_796_101_200_000  # 2026-12-01T05:00Z, midnight in Lima
    assert monitors.month_of(ends - 1, LIMA) == "2026-11"
    assert monitors.month_of(ends, LIMA) == "2026-12"
    assert monitors.bounds_of("2026-11", LIMA)[1] == ends == monitors.bounds_of("2026-12", LIMA)[0]
    assert monitors.month_before("2026-01") == "2025-12"
    assert monitors.last_whole_month(ends, LIMA) == "2026-11"
