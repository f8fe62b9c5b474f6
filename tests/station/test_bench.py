"""The technician's test on the whole station: the world does what it asks for, or does not."""

import json

import pytest
from diadema.site.badges import card_key
from diadema.site.description import parse
from diadema_sim import people, sound
from diadema_sim.build import SimBoard, board_names

from tests.station.test_part_faults import board  # noqa: F401 - a fixture
from tests.station.test_update import body, slots, vfs  # noqa: F401 - fixtures
from tests.support.station_bench import STATION
from tests.support.waveforms import level
from tests.support.wire_host import CARD_KEY

LOUDEST = 10 ** (-18 / 20)  # of all tones, as in lib/tones.py
SECURE, NOBODYS = "04782E21801D80", "04782E21801D81"

ANY = "04a1b2c3d4e5f6"
HELD_DB = -20


class Technician:
    """Does what each step asks for; `instead` has what they do in a step in place of that."""

    def __init__(self, bench, **instead):
        self._bench = bench
        self._station = bench.station
        self._instead = instead
        self._sound = None
        self.steps = []  # as the console ends them

    async def test(self, **fields):
        """From the command to the event that answers it."""
        bench = self._bench
        since, lines = bench.since(), len(self._lines())
        self.number = bench.host.command("selftest", bench=1, **fields)
        while "station.selftest" not in bench.kinds(since):
            assert "command.refused" not in bench.kinds(since)
            await bench.world.sleep(100)
            for line in self._lines()[lines:]:
                lines += 1
                await self._read(line)
        for line in self._lines()[lines:]:
            await self._read(line)
        return await bench.event("station.selftest", since, i=self.number)

    def _lines(self):
        whole = b"".join(self._station.console).decode(errors="replace")
        return [line for line in whole.split("\n")[:-1] if "selftest: " in line]

    async def _read(self, line):
        assert line.startswith("selftest: "), line  # no frame in it
        step = line.strip().removeprefix("selftest: ")
        name, _, word = step.rpartition(" ")
        if word in ("ok", "failed", "skipped"):
            self.steps.append((name, word))
            if name == "microphone" and self._sound:
                await self._sound.__aexit__(None, None, None)
                self._sound = None
            return
        act = self._instead.get(step.replace(" ", "_"), self._act)
        if act:
            await act(step)

    async def _act(self, step):
        station = self._station
        name, _, more = step.partition(" ")
        if name == "keys":
            await station.press(int(more))
        elif name in ("lights", "screen"):
            await station.press(3)
        elif name == "headset_out":
            await station.unplug()
        elif name == "headset_in":
            await station.plug()
        elif name == "microphone":
            await self.hold(HELD_DB)
        else:
            await station.tap(ANY)

    async def hold(self, decibels):
        self._sound = sound.listen(self._station, held_db=decibels)
        self.heard = await self._sound.__aenter__()


async def test_a_station_in_order(desk):
    async with desk() as bench:
        shown = []

        class Looking(Technician):
            async def _act(self, step):
                name = step.partition(" ")[0]
                if name not in shown:
                    shown.append(name)
                    await bench.shows("bench_" + name)
                if step == "keys 3":
                    await bench.station.press(5)
                    await bench.shows("bench_other")
                if step == "lights":
                    lit = await bench.station.lights()
                    assert lit == {"ready": 1, "busy": 1, "ring": 1}
                await super()._act(step)

        await bench.station.plug()
        await bench.world.sleep(2000)
        technician = Looking(bench)
        told = await technician.test()
        assert (told["fit"], told["bench"], told["i"]) == (True, True, technician.number)
        assert "reason" not in told and "a" not in told
        assert told["checks"].pop("flash") == told["checks"].pop("badge_secure") == "skipped"
        assert set(told["checks"].values()) == {"ok"}
        assert set(told["checks"]) >= {
            "keys", "lights", "screen", "headset", "microphone", "badge_uid", "journal", "clock",
            "link", "codec", "badge_reader", "config",
        }  # fmt: skip
        names = [f"keys {key}" for key in range(1, 7)]
        names += ["lights", "screen", "headset_out", "headset_in", "microphone", "badge uid"]
        assert technician.steps == [(name, "ok") for name in names] + [("badge secure", "skipped")]
        await bench.shows("bench_yes")
        await bench.keys(4)
        await bench.shows("logged_out")
        await bench.ready()


def failed(told):
    return sorted(name for name, word in told["checks"].items() if word == "failed")


async def nothing(step):
    """Nobody does what it asks for."""


async def ready(bench):
    await bench.station.plug()
    await bench.world.sleep(2000)
    return bench


@pytest.mark.parametrize("name", board_names())
async def test_the_tone_comes_back_on_each_board_and_is_no_louder_than_others(desk, name):
    async with desk(SimBoard(name)) as bench:
        await ready(bench)
        technician = Technician(bench)
        told = await technician.test()
        assert told["checks"]["microphone"] == "ok" and told["fit"], told
        heard = technician.heard.headset
        # it comes and goes: its strength is that of a part of the second
        assert max(level(heard[-600 * 16 :], hertz) for hertz in range(405, 416)) > 0.002
        assert max(map(abs, heard)) < 32767 * LOUDEST


async def test_who_does_nothing_has_20_seconds_for_each_step(desk):
    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench)
        technician._act = nothing
        told = await technician.test()
        assert failed(told) == ["badge_uid", "headset", "keys", "lights", "microphone", "screen"]
        assert (told["fit"], told["reason"]) == (False, "badge_uid")
        words = dict(technician.steps)
        assert words.pop("headset_in") == "ok"  # it was never out
        assert words.pop("badge secure") == "skipped"
        assert set(words.values()) == {"failed"} and len(words) == 11
        await bench.ready()  # a badge is somebody's again


async def test_a_key_that_is_dead(desk):
    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench, keys_4=nothing)
        told = await technician.test()
        assert failed(told) == ["keys"]
        assert [name for name, word in technician.steps if word == "failed"] == ["keys 4"]


async def test_a_microphone_that_hears_somebody_but_not_the_tone(desk, tmp_path):
    voice = sound.spoken_word(tmp_path / "voice.wav", 30)

    async def speak(step):
        technician._sound = sound.listen(bench.station, microphone=voice)
        await technician._sound.__aenter__()

    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench, microphone=speak)
        told = await technician.test()
        assert failed(told) == ["microphone"]


async def test_a_codec_that_is_dark_and_a_person_who_says_no(desk):
    async def no(step):
        await bench.keys(4)

    async def dark(step):
        await bench.station.ask({"do": "fault", "part": "codec", "kind": "nack"})
        await technician._act(step)

    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench, lights=no, screen=no, microphone=dark)
        told = await technician.test()
        assert failed(told) == ["codec", "lights", "microphone", "screen"]
        await bench.shows("bench_no")


async def test_a_codec_without_its_clock(desk):
    """It answers and keeps what it is told, but neither takes a tone nor gives it back."""

    async def stop(step):
        await bench.station.ask({"do": "fault", "part": "codec", "kind": "no_mclk"})
        await technician._act(step)

    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench, microphone=stop)
        assert failed(await technician.test()) == ["microphone"]


async def test_a_torn_journal(desk):
    async with desk() as bench:
        await ready(bench)
        assert (await Technician(bench).test())["fit"]
        image = bytes(bench.station.flash.image)
        at = image.index(b'"station.clock"')
        bench.station.flash.program(at + 3, b"\0")
        told = await Technician(bench).test()
        assert failed(told) == ["journal"]


async def test_who_holds_key_1_leaves(desk):
    async def leave(step):
        await bench.station.press(1, ms=2000)

    async with desk() as bench:
        await ready(bench)
        technician = Technician(bench, headset_out=leave)
        told = await technician.test()
        assert (told["fit"], told["reason"]) == (False, "left")
        assert technician.steps[-1] == ("headset_out", "failed")
        await bench.shows("bench_left")


@pytest.fixture
def site(request):
    """As ever; where a test is about secure badges, the first agent's is one."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    if "secure" in request.node.name:
        content["agents"][0]["badges"] = [f"desfire:{SECURE}"]
    return parse(json.dumps(content).encode())


OWN = card_key(bytes.fromhex(CARD_KEY), bytes.fromhex(SECURE))


@pytest.mark.parametrize(
    ("badge", "key", "right"),
    [
        (SECURE, OWN, True),
        (SECURE, bytes(16), False),
        (NOBODYS, bytes(16), True),  # nobody's yet: it answers
        (NOBODYS, None, False),
    ],
    ids=["somebodys", "a_copy", "nobodys", "plain"],
)
async def test_secure_badges(desk, badge, key, right):
    async def tap(step):
        await bench.station.tap(badge, key=key, ms=2000)

    async with desk() as bench:
        await ready(bench)
        told = await Technician(bench, badge_secure=tap).test()
        assert failed(told) == ([] if right else ["badge_secure"])
        assert told["checks"]["badge_uid"] == "ok"


async def test_a_reader_of_another_kind(desk, board):  # noqa: F811
    async def tap(step):
        await bench.station.tap("0102030405")

    entry = ("rdm6300", "RDM6300", "uart", (), {})
    async with desk(board("badge_reader", entry)) as bench:
        technician = Technician(bench, microphone=nothing, badge_em=tap)
        told = await technician.test()
        assert technician.steps[-1] == ("badge em", "ok")
        assert told["fit"] and "badge_uid" not in told["checks"]
        absent = ("codec", "lights", "headset", "microphone")
        assert {told["checks"][name] for name in absent} == {"skipped"}


async def test_the_program_in_its_slot(slots):  # noqa: F811
    async with slots() as bench:
        await ready(bench)
        assert (await Technician(bench).test())["checks"]["flash"] == "ok"
        flash = bench.station.slots["slot_a"]
        at = len(flash.image) // 3
        while not flash.image[at]:
            at += 1
        flash.program(at, b"\0")
        told = await Technician(bench).test()
        assert failed(told) == ["flash"]
