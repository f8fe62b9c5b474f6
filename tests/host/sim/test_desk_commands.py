"""What the requests of the virtual desk do to station and switchboard, and what is refused."""

import asyncio
from typing import Any

import pytest
from diadema_sim import people
from diadema_sim.desk import commands
from diadema_sim.desk.commands import (
    SHORTEST_S,
    CommandExecutor,
    Refused,
    Request,
    sample_badges,
)
from diadema_sim.hub_client import HubUnreachable
from diadema_sim.station import NoPower


class Cable:
    plugged = True

    def plug(self) -> None:
        self.plugged = True

    def pull(self) -> None:
        self.plugged = False


class Station:
    """Remembers what was done to it."""

    id = "DIA-02d1ade00001"

    def __init__(self) -> None:
        self.powered = True
        self.cable = Cable()
        self.done: list[Any] = []
        self.wifi = False
        self.card_taken = asyncio.Event()
        self.card_taken.set()

    @property
    def reachable(self) -> bool:
        return self.cable.plugged or self.wifi

    def _do(self, what: Any) -> None:
        if not self.powered:
            raise NoPower("dark")
        self.done.append(what)

    async def ask(self, command: dict[str, Any]) -> None:
        self._do((command["do"], command["key"]))

    async def press(self, key: int) -> None:
        self._do(("short", key))

    async def tap(self, badge: str) -> None:
        self._do(("tap", badge))
        await self.card_taken.wait()

    async def plug(self) -> None:
        self._do("plug")

    async def unplug(self) -> None:
        self._do("unplug")

    async def power_on(self) -> None:
        self.powered = True

    async def power_cut(self) -> None:
        self.powered = False


class Desk:
    def __init__(self) -> None:
        self.station = Station()
        self.work: tuple[str, str | None] = ("idle", None)


class Hub:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.silent = False

    async def command(self, station: str, **body: Any) -> int:
        if self.silent:
            raise HubUnreachable("silent")
        assert station == Station.id
        self.asked.append(body)
        return len(self.asked)


class Bench:
    def __init__(self) -> None:
        self.desk, self.hub = Desk(), Hub()
        self.station = self.desk.station
        samples = sample_badges([desk.person for desk in people.desks(2)])
        queues = [*people.QUEUES.values()]
        self.executor = CommandExecutor(
            self.station,
            self.desk,
            self.hub,
            samples,
            queues,  # type: ignore[arg-type]
        )

    async def refuses(self, request: Request) -> str:
        with pytest.raises(Refused) as refusal:
            await self.executor.execute(request)
        return refusal.value.word


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_key_is_down_until_it_is_let_go(bench: Bench) -> None:
    await bench.executor.execute(commands.Down(4))
    assert bench.station.done == [("press", 4)]
    await bench.executor.execute(commands.Up(4))
    assert bench.station.done == [("press", 4), ("release", 4)]


async def test_a_key_that_is_not_down_is_not_released(bench: Bench) -> None:
    await bench.executor.execute(commands.Up(4))
    assert bench.station.done == []


async def test_a_cut_of_the_power_lets_go_of_the_keys(bench: Bench) -> None:
    await bench.executor.execute(commands.Down(1))
    await bench.executor.execute(commands.Power(False))
    await bench.executor.release_keys({1})
    await bench.executor.execute(commands.Power(True))
    await bench.executor.execute(commands.Up(1))
    assert bench.station.done == [("press", 1)]


async def test_one_badge_at_a_time_is_at_the_reader(bench: Bench) -> None:
    bench.station.card_taken.clear()
    tap = asyncio.create_task(bench.executor.execute(commands.Tap("a002")))
    async with asyncio.timeout(300):
        while bench.executor.reading != "a002":
            await asyncio.sleep(0)
    assert await bench.refuses(commands.Tap("a002")) == "reader_busy"
    another = asyncio.create_task(bench.executor.execute(commands.Tap("a001")))
    await asyncio.sleep(0)
    first, second = (desk.person.badge for desk in people.desks(2))
    assert bench.station.done == [("tap", second)]
    bench.station.card_taken.set()
    await asyncio.gather(tap, another)
    assert bench.executor.reading is None
    assert bench.station.done == [("tap", second), ("tap", first)]


async def test_only_badges_of_the_tray_are_there(bench: Bench) -> None:
    assert await bench.refuses(commands.Tap("a099")) == "no_badge"
    await bench.executor.execute(commands.Tap("unknown"))
    (tap,) = bench.station.done
    assert tap[1] not in [desk.person.badge for desk in people.desks(400)]


@pytest.mark.parametrize(
    "request_",
    [commands.Down(1), commands.Press(1), commands.Tap("a001"), commands.Headset(False),
     commands.Ring(), commands.Message("hola")],
)  # fmt: skip
async def test_without_power_nothing_answers(bench: Bench, request_: Request) -> None:
    bench.station.powered = False
    assert await bench.refuses(request_) == "no_power"


async def test_plugs_and_cable(bench: Bench) -> None:
    await bench.executor.execute(commands.Headset(False))
    await bench.executor.execute(commands.Headset(True))
    await bench.executor.execute(commands.Cable(False))
    assert bench.station.done == ["unplug", "plug"]
    assert await bench.refuses(commands.Ring()) == "no_cable"
    bench.station.wifi = True
    await bench.executor.execute(commands.Ring())
    bench.station.wifi = False
    await bench.executor.execute(commands.Cable(True))
    await bench.executor.execute(commands.Ring())
    assert [asked["cmd"] for asked in bench.hub.asked] == ["ring", "ring"]


async def test_each_call_has_a_number_and_a_queue(bench: Bench) -> None:
    for _ in range(2):
        await bench.executor.execute(commands.Ring())
    first, second = bench.hub.asked
    assert first["contact"] != second["contact"]
    assert first["queue"] in people.QUEUES.values()
    assert first["queue"] != second["queue"]


@pytest.mark.parametrize("work", ["idle", "wrapup", "dialing"])
async def test_there_must_be_a_call_to_end(bench: Bench, work: str) -> None:
    bench.desk.work = (work, "c00001")
    assert await bench.refuses(commands.Withdraw()) == "not_ringing"
    assert await bench.refuses(commands.HangUp()) == "no_call"


async def test_the_caller_who_hangs_up_gave_up_or_ended_it(bench: Bench) -> None:
    bench.desk.work = ("offered", "c00001")
    await bench.executor.execute(commands.Withdraw())
    await bench.executor.execute(commands.HangUp())
    bench.desk.work = ("held", "c00001")
    await bench.executor.execute(commands.HangUp())
    assert bench.hub.asked == [
        {"cmd": "withdraw", "contact": "c00001", "cause": "withdrawn"},
        {"cmd": "withdraw", "contact": "c00001", "cause": "caller_gave_up"},
        {"cmd": "hangup", "contact": "c00001", "by": "caller"},
    ]


async def test_a_hub_that_is_silent_is_named(bench: Bench) -> None:
    bench.hub.silent = True
    assert await bench.refuses(commands.Message("hola")) == "no_hub"


async def test_two_presses_are_never_too_close_for_a_board(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for request in (commands.Down(4), commands.Up(4), commands.Down(5), commands.Up(5)):
        await bench.executor.execute(request)
    done = [("press", 4), ("release", 4), ("press", 5), ("release", 5)]
    assert bench.station.done == done
    assert len(waits) == 3
    assert all(0 < wait <= SHORTEST_S for wait in waits)
