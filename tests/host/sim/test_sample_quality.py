"""What monitors did in a demo's past is what the hub's own desk makes of it: draws that anybody
can check, evaluations of half of the last one, and recordings that the real scan finds.
"""

import shutil
from contextlib import closing
from datetime import date, timedelta

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.hub.own_journal import ME
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.quality.frame import hash_of
from diadema.quality.kept_draws import frame_rows, stored_draw
from diadema.quality.pairs import seen_calls
from diadema.quality.sampling import commitment
from diadema.quality.sampling import draw as draw_again
from diadema.recordings.decoding import Decoders
from diadema.recordings.index import Index
from diadema.recordings.scan import Scan
from diadema.recordings.settings import required
from diadema.site.description import load
from diadema.site.directory.people_of import people as people_of
from diadema.site.file import keep
from diadema.store import open_reader, open_writer
from diadema.store.quality import (
    assigned_calls,
    draws,
    evaluations,
    listenings,
    notices,
    signatures,
)
from diadema_sim import past, people, sample_quality
from diadema_sim import sample_assistance as assistance
from diadema_sim.history import day_of
from diadema_sim.sample_centre import Roster, write_directory

TODAY = date(2026, 11, 26)  # a Thursday
DAYS = 17  # from a Monday on
WORK = 4  # people


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two weeks and a half of a few people, and what monitors did of them."""
    data = DataDir(tmp_path_factory.mktemp("past") / "data")
    data.make()
    roster = Roster(2, TODAY)
    site = people.site(roster.everybody, name="Centro", zone=past.ZONE.key, tree=people.LIMA_TREE)
    keep(data.site, msgspec.json.encode(site | assistance.CATALOGUES))
    clock = past.Fixed(int(past._midnight(TODAY).timestamp() * 1000))
    write_directory(data, roster, clock.now_ms())
    first = TODAY - timedelta(DAYS)
    for n in range(DAYS):
        day = first + timedelta(n)
        made = day_of(day, past.ZONE, roster.workers(day)[:WORK], seed=1)
        past._store(data, made, past.log_of(data), clock)
    agents = [desk.person.id for desk in roster.everybody]
    sample_quality.play(data, past.ZONE, first, TODAY, agents)
    return data


@pytest.fixture(scope="module")
def another(place, tmp_path_factory):
    """A hub that knows the calls only, and has had a commitment of its own to the week."""
    data = DataDir(tmp_path_factory.mktemp("another") / "data")
    data.make()
    shutil.copy(place.site, data.site)
    clock = past.Fixed(int(past._midnight(TODAY).timestamp() * 1000))
    roster = Roster(2, TODAY)
    write_directory(data, roster, clock.now_ms())
    with open_reader(place.store) as there, closing(open_writer(data.store)) as writer:
        ingest = Ingest(writer, load(data.site), clock)
        for s in there.stations():
            its = [] if s == ME else [one.body for one in there.events_of(s)]
            ingest.take_file([Message(0, subject_of(s), body) for body in its])
    with sample_quality.Room(data) as room:
        room.go_to(clock.now_ms())
    return data


@pytest.fixture
def tx(place):
    with open_reader(place.store) as reader, closing(reader.engine.connect()) as tx:
        yield tx


def test_each_whole_week_was_committed_to_before_its_calls_and_drawn(place, tx):
    first, second, running = draws(tx)
    for one in (first, second):
        assert one.planned.utc == one.planned.start_utc < one.drawn.utc
        secret = bytes.fromhex(one.drawn.secret)
        assert commitment(secret) == one.planned.commitment
        rows = [*frame_rows(place, one.drawn.draw)]
        assert len(rows) == one.drawn.frame and hash_of(rows) == one.drawn.frame_hash
        kept = stored_draw(place, one.drawn.draw)
        plan = people_of(place, None, TODAY).sample_plans[sample_quality.PLAN]
        again = {call.key for its in draw_again(plan, rows, secret).strata for call in its.calls}
        assert again == {call.key for call in kept.calls} and len(again) == one.drawn.chosen
    assert running.drawn is None and running.planned.utc == running.planned.start_utc


def test_agents_and_callers_were_informed_before_and_none_was_left_out_for_that(tx):
    assert {one.side for one in notices(tx)} == {"caller", "agent"}
    assert len(signatures(tx)) >= WORK
    whole = draws(tx)[1]
    assert whole.excluded["no_notice"] == 0 and whole.excluded["short"] > 0


def test_half_of_the_last_draw_is_evaluated_and_all_of_the_one_before(place, tx):
    first, second, _ = draws(tx)
    for one, share in ((first, 1.0), (second, 0.5)):
        its = assigned_calls(tx, draws=[one.drawn.draw])
        done = [its_one for its_one in its if its_one.submitted is not None]
        assert abs(len(done) / len(its) - share) <= 0.15
    its = evaluations(tx)
    assert any(one.released_utc for one in its) and any(not one.released_utc for one in its)
    heard = listenings(tx)
    assert len(heard) == len(its) and all(one.ended.heard_ms > 0 for one in heard)
    seen = seen_calls(tx, people_of(place, None, TODAY), past._midnight(TODAY).timestamp() * 1000)
    assert {"agreed", "waiting"} <= {one.state for one in seen if one.second is not None}


def test_all_of_it_is_of_the_past(tx):
    midnight_ms = int(past._midnight(TODAY).timestamp() * 1000)
    query = "SELECT max(json_extract(CAST(body AS TEXT), '$.t')) FROM events WHERE s = 'HUB-main'"
    assert tx.exec_driver_sql(query).scalar() < midnight_ms


def test_a_hub_that_ran_meanwhile_gets_it_but_for_the_week_that_runs(place, another, tx):
    clock = past.Fixed(int(past._midnight(TODAY).timestamp() * 1000))
    lines = sample_quality.lines_for_another(place)
    with closing(open_writer(another.store)) as writer:
        ingest = Ingest(writer, load(another.site), clock)
        ingest.take_file([Message(0, subject_of(ME), line) for line in lines])
    with open_reader(another.store) as reader, closing(reader.engine.connect()) as its:
        assert not [*reader.conflicts()]
        drawn, those = (
            [(one.planned.commitment, one.drawn.frame_hash) for one in draws(of) if one.drawn]
            for of in (its, tx)
        )
        assert drawn == those and len(drawn) == 2
        running = [one for one in draws(its) if not one.drawn]
        assert len(running) == 1 and running[0].planned.utc == clock.now_ms()
        assert len(evaluations(its)) == len(evaluations(tx)) > 0
        assert len(listenings(its)) == len(listenings(tx))
        seen = [
            sorted(
                (one.call, one.state)
                for one in seen_calls(of, people_of(data, None, TODAY), clock.now_ms())
            )
            for of, data in ((its, another), (tx, place))
        ]
        assert seen[0] == seen[1]


def test_it_goes_on_where_a_cache_ended(place, tx):
    count = "SELECT count(*) FROM events WHERE s = 'HUB-main'"
    before = tx.exec_driver_sql(count).scalar()
    tx.rollback()
    sample_quality.play(place, past.ZONE, TODAY - timedelta(DAYS), TODAY, ["nobody"])
    assert tx.exec_driver_sql(count).scalar() == before


def test_the_real_scan_links_its_recordings(place, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = past.cache_folder() / "recordings"
    folder.parent.mkdir(parents=True)
    sample_quality.record(place, folder)
    files = [*folder.iterdir()]
    assert len(files) == sample_quality.RECORDED
    assert sum(one.stat().st_size for one in files) < 12_000_000
    now_ms = int(past._midnight(TODAY).timestamp() * 1000)
    past.show_recordings(place, now_ms)
    settings = required(place)
    assert settings.folders == [str(folder)]
    with (
        Index(place.recordings_index) as index,
        open_reader(place.store) as reader,
        Decoders() as decoders,
    ):
        known = people_of(place, None, TODAY)
        found = Scan(settings, index, reader, known, decoders, now_ms).run()
        counts = index.counts()
        whole = len(reader.contacts())
    assert len(found.linked) == counts["linked"] == len(files) and not counts["orphan"]
    assert 0 < len(found.missing) < whole / 3, "of two days alone"
