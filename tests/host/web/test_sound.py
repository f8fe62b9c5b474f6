"""What somebody was let hear: served by range to that session alone, silent wherever it was
paused, and in the register with the seconds that were really served.
"""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import pytest
import pytest_asyncio
from diadema.base.locks import locked
from diadema.recordings import decoder, decoding
from diadema.web.recordings import hearings
from msgspec.structs import replace

from tests.support.broker_fixtures import until
from tests.support.recorded_calls import CALLER, NOW, Centre, hum, needs_voices, spoken
from tests.support.sound_stage import sound_stage, tell
from tests.support.spoken_calls import SpokenCalls, is_heard, paused_is_silent
from tests.support.targeted import put

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEARD = ("plain", "gsm", "ogg", "late", "drift", "cut", "not_heeded", "whole", "given", "taken")
PBX = "1795000000.1"


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)
    monkeypatch.setattr(hearings, "UNTOLD_S", 3600)


def one_call(folder):
    """A call of 90 s with a pause; of an assignment to ana."""
    centre = Centre(folder)
    centre.call(centre.station(), 60_000, 90, PBX, [(10, 15)])
    centre.recorded(PBX, 60_000, 150_000)
    centre.file(spoken(90, hum(), [(10, 15)]), 60_000, PBX)
    centre.store()
    key = centre.key()
    centre.of = tell(centre.data, lambda monitor: monitor.assigned(key, due=NOW + 3_600_000))
    return centre


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory):
    async with sound_stage(one_call(tmp_path_factory.mktemp("sound"))) as stage:
        stage.ana, stage.elena = (
            stage.account("ana", "monitor"),
            stage.account("elena", "supervisor", teams=["Mañana"]),
        )
        await stage.linked(1)
        yield stage


@pytest.fixture
def stage(shared):
    shared.heard = len(shared.said("listening.ended"))
    return shared


async def began(stage, headers=None, call=None, purpose="evaluation"):
    answer = await stage.begin(headers or stage.ana, call or stage.centre.of, purpose)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(stage):
    return stage.said("listening.ended")[stage.heard :]


async def last_ended(stage):
    """A slow hub is told of it a moment later."""
    return (await until(lambda: ended(stage)))[-1]


async def test_what_is_told_says_all_that_a_player_needs_and_not_which_call_it_is(stage):
    answer = await stage.begin(stage.ana, stage.centre.of, "evaluation")
    told = answer.json()
    assert told == {
        "listening": told["listening"], "rate": 8000, "sides": 1, "frames": 720_000,
        "start_ms": 0, "ms": 90_000, "peaks": f"/api/v1/listenings/{told['listening']}/peaks",
        "sound": f"/api/v1/listenings/{told['listening']}/sound",
    }  # fmt: skip
    key = stage.centre.key()
    for word in (key[0], "a001", "Rosa", PBX, CALLER, str(stage.centre.root)):
        assert word not in answer.text
    assert stage.said("listening.started")[-1]["call"] == [*key]


async def test_peaks_are_of_what_is_sent(stage):
    told = await began(stage)
    answer = await stage.get(stage.ana, told["peaks"])
    (side,) = answer.json()["peaks"]
    of_second = len(side) / 90
    assert max(side[round(9.5 * of_second) : round(15.5 * of_second)]) == 0
    assert min(side[: round(8 * of_second)]) > 0
    assert answer.headers["cache-control"] == "no-store"


async def test_a_range_is_what_it_says_and_nothing_keeps_it(stage):
    told = await began(stage)
    whole = await stage.whole(stage.ana, told)
    assert len(whole) == 1_440_000
    for wanted, begin, end in (
        ("bytes=0-99", 0, 100), ("bytes=1-2", 1, 3), ("bytes=1439990-", 1_439_990, 1_440_000),
        ("bytes=-7", 1_439_993, 1_440_000), ("bytes=1439000-9999999", 1_439_000, 1_440_000),
    ):  # fmt: skip
        answer = await stage.get(stage.ana, told["sound"], range=wanted)
        assert (answer.status_code, answer.content) == (206, whole[begin:end]), wanted
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/1440000"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["accept-ranges"] == "bytes"
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "wanted", ["bytes=1440000-", "bytes=9-8", "bytes=-0", "", "bytes=0-1,5-6"]
)
async def test_what_is_no_part_of_it_is_said_with_its_size(stage, wanted):
    """Nor is all of it at once, where it is more than one answer has."""
    told = await began(stage)
    answer = await stage.get(stage.ana, told["sound"], **({"range": wanted} if wanted else {}))
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1440000"
    assert "1440000 bytes" in answer.json()["detail"]


async def test_the_register_has_each_second_as_often_as_it_was_served(stage):
    told = await began(stage)
    for wanted in ("bytes=0-159999", "bytes=80000-159999", "bytes=0-15999"):
        await stage.get(stage.ana, told["sound"], range=wanted)
    answer = await stage.end(stage.ana, told["listening"], cause="submitted")
    assert answer.json() == {"heard_ms": 16_000}
    one = await last_ended(stage)
    assert (one["heard_ms"], one["cause"], one["by"]) == (16_000, "submitted", "ana")
    for address in (told["sound"], told["peaks"]):
        assert (await stage.get(stage.ana, address)).status_code == 404
    assert (await stage.end(stage.ana, told["listening"])).status_code == 404


async def decoder_in_wait():
    """The process that will decode what is wanted next."""

    def alone():
        found = [
            int(pid)
            for children in Path("/proc/self/task").glob("*/children")
            for pid in children.read_text().split()
            if os.fsencode(decoder.__file__) in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return found[0] if len(found) == 1 else None

    def looked():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one has just ended
            return alone()

    return await until(looked)


async def test_what_is_decoded_when_it_has_ended_is_not_served(stage):
    """It was requested before the end."""
    told = await began(stage)
    process = await decoder_in_wait()
    os.kill(process, signal.SIGSTOP)
    try:
        part = asyncio.create_task(stage.get(stage.ana, told["sound"], range="bytes=0-159999"))
        playing = stage.web_app.hearings._going[told["listening"]]
        await until(playing.turn.locked)  # it is let through, and waits for the decoder
        answer = await stage.end(stage.ana, told["listening"])
        assert not part.done()
    finally:
        os.kill(process, signal.SIGCONT)
    got = await part
    assert (got.status_code, answer.json()["heard_ms"]) == (404, 0)
    assert len(got.content) < 300 and (await last_ended(stage))["heard_ms"] == 0


async def test_it_is_served_to_the_session_that_began_it_alone(stage):
    told = await began(stage)
    for other in (stage.enter("ana"), stage.elena, {}):
        for address in (told["sound"], told["peaks"]):
            answer = await stage.get(other, address, range="bytes=0-9")
            assert answer.status_code in (401, 404) and len(answer.content) < 300
        assert (await stage.end(other, told["listening"])).status_code in (401, 403, 404)
    assert (await stage.get(stage.ana, told["sound"], range="bytes=0-9")).status_code == 206


async def test_the_same_call_again_ends_the_one_before(stage):
    first = await began(stage)
    await stage.get(stage.ana, first["sound"], range="bytes=0-15999")
    second = await began(stage)
    assert (await stage.get(stage.ana, first["sound"])).status_code == 404
    end = await last_ended(stage)
    assert (end["cause"], end["heard_ms"]) == ("closed", 1000)
    assert (await stage.get(stage.ana, second["peaks"])).status_code == 200


async def test_when_the_session_is_over_it_has_ended(stage):
    headers = stage.enter("ana")
    told = await began(stage, headers)
    await stage.get(headers, told["sound"], range="bytes=0-31999")
    for one in stage.web_app.accounts.sessions.all("ana"):
        stage.web_app.accounts.sessions.end(one.key)
    stage.ana = stage.enter("ana")
    await until(lambda: ("session_over", 2000) in [
        (one["cause"], one["heard_ms"]) for one in ended(stage)
    ])  # fmt: skip
    assert (await stage.get(headers, told["sound"], range="bytes=0-9")).status_code == 401


async def test_the_hub_is_told_by_and_by_and_may_end_it(stage):
    headers = stage.account("teo", "supervisor", teams=["Mañana"])
    told = await began(stage, headers, stage.centre.key(), "coaching")
    await stage.get(headers, told["sound"], range="bytes=0-47999")
    one = stage.web_app.hearings._going[told["listening"]]

    async def goes_on():
        one.tried -= hearings.TELL_S
        await stage.web_app.hearings.look()
        return (await stage.get(headers, told["peaks"])).status_code == 200

    assert await goes_on()
    put(stage.data, "conflicts", account="teo", agent="a001")

    async def is_over():
        return not await goes_on()

    await until(is_over)
    (end,) = [one for one in ended(stage) if one["cause"] == "conflict"]
    assert (end["heard_ms"], end["by"]) == (3000, "rule:listening")


async def test_who_fetches_more_than_can_be_heard_waits(stage):
    told = await began(stage)
    one = stage.web_app.hearings._going[told["listening"]]
    one.frames = 650 * 8000
    answer = await stage.get(stage.ana, told["sound"], range="bytes=0-15999")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 5
    await stage.web_app.hearings.end(one, "closed")


async def test_while_the_hub_says_nothing_nothing_more_is_served(stage):
    told = await began(stage)
    one = stage.web_app.hearings._going[told["listening"]]
    one.confirmed -= 3601
    for address in (told["sound"], told["peaks"]):
        answer = await stage.get(stage.ana, address, range="bytes=0-9")
        assert answer.status_code == 503 and "no confirma" in answer.json()["detail"]
    await stage.web_app.hearings._go_on(one)
    assert (await stage.get(stage.ana, told["peaks"])).status_code == 200


async def test_who_asks_for_nothing_any_more_has_closed_it(stage):
    told = await began(stage)
    stage.web_app.hearings._going[told["listening"]].requested -= hearings.IDLE_S
    await stage.web_app.hearings.look()
    assert (await stage.get(stage.ana, told["peaks"])).status_code == 404
    assert (await last_ended(stage))["cause"] == "closed"


@pytest.mark.parametrize("what", ["written to", "gone", "a link"])
async def test_a_file_that_is_not_what_it_was_is_not_served(stage, what):
    told = await began(stage)
    (path,) = stage.centre.root.rglob("q-*")
    with locked(stage.data.recordings_index.with_suffix(".lock"), wait_s=300):  # nobody scans
        await _changed_and_back(stage, told, path, what)
    assert (await stage.get(stage.ana, told["peaks"])).status_code == 200


async def _changed_and_back(stage, told, path, what):
    kept, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    beside = path.with_name("beside")
    path.rename(beside)
    try:
        if what == "written to":
            path.write_bytes(kept + b"\1" * 9000)
        elif what == "a link":
            path.symlink_to(beside)
        for address in (told["sound"], told["peaks"]):
            answer = await stage.get(stage.ana, address, range="bytes=0-99")
            assert answer.status_code == 409, answer.text
            assert "diadema recordings" in answer.json()["detail"]
            assert CALLER not in answer.text and str(path.parent) not in answer.text
    finally:
        path.unlink(missing_ok=True)
        beside.rename(path)
    os.utime(path, ns=times)


async def test_a_pause_that_is_known_later_is_not_served_by_an_older_plan(stage):
    told = await began(stage)
    one = stage.web_app.hearings._going[told["listening"]]
    one.plan = replace(one.plan, zeros=[])
    answer = await stage.get(stage.ana, told["sound"], range="bytes=160000-239999")
    assert answer.status_code == 409 and "cambió" in answer.json()["detail"]


async def test_no_log_says_a_name_or_a_number_of_what_was_heard(stage):
    logs = stage.logs()
    for word in (CALLER, f"{PBX}.wav", str(stage.centre.root)):
        assert word not in logs
    for one in stage.said("listening.started", "listening.ended", "recording.linked"):
        assert CALLER not in json.dumps(one) and "monitor" not in json.dumps(one)


@needs_voices
async def test_each_spoken_call_is_heard_and_silent_where_it_was_paused(tmp_path_factory):
    """The bytes that a browser gets: of each format, and of each recorder that went wrong."""
    calls = SpokenCalls(tmp_path_factory.mktemp("spoken")).store()
    async with contextlib.AsyncExitStack() as held:
        stage = await held.enter_async_context(sound_stage(calls.centre))
        lead = stage.enter("luz")
        await stage.linked(len(HEARD) + 1)
        for name in HEARD:
            call = calls[name]
            told = await began(stage, lead, call.key, "dispute")
            sound = await stage.whole(lead, told)
            its = {"rate": told["rate"], "sides": told["sides"]}
            assert is_heard(sound, **its), name
            assert paused_is_silent(sound, call, start_ms=told["start_ms"], **its), name
            answer = await stage.end(lead, told["listening"])
            assert answer.json()["heard_ms"] == told["ms"], name
        for name, word in (("cut_unsure", "se pausó"), ("twins", "no tiene grabación")):
            answer = await stage.begin(lead, calls[name].key, "dispute")
            assert answer.status_code == 409 and word in answer.json()["detail"], name
        causes = [one["cause"] for one in stage.said("listening.ended")]
        assert causes == ["closed"] * len(HEARD) + ["unplayable"]
        assert [one["reason"] for one in stage.said("listening.refused")] == ["no_recording"]
