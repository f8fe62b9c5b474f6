"""One simulated station: its power, flash and cable, and what a person can do to it."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diadema.base.errors import DiademaError
from diadema.wire.journal import SECTOR, JournalWalker

from diadema_sim.build import SIM, SimBoard
from diadema_sim.cable import Cable
from diadema_sim.flash import CutPlan, FlashCut, NorFlash
from diadema_sim.traffic import Traffic
from diadema_sim.vm import Vm

if TYPE_CHECKING:
    from diadema_sim.world import World

JOURNAL_BYTES = 512 * 1024
_SETTLE_MS = 40  # after a release: longer than any debounce
_READ_TWICE = 2  # before a ladder's key counts


class NoPower(DiademaError):
    """The station is dark, or went dark before it answered."""


class Station:
    """Made by `World.add_station`; starts without power. What its flash holds already, of an
    earlier run, the witness knows from the beginning.
    """

    def __init__(
        self,
        world: "World",
        station_id: str,
        folder: Path,
        journal_bytes: int = JOURNAL_BYTES,
        board: SimBoard = SIM,
        slots: Mapping[str, bytes] | None = None,
    ) -> None:
        self.id = station_id
        self.board = board
        self.folder = folder
        # at the next power-on: the stock image in it where no app partition says so ("": the
        # right one), and whether its PSRAM answers
        self.build, self.psram = "", True
        self.busy = False
        self.due: int | None = None
        self.blocked = False
        self.plugged = True
        self.figures: dict[str, int] = {}  # of boards/sim/manners.py, where not as there
        self.console: deque[bytes] = deque(maxlen=200)
        self.restarts: list[str] = []  # causes, as the VM gave them
        self.crash: str | None = None
        self._world = world
        self._card: dict[str, Any] | None = None
        self._networks: dict[str, str] = {}
        self._vm: Vm | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        files = folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        for entry in files.iterdir():
            if entry.is_symlink():  # the program of an earlier run
                entry.unlink()
        for entry in world.image.iterdir():
            (files / entry.name).symlink_to(entry)
        self._cut: asyncio.Future[None] | None = None
        self.flash = NorFlash(folder / "journal.bin", journal_bytes)
        self.slots = {}  # the other flash partitions, where the program runs from slots
        for name, content in (slots or {}).items():
            (folder / f"{name}.bin").write_bytes(content)
            self.slots[name] = NorFlash(folder / f"{name}.bin", len(content))
        self._walker = JournalWalker(self.flash.image)
        before = self._walker.programmed(0, len(self.flash.image))
        for event in sorted(before, key=lambda event: (event.epoch, event.sequence)):
            world.witness.record(station_id, event)
        timeline = world.timeline
        self.traffic = Traffic(
            lambda: None if timeline.speed else timeline.now(),
            timeline.settle,
            lambda: self.cable.passing(),
        )
        self.cable = Cable(folder / "port", self._from_host, self.traffic.cable_up)
        self.cable.plug()

    @property
    def port(self) -> str:
        """The serial port that a gateway opens."""
        return str(self.cable.path)

    @property
    def powered(self) -> bool:
        return self._vm is not None

    @property
    def reachable(self) -> bool:
        """Whether a link leads to it: its cable, or the air."""
        return self.cable.plugged or (bool(self._networks) and self.traffic.online.is_set())

    @property
    def pid(self) -> int | None:
        """Of its VM."""
        return self._vm.pid if self._vm else None

    @property
    def clock_limit_ms(self) -> int | None:
        return self.traffic.clock_limit_ms

    @property
    def last_message_at(self) -> float:
        return self.traffic.last_message_at

    # --- power --------------------------------------------------------------------------------

    async def power_on(self, cause: str = "power_on") -> None:
        if self._vm:
            return
        self._vm = Vm(
            self.board,
            self.folder,
            self.id.removeprefix("DIA-"),
            cause,
            self.build,
            self.psram,
            on_line=self._on_line,
            on_console=self._console_output,
            on_end=self._ended,
        )
        self.busy, self.due, self.crash = True, None, None
        self._world.timeline.machines.add(self)
        self.send_time()  # the first word: its own clock begins there
        self._write(json.dumps({"do": "manners", "figures": self.figures, "id": 0}))
        if self.plugged:
            self._post({"do": "plug", "id": 0})
        if self._card:
            self._post({**self._card, "id": 0})
        if self._networks:
            self._post({"do": "wifi", "networks": self._networks, "id": 0})

    async def power_cut(self) -> None:
        """At once, whatever the station was doing."""
        if self._vm:
            self._stop(self._vm)

    async def power_cut_in_flash(
        self, plan: CutPlan, timeout_s: float, only: str | None = None
    ) -> bool:
        """Cut in the middle of a flash operation, by `plan`; anywhere once `timeout_s` is over.
        `only` of that partition.

        Whether it came to the plan. Returns when the power is gone.
        """
        self._cut = asyncio.get_running_loop().create_future()
        for flash in (self.slots[only],) if only else (self.flash, *self.slots.values()):
            flash.plan = plan
        try:
            async with asyncio.timeout(timeout_s):
                await self._cut
            return True
        except TimeoutError:
            await self.power_cut()
            return False
        finally:
            self._cut = None
            for flash in (self.flash, *self.slots.values()):
                flash.plan = None

    def _flash_cut(self) -> None:
        assert self._vm and self._cut
        self._stop(self._vm)
        if not self._cut.done():
            self._cut.set_result(None)

    def _stop(self, vm: Vm) -> None:
        vm.stop()
        self._vm = None
        self.busy, self.due = False, None
        self.traffic.power_lost()
        self._world.timeline.machines.discard(self)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NoPower(f"{self.id} lost its power before it answered"))
        self._answers.clear()
        self._world.timeline.settle()

    async def close(self) -> None:
        await self.power_cut()
        self.cable.pull()
        for flash in (self.flash, *self.slots.values()):
            flash.close()

    # --- what a person does -------------------------------------------------------------------

    async def tap(
        self,
        badge: str,
        ms: int | None = 600,
        *,
        torn: bool = False,
        key: bytes | None = None,
        beside: str | None = None,
    ) -> None:
        """Hold a badge to the reader for `ms` of simulated time; None leaves it there. One with a
        `key` is a DESFire card that knows it; `beside` is a plain one in the same wallet.
        """
        self._card = {
            "do": "tap",
            "badge": badge,
            "torn": torn,
            "key": key.hex() if key else None,
            "beside": beside,
        }
        await self.ask(self._card)
        if ms is not None:
            await self._world.sleep(ms)
            await self.untap()

    async def untap(self) -> None:
        self._card = None
        await self.ask({"do": "untap"})

    async def press(self, key: int, ms: int = 80, *, bounce: int = 0) -> bool:
        """Press and release a key, `ms` later by the station's own clock however busy its host is;
        returns when the release is past any debounce. False when the chip stood meanwhile and
        cannot know of it, as its keys are a ladder on an ADC.
        """
        await self.ask({"do": "press", "key": key, "ms": ms, "bounce": bounce})
        await self._world.sleep(ms)
        answer = await self.ask({"do": "release", "key": key, "bounce": bounce})
        await self._world.sleep(_SETTLE_MS)
        return bool(answer.get("read", _READ_TWICE) >= _READ_TWICE)

    async def plug(self) -> None:
        self.plugged = True
        await self.ask({"do": "plug"})

    async def unplug(self) -> None:
        self.plugged = False
        await self.ask({"do": "unplug"})

    async def set_access_points(self, networks: dict[str, Any]) -> None:
        """The access points in reach from now on, name and password."""
        self._networks = networks
        if self._vm:
            await self.ask({"do": "wifi", "networks": networks})

    async def screen(self) -> bytes:
        """The display's memory, 1024 bytes (8 pages × 128 columns, bit 0 on top)."""
        return bytes.fromhex((await self.ask({"do": "screen"}))["ram"])

    async def lights(self) -> dict[str, bool]:
        lights: dict[str, bool] = (await self.ask({"do": "lights"}))["lights"]
        return lights

    async def dump(self) -> dict[str, Any]:
        """What every part of the board says of itself, and the VM's heap."""
        return await self.ask({"do": "dump"})

    async def manners(self, **figures: int) -> None:
        """How its chip is from now on, after a start too: figures of boards/sim/manners.py."""
        self.figures.update(figures)
        if self._vm:
            await self.ask({"do": "manners", "figures": figures})

    async def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send one command of the world channel. Raises DiademaError when the board refuses it."""
        if not self._vm:
            raise NoPower(f"{self.id} has no power; give it power_on first")
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._post({**command, "id": number})
        result: dict[str, Any] = await answer
        if "error" in result:
            raise DiademaError(f"{self.id}: {result['error']}")
        return result

    def send_time(self, until: int | None = None) -> None:
        timeline = self._world.timeline
        self.busy = True
        if timeline.speed:
            self._write(f"S {timeline.now()} {timeline.speed}")
        else:
            self._write(f"T {timeline.now()} {until or timeline.now()}")

    def jump(self, ms: int) -> None:
        self.busy = True
        self._write(f"J {ms}")
        self.send_time()

    def _post(self, command: dict[str, Any]) -> None:
        if not self._world.timeline.speed and self._vm and self._vm.sent:
            self.send_time()
        self.busy = True
        self._write(json.dumps(command))

    def _write(self, text: str, *, counted: bool = True) -> None:
        if self._vm:
            self._vm.write(text, counted=counted)

    def _from_host(self, data: bytes) -> None:
        """Bytes from the gateway, which begin to come now."""
        if not self._vm:
            return
        self.traffic.cable_down(data)
        if not self._world.timeline.speed:
            self.send_time()
        self.busy = True
        self._write(f"P {data.hex()}")

    def _console_output(self, data: bytes) -> None:
        self.console.append(data)
        self.cable.send(data)

    def _on_line(self, text: bytes, data: bytes) -> None:
        kind = text[:1]
        if kind in (b"I", b"Z"):
            _, due, heard, now = text.split()
            self._world.timeline.advanced_to(int(now))
            if self._vm and int(heard) == self._vm.sent:
                self.busy, self.blocked = False, kind == b"Z"
                self.due = int(due) if due != b"-1" else None
                if not self._world.timeline.speed:
                    self._world.timeline.settle()
        elif kind == b"W":
            _, name, offset, _ = text.split()
            self._program(name.decode(), int(offset), data)
        elif kind == b"E":
            _, name, offset = text.split()
            self._erase(name.decode(), int(offset))
        elif kind == b"N":
            self._world.timeline.advanced_to(int(text[2:]))
        elif kind == b"B":
            self.busy = True
        elif kind == b"A":
            (self.traffic.online.set if text == b"A 1" else self.traffic.online.clear)()
        elif kind == b"U":
            self.traffic.wifi_up(text[2:])
        elif kind == b"D":
            self.traffic.wifi_down(text[2:])
        elif kind == b"R":
            self.restarts.append(text[2:].decode())
        elif kind == b"{":
            answer = json.loads(text)
            future = self._answers.pop(answer["id"], None)
            if future and not future.done():
                future.set_result(answer)

    def _erase(self, name: str, offset: int) -> None:
        flash = self.slots.get(name, self.flash)
        if flash is self.flash:
            self._walker.erased(offset // SECTOR)
        try:
            flash.erase(offset)
        except FlashCut:
            self._flash_cut()
        self._write("F ok", counted=False)

    def _program(self, name: str, offset: int, data: bytes) -> None:
        flash = self.slots.get(name, self.flash)
        cut = False
        try:
            flash.program(offset, data)
        except IndexError as error:
            self._write(f"F {error}", counted=False)
            return
        except FlashCut:
            cut = True
        if flash is self.flash:
            for event in self._walker.programmed(offset, len(data)):
                self._world.witness.record(self.id, event)
        if cut:
            self._flash_cut()
        self._write("F ok", counted=False)

    def _ended(self) -> None:
        """The VM is gone: a reset starts it again, anything else is a crash to be shown."""
        assert self._vm
        wanted = len(self.restarts)
        console = b"".join(self.console)[-2000:].decode(errors="replace")
        self._stop(self._vm)
        if wanted > self._world.restarts_seen(self.id):
            self._world.spawn(self.power_on(self.restarts[-1]))
        else:
            self.crash = f"{self.id}: the VM ended by itself. Its last words:\n{console}"
            self._world.crashed(self.crash)
