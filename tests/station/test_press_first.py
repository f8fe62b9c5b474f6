"""A key press reaches lights and screen in the turn that takes it, right after its own events are
on flash: never behind a sector's erasing, another file's writing or the uplink.

Told by a trace that the station itself writes: what its models see, in its order.
"""

import json
import shutil
from pathlib import Path

import pytest

_JUST_ANSWERED_MS = 1_500  # key 1 does not hang up before
_SETTLED_MS = 400  # nor do soft keys act so soon after a change that was not hers
_QUIET_MS = 1_200  # the station erases ahead when nothing came for a second
_KEPT_AFTER_MS = 3_000  # and writes what she wishes so long after its change
_AWAY_MS = 1_000  # after which the same badge counts as tapped again

# laid before main.py: `turn` another task of the loop, `contact` a key's edge on its pin, `take`
# an input that the state machine is given; then what the models of flash, lights and screen, the
# file system and the line are asked
_TRACER = """
def _trace():
    import builtins
    from asyncio import core
    import board, esp32, tasks, wire
    from drivers.usb_serial import UsbSerial
    from lib.states import Station
    from parts.ssd1306 import SSD1306
    from pins import net

    told = []

    def note(what):
        if not told or told[-1] != what:
            told.append(what)

    def noted(cls, name, what):
        own = getattr(cls, name)

        def called(*arguments):
            found = what(*arguments)
            if found:
                note(found)
            return own(*arguments)

        setattr(cls, name, called)

    # the loop's own queue, not those of who waits for something
    noted(tasks.TaskQueue, "pop", lambda queue: queue is core._task_queue and "turn")
    noted(Station, "handle", lambda station, name, *rest: "take " + name)
    noted(esp32.Partition, "writeblocks", lambda *rest: "append")
    noted(esp32.Partition, "ioctl", lambda flash, command, *rest: command == 6 and "erase")
    noted(SSD1306, "_store", lambda *rest: "screen")
    noted(UsbSerial, "write", lambda *rest: "send")
    for wired, gpio in board.PINS.items():
        if wired[:3] in ("led", "key"):
            net(gpio).watchers.append(
                lambda level, what="lights" if wired[:3] == "led" else "contact": note(what)
            )
    own_open = builtins.open

    def opened(path, mode="r", *rest):
        if "r" not in mode:
            note("write " + path)
        return own_open(path, mode, *rest)

    builtins.open = opened

    def trace(command):
        answer = {"trace": told[:]}
        told.clear()
        return answer

    wire.on("trace", trace)


_trace()

"""


@pytest.fixture
def image(image: Path, tmp_path: Path) -> Path:
    """The firmware with the tracer in it."""
    folder = tmp_path / "traced"
    shutil.copytree(image, folder)
    main = folder / "main.py"
    main.write_text(_TRACER + main.read_text())
    return folder


class Trace:
    def __init__(self, bench):
        self.bench = bench
        self.told: list[str] = []  # of the whole run

    async def of(self, key: int, name: str = "") -> list[str]:
        """Press a key and look: what was done between its contact and its being taken, and then
        in the turn in which it was taken.
        """
        await self.look()
        if name.startswith("long"):
            await self.bench.station.press(key, ms=900)
        else:
            await self.bench.keys(key)
        told = await self.look()
        at = told.index("take " + (name or f"key{key}"))
        behind = [what for what in told[told.index("contact") : at] if what not in _IDLE]
        rest = told[at + 1 :]
        turn = rest[: rest.index("turn")]
        assert "erase" not in behind
        slow = [what for what in behind if what != "send"]  # which is done before it has bounced
        assert len(slow) <= 1, "at most one thing that had begun"
        assert not {"erase", "send"}.intersection(turn) and not _writes(turn), turn
        assert "take" not in " ".join(turn)
        assert turn[-1] == "screen", turn
        assert turn == sorted(turn, key=["append", "lights", "screen"].index), turn
        return turn  # the lights may already be as they shall, where they blink

    async def look(self) -> list[str]:
        told: list[str] = (await self.bench.station.ask({"do": "trace"}))["trace"]
        self.told += told
        return told


_IDLE = ("turn", "contact", "screen", "lights")


def _writes(told):
    return [what for what in told if what.startswith("write")]


async def test_a_whole_call(desk):
    async with desk() as bench:
        trace = Trace(bench)
        await bench.ready()
        await bench.ring("C-1")
        turns = [await trace.of(1)]
        await bench.world.sleep(_JUST_ANSWERED_MS)
        turns += [await trace.of(key) for key in (2, 2, 4, 4, 1)]
        assert all(turn[0] == "append" for turn in turns)
        assert ["append", "lights", "screen"] in turns
        await bench.world.sleep(_SETTLED_MS)
        assert await trace.of(3) == ["screen"]  # a branch of the tree
        await bench.caught_up()
        await trace.look()
        assert "send" in trace.told


async def test_sectors_are_erased_while_nobody_presses(desk):
    async with desk() as bench:
        trace = Trace(bench)
        await bench.ready()
        await bench.ring("C-1")
        await bench.answer("C-1")
        for _ in range(60):
            await trace.of(2)
            await bench.world.sleep(_QUIET_MS)
        await trace.look()
        assert trace.told.count("erase") >= 2


async def test_wishes_are_written_behind_the_screen(desk):
    async with desk() as bench:
        trace = Trace(bench)
        await bench.ready()
        await trace.look()
        trace.told.clear()
        await trace.of(4, "long4")
        assert not _writes(trace.told)
        await bench.world.sleep(_KEPT_AFTER_MS - 150)
        await trace.of(4)  # about when they are due
        await bench.world.sleep(_KEPT_AFTER_MS)
        await trace.look()
        assert _writes(trace.told) == ["write prefs.json.new"]


async def test_who_leaves_at_once_sees_so_before_her_wishes_are_written(desk, tmp_path):
    async with desk() as bench:
        trace = Trace(bench)
        await bench.ready()
        await bench.world.sleep(_AWAY_MS)
        await trace.look()
        trace.told.clear()
        await trace.of(4, "long4")
        await bench.station.tap(bench.badges[0])
        await bench.world.sleep(_SETTLED_MS)
        assert await trace.of(4) == ["append", "lights", "screen"]
        await bench.event("session.closed")
        await bench.world.sleep(_KEPT_AFTER_MS)
        await trace.look()
        assert _writes(trace.told) == ["write prefs.json.new"]
        (file,) = tmp_path.glob("sim/**/prefs.json")
        assert list(json.loads(file.read_text()[:-9])) == ["a001"]  # behind it stands its check


async def test_a_backlog_is_sent_behind_it(desk):
    async with desk() as bench:
        trace = Trace(bench)
        await bench.ready()
        await bench.ring("C-1")
        await bench.answer("C-1")
        bench.host.answering = False
        for _ in range(12):
            await trace.of(2)
        bench.host.answering = True
        bench.host.send({"hello": {}})
        assert await trace.of(2) == ["append", "screen"]
        await bench.caught_up()
        await trace.look()
        assert trace.told.count("send") > 12
