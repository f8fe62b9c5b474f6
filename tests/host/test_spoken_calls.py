"""Calls in which somebody speaks, recorded in each way in which recorders go wrong: what is
linked, what is never guessed, and that no paused moment is sent.
"""

import pytest
from diadema.recordings import decoding, playing
from diadema.recordings.playing import Refused
from diadema.store import open_reader

from tests.support.recorded_calls import needs_voices, part
from tests.support.spoken_calls import SpokenCalls, is_heard, paused_is_silent

pytestmark = needs_voices
HEARD = ("plain", "gsm", "ogg", "late", "drift", "cut", "not_heeded", "whole", "given", "taken")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    made = SpokenCalls(tmp_path_factory.mktemp("spoken")).store()
    made.found = made.scan()
    return made


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)


def heard(calls, name):
    """The plan and the bytes of what may be sent of it."""
    with (
        open_reader(calls.data.store) as reader,
        calls.centre.index() as index,
        decoding.Decoders() as decoders,
    ):
        plan = playing.plan(reader, index, calls[name].key)
        sound = b""
        while len(sound) < plan.size:
            sound += part(decoders, plan, f"bytes={len(sound)}-")[1]
        return plan, sound


def test_each_is_linked_as_it_is_and_two_that_fit_are_not_guessed(calls):
    linked = {one.call: one for one in calls.found.linked}
    missing = {one.call: one for one in calls.found.missing}
    for call in calls.calls.values():
        if call.reason:
            assert missing[call.key].reason == call.reason, call.name
        else:
            link = linked[call.key]
            assert (link.how, link.agent, link.pauses) == ("pbx", call.agent, call.pauses_are)
            assert link.offset_ms == call.late * 1000


@pytest.mark.parametrize("name", HEARD)
def test_what_is_sent_is_heard_and_silent_wherever_it_was_paused(calls, name):
    plan, sound = heard(calls, name)
    its = {"rate": plan.rate, "sides": plan.sides}
    assert is_heard(sound, **its)
    assert paused_is_silent(sound, calls[name], start_ms=plan.start_ms, **its)


def test_one_in_which_nobody_can_say_where_a_pause_lies_is_not_sent(calls):
    with pytest.raises(Refused) as told:
        heard(calls, "cut_unsure")
    assert told.value.reason == "pauses"
