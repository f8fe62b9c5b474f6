"""A real mosquitto on the files that the hub made for it; ended at the test's end."""

import asyncio
import os
import shutil

import pytest
from diadema.hub.broker import LOOPBACK, free_port

from tests.support.broker_fixtures import until


def mosquitto_program():
    """Its path; skips where it is not installed. Debian keeps it out of a user's PATH."""
    path = shutil.which("mosquitto", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if path is None:
        pytest.skip("the program mosquitto is missing (Debian: apt install mosquitto)")
    return path


class Mosquitto:
    """The real one, on the files of a data directory."""

    def __init__(self, broker):
        self._broker = broker
        self._program = mosquitto_program()
        self.port = free_port()
        self.process = None

    async def start(self):
        folder = self._broker.data.mosquitto
        with (folder / "test.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                self._program, "-c", str(folder / "mosquitto.conf"), stderr=log
            )
        await until(self._listens)

    async def stop(self, *, kill=False):
        if self.process is not None and self.process.returncode is None:
            self.process.kill() if kill else self.process.terminate()
            await self.process.wait()

    def log(self):
        return (self._broker.data.mosquitto / "test.log").read_text()

    async def _listens(self):
        assert self.process.returncode is None, self.log()
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        return True
