"""Listening that nobody asked for in Diadema is an alert of the agent who is heard."""

import pytest
from diadema.base.paths import DataDir
from diadema.site.directory.people import People, Worker
from diadema.web.floor.queue_alerts import is_for
from diadema.web.floor.spied import DAY_MS, Spied

from tests.support.reported_day import stored
from tests.support.scripted_station import T0, FixedClock, S, Script
from tests.support.sound_stage import tell

PEOPLE = People(workers={"a001": Worker(id="a001", name="Rosa", team="V")})
STRAY = {"source": "live", "via": "outside", "purpose": None, "by": "rule:listening"}


class Stage:
    def __init__(self, folder):
        script = Script().boot().clock().login().ready().call("c1")
        self.call = (S, script.e, 5)
        self.data, self.clock, self.n = stored(folder, script), FixedClock(T0 + 60_000), 0
        self.spied = Spied(self.data, self.clock.now_ms, lambda: PEOPLE)

    def say(self, of=None, **more):
        found = []

        def told(monitor):
            monitor.n = self.n
            if of is not None:
                monitor.say("listening.ended", of=of, heard_ms=4000, cause="hung_up")
            else:
                found.append(monitor.heard(self.call, **more))
            self.n = monitor.n

        tell(self.data, told)
        self.spied.look()
        return found[0] if found else None

    @property
    def alerts(self):
        return [(one.rule, one.agent, one.name, one.level) for one in self.spied.alerts()]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_it_is_urgent_while_it_goes_on_and_there_for_a_day(stage):
    of = stage.say(**STRAY)
    assert stage.alerts == [("spied", "a001", "Rosa", 3)]
    stage.say(of=of)
    assert stage.alerts == [("spied", "a001", "Rosa", 2)]
    stage.clock.now = T0 + DAY_MS + 60_000
    assert stage.alerts == []


def test_what_was_asked_for_in_diadema_is_none(stage):
    stage.say(source="live", via="switch", mode="silent")
    stage.say(source="recording", via="outside")
    stage.say()
    assert stage.alerts == []


def test_it_is_the_agents_own_supervisors(stage):
    stage.say(**STRAY)
    (alert,) = stage.spied.alerts()
    assert is_for(alert, frozenset({"V"}), PEOPLE) and not is_for(alert, frozenset({"W"}), PEOPLE)


def test_before_there_is_a_store_there_is_nothing(tmp_path):
    spied = Spied(DataDir(tmp_path), lambda: T0, lambda: PEOPLE)
    spied.look()
    assert spied.alerts() == []
