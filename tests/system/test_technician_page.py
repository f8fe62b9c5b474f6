"""The pages for technicians, command by command: a board from its bag to its seat, and on the
way to its next program. What `diadema flash` wrote to a mocked board is what then runs in the VM.
"""

import asyncio
import contextlib
import json
import re
import shlex
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir, default_root
from diadema.cli.main import app
from diadema.stations.boards.table import load_board
from diadema.stations.cable import greeting_on
from diadema.stations.image.files import VFS_BLOCK, unpack
from diadema_sim.build import choose_boards
from diadema_sim.world import World
from typer.testing import CliRunner

from tests.support.mock_boards import Board
from tests.support.stock_image import stock_image
from tests.support.technician import BADGE, Technician

ROOT = Path(__file__).parents[2]
PARTS = (  # a page, and its part that ends at the next heading of that level
    ("hardware/README.md", "## De la bolsa al puesto"),
    ("host_tools/README.md", "### Otro broker, y calcular todo de nuevo · another broker"),
)
BOARD = "lyrat_v4_3"
SEAT = "A-01"
LIMIT_S = 300
AWAY_S = 1.5  # after which the same badge counts again


def commands() -> list[str]:
    """Of the pages, without what is said of them: first those that stand apart, in their order."""
    page = "\n".join(part(*each) for each in PARTS)
    apart = [line.partition("  #")[0].strip() for line in re.findall(r"^    (.*)$", page, re.M)]
    within = re.findall(r"`(diadema [^`]*)`", page.replace("\n", " "))
    return [re.sub(r" # .*", "", line) for line in [*apart, *within]]


def part(page: str, heading: str) -> str:
    text = (ROOT / page).read_text().partition(f"\n{heading}\n")[2]
    assert text, f"{page} has no {heading}"
    return text.partition(f"\n{heading.split()[0]} ")[0]


class Bench:
    """A technician's machine: the files stand in the working directory, the data where it does by
    default. One board is on its cable.
    """

    def __init__(self, folder: Path, board: Board, world: World) -> None:
        self.data = DataDir(default_root())
        self.folder = folder
        self.board = board
        self.world = world
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.station = None

    async def does(self, line: str) -> str:
        """What the command prints, as it stands there but for the port."""
        words = self._words(line)
        done = await asyncio.to_thread(CliRunner().invoke, app, words)
        assert done.exit_code == 0, (line, done.output, done.exception)
        return done.stdout

    async def starts(self, name: str, line: str, *more: str) -> None:
        """One that runs until it is ended."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "diadema", *self._words(line), *more,
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
            )  # fmt: skip

    async def ends(self, name: str) -> None:
        process = self.running.pop(name)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    async def until(self, look: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not await look():
                await asyncio.sleep(0.1)

    async def plug_in(self) -> None:
        """The station of what the board's flash holds now."""
        places = {one.name: one for one in load_board(BOARD).partitions}
        flash = {
            name: bytes(self.board.flash.read(places[name].offset, places[name].size))
            for name in ("slot_a", "slot_b", "vfs")
        }
        for name, data in unpack(flash.pop("vfs"), VFS_BLOCK).items():
            file = self.folder / "vfs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        (board,) = choose_boards(BOARD)
        self.station = await self.world.add_station(self.board.station, slots=flash, board=board)
        await self.station.power_on()
        assert await greeting_on(self.station.port, 300)

    def _words(self, line: str) -> list[str]:
        words = shlex.split(line.removesuffix("…"))[1:]
        return [self.station.port if word == "/dev/ttyUSB0" else word for word in words]


RUNNERS: dict[str, Callable[[Bench, str], Awaitable[None]]] = {}


def runs(line: str):
    def claim(runner):
        RUNNERS[line] = runner
        return runner

    return claim


@runs("diadema site example > SITE.json")
async def example(bench: Bench, line: str) -> None:
    words, _, file = line.partition(" > ")
    Path(file).write_text(await bench.does(words))


@runs("diadema pin e001 --site SITE.json")
async def pin(bench: Bench, line: str) -> None:
    before = Path("SITE.json").read_text()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diadema.cli.pin.getpass.getpass", lambda _: "526314")
        await bench.does(line)
    assert Path("SITE.json").read_text() != before


@runs("diadema site SITE.json")
async def site(bench: Bench, line: str) -> None:
    assert "the description is right" in await bench.does(line)
    assert bench.data.site.exists()


@runs("diadema hub")
@runs("diadema hub --mqtt-port 8884")
async def hub(bench: Bench, line: str) -> None:
    if "hub" in bench.running:
        await bench.ends("hub")
    ports = ("--port", "0", "--mqtt-port", "0")  # whatever else runs on this machine
    await bench.starts("hub", line, *ports)

    async def is_up() -> bool:
        return bench.data.read_hub() is not None

    await bench.until(is_up)


@runs(
    "diadema image build --board lyrat_v4_3 --micropython ESP32_GENERIC-SPIRAM.bin -o station.bin"
)
async def image(bench: Bench, line: str) -> None:
    Path("ESP32_GENERIC-SPIRAM.bin").write_bytes(stock_image("esp32"))
    assert "lyrat_v4_3 (esp32)" in await bench.does(line)


@runs("diadema flash --image station.bin --all")
async def flash(bench: Bench, line: str) -> None:
    assert bench.board.station in await bench.does(line)
    await bench.plug_in()


@runs("diadema provision --port /dev/ttyUSB0 --seat A-01 --replace")
async def provision(bench: Bench, line: str) -> None:
    told = await bench.does(line)
    assert f"{bench.board.station} (lyrat_v4_3" in told and f"is {SEAT} of" in told


@runs("diadema selftest A-01 --port /dev/ttyUSB0 --by ANA")
async def selftest(bench: Bench, line: str) -> None:
    await bench.station.plug()
    technician = Technician(bench.station, bench.data.log(bench.station.id))
    playing = asyncio.create_task(technician.plays())
    await bench.starts("selftest", line)
    await asyncio.wait({playing, ended := asyncio.create_task(bench.running["selftest"].wait())},
                       timeout=LIMIT_S, return_when="FIRST_COMPLETED")  # fmt: skip
    told = Path("selftest.log").read_text()
    assert ended.done() and not playing.done(), (told, technician.steps, playing)
    playing.cancel()
    assert bench.running.pop("selftest").returncode == 0, (told, technician.steps)
    assert "A-01: FIT FOR WORK" in told


@runs("diadema selftest show A-01 -o record.pdf")
async def record(bench: Bench, line: str) -> None:
    assert "FIT FOR WORK" in await bench.does(line)
    assert Path("record.pdf").read_bytes().startswith(b"%PDF")


@runs("diadema prove --port /dev/ttyUSB0 -o chip.json")
async def prove(bench: Bench, line: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONUNBUFFERED", "1")
        await bench.starts("prove", line + " --brief")  # it is real time here
    told = Path("prove.log")

    async def ends() -> bool:
        """Does what it said last, until it says something else."""
        *_, last = told.read_text().splitlines() or [""]
        if last.startswith("Key "):
            await bench.station.press(int(last[4]))
        elif last.startswith("Badge"):
            await bench.station.tap(BADGE)
            await asyncio.sleep(AWAY_S)
        return bench.running["prove"].returncode is not None

    await bench.until(ends)
    # in real time, on a machine that is busy: what it finds is test_prove's
    assert bench.running.pop("prove").returncode in (0, 1), told.read_text()
    assert "Key → light" in told.read_text() and Path("chip.json").exists()


@runs("diadema prove table chip.json")
async def proof_table(bench: Bench, line: str) -> None:
    assert "| Key → light" in await bench.does(line)


@runs("diadema label A-01 -o A-01.pdf")
async def label(bench: Bench, line: str) -> None:
    await bench.does(line)
    assert Path("A-01.pdf").read_bytes().startswith(b"%PDF")


@runs("diadema gateway /dev/ttyUSB0 …")
async def gateway(bench: Bench, line: str) -> None:
    await bench.starts("gateway", line)

    async def has_link() -> bool:
        (row,) = (row for row in await fleet(bench) if row["s"] == bench.station.id)
        return row["link"] == "up" and row["generation"] == row["wanted"]

    await bench.until(has_link)


@runs("diadema hub --require-proof")
async def proof(bench: Bench, line: str) -> None:
    told = await bench.does("diadema fleet list")
    assert "not shown yet by 1 that they can prove who they are: A-02" in told
    await hub(bench, line)

    async def is_heard() -> bool:
        (row,) = (row for row in await fleet(bench) if row["s"] == bench.station.id)
        return row["link"] == "up"

    await bench.until(is_heard)


async def fleet(bench: Bench) -> list[dict]:
    return json.loads(await bench.does("diadema fleet list --json"))


@runs("diadema fleet list")
@runs("diadema fleet show A-01")
async def told_of(bench: Bench, line: str) -> None:
    assert bench.board.station in await bench.does(line)


@runs("diadema fleet log A-01")
async def log(bench: Bench, line: str) -> None:
    assert bench.station.port in await bench.does(line)


@runs("diadema fleet bundle A-01")
async def diagnosis(bench: Bench, line: str) -> None:
    await bench.does(line)
    assert Path("A-01.zip").stat().st_size


@runs("diadema report day --kind fallas")
async def faults(bench: Bench, line: str) -> None:
    told = await bench.does(line)
    assert "Fallas" in told or "Faults" in told


@runs("diadema enrol DIA-0123456789ab")
async def enrol(bench: Bench, line: str) -> None:
    told = await bench.does(line.replace("DIA-0123456789ab", bench.board.station))
    assert f"user {bench.board.station}" in told


@runs("diadema rebuild")
async def rebuild(bench: Bench, line: str) -> None:
    await bench.ends("hub")
    await bench.does(line)


@runs("diadema keys make KEY")
@runs("diadema keys install KEY.pub")
async def keys(bench: Bench, line: str) -> None:
    await bench.does(line)


@runs("diadema update bundle --board lyrat_v4_3 --key KEY -o app.bundle")
async def bundle(bench: Bench, line: str) -> None:
    with pytest.MonkeyPatch.context() as patch:  # as a later checkout makes it
        patch.setattr("diadema.stations.update.bundle.program_version", lambda: "99.0")
        await bench.does(line)


@runs(
    "diadema update bundle --board lyrat_v4_3 --micropython ESP32_GENERIC-SPIRAM.bin --key KEY "
    "-o new.bundle"
)
async def micropython(bench: Bench, line: str) -> None:
    assert "lyrat_v4_3 MicroPython 1.28.0" in await bench.does(line)


@runs("diadema update start app.bundle --first 2 --then 25% --then all")
async def update(bench: Bench, line: str) -> None:
    await bench.does(line)

    async def is_under_way() -> bool:  # how it ends is test_bag_to_seat's
        (told,) = json.loads(await bench.does("diadema update status --json"))
        (seat,) = told["seats"]
        assert seat["phase"] in ("waiting", "sending", "trial", "good"), json.dumps(seat)
        return seat["phase"] == "good" or seat["part"] > 1

    await bench.until(is_under_way)


@runs("diadema update status")
async def status(bench: Bench, line: str) -> None:
    assert "lyrat_v4_3 99.0" in await bench.does(line)


@runs("diadema update again --port /dev/ttyUSB0")
async def again(bench: Bench, line: str) -> None:
    await bench.ends("gateway")
    await bench.station.power_cut()
    (bench.station.folder / "nvs.diadema.0").write_text(json.dumps([1 << 20, {"crashes": 3}]))
    await bench.station.power_on()
    assert await greeting_on(bench.station.port, 300)
    assert f"{bench.board.station} runs " in await bench.does(line)


@runs("diadema update cable app.bundle --port /dev/ttyUSB0")
async def cable(bench: Bench, line: str) -> None:
    await bench.station.power_cut()
    for flash in bench.station.slots.values():  # its programs are found to be bad
        if flash.image[-4096:].startswith(b"DSLT"):
            flash.program(len(flash.image) - 4096 + 88 + 3, b"\0")
    await bench.station.power_on()
    assert await greeting_on(bench.station.port, 300)
    assert f"{bench.board.station} runs 99.0" in await bench.does(line)


@runs("diadema import journal FILE")
async def journal(bench: Bench, line: str) -> None:
    event = {"s": "DIA-0000000000aa", "e": 7, "n": 1, "b": 1, "u": 5, "t": None,
             "k": "station.fault_cleared", "part": "keys", "code": "stuck"}  # fmt: skip
    Path("FILE").write_text(json.dumps(event) + "\n")
    assert "1" in await bench.does(line)


@runs("diadema enrol gateway row2 --json")
async def enrol_gateway(bench: Bench, line: str) -> None:
    assert json.loads(await bench.does(line))["user"] == "gw-row2"


@runs("diadema keys renew-ca")
async def renew_ca(bench: Bench, line: str) -> None:
    before = Certificates(bench.data.tls).broker_ca()
    assert "stations get it now" in await bench.does(line)

    async def is_another() -> bool:
        return Certificates(bench.data.tls).broker_ca() != before

    await bench.until(is_another)


@runs("diadema mosquitto")
async def mosquitto(bench: Bench, line: str) -> None:
    assert "mosquitto -c" in await bench.does(line)
    assert (bench.data.root / "mosquitto" / "mosquitto.conf").exists()


def test_every_command_of_the_page_is_run_here() -> None:
    assert set(commands()) == RUNNERS.keys()


async def test_from_its_bag_to_its_seat_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    # native code is made for the VM's processor; all else is what a chip gets
    monkeypatch.setattr("diadema.stations.image.files._ARCH", "host")
    (tmp_path / "vfs").mkdir()
    board = Board(0xE1)
    found = SimpleNamespace(device="", vid=0x10C4)
    monkeypatch.setattr("diadema.stations.flash.run.list_ports.comports", lambda: [found])
    now = int(time.time() * 1000)
    async with contextlib.AsyncExitStack() as stack:
        found.device = stack.enter_context(board).port
        world = World(tmp_path / "w", start_utc_ms=now, image=tmp_path / "vfs")
        bench = Bench(tmp_path, board, await stack.enter_async_context(world))
        try:
            for line in commands():
                await RUNNERS[line](bench, line)
        finally:
            for name in [*bench.running]:
                await bench.ends(name)
