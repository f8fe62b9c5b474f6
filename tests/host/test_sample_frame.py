"""Which contacts of a period a sample is drawn from, and why the others are not in it."""

import hashlib
import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.quality.frame import EXCLUSIONS, Conditions, Frame, frame_of, hash_of, late_of
from diadema.quality.sampling import SamplePeriod, draw
from diadema.site import description as sites
from diadema.site.directory.people import People, Planned, Spell, of_site
from diadema.site.directory.quality import SamplePlan
from diadema.store import open_reader, open_writer
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_station import SITE, T0, S, Script

DAY_MS = 86_400_000
DAY = SamplePeriod("2026-11-18", T0 - DAY_MS // 2, T0 + DAY_MS // 4, 1, T0 - DAY_MS)
DATE = date(2026, 11, 18)
S2 = "DIA-0123456789ac"
ALL = Conditions()
ZONE = ZoneInfo("America/Lima")


class Place:
    """A store whose contacts the test plays."""

    def __init__(self, root, clock):
        self.data = DataDir(root)
        self.data.make()
        site = sites.parse(json.dumps(SITE).encode())
        self.writer = open_writer(self.data.store)
        self.ingest = Ingest(self.writer, site, clock)
        self.people = of_site(site)

    def take(self, *scripts):
        for script in scripts:
            self.ingest.take(script.messages(), "stream", "server")
        return self

    def frame(self, conditions=ALL, period=DAY, people=None, **more):
        plan = SamplePlan(code="P1", label="Semanal", scorecard="F1", **more)
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            return frame_of(tx, plan, period, people or self.people, ZONE, conditions)


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


def begun(**more):
    return Script(**more).boot().clock().login().ready()


def keys(found):
    return [tuple(row.decode().split(",")[:3]) for row in found.rows]


def test_the_frame_is_every_closed_contact_of_the_period_in_the_order_of_its_bytes(place):
    one, other = begun(), begun(s=S2, e=2, agent="a002")
    for c in ("1", "2", "3"):
        one.call(c)
    other.call("1").offer("2").contact("answered", "2", ring_ms=1000, via="key")  # goes on
    found = place.take(one, other).frame()
    assert len(found.rows) == 4
    assert found.rows == sorted(found.rows)
    assert {row.decode().split(",")[3:][0] for row in found.rows} == {"a001", "a002"}
    assert found.excluded == {}
    whole = b"".join(row + b"\n" for row in found.rows)
    assert found.hash == hashlib.sha256(whole).hexdigest()
    offered = [n for n, body in enumerate(one.bodies, 1) if b"contact.offered" in body]
    assert {tuple(key) for key in keys(found) if key[0] == S} == {
        (S, "7", str(n)) for n in offered
    }


def test_only_what_began_in_the_period_and_after_the_commitment_is_in_it(place):
    script = begun().call("1", talk=600_000).call("2")
    place.take(script)
    assert len(place.frame().rows) == 2
    late = SamplePeriod("2026-11-18", DAY.start_ms, DAY.end_ms, 1, T0 + 300_000)
    assert len(place.frame(period=late).rows) == 1
    before = SamplePeriod("2026-11-17", DAY.start_ms - DAY_MS, T0, 1, 0)
    assert place.frame(period=before).rows == []


def test_each_excluded_one_counts_by_the_first_reason_that_holds(place):
    script = begun()
    script.offer("1").contact("missed", "1", cause="no_answer", ring_ms=20_000)
    script.call("2", talk=5_000)  # short
    script.call("3")
    script.call("4")
    script.offer("5").contact("answered", "5", via="key", ring_ms=1000)
    script.add("fault.reported", a="a001", c="5", area="net", part="net")
    script.contact("ended", "5", 60_000, by="caller", on_hold=False).wrapup("started", "5", 0)
    script.wrapup("ended", "5", 5_000, cause="key")
    place.take(script)
    found = place.frame(least_talk_s=10)
    # the fault goes on until somebody closes it, and the calls before it had none
    assert found.excluded == {"not_answered": 1, "fault": 1, "short": 1}
    assert len(found.rows) == 2
    third = keys(found)[0]
    key = third[0], int(third[1]), int(third[2])
    known = Conditions(drawn=frozenset({key}))
    assert place.frame(known, least_talk_s=10).excluded["drawn"] == 1
    silent = Conditions(noticed=lambda contact: contact.sequence == key[2], drawn={key})
    found = place.frame(silent, least_talk_s=10)
    assert found.excluded == {
        "not_answered": 1, "fault": 1, "short": 1, "no_notice": 1, "drawn": 1,
    }  # fmt: skip
    unheard = Conditions(noticed=lambda _: False, recorded=lambda _: False)
    assert place.frame(unheard, least_talk_s=10).excluded["no_notice"] == 2
    unheard = Conditions(recorded=lambda _: False, left_out=lambda one: one.agent == "a001")
    assert place.frame(unheard, least_talk_s=10).excluded["no_recording"] == 2
    left_out = Conditions(left_out=lambda one: one.agent == "a001")
    assert place.frame(left_out, least_talk_s=10).excluded["agent_excluded"] == 2
    assert set(found.excluded) <= set(EXCLUSIONS)


def test_what_lost_power_is_left_out(place):
    script = begun().call("1")
    script.offer("2").contact("answered", "2", via="key", ring_ms=1000)
    script.contact("ended", "2", 10, by="interrupted", on_hold=False).wrapup("started", "2", 0)
    script.wrapup("ended", "2", 0, cause="key")
    found = place.take(script).frame()
    assert found.excluded == {"interrupted": 1}
    assert len(found.rows) == 1


def test_a_fault_counts_at_its_station_while_it_is_open(place):
    script, other = begun(), begun(s=S2, e=2, agent="a002")
    script.call("1")
    script.add("fault.reported", a="a001", area="net", part="net")
    of = [script.s, script.e, script.n]
    script.call("2")
    script.add("fault.resolved", a="a001", of=of, i=1, by="Teo", cause="cable")
    script.call("3")
    other.call("1", talk=200_000)
    found = place.take(script, other).frame()
    assert found.excluded == {"fault": 1}
    assert len(found.rows) == 3


def test_a_plan_of_teams_or_queues_has_only_theirs(place):
    script, other = begun(), begun(s=S2, e=2, agent="a002")
    script.call("1").call("2")
    other.offer("1", queue="soporte").contact("answered", "1", via="key", ring_ms=1000)
    other.contact("ended", "1", 60_000, by="caller", on_hold=False).wrapup("started", "1", 0)
    other.wrapup("ended", "1", 1000, cause="key")
    place.take(script, other)
    assert len(place.frame(queues=("soporte",)).rows) == 1
    assert len(place.frame(teams=("Mañana",)).rows) == 2
    assert place.frame(teams=("Tarde",)).rows == []
    moved = of_site(sites.parse(json.dumps(SITE).encode()))
    moved.spells["a001"] = [Spell(DATE, "Tarde")]
    assert len(place.frame(teams=("Tarde",), people=moved).rows) == 2
    # what is not the plan's is not an exclusion of it
    assert place.frame(teams=("Tarde",)).excluded == {}


def test_strata_are_by_motive_half_of_the_shift_and_duration(place):
    people: People = place.people
    people.motive_of = {"111": "1", "211": "2"}
    start = T0 // 1000
    people.roster["a001", DATE] = Planned(
        day=DATE, shift="M", start_s=start - 600, end_s=start + 800
    )
    script = begun()
    script.call("1", talk=60_000).call("2", talk=400_000, code="211").call("3", talk=700_000)
    script.offer("4").contact("answered", "4", via="key", ring_ms=1000)
    script.contact("motive", "4", motive="9", version=1)
    script.contact("ended", "4", 10_000, by="caller", on_hold=False).wrapup("started", "4", 0)
    script.contact("typified", "4", 100, code="111", version=1, how="agent")
    script.wrapup("ended", "4", 0, cause="typified")
    place.take(script)

    def strata(*kinds):
        rows = [row.decode().split(",") for row in place.frame(strata=kinds).rows]
        return [stratum for *_, n, _, stratum in sorted(rows, key=lambda row: int(row[2]))]

    assert strata("motive") == ["1", "2", "1", "9"]
    assert strata("duration") == ["0", "300", "600", "0"]
    assert strata("half") == ["1", "1", "2", ""]  # the last one began after the shift
    assert strata("motive", "duration")[1] == "2/300"


def test_no_text_of_a_station_breaks_a_row(place):
    script = begun()
    script.offer("1").contact("answered", "1", via="key", ring_ms=1000)
    script.contact("motive", "1", motive="a,b/ñ\n", version=1)
    script.contact("ended", "1", 10_000, by="caller", on_hold=False).wrapup("started", "1", 0)
    script.wrapup("ended", "1", 0, cause="key")
    found = place.take(script).frame(strata=("motive",))
    assert found.rows[0].decode().split(",")[3:] == ["a001", "a%2Cb%2F%C3%B1%0A"]
    drawn = draw(SamplePlan(code="P1", label="", scorecard="F"), found.rows, bytes(32))
    assert drawn.strata[0].stratum == "a%2Cb%2F%C3%B1%0A"


def test_those_that_came_later_are_found_whatever_else_of_a_row_changed(place):
    """The code of a call, and with it the stratum, may be another by then."""
    one, other = begun().call("1").call("2"), begun(s=S2, e=2, agent="a002").call("1")
    place.take(one)
    first = place.frame(strata=("motive",))
    place.take(other)
    found = late_of(place.frame(strata=("duration",)), first.rows)
    assert [key[0] for key in keys(found)] == [S2]
    assert (found.hash, found.excluded) == (hash_of(found.rows), {})
    assert late_of(place.frame(), []).rows == place.frame().rows


@given(st.sets(st.integers(1, 130), min_size=1), st.sets(st.integers(1, 130)))
def test_late_ones_are_all_keys_that_were_not_there(all_of_them, first):
    def rows(numbers, stratum):
        return sorted(f"S-{n % 3},{n % 11},{n},A1,{stratum}".encode() for n in numbers)

    found = late_of(Frame(rows(all_of_them, "x"), "", {}), rows(first, "y"))
    assert found.rows == rows(all_of_them - first, "x")
