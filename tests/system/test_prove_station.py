"""`diadema prove` on the real firmware in the simulator: it ends well, tells all it was asked for,
and leaves the station as it was.
"""

import asyncio
import json

import pytest
from diadema.cli.main import app
from diadema.gateway.station_line import StationLine
from diadema.site.station_keys import StationKeys, seal
from diadema.stations.prove.figures import figures, wrong
from diadema_sim.build import SimBoard, board_names, build_firmware
from typer.testing import CliRunner

from tests.support.proving import BADGE, STATION, Person, desk

BOARDS = [SimBoard(name) for name in board_names()]
# of what hangs on a station
LACKS = {"sim": set(), "devkitc_wm8960": set(), "s3_korvo2": {"voice", "line", "line_out"}}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr("diadema.stations.prove.run.LIE_S", 6)
    monkeypatch.setattr("diadema.stations.prove.run.TWO_S", 8)


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
async def test_a_station_says_what_it_can_and_is_left_as_it_was(tmp_path, image, board):
    async with desk(tmp_path, image, board) as bench:
        events, before = bench.events(), bytes(bench.station.flash.image)
        told, forged = await bench.measured()
        found = figures(told)
        assert forged == 0
        assert {one.name: (one.verdict, one.value) for one in wrong(found)} == {}
        lacks = LACKS.get(board.name, {"line_out"})
        none = {one.name for one in found if one.value is None}
        assert none == {"connection", "dips"} | lacks
        own = ["headset.unplugged", "headset.plugged", "station.fault", "station.fault_cleared"]
        kinds = [event["k"] for event in bench.events()[len(events) :]]
        assert kinds[-4:] == own and {*kinds} == {*own}
        after = bytes(bench.station.flash.image)
        held = [at for at, byte in enumerate(before) if byte != 0xFF]
        assert len(held) > 500
        assert all(before[at] == after[at] for at in held)  # it may note what the host has


class Wire:
    """Somebody else on the cable: says what they like, and hears all."""

    def __init__(self, bench):
        self._bench = bench
        self.heard = []
        self.line = StationLine(
            bench.port, opened=lambda: None, message=self._hears, closed=lambda: None
        )

    async def __aenter__(self):
        self._running = asyncio.create_task(self.line.run())
        await asyncio.sleep(0.05)
        self.line.ask_hello()
        await self.goes_on(500)
        return self

    async def __aexit__(self, *_):
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    def _hears(self, body):
        if body.startswith(b'{"proof"'):
            self.heard.append(json.loads(body)["proof"])

    async def says(self, ms=1_000, *, seal_key=None, boot=1, **asked):
        """What the station answered in that time."""
        body = json.dumps({"cmd": "prove", **asked}).encode()
        self.line.send(seal(seal_key, STATION, boot, body) if seal_key else body)
        before = len(self.heard)
        await self.goes_on(ms)
        return self.heard[before:]

    async def goes_on(self, ms):
        for _ in range(0, ms, 20):
            await asyncio.sleep(0.001)
            await self._bench.world.sleep(20)


async def test_nobody_else_starts_it_and_no_command_is_obeyed_twice(tmp_path, image):
    async with desk(tmp_path, image) as bench, Wire(bench) as wire:
        key = StationKeys(bench.data.keys).of(STATION)
        assert await wire.says(i=5, step="about") == []
        assert await wire.says(i=5, step="about", seal_key=bytes(32)) == []
        assert await wire.says(i=5, step="about", seal_key=key, boot=2) == []
        (answer,) = await wire.says(i=5, step="about", seal_key=key)
        assert (answer["i"], answer["board"]) == (5, "sim")
        assert await wire.says(i=5, step="about", seal_key=key) == []
        assert await wire.says(i=4, step="end", seal_key=key) == []
        (answer,) = await wire.says(i=6, step="end", seal_key=key)
        assert answer["step"] == "end"


async def test_a_host_that_is_gone_gets_no_answer_any_more(tmp_path, image):
    async with desk(tmp_path, image) as bench, Wire(bench) as wire:
        key = StationKeys(bench.data.keys).of(STATION)
        assert await wire.says(i=5, step="key", key=1, seal_key=key) == []
        (answer,) = await wire.says(i=6, step="about", seal_key=key)
        assert answer["i"] == 6
        await wire.goes_on(25_000)
        assert [answer["i"] for answer in wire.heard] == [6]


async def test_where_somebody_works_nothing_is_measured(tmp_path, image):
    async with desk(tmp_path, image) as bench, Wire(bench) as wire:
        key = StationKeys(bench.data.keys).of(STATION)
        badge = json.loads(bench.data.site.read_bytes())["agents"][0]["badges"][0]
        await bench.station.tap(badge.partition(":")[2])
        await wire.goes_on(1_000)
        (answer,) = await wire.says(i=5, step="about", seal_key=key)
        assert answer == {"i": 5, "refused": "busy"}
        assert "session.opened" in [event["k"] for event in bench.events()]


async def test_left_alone_it_gives_the_station_back_after_a_minute(tmp_path, image):
    async with desk(tmp_path, image) as bench, Wire(bench) as wire:
        key = StationKeys(bench.data.keys).of(STATION)
        shown = await bench.station.screen()
        await wire.says(i=5, step="about", seal_key=key)
        assert await bench.station.screen() != shown
        events = len(bench.events())
        await bench.station.tap(BADGE)  # nobody comes in meanwhile
        await wire.goes_on(1_000)
        assert len(bench.events()) == events
        await wire.goes_on(62_000)
        await bench.station.tap(BADGE)
        await wire.goes_on(1_000)
        assert len(bench.events()) > events


async def test_the_command_ends_well_and_prints_its_table(tmp_path, image):
    async with desk(tmp_path, image) as bench:
        file = tmp_path / "proof.json"
        words = ["prove", "--port", bench.port, "--data", str(bench.data.root), "-o", str(file)]
        told = []

        def hears(line):
            told.append(line)
            person.hears(line)

        person = Person(bench.station)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DIADEMA_LANG")
            patch.setattr("diadema.cli.prove.print_line", hears)
            runner = CliRunner(env={"COLUMNS": "160"})
            work = asyncio.create_task(asyncio.to_thread(runner.invoke, app, words))
            done = await bench.while_person_acts(person, work)
        assert done.exit_code == 0, (done.output, done.exception, told)
        assert "Tecla → luz, la más lenta" in done.output and "≤ 20 ms" in done.output
        assert told[-1].startswith("Todo dentro de lo previsto") and file.exists()


async def test_what_nobody_does_is_told_as_missing_and_what_is_not_heard_as_wrong(tmp_path, image):
    async with desk(tmp_path, image) as bench:
        person = Person(bench.station, lazy=("Fotocheck", "Dos"), deaf=("Voz propia",))
        told, _ = await bench.measured(person)
        found = {one.name: one.verdict for one in wrong(figures(told))}
        assert found == {"badge": "missing", "two": "missing", "voice": "budget"}
