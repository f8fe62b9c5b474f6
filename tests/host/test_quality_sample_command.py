"""`diadema quality sample` with a hub that runs: drawn, shown, exported, and checked in an empty
directory by the file alone.
"""

import json
import subprocess
import sys
import zipfile

import pytest
from diadema.access import Accounts
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir

from tests.support.broker_fixtures import until
from tests.support.informed import LEAD
from tests.support.quality_room import MONDAY, PLAN, QualityRoom

DAY = 86_400_000
OVER = MONDAY + 7 * DAY + 60_000  # before the hub draws by itself


def diadema(*words, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "diadema", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Running:
    """A hub on that directory, by a clock that the test sets."""

    def __init__(self, root, clock_file, now):
        self.data, self._file = DataDir(root), clock_file
        self.clock = SharedClock(clock_file, create=True)
        self.clock.set(now, 0)

    async def __aenter__(self):
        command = [sys.executable, "-m", "diadema", "hub", "--data", str(self.data.root)]
        command += ["--clock", str(self._file), "--port", "0", "--mqtt-port", "0"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        await until(lambda: self.data.read_hub() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.stderr.read()
        return self

    async def __aexit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def sample(self, *words):
        return diadema("quality", "sample", *words, "--data", self.data.root)


@pytest.fixture
def room(tmp_path):
    """A week with calls, to which the hub was committed when it began."""
    made = QualityRoom(tmp_path / "data", 4, {"strata": ["duration"], "per_agent": 3})
    made.settle()
    for n, agent in made.agents.items():
        agent.work(MONDAY + DAY + n * 1000, 6, talk=60_000 * n)
    made.end()
    return made


async def test_a_draw_is_made_shown_exported_and_checked_by_its_file_alone(room, tmp_path):
    asked = (PLAN, "--period", "2026-W47", "--by", LEAD)
    async with Running(room.data.root, tmp_path / "clock", OVER) as hub:
        code, said, error = hub.sample("draw", *asked, "--json")
        assert code == 0, error
        drawn = json.loads(said)
        assert (drawn["frame"], drawn["chosen"], drawn["plan"]) == (24, 12, PLAN)
        code, _, error = hub.sample("draw", *asked)
        assert code == 2 and drawn["draw"] in error, "a draw is not repeated"
        code, _, error = hub.sample("draw", PLAN, "--period", "2026-W48", "--by", LEAD)
        assert code == 2 and "2026-W48" in error
        code, said, _ = hub.sample("show", drawn["draw"], "--json", "--clock", tmp_path / "clock")
        shown = json.loads(said)
        assert code == 0 and len(shown["calls"]) == 12
        assert {one["state"] for one in shown["calls"]} == {"waiting"}
        file = tmp_path / "muestra.zip"
        code, said, error = hub.sample("export", drawn["draw"], "-o", file)
        assert code == 0 and drawn["commit"] in said, error
        code, _, error = hub.sample("export", drawn["draw"], "-o", file)
        assert code == 2 and str(file) in error
        code, _, error = hub.sample("show", "0" * 12)
        assert code == 2 and "0" * 12 in error
    empty = tmp_path / "empty"
    empty.mkdir()
    published = ("--commit", drawn["commit"], "--frame-hash", drawn["frame_hash"])
    code, said, _ = diadema("quality", "sample", "verify", file, *published, "--json", cwd=empty)
    found = json.loads(said)
    assert (code, found["right"], found["chosen"]) == (0, True, 12)
    assert not list(empty.iterdir())
    other = ("--commit", "0" * 64)
    code, said, _ = diadema("quality", "sample", "verify", file, *other, "--json", cwd=empty)
    assert code == 1 and len(json.loads(said)["faults"]) == 1
    altered = tmp_path / "otra.zip"
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(altered, "w") as made:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "frame.csv":
                content = content.replace(b",a001,", b",a002,", 1)
            made.writestr(name, content)
    code, said, _ = diadema("quality", "sample", "verify", altered, "--json", cwd=empty)
    assert code == 1 and json.loads(said)["faults"]
    accounts = Accounts(room.data)
    its = {row.what for row in accounts.audit.rows(limit=100)}
    accounts.close()
    assert {"sample.read", "sample.exported"} <= its


def test_a_replaced_call_and_late_ones_are_in_the_file_and_it_is_right(tmp_path):
    room = QualityRoom(tmp_path / "data", 3)
    room.settle()
    for n in (1, 2):
        room.agents[n].work(MONDAY + DAY + n * 1000, 4)
    room.go_to(MONDAY + 7 * DAY + 4 * 3_600_000)
    one = room.assigned()[0].assignment
    room.act("sample_replaced", of=[one.station, one.epoch, one.sequence], why="nobodys")
    room.agents[3].work(MONDAY + 2 * DAY, 4)
    room.draw(late=True)
    ids = [found.drawn.draw for found in room.draws() if found.drawn]
    room.end()
    assert len(ids) == 2
    for draw, counts in zip(ids, ((4, 1), (2, 0)), strict=True):
        file = tmp_path / f"{draw}.zip"
        code, _, error = diadema(
            "quality", "sample", "export", draw, "-o", file, "--data", room.data.root
        )
        assert code == 0, error
        code, said, _ = diadema("quality", "sample", "verify", file, "--json")
        found = json.loads(said)
        assert (code, found["faults"]) == (0, [])
        assert (found["chosen"], found["replaced"]) == counts
