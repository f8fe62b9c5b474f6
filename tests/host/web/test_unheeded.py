"""A pause that the recorder did not respect is an alert of its queue, and names nobody."""

import json

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.web.floor.alert_hooks import body_of
from diadema.web.floor.queue_alerts import is_for
from diadema.web.floor.unheeded import DAY_MS, NO_QUEUE, Unheeded

from tests.support.reported_day import stored
from tests.support.scripted_station import T0, FixedClock, S, Script
from tests.support.sound_stage import tell

PEOPLE = People(queues={"ventas": "Ventas"})


class Stage:
    """Two calls of the queue ventas and one of none, of which `say` tells by their number."""

    def __init__(self, folder):
        script = Script().boot().clock().login().ready()
        self.keys = []
        for number, queue in enumerate(("ventas", "ventas", None)):
            self.keys.append((S, script.e, script.n + 1))
            script.offer(f"c{number}", queue=queue)
            script.contact("answered", f"c{number}", 1000, via="key", ring_ms=1000)
            script.contact("ended", f"c{number}", 9000, by="caller", on_hold=False)
            script.wrapup("started", f"c{number}", 0)
            script.contact("typified", f"c{number}", 500, code="111", version=1, how="agent")
            script.wrapup("ended", f"c{number}", 0, cause="typified").ready(500)
        self.data = stored(folder, script)
        self.clock, self.n = FixedClock(T0 + 60_000), 0
        self.unheeded = Unheeded(self.data, self.clock.now_ms, lambda: PEOPLE)

    def say(self, number, pauses, kind="linked", **more):
        def told(monitor):
            monitor.n = self.n
            told = monitor.linked if kind == "linked" else self._missing(monitor)
            told(self.keys[number], **({"pauses": pauses} if kind == "linked" else {}), **more)
            self.n = monitor.n

        tell(self.data, told)
        self.unheeded.look()
        return self

    @staticmethod
    def _missing(monitor):
        return lambda call: monitor.say("recording.missing", a="a001", call=call, reason="gone")

    @property
    def alerts(self):
        return [(one.queue, one.name, one.what, one.since) for one in self.unheeded.alerts()]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_each_one_found_begins_the_alert_of_its_queue_anew(stage):
    assert not stage.say(0, "respected").alerts
    assert stage.say(0, "not").alerts == [("ventas", "Ventas", "1", T0 + 2)]
    assert stage.say(1, "not").alerts == [("ventas", "Ventas", "2", T0 + 3)]
    stage.say(2, "not")
    assert stage.alerts[1] == (NO_QUEUE, NO_QUEUE, "1", T0 + 4)


def test_it_is_over_when_it_was_found_otherwise_or_a_day_later(stage):
    stage.say(0, "not").say(1, "not")
    assert stage.say(0, "respected").alerts == [("ventas", "Ventas", "1", T0 + 2)]
    assert not stage.say(1, None, "missing").alerts
    assert stage.say(0, "not").alerts
    stage.clock.now = T0 + DAY_MS + 60_000
    assert not stage.alerts


def test_who_begins_later_knows_what_was_found_in_the_day(stage):
    stage.say(0, "not")
    later = Unheeded(stage.data, stage.clock.now_ms, People)
    later.look()
    assert [one.what for one in later.alerts()] == ["1"]


def test_it_goes_out_without_anybody_s_name(stage):
    (alert,) = stage.say(0, "not").unheeded.alerts()
    body = msgspec.json.decode(body_of(alert, T0 + 9000))
    assert body["data"] == {
        "seat": None, "queue": "ventas", "rule": "recording_pauses", "value": 1,
        "at": body["data"]["at"],
    }  # fmt: skip
    assert "a001" not in json.dumps(body) and "DIA-" not in json.dumps(body)
    assert is_for(alert, frozenset({"Mañana"}), People())


def test_before_there_is_a_store_there_is_nothing(tmp_path):
    unheeded = Unheeded(DataDir(tmp_path), lambda: T0, People)
    unheeded.look()
    assert unheeded.alerts() == []
