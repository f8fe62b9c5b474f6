"""The station's parsers against anything: what each promises stands in `tests/parsers/station.py`.

And the two ends together: what one writes, the other takes.
"""

import json
import tempfile
from datetime import date

import lib.app
import pytest
from diadema.site.description import parse
from diadema.site.station_config import ConfigMaker, blocks
from diadema.wire.commands import ON_REQUEST
from diadema.wire.frames import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from lib.config_store import ConfigStore
from lib.do_command import FIELDS, wrong_field
from lib.frames import Decoder
from msgspec import json as wire

from tests.parsers import station
from tests.parsers.inputs import inputs
from tests.parsers.seeds import ASKED, OF_THE_HUB, seeds

PARSERS = [
    "serial_frames", "pieces", "improv_packets", "mqtt_packets", "config", "config_file", "down",
    "forged", "host_command", "host_site", "boot_scan", "boot", "sealing",
]  # fmt: skip


@pytest.fixture(autouse=True)
def micropythons_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lib.app, "json", station.JSON)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_input_keeps_what_the_parser_promises(name: str, data: st.DataObject) -> None:
    getattr(station, name)(data.draw(inputs(f"station.{name}")))


@given(body=st.binary(min_size=1, max_size=300), at=st.integers(0), bit=st.integers(0, 7))
def test_a_frame_with_one_bit_changed_is_no_other_frame(body: bytes, at: int, bit: int) -> None:
    body = body.replace(b"\x1e", b" ").replace(b"\n", b" ")
    frame = bytearray(encode(body))
    frame[at % len(frame)] ^= 1 << bit
    assert Decoder().feed(bytes(frame) + encode(b"next")) in ([b"next"], [])


@pytest.mark.parametrize("asked", ASKED + OF_THE_HUB, ids=lambda one: one.__struct_config__.tag)
def test_every_command_of_the_host_is_one_that_the_station_takes(asked: object) -> None:
    fields = json.loads(wire.encode(asked))
    assert wire.decode(wire.encode(asked), type=type(asked)) == asked
    assert (type(asked) in ON_REQUEST) == (asked in ASKED)
    assert wrong_field(fields, FIELDS[fields["cmd"]]) == ""


@pytest.mark.parametrize("described", seeds()["host.site"])
def test_the_hosts_blocks_become_the_configuration_that_it_made(described: bytes) -> None:
    day = date(2026, 12, 1)  # of the example's lent badge
    maker = ConfigMaker(parse(described), "5a" * 32, -300, 4, card_key="c4" * 16, day=day)
    text = maker.build(station.STATION)
    with tempfile.TemporaryDirectory() as folder:
        store = ConfigStore(station.STATION, folder + "/")
        done = [store.add({**block, "i": 9}) for block in blocks(text)]
        assert done[:-1] == [None] * (len(done) - 1)
        said = json.loads(text)
        assert [json.loads(row) for row in done[-1].agents] == said["agents"]
        assert done[-1].reasons == said["reasons"]
        assert done[-1].tree == said["tree"]["nodes"]
        for name in (
            "areas", "help", "faults", "campaigns", "methods", "playbooks", "materials", "tools",
        ):  # fmt: skip
            assert getattr(done[-1], name) == said.get(name, [])
        assert vars(ConfigStore(station.STATION, folder + "/").load()) == vars(done[-1])
