"""An agent's day where a session took no time that could be measured."""

import json
from datetime import date

import pytest
from diadema.base.paths import DataDir
from diadema.figures.agent_day import agent_page

from tests.support.scripted_station import SITE, T0, Script


@pytest.fixture
def page(ingest, tmp_path):
    """The page of a001's day after these scripts."""
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))

    def after(*scripts):
        messages = [message for script in scripts for message in script.messages()]
        ingest.take(messages, "stream", "server")
        return agent_page(data, "a001", date.fromisoformat(ingest.floor.day.date), T0 + 3_600_000)

    return after


def test_power_fails_as_the_session_opens_and_the_board_comes_with_a_new_journal(page):
    cut = Script().boot().clock().mark("in")
    cut.add("session.opened", a="a001", method="badge", provisional=False)
    made = page(cut, Script(e=8).boot().clock(T0 + 60_000))
    assert len(made.marks) == 1 and made.work == []


def test_a_session_that_opens_and_closes_in_one_millisecond(page):
    script = Script().boot().clock().mark("in").login()
    script.add("session.closed", 0, a="a001", reason="agent", by="agent")
    made = page(script, Script(e=8).boot().clock(T0 + 60_000).login().ready().call("c1"))
    assert [one.contact for one in made.calls] == ["c1"]


def test_a_call_whose_telephone_was_not_there_is_not_counted_against_the_agent(page):
    script = Script().boot().clock().mark("in").login().ready().offer("c1")
    script.contact("answered", "c1", 3000, via="key", ring_ms=3000)
    script.contact("ended", "c1", 8000, by="technical", on_hold=False)
    script.presence("ready", "not_ready", "fault", by="system", after=0)
    made = page(script.presence("not_ready", "ready", after=60_000).logout())
    (call,) = made.calls
    assert (call.outcome, call.talk_s, call.wrap_s) == ("missed", 0, 0)
    assert call.marks == ["excused", "failed"]
    assert (made.sums.load.reasons, made.sums.load.talking) == ({"login": 1, "fault": 68}, 0)
