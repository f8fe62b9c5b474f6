"""The fleet from the shell: what is listed and shown, what a diagnosis holds and what it does not,
seats that get another name, stations that move and leave.
"""

import asyncio
import io
import json
import re
import sys
import zipfile
from datetime import date
from itertools import count

import pytest
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.ingest.messages import PREFIX, Message
from diadema.site.directory.publishing import changed_by_hand, open_directory
from diadema.stations.diagnosis import diagnosis
from diadema.stations.fleet import all_stations, station_history
from diadema.stations.seats import rename_seat, take_seat
from diadema.store import tables
from diadema.store.host_rows import Seat
from msgspec.structs import astuple, replace

from tests.support.broker_fixtures import IngestProcess
from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"
STRANGER = "DIA-0123456789ff"


@pytest.fixture
def data(tmp_path, ingest, writer):
    found = DataDir(tmp_path)
    found.make()
    found.site.write_text(json.dumps(SITE))
    right = {"micropython": "1.28.0", "build": "ESP32_GENERIC-SPIRAM", "psram": 4_182_544}
    script = Script().boot("watchdog", **right, start=3).clock().login()
    script.add("station.health", heap=90_000, journal=1, discards=0, bad_frames=0)
    script.add("station.health", heap=60_000, journal=7, discards=3, bad_frames=0, rssi=-61,
               gc_free=9_000, idf=30_000, idf_largest=14_336, idf_least=20_000)  # fmt: skip
    script.add("station.fault", part="codec", code="no_answer")
    script.add("pin.chosen", a="a001", until=1, verifier="secret-of-hers")
    script.mark("in", badge="feed" * 8)
    script.presence("not_ready", "not_ready", "sshh")
    stranger = Script(s=STRANGER).boot()
    messages = [*script.messages(), script.hello_message(), *stranger.messages()]
    safe = {"up": False, "safe": True, "s": STRANGER, "cause": "no_program", "gw": "test"}
    messages.append(Message(999, f"{PREFIX}gw-test.{STRANGER}.st", json.dumps(safe).encode()))
    ingest.take(messages, "stream", "server")
    with writer.transaction() as tx:
        seat = Seat(
            number=4, station=S, stage=0, phase="failed", utc=T0, reason="rolled_back: codec"
        )
        writer.put(tx, tables.rollout_seats, [astuple(seat)])
        writer.put(tx, tables.links, [(S, T0 - 5_000, False), (S, T0, True)])
        writer.put(tx, tables.credentials, [(S2, 1, b"", True)])
    return found


def test_every_station_is_listed_with_what_is_known_of_it(data):
    rows = all_stations(data, T0 + 60_000)
    assert [row.seat for row in rows] == ["A-01", "A-02", None]
    first, second, stranger = rows
    assert (first.station, first.board, first.version, first.link) == (S, "sim", "0.1.0", "up")
    assert (first.heap, first.journal, first.rssi, first.discards) == (60_000, 7, -61, 3)
    assert first.memory == "58 (29) KiB"
    assert replace(first, idf=None).memory == "58 (—) KiB"  # an older program's
    assert first.faults == ["codec: no_answer"] and first.reconnects == 1 and first.busy
    assert (first.phase, first.reason) == ("failed", "rolled_back: codec")
    assert (second.station, second.link, second.seen_utc, second.revoked) == (
        S2,
        "lost",
        None,
        True,
    )
    assert (stranger.station, stranger.safe) == (STRANGER, "no_program")
    assert first.safe is second.safe is None


def test_one_is_shown_with_how_it_went(data):
    found = station_history(data, "A-01", T0)
    assert [entry["heap"] for entry in found.health] == [60_000, 90_000]
    assert found.health[0]["utc"] > T0
    assert [entry["cause"] for entry in found.boots] == ["watchdog"]
    assert found.boots[0]["utc"] == T0 - 10


def test_a_diagnosis_has_no_secret(data):
    data.log(S).write_text("line one\nline two\n")
    with zipfile.ZipFile(io.BytesIO(diagnosis(data, S, T0))) as made:
        names = {name.partition("/")[2] for name in made.namelist()}
        whole = b"".join(made.read(name) for name in made.namelist())
        events = made.read(f"{S}/events.jsonl").splitlines()
    assert names == {"station.json", "events.jsonl", "console.log", "configurations.json"}
    assert b"line two" in whole and b"no_answer" in whole
    assert b"secret-of-hers" not in whole and b"feedfeed" not in whole
    assert b"sshh" not in whole and b'"reason":"private"' in events[-1]
    assert len(events) == 9


@pytest.fixture
def tell(ingest):
    """What a station told at its last start, or its greeting in safe mode, as the fleet has it."""

    journals = count(9)

    def told(data, safe=None, **booted):
        script = Script(s=S2, e=next(journals)).boot(board="lyrat_v4_3", **booted)
        messages = script.messages()
        if safe is not None:
            hello = {"up": False, "safe": True, "s": S2, "board": "lyrat_v4_3", "gw": "t", **safe}
            messages.append(Message(9, f"{PREFIX}gw-test.{S2}.st", json.dumps(hello).encode()))
        else:
            messages.append(script.hello_message(board="lyrat_v4_3"))
        ingest.take(messages, "stream", "server")
        return next(row for row in all_stations(data, T0) if row.station == S2)

    return told


OTA = {"micropython": "1.28.0", "build": "ESP32_GENERIC-OTA"}
SPIRAM = {"micropython": "1.28.0", "build": "ESP32_GENERIC-SPIRAM"}


@pytest.mark.parametrize(
    ("booted", "safe", "needs"),
    [
        (SPIRAM | {"psram": 4_182_544}, None, None),
        ({"micropython": "1.23.0"}, None, None),  # it never told
        (OTA | {"psram": 0}, None, "old_image"),
        (OTA, None, "old_image"),
        ({"build": "", "psram": 0}, None, "old_image"),
        ({"build": "ESP32_GENERIC_S3", "psram": 0}, None, "old_image"),
        ({"build": "ESP32_GENERIC_S3", "psram": 8_000_000}, None, None),
        (SPIRAM | {"psram": 0}, None, "no_psram"),
        (SPIRAM | {"psram": 4_182_544}, {"cause": "no_psram"}, "no_psram"),
        ({}, OTA | {"cause": "old_image"}, "old_image"),
        (SPIRAM | {"psram": 4_182_544}, {"cause": "crashes"}, None),
    ],
)
def test_it_is_known_which_station_needs_another_image(data, tell, booted, safe, needs):
    row = tell(data, safe, **booted)
    assert row.needs_image == needs
    assert row.build == (safe or {}).get("build", booted.get("build", ""))


def test_one_that_never_ran_a_program_is_known_by_its_safe_mode(data, ingest):
    s = "DIA-0123456789fe"
    hello = {"up": False, "safe": True, "s": s, "board": "s3_korvo2", "gw": "t",
             "cause": "old_image", "micropython": "1.28.0", "build": "ESP32_GENERIC_S3",
             }  # fmt: skip
    message = Message(9, f"{PREFIX}gw-test.{s}.st", json.dumps(hello).encode())
    ingest.take([message], "stream", "server")
    row = next(row for row in all_stations(data, T0) if row.station == s)
    assert (row.board, row.needs_image) == ("s3_korvo2", "old_image")
    assert (row.micropython, row.build) == ("1.28.0", "ESP32_GENERIC_S3")


async def test_what_such_a_station_needs_is_printed(data, tell):
    tell(data, {"cause": "old_image", **OTA})
    listed = " ".join((await command(data, "list")).split())
    assert "in safe mode: needs another image, that of ESP32_GENERIC-SPIRAM; its own" in listed
    assert "1.28.0 ESP32_GENERIC-OTA" in listed and "1.28.0 ESP32_GENERIC-SPIRAM" in listed
    rows = {row["s"]: row for row in json.loads(await command(data, "list", "--json"))}
    assert rows[S2]["needs_image"] == "old_image" and rows[S]["needs_image"] is None
    assert (rows[S]["psram"], rows[S]["start"]) == (4_182_544, 3)
    shown = await command(data, "show", "A-02")
    assert "MicroPython 1.28.0 ESP32_GENERIC-OTA" in shown and "needs another image" in shown
    assert "Download ESP32_GENERIC-SPIRAM-…-v1.28.0.bin from micropython.org" in shown
    tell(data, **SPIRAM, cause="power_unsteady", psram=4_182_544)
    listed = " ".join((await command(data, "list")).split())
    assert "started without the radio; check plug, cable and supply" in listed


async def command(data, *arguments, code=0):
    line = [sys.executable, "-m", "diadema", "fleet", *arguments, "--data", str(data.root)]
    done = await asyncio.create_subprocess_exec(
        *line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await done.communicate()
    assert done.returncode == code, printed.decode()
    return printed.decode()


async def test_proof_is_offered_once_all_can_give_it(data, ingest):
    listed = await command(data, "list")
    assert "not shown yet by 1 that they can prove who they are: A-02" in listed
    hello = Script(s=S2).boot().hello()
    assert hello["keyed"]
    ingest.take(
        [Message(1_000, f"{PREFIX}gw-test.{S2}.st", json.dumps(hello).encode())],
        "stream",
        "server",
    )
    listed = await command(data, "list")
    assert "`diadema hub --require-proof` hears no other on a cable" in listed


async def test_it_is_printed(data):
    listed = await command(data, "list")
    assert "A-01" in listed and "audio codec: does not answer" in listed
    assert "update failed: rolled back: audio codec" in " ".join(listed.split())
    assert "3 stations, 1 there" in listed
    assert "no program that starts; bring it a program over" in " ".join(listed.split())
    shown = await command(data, "show", "A-01")
    assert "watchdog" in shown and "-61" in shown
    assert "no station" in await command(data, "show", "Z-99", code=2)


@pytest.mark.parametrize("kept", [False, True], ids=["site.json", "directory"])
async def test_seats_are_renamed_and_stations_move_and_leave(broker, stack, kept):
    data = broker.data
    broker.write_hub()
    if kept:
        with open_directory(data, T0):
            pass
    await stack.enter_async_context(IngestProcess(broker))

    def seats():
        return {one["seat"]: one["id"] for one in json.loads(data.site.read_text())["stations"]}

    await command(data, "rename", "A-01", "B-01", "--by", "Técnica")
    assert seats() == {"B-01": S, "A-02": S2}
    assert "--replace" in await command(data, "move", S, "A-02", "--by", "Técnica", code=2)
    await command(data, "move", S, "C-07", "--by", "Técnica")
    assert seats() == {"C-07": S, "A-02": S2}
    assert "no longer" in await command(data, "retire", "A-02", "--by", "Técnica")
    assert seats() == {"C-07": S}
    assert "may not connect" in await command(data, "revoke", "C-07")
    rows = {row.station: row for row in all_stations(data, T0)}
    assert rows[S].revoked and rows[S].seat == "C-07"


@pytest.mark.parametrize("kept", [False, True], ids=["site.json", "directory"])
@pytest.mark.parametrize(
    ("seat", "why"), [("B\x1b[31m-1", "U+001B"), ("B" * 13, "<= 12"), ("", ">= 1")]
)
async def test_a_name_that_no_seat_can_have_changes_nothing(data, clock, kept, seat, why):
    if kept:
        with open_directory(data, T0):
            pass
    before = data.site.read_bytes()
    for work in (
        rename_seat(data, "A-01", seat, by="Técnica", clock=clock),
        take_seat(data, S, seat, replace=True, by="Técnica", clock=clock),
    ):
        with pytest.raises(DiademaError, match=re.escape(why)):
            await work
    assert data.site.read_bytes() == before
    if kept:
        with open_directory(data, T0) as book:
            assert not changed_by_hand(book, data)
            assert [one.code for one in book.entries("seats", date(2026, 7, 1))] == [
                "A-01", "A-02",
            ]  # fmt: skip


async def test_a_bundles_own_name_is_no_path(data, tmp_path, monkeypatch):
    described = data.site.read_text().replace('"A-01"', '"a/../b"')
    data.site.write_text(described)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert "a-..-b.zip: " in await command(data, "bundle", "a/../b")
    assert [one.name for one in (tmp_path / "here").iterdir()] == ["a-..-b.zip"]
