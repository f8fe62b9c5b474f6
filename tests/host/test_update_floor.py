"""Which stations a roll-out is for, as the ingest knows them, and when it asks one again."""

import json

import pytest
from diadema.base.errors import UpdateError
from diadema.base.paths import DataDir
from diadema.hub import updates as leading
from diadema.hub.commanding import Commands
from diadema.hub.updates import Updates
from diadema.site import description as sites
from diadema.stations.update import bundle, keys

from tests.support.scripted_station import SITE, Script

HERE = [f"DIA-0600000000{number:02x}" for number in range(4)]
RETIRED, REVOKED = "DIA-0600000000f0", "DIA-0600000000f1"
KEY = keys.PrivateKey(keys.rsa.generate_private_key(public_exponent=65537, key_size=3072))


def site_of(*stations):
    seats = [{"id": s, "seat": f"B-{number:02}"} for number, s in enumerate(stations)]
    return sites.parse(json.dumps(SITE | {"stations": seats}).encode())


@pytest.fixture
def floor(ingest, tmp_path):
    """Four stations, and two that were here once."""
    data = DataDir(tmp_path / "data")
    data.make()
    data.update_key.write_text(KEY.public.text)
    ingest.use_site(site_of(*HERE, REVOKED))
    scripts = [Script(s=s).boot().clock() for s in (*HERE, RETIRED, REVOKED)]
    said = [script.hello_message() for script in scripts]
    for script in scripts:
        said += script.messages()
    ingest.take(said, "stream", "server")
    return Updates(data, ingest, Commands(ingest, None), lambda s: s == REVOKED)


class Now:
    """In the place of `time`, as the ingest's own uses it."""

    def __init__(self):
        self.s = 1000.0

    def monotonic(self):
        return self.s


def begin(floor, version="0.2.0", board="sim", **plan):
    made = bundle.sign(bytes(9000), KEY, board=board, version=version, made=1_800_000_000)
    return floor.start({"sha256": floor.add(made).sha256, "stages": ["all"], **plan})


def test_it_is_for_the_stations_of_the_site_that_are_not_revoked(floor):
    assert set(begin(floor).seats) == set(HERE)
    with pytest.raises(UpdateError, match=f"no station {RETIRED} of the site"):
        floor.stop(1)
        begin(floor, only=[RETIRED])


def test_a_share_is_one_of_the_site(floor):
    assert len(begin(floor, stages=["25%", "all"]).seats) == 1


def test_who_leaves_the_site_is_left_out_of_it(floor, ingest):
    rollout = begin(floor)
    ingest.use_site(site_of(*HERE[1:]))
    floor.tick()
    assert {s for s, seat in rollout.seats.items() if seat.phase == "gone"} == {HERE[0]}


def test_without_a_site_it_is_for_all_that_were_here(floor, ingest):
    ingest.use_site(None)
    assert set(begin(floor).seats) == {*HERE, RETIRED}


def test_who_refuses_because_it_is_busy_is_asked_again_later_and_later(floor, ingest, monkeypatch):
    now = Now()
    monkeypatch.setattr(leading, "time", now)
    station = Script(s=HERE[0]).boot().clock()
    begin(floor, only=[HERE[0]])

    def asked():
        """Whether it was sent anything, and it refuses that."""
        if not floor.tick():
            return False
        station.add("command.refused", command="update", reason="busy", i=1)
        effects = ingest.take([station.messages(station.n)[0]], "stream", "server")
        floor.heard(effects.updates, effects.acks)
        return True

    assert asked()
    waits = []
    for _ in range(7):
        before = now.s
        while not asked():
            now.s += 5.0
        waits.append(now.s - before)
    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_one_that_would_be_for_no_station_is_refused(floor):
    with pytest.raises(UpdateError, match=r"B-01 is sim, has 0\.1\.0"):
        begin(floor, board="lyrat_v4_3", only=["B-01"])
    with pytest.raises(UpdateError, match=r"all of them have 0\.1\.0 already"):
        begin(floor, version="0.1.0")
    with pytest.raises(UpdateError, match=r"B-00 is sim, has 0\.1\.0; B-02 is sim, has 0\.1\.0"):
        begin(floor, version="0.1.0", only=["B-00", HERE[2]])
    assert floor.rollouts == {}
