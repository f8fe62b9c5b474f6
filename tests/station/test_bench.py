"""The technician's test on the whole station: the world does what it asks for, or does not."""

from diadema.sim import sound

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
        while not any(event == "station.selftest" for event in bench.kinds(since)):
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
        await self._sound.__aenter__()


async def test_a_station_in_order(desk):
    async with desk() as bench:
        await bench.station.plug()
        await bench.world.sleep(2000)
        technician = Technician(bench)
        told = await technician.test()
        print(told, technician.steps)
        assert told["fit"] and told["bench"]
