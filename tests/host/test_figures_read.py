"""Figures of a day: each edge by itself, each beside what a person would count."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.metrics import calls as of
from diadema.site import description as sites

from tests.support.scripted_station import SITE, T0, Script

S2 = "DIA-0123456789ac"


class Place:
    """A data directory with its ingest; `read` reads its figures."""

    def __init__(self, root, writer, clock, zone="America/Lima"):
        described = SITE | {"zone": zone}
        self.data = DataDir(root)
        self.data.site.write_text(json.dumps(described))
        self.zone = ZoneInfo(zone)
        self.clock = clock
        self.ingest = Ingest(writer, sites.parse(json.dumps(described).encode()), clock)

    def take(self, *scripts):
        for script in scripts:
            self.ingest.take(script.messages(), "stream", "server")
        return self

    def day_of(self, utc_ms):
        return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(self.zone).date()

    def read(self, first=None, last=None, **more):
        first = first or self.day_of(T0)
        return read(self.data, first, last or first, self.clock.now_ms(), **more)


@pytest.fixture
def place(tmp_path, writer, clock):
    return Place(tmp_path, writer, clock)


def begun(utc=T0, **more):
    return Script(**more).boot().clock(utc)


def test_a_day_of_two_calls(place):
    script = begun().login().ready()
    script.call("c1", talk=60_000, wrap=10_000, ring=3000)
    script.call("c2", talk=61_000, hold=5_400, wrap=9_000, ring=2000).logout()
    place.take(script)
    figures = place.read()
    sums = figures.agent("a001")
    calls = sums.calls()
    assert (calls.offered, calls.answered, calls.missed, calls.open, calls.n) == (2, 2, 0, 0, 2)
    assert (calls.talk_s, calls.hold_s, calls.wrap_s, calls.ring_s) == (121, 5, 19, 5)
    assert of.aht(calls) == (121 + 5 + 19 + 1) // 2
    assert calls.codes == {"111": 2} and calls.typified == 2 and calls.untyped == 0
    load = sums.load
    assert (load.talking, load.held, load.wrapup, load.offered) == (121, 5, 19, 5)
    assert load.logged_s == load.ready + load.not_ready + load.handling_s + load.offered
    assert figures.cut.position == script.n
    assert figures.cut.at_ms == place.clock.now_ms()


def local(zone, *when):
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def by_half(day, a="a001"):
    """Half-hours in which she has anything, as local clock times."""
    return {at: agents[a] for at, agents in day.intervals.items() if a in agents}


def test_a_call_over_midnight_is_booked_whole_where_it_began_and_split_in_load(place):
    midnight = local("America/Lima", 2026, 11, 19)
    script = begun(midnight - 60_000).login(0).ready(0)
    script.call("c1", talk=100_000, wrap=20_000, ring=10_000).logout()
    place.take(script)
    before, after = place.read(place.day_of(midnight - 1), place.day_of(midnight)).days
    first, second = before.agents["a001"], after.agents["a001"]
    assert (first.calls().answered, first.calls().talk_s) == (1, 100)
    assert second.calls().answered == 0
    assert (first.load.talking, second.load.talking) == (49, 51)
    assert (first.load.wrapup, second.load.wrapup) == (0, 20)
    assert first.load.offered == 10


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", (2026, 3, 8), 23),  # 02:00 is 03:00
        ("America/New_York", (2026, 11, 1), 25),  # 01:00 comes twice
        ("America/Santiago", (2026, 9, 6), 23),  # there is no midnight: the day begins at 01:00
        ("America/Santiago", (2026, 4, 4), 25),  # 23:00 comes twice
    ],
)
def test_a_day_of_other_than_24_hours(tmp_path, writer, clock, zone, day, hours):
    """She sits there, ready, from before it to after it."""
    place = Place(tmp_path, writer, clock, zone)
    noon = local(zone, *day, 12)
    script = begun(noon - 24 * 3_600_000).login(0).ready(0)
    script.u += 48 * 3_600_000
    place.take(script.logout())
    (only,) = place.read(place.day_of(noon), intervals=True).days
    assert only.end_ms - only.start_ms == hours * 3_600_000
    assert only.agents["a001"].load.ready == hours * 3600
    halves = by_half(only)
    assert len(halves) == hours * 2
    assert {sums.load.ready for sums in halves.values()} == {1800}


def test_what_no_average_takes_is_in_flow_and_counted_beside(place):
    script = begun().login().ready().call("c0", talk=60_000)
    script.offer("c1").contact("answered", "c1", via="key").boot().clock(T0 + 600_000)
    script.contact("ended", "c1", by="interrupted", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", 5000, cause="agent")
    script.contact("ended", "c2", by="caller", on_hold=False).wrapup("started", "c2", 0)
    script.wrapup("ended", "c2", 5000, cause="agent")  # nobody heard it begin
    script.offer("c3").contact("missed", "c3", 9000, cause="no_answer", ring_ms=9000)
    script.offer("c4").contact("answered", "c4", via="key")
    place.take(script)
    calls = place.read().agent("a001").calls()
    assert (calls.offered, calls.answered, calls.missed, calls.open) == (5, 4, 1, 0)
    assert (calls.aside_open, calls.aside_interrupted, calls.aside_estimated) == (1, 1, 1)
    assert (calls.n, calls.talk_s, of.aside(calls)) == (1, 60, 3)
    assert calls.causes == {"no_answer": 1}


def test_a_consult_is_hold_and_shown_apart(place):
    script = begun().login().ready().offer("c1").contact("answered", "c1", via="key")
    script.contact("consulted", "c1", 30_000, via="key", area="caja", heard="area")
    script.contact("consult_ended", "c1", 20_000, via="key", result="back")
    script.contact("ended", "c1", 10_000, by="caller", on_hold=False)
    script.wrapup("started", "c1", 0).wrapup("ended", "c1", 5000, cause="agent").logout()
    place.take(script)
    sums = place.read().agent("a001")
    calls, load = sums.calls(), sums.load
    assert (calls.talk_s, calls.hold_s, calls.consult_s, calls.consults) == (40, 20, 20, 1)
    assert of.aht(calls) == 65
    assert (load.talking, load.consulting, load.held) == (40, 20, 0)


def test_a_transfer_makes_two_segments_of_one_call(place):
    offered = {"via": "host", "direction": "in", "queue": "ventas", "pbx": "9"}
    first = begun().login().ready().contact("offered", "c1", **offered)
    first.contact("answered", "c1", via="key")
    first.contact("transferred", "c1", via="key", kind="blind", target="caja", completed=True)
    first.contact("ended", "c1", by="transfer", on_hold=False).wrapup("started", "c1", 0)
    first.wrapup("ended", "c1", 5000, cause="agent")
    second = begun(s=S2, agent="a002").login().ready()
    second.contact("offered", "d1", 5000, **offered, parent="c1")
    second.contact("answered", "d1", via="key")
    second.contact("ended", "d1", by="caller", on_hold=False).wrapup("started", "d1", 0)
    place.take(first, second)
    calls = place.read().total().calls()
    assert (of.handled(calls), of.distinct(calls)) == (2, 1)
    assert of.transfer_rate(calls) == 50.0


def test_two_conversations_at_once_cannot_be(place):
    """At two stations: the later one is aside, and each second of hers is one second."""
    one = begun().login(0).ready(0).call("c1", talk=100_000, ring=1000, wrap=5000)
    other = begun(T0 + 30_000, s=S2, e=9).login(0).ready(0)
    other.call("d1", talk=20_000, ring=1000, wrap=5000)
    place.take(one.logout(), other.logout())
    sums = place.read().agent("a001")
    assert (sums.calls().answered, sums.calls().n, sums.calls().aside_impossible) == (2, 1, 1)
    assert sums.calls().talk_s == 100
    assert sums.load.talking == 100
    assert sums.load.logged_s < 112


def test_a_clock_that_is_set_in_a_call_puts_it_aside(place):
    script = begun().login().ready().offer("c1").contact("answered", "c1", via="key")
    script.clock(T0 + 3_600_000, i=2, after=60_000)
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", 5000, cause="agent").logout()
    place.take(script)
    calls = place.read().agent("a001").calls()
    assert (calls.answered, calls.n, calls.aside_impossible) == (1, 0, 1)


def test_a_session_goes_on_while_its_station_has_no_power(place):
    script = begun().login(0).ready(0)
    script.u += 60_000
    script.add("station.health", 0, heap=1, journal=1).boot().clock(T0 + 360_000)
    script.ready(0).logout()
    place.take(script)
    load = place.read().agent("a001").load
    assert 295 <= load.off <= 300
    assert load.logged_s == load.off + load.ready + load.not_ready


def test_time_without_power_counts_as_soon_as_its_end_is_known(place):
    """The station has its power and its clock again, and nothing happened there since."""
    script = begun().login(0).ready(0).offer("c1").contact("answered", "c1", via="key")
    script.u += 60_000
    script.add("station.health", 0, heap=1, journal=1).boot().clock(T0 + 360_000, after=0)
    script.contact("ended", "c1", 0, by="interrupted", on_hold=False).wrapup("started", "c1", 0)
    place.take(script)
    assert 290 <= place.read().agent("a001").load.off <= 300


def test_time_without_power_counts_up_to_a_start_that_was_cut_at_once(place):
    """What follows that start has no hour, but its own is known."""
    script = begun().login(0).ready(0).offer("c1").contact("answered", "c1", via="key")
    script.u += 60_000
    script.add("station.health", 0, heap=1, journal=1).boot().clock(T0 + 360_000, after=0)
    script.contact("ended", "c1", 0, by="interrupted", on_hold=False).wrapup("started", "c1", 0)
    script.boot().wrapup("ended", "c1", 5000, cause="agent")
    place.take(script)
    assert 290 <= place.read().agent("a001").load.off <= 300


def test_what_has_no_hour_is_in_no_day_until_it_has_one(place):
    script = Script().boot().login().ready().call("c1", talk=60_000)
    place.take(script)
    figures = place.read()
    assert figures.total().calls().answered == 0
    assert figures.untimed["a001"].calls().answered == 1
    stored = script.n
    script.clock(T0, after=1000)
    place.ingest.take(script.messages(stored + 1), "stream", "server")
    assert place.read().untimed == {}
    sums = place.read().agent("a001")
    assert (sums.calls().answered, sums.calls().talk_s, sums.load.talking) == (1, 60, 60)


def test_technical_time_is_that_of_her_session_alone(place):
    script = begun().login(0).ready(0)
    script.add("fault.reported", 10_000, a="a001", area="audio", part="diadema")
    script.u += 49_000
    place.take(script.logout())  # nobody has seen to it since
    sums = place.read().agent("a001")
    assert (sums.faults, sums.load.logged_s, sums.load.technical_s) == (1, 60, 50)


@pytest.mark.parametrize("running", [False, True])
def test_a_fault_that_nobody_sees_to_takes_no_time_of_her_next_session(place, running):
    """All of it was technical, at whatever desk, and excused her for ever."""
    script = begun().login(0).ready(0)
    script.add("fault.reported", 10_000, a="a001", area="audio", part="diadema")
    script.logout().login(600_000).ready(0)
    script.presence("ready", "not_ready", "refrigerio", after=60_000)
    script.add("station.health", 60_000, heap=90_000, journal=1)
    place.take(script if running else script.logout())
    load = place.read().agent("a001").load
    assert (load.logged_s, load.technical_s) == (131 if running else 132, 1)


def test_a_fault_that_was_seen_to_at_no_known_hour_is_as_one_that_is_open(place):
    """It excused nobody, from the moment on at which it was seen to."""
    script = begun().login(0).ready(0)
    script.add("fault.reported", 10_000, a="a001", area="audio", part="diadema")
    of = [script.s, script.e, script.n]
    script.u += 49_000
    script.logout().boot()
    place.take(script.add("fault.resolved", 5000, of=of, i=1, by="Teo", cause="cable"))
    assert place.read().agent("a001").load.technical_s == 50


@pytest.mark.parametrize("running", [False, True])
def test_power_that_goes_after_the_login_is_time_of_the_session(place, running):
    """Nothing else was heard in that boot: she was told as logged out until the next one."""
    script = begun().login(0)
    script.boot().clock(T0 + 600_000, after=0).ready(10_000)
    script.add("station.health", 50_000, heap=90_000, journal=1)
    place.take(script if running else script.logout())
    load = place.read().agent("a001").load
    assert (load.off, load.not_ready, load.ready) == (600, 10, 50 if running else 51)


def test_what_goes_on_is_told_up_to_now_while_the_link_is_up(place, clock):
    script = begun().login(0).ready(0).offer("c1", 5000)
    place.ingest.take([*script.messages(), script.hello_message()], "stream", "server")
    clock.now = T0 + 12_000
    sums = place.read().agent("a001")
    assert (sums.calls().offered, sums.calls().open) == (1, 1)
    assert (sums.load.ready, sums.load.offered) == (5, 7)


def switched(n, k, t, pbx, **more):
    return json.dumps(
        {
            "s": "PBX-x",
            "e": 1,
            "n": n,
            "b": 0,
            "u": 0,
            "t": t,
            "k": f"queue.{k}",
            "pbx": pbx,
            "queue": "ventas",
        }
        | more
    ).encode()


def served(agent, at, first=1, pbx="1"):
    bodies = [
        switched(first, "entered", at, pbx, position=1),
        switched(first + 1, "connected", at + 4_500, pbx, agent=agent, wait_ms=4_500),
        switched(first + 2, "left", at + 34_500, pbx, cause="completed"),
    ]
    return [Message(0, subject_of("PBX-x"), body) for body in bodies]


def test_the_switch_adds_nothing_to_an_agent_of_whom_a_station_tells(place):
    script = begun().login(0).ready(0).call("c1", talk=60_000, ring=2000).logout()
    place.take(script)
    place.ingest.take_file([*served("a001", T0), *served("a002", T0 + 60_000, 4, "2")])
    figures = place.read()
    calls = figures.agent("a001").calls()
    assert (calls.answered, calls.talk_s, calls.by_switch) == (1, 60, 0)
    alone = figures.agent("a002")
    assert (alone.calls().answered, alone.calls().talk_s, alone.calls().by_switch) == (1, 30, 1)
    assert (alone.load.switch_talk_s, alone.load.logged_s) == (30, 0)
    queue = figures.queue("ventas")
    flow = queue.flow(threshold_s=4, short_s=5)
    assert (flow.received, flow.answered, flow.answered_within) == (2, 2, 0)
    assert queue.flow(5, 5).answered_within == 2
    assert queue.wait_s == 10  # each of 4.5 s in whole seconds
