"""A simulated station at a seat of one's own site, as `diadema desk --seat` opens it: the real
commands, and a page's socket in place of a hand.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from diadema.base.paths import DataDir, Hub
from diadema.cli.main import app
from diadema.site.description import load
from diadema.stations.fleet import all_stations
from diadema.store import open_reader, tables
from diadema.wire.journal import JournalWalker
from diadema_sim import menu_keys, people
from sqlalchemy import select as rows_of
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection, connect

from tests.system.test_provision import hub_on

LIMIT_S = 300
BOARD = "DIA-240ac4000001"  # no invented id


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """Two seats without a station, and one whose board lies in its bag."""
    data = DataDir(tmp_path / "datos del año")
    data.make()
    site = people.site(
        people.desks(3), name="Centro", zone="America/Lima", tree=people.LIMA_TREE,
        wifi=people.WIFI,
    )  # fmt: skip
    for number, station in enumerate(site["stations"], 1):
        station["id"] = f"DIA-{number:012x}"
    site["stations"][2]["id"] = BOARD
    data.site.write_text(json.dumps(site))
    return data


async def refused(*arguments: str) -> str:
    """What the command says that does not begin."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "diadema", "--lang", "en", "desk", "--no-browser", "--port", "0",
        *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        _, said = await process.communicate()
    assert process.returncode == 2, said
    return said.decode().removeprefix("diadema: ").rstrip()


async def fleet(data: DataDir) -> str:
    line = ["--lang", "en", "fleet", "list", "--data", str(data.root)]
    return (await asyncio.to_thread(CliRunner().invoke, app, line)).output


def of_run(folder: Path) -> set[int]:
    """The processes that have it in their command line."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if os.fsencode(folder) in entry.read_bytes():
                found.add(int(entry.parent.name))
    return found


class Desk:
    """One that is up, and somebody at its page."""

    def __init__(self, process: asyncio.subprocess.Process, about: dict[str, Any]) -> None:
        self.process, self.about = process, about
        self.standing: dict[str, Any] = {}
        self.number = 0  # sentences of what the station wrote
        self.badges: list[dict[str, Any]] = []
        self._page: ClientConnection | None = None

    async def enter(self) -> None:
        address = self.about["desk"].replace("http", "ws", 1)
        self._page = await connect(f"{address}/ws")

    async def sends(self, do: str, **fields: Any) -> None:
        assert self._page
        await self._page.send(json.dumps({"do": do, **fields}))

    async def reads(self) -> None:
        assert self._page
        message = json.loads(await self._page.recv())
        assert "error" not in message, message
        self.standing = message.get("standing", self.standing)
        self.badges = message.get("hello", {}).get("badges", self.badges)
        self.number += len(message.get("said", ()))

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not (self.standing and wanted(self.standing)):
                await self.reads()

    async def does(self, do: str, state: str, **fields: Any) -> None:
        """Again, until the station is in that state: its screen may have changed meanwhile."""
        while self.standing.get("state") != state:
            await self.sends(do, **fields)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await self.until(lambda now: now["state"] == state)


@contextlib.asynccontextmanager
async def desk(data: DataDir, scratch: Path, *arguments: str):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "diadema", "desk", "--data", str(data.root), "--no-browser",
        "--port", "0", "--json", *arguments, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=os.environ | {"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert process.stdout and process.stderr
    try:
        async with asyncio.timeout(LIMIT_S):
            line = await process.stdout.readline()
            assert line, (await process.stderr.read()).decode()
        yield Desk(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def on_flash(data: DataDir, s: str) -> set[tuple[str, int, int]]:
    image = (data.simulated / s / "journal.bin").read_bytes()
    found = JournalWalker(image).programmed(0, len(image))
    return {(s, event.epoch, event.sequence) for event in found}


async def all_stored(data: DataDir, s: str) -> None:
    """Until the hub has what is on the flash: another process's commit."""
    with contextlib.closing(open_reader(data.store)) as reader:
        async with asyncio.timeout(LIMIT_S):
            while on_flash(data, s) - reader.keys():
                await asyncio.sleep(0.1)


async def test_a_seat_works_as_with_a_board_and_goes_on_after_a_kill(
    data: DataDir, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scratch = tmp_path_factory.mktemp("s")  # short: a socket lies in it
    me = people.desks(1)[0].person
    root = str(data.root)
    async with hub_on(data):
        async with desk(data, scratch, "--seat", "A-01") as first:
            s = first.about["station"]
            assert (first.about["seat"], first.about["board"]) == ("A-01", "sim")
            assert {one.id: one.seat for one in load(data.site).stations}[s] == "A-01"
            await first.enter()
            await first.until(lambda _: len(first.badges) == 4)  # three people and a stranger
            await first.does("tap", "not_ready", badge=me.id)
            await first.does("press", "ready", key=menu_keys.READY)
            opened = await refused("--data", root, "--seat", "A-01")
            assert opened == (
                f"the simulated station of A-01 is open already, at {first.about['desk']}"
            )
            await first.does("ring", "offered")
            await first.does("press", "talking", key=menu_keys.ANSWER)
            rows = {row.seat: row for row in all_stations(data, 0)}
            assert (rows["A-01"].board, rows["A-01"].simulated) == ("sim", True)
            assert rows["A-01"].proves
            assert rows["A-01"].link == "up"
            assert "usb" in rows["A-01"].ways
            assert "simulated" in await fleet(data)
            machines = of_run(scratch)
            assert machines
            ends = [os.pidfd_open(pid) for pid in machines]
            first.process.kill()
            await first.process.wait()
        for end in ends:  # the interpreter hears that its world is gone
            assert (await asyncio.to_thread(select.select, [end], [], [], LIMIT_S))[0]
            os.close(end)
        before = on_flash(data, s)
        assert await refused("--data", root, "--seat", "X-9") == (
            f"there is no seat X-9 in {root}; free for a simulated station: A-01, A-02"
        )
        taken = await refused("--data", root, "--seat", "A-03")
        assert taken.startswith(f"at A-03 stands station {BOARD}, neither simulated nor invented")
        async with desk(data, scratch) as second:  # the one that there is
            assert second.about["station"] == s
            await second.enter()
            await second.until(lambda now: now["powered"])
            if second.standing["state"] == "logged_out":
                await second.does("tap", "not_ready", badge=me.id)
            await second.sends("cable", plugged=False)
            await second.until(lambda now: not now["cable"])
            await second.sends("tap", badge="unknown")
            seen = second.number
            async with asyncio.timeout(LIMIT_S):
                while second.number == seen:  # what it wrote without its cable
                    await second.reads()
            await all_stored(data, s)  # so by the site's Wi-Fi
            second.process.send_signal(signal.SIGINT)
            assert await second.process.wait() == 0
        assert of_run(scratch) == set()
        assert [*scratch.glob("diadema-run-*")] == []
        await all_stored(data, s)
        after = on_flash(data, s)
        assert before < after
        assert {e for _, e, _ in before} == {e for _, e, _ in after}
        with contextlib.closing(open_reader(data.store)) as reader:
            stored = {key for key in reader.keys() if key[0] == s}  # noqa: SIM118
            assert stored == after
            assert reader.conflicts() == []
            with reader.engine.connect() as connection:
                who = connection.execute(rows_of(tables.sessions.c.a)).scalars().all()
        assert {*who} == {me.id}


async def test_what_cannot_be_seated_says_what_to_do(data: DataDir, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert (await refused("--data", str(nowhere))).startswith(
        f"no hub ever ran on {nowhere}: start"
    )
    assert not nowhere.exists()
    data.secrets.write_text("{}")
    none = f"no hub runs on {data.root}: start `diadema hub`, or check --data"
    assert await refused("--data", str(data.root)) == none
    hub = Hub(pid=1, children={}, web="http://127.0.0.1:9", nats="", mqtt=("127.0.0.1", 9))
    data.hub.write_bytes(msgspec.json.encode(hub))
    data.lock.write_text("of one that was killed")
    assert await refused("--data", str(data.root)) == none
    assert "--board s3_korvo2: at a seat of one's own site the simulated board is always sim" in (
        await refused("--data", str(data.root), "--board", "s3_korvo2")
    )
