"""Each public name of the host's packages is read by code that runs: by the packages themselves or
by `make bench`, not by tests alone. What a framework reads counts: decorated handlers, fields of
encoded structs, what a base of another package calls.
"""

from pathlib import Path

import diadema
import pytest

from tests.support.source_names import Sources

ROOT = Path(diadema.__file__).parents[2]
HEARD_BY_TESTS = {  # how tests turn the simulated board, hear its second output, and answer it
    "diadema_sim.agent.Agent.confirm_fault",
    "diadema_sim.agent.Agent.rate_help",
    "diadema_sim.sound.Recording.line_out",
    "diadema_sim.station.Station.manners",
}
PARTS_OF_METRICS = {  # public as parts that tests prove by themselves; other metrics call them
    "contacts.impossible", "contacts.talk_of", "intervals.offset_word",
}  # fmt: skip
SAMPLE = {
    "pkg/__init__.py": "from pkg.inner import alive, unread",
    "pkg/inner.py": """
LEFT, RIGHT, UNREAD = 0, 1, 2
ALONE = 3

def alive(): return LEFT + _helper()

def _helper(): return Thing().called()

def unread(): return unread_too()

def unread_too(): return 1

@app.get("/")
def route(): pass

class Thing:
    kind = 1
    def called(self):
        self.stored = 1
        self.counted = 0
        self.counted += 1
        return self.stored
    @property
    def dead(self): return self.dead
""",
    "pkg/shown.html": "<b>{{ thing.kind }}</b>",
    "use/main.py": "from pkg import alive\nprint(alive())",
}


@pytest.fixture(scope="module")
def sources():
    return Sources(ROOT / "host_tools", readers=ROOT / "tests" / "bench")


def test_names_that_nothing_reads_are_found(tmp_path):
    for name, text in SAMPLE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = Sources(tmp_path)
    assert found.unread_names() == ["pkg.inner.ALONE", "pkg.inner.unread", "pkg.inner.unread_too"]
    assert found.unread_members() == ["pkg.inner.Thing.counted", "pkg.inner.Thing.dead"]


def test_every_top_level_name_is_read(sources):
    assert len(sources.alive) > 3_000
    assert sources.unread_names() == []


def test_every_public_member_of_a_class_is_read(sources):
    assert sorted(set(sources.unread_members()) ^ HEARD_BY_TESTS) == []


def test_every_metric_is_read_outside_metrics_or_by_another_one(sources):
    """A function that only its own module calls is a part, and there are few."""
    read = {
        top
        for module in sources.modules.values()
        for top in sources.read_in(module, module.tree)
        if top[0] != module.name and not module.path.name.startswith("__init__")
    }
    metrics = {
        (module.name, name)
        for module in sources.judged()
        if module.name.startswith("diadema.metrics.")
        for name in module.functions()
        if not name.startswith("_")
    }
    assert len(metrics) > 50
    left = {f"{module.rpartition('.')[2]}.{name}" for module, name in metrics - read}
    assert sorted(left ^ PARTS_OF_METRICS) == []
