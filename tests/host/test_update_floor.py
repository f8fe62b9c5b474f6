"""Which stations a roll-out is for, as the ingest knows them, and when it asks one again."""

import json

import pytest
from diadema import site as sites
from diadema.ingest.commanding import Commands
from diadema.ingest.updates import Updates
from diadema.paths import DataDir
from diadema.update import bundle, keys
from diadema.update.errors import UpdateError
from scripted_station import SITE, Script

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
