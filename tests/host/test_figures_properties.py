"""For any history: seconds partition the time logged in, half-hours sum to the day in any zone,
order and doubles of arrival change nothing, and the floor says what the report says.
"""

import json
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.figures.rows import QueueSums, Sums
from diadema.ingest.core import Ingest
from diadema.metrics import calls as of
from diadema.site import description as sites
from diadema.store import open_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.histories import HOUR, desks, feed, hostile, journals, message
from tests.support.scripted_station import SITE, T0, FixedClock

ZONES = ("America/Lima", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "UTC")
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
HISTORIES = st.one_of(desks(), hostile())


class Told:
    """Some histories, taken in by an ingest of a zone, and what the figures make of them."""

    def __init__(self, root, zone, now=T0 + 40 * HOUR):
        described = SITE | {"zone": zone}
        self.data = DataDir(Path(root))
        self.data.site.write_text(json.dumps(described))
        self.zone = ZoneInfo(zone)
        self.clock = FixedClock(now)
        self.writer = open_writer(self.data.store)
        site = sites.parse(json.dumps(described).encode())
        self.ingest = Ingest(self.writer, site, self.clock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.writer.close()

    def day(self, utc_ms):
        return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(self.zone).date()

    def figures(self, **more):
        first, last = self.day(T0 - 32 * HOUR), self.day(T0 + 60 * HOUR)
        return read(self.data, first, last, self.clock.now_ms(), intervals=True, **more)


@settings(deadline=None, max_examples=examples(20), suppress_health_check=SLOW)
@given(HISTORIES, st.sampled_from(ZONES))
def test_half_hours_sum_to_the_day_and_nobody_lives_twice(histories, zone):
    with tempfile.TemporaryDirectory() as root, Told(root, zone) as told:
        feed(told.ingest, histories)
        figures = told.figures()
        for day in figures.days:
            summed = {}
            for start, agents in day.intervals.items():
                assert day.start_ms <= start * 1000 < day.end_ms
                for a, sums in agents.items():
                    assert sums.load.logged_s <= 1800
                    summed.setdefault(a, Sums()).__iadd__(sums)
                    summed[a].load.present = 0  # a half-hour's alone
            assert summed == dict(day.agents)
            for sums in day.agents.values():
                calls = sums.calls()
                rings = calls.missed + calls.excused + calls.open
                assert calls.offered == calls.answered - calls.unrung + rings
                assert calls.dialed == calls.connected + calls.not_answered + calls.dialing
                assert of.handled(calls) == calls.n + of.aside(calls)
                assert sum(sums.load.reasons.values()) == sums.load.not_ready
                assert sums.load.technical_s <= sums.load.logged_s


@settings(deadline=None, max_examples=examples(20), suppress_health_check=SLOW)
@given(HISTORIES, st.sampled_from(ZONES), st.integers(0, 60))
def test_the_floor_says_what_the_report_says(histories, zone, hours):
    """Its answered and its TMO are those of the site's day, at the same cut-off."""
    with (
        tempfile.TemporaryDirectory() as root,
        Told(root, zone, T0 + (hours - 30) * HOUR) as told,
    ):
        feed(told.ingest, histories, batch=7)
        today = told.day(told.clock.now_ms())
        figures = read(told.data, today, today, told.clock.now_ms())
        for a, body in told.ingest.floor.rows.items():
            row, calls = msgspec.json.decode(body), figures.agent(a).calls()
            assert row["contacts"] == of.handled(calls)
            assert row["tmo"] == of.aht(calls)
            assert (row["handle_s"], row["handled"]) == (of.handle_s(calls), calls.n)
            assert row["missed"] == calls.missed


@settings(deadline=None, max_examples=examples(15), suppress_health_check=SLOW)
@given(HISTORIES, st.integers(0, 1 << 30), st.sampled_from(ZONES))
def test_order_and_doubles_of_arrival_change_nothing(histories, seed, zone):
    by_chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as root, Told(root, zone) as told:
        feed(told.ingest, histories)
        expected = [dict(day.agents) for day in told.figures().days]
    with tempfile.TemporaryDirectory() as root, Told(root, zone) as told:
        for events in histories:  # journals in their order, in each any order with doubles
            for journal in journals(events):
                messages = [message(event) for event in journal]
                messages += by_chance.choices(messages, k=3) if messages else []
                by_chance.shuffle(messages)
                told.ingest.take(messages, "stream", "server")
        assert [dict(day.agents) for day in told.figures().days] == expected


def test_queue_sums_answer_any_threshold():
    sums = QueueSums(answered_waits={0: 1, 20: 2, 21: 4}, abandoned_waits={5: 8, 6: 16})
    sums += QueueSums(answered_waits={20: 32})
    flow = sums.flow(20, 5)
    assert (flow.answered_within, flow.abandoned_within, flow.short) == (35, 24, 8)
