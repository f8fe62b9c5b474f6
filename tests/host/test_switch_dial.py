"""A call out, between its program, a station and an exchange, each of whom a test plays."""

import pytest
from diadema.base.errors import DiademaError
from diadema.switch.exchange import (
    Dialed,
    Down,
    Ended,
    Phone,
    PhoneFailed,
    PhoneSeen,
    SwitchError,
    SwitchRefused,
    Up,
)
from diadema.switch.hub_link import HubAway, HubSaysNo
from diadema.wire.switching import CallOut, Floor, OpenContact, SeatState

from tests.host.test_switch_bridge import S1, S2, Stage, ready
from tests.support.scripted_station import T0

NUMBER, PHONE = "987654321", Phone("PJSIP/101")


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.journal.close()


async def asked(stage, agent="a001", number=NUMBER, name=None, **more):
    """A program asks; the contact."""
    contact, _ = await stage.bridge.dial(CallOut(agent=agent, sealed="", **more), number, name)
    await stage.settle()
    return contact


async def dialling(stage, **more):
    """The station has obeyed, and the exchange was asked."""
    contact = await asked(stage, **more)
    i = len(stage.hub.commands)
    await stage.contact("dialed", contact, via="host", direction="out", i=i)
    return contact


def commands(stage, cmd):
    return [one for one in stage.hub.commands if one[1] == cmd]


async def test_the_station_dials_and_then_its_telephone_is_called(stage):
    await stage.here(ready())
    contact, reference = await stage.bridge.dial(
        CallOut(agent="a001", sealed="", campaign="cobranza", consent=1), NUMBER, None
    )
    told = {"contact": contact, "campaign": "cobranza", "consent": 1, "reference": reference}
    assert stage.hub.commands == [(S1, "dial", told)]
    assert not stage.exchange.asked, "the station has not said yet that it may"
    await stage.contact("dialed", contact, via="host", direction="out", i=1)
    assert ("dial", contact, PHONE, NUMBER) in stage.exchange.asked
    assert ("set_busy", "a001", True) in stage.exchange.asked
    await stage.heard(Dialed(contact, "answered"))
    assert stage.hub.commands[-1] == (S1, "answer", {"contact": contact})
    await stage.contact("answered", contact, via="host")
    await stage.contact("held", contact, via="key")
    await stage.contact("resumed", contact, via="key")
    await stage.contact("consulted", contact, via="key", area="soporte", heard="area")
    await stage.contact("consult_ended", contact, via="key", result="dropped")
    await stage.contact("ended", contact, by="agent")
    verbs = [one[0] for one in stage.exchange.asked if one[0] not in ("set_busy", "set_member")]
    assert verbs == ["dial", "hold", "resume", "consult", "drop", "hang_up"]
    assert ("set_busy", "a001", False) not in stage.exchange.asked
    await stage.said("wrapup.ended", c=contact)
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)
    assert not stage.troubles and stage.bridge.report().calls == 0


@pytest.mark.parametrize("result", ["busy", "no_answer", "failed"])
async def test_who_was_not_reached_is_told_and_the_agent_is_free_again(stage, result):
    await stage.here(ready())
    contact = await dialling(stage)
    await stage.heard(Dialed(contact, result))
    ending = {"contact": contact, "by": "system", "result": result}
    assert stage.hub.commands[-1] == (S1, "hangup", ending)
    await stage.contact("ended", contact, by="system", dial_result=result)
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)
    assert stage.bridge.report().calls == 0
    await asked(stage)  # and the next one can be asked for


@pytest.mark.parametrize("by", ["agent", "caller"])
async def test_whoever_hangs_up_the_other_end_follows(stage, by):
    await stage.here(ready())
    contact = await dialling(stage)
    await stage.heard(Dialed(contact, "answered"))
    await stage.contact("answered", contact, via="host")
    await stage.heard(Ended(contact, by))
    assert stage.hub.commands[-1] == (S1, "hangup", {"contact": contact, "by": by})


async def test_the_agent_ends_it_before_anybody_answers(stage):
    await stage.here(ready())
    contact = await dialling(stage)
    await stage.contact("ended", contact, by="agent", dial_result="no_answer")
    assert stage.exchange.asked[-2:] == [("set_busy", "a001", False), ("hang_up", contact)]
    n = len(stage.hub.commands)
    await stage.heard(Dialed(contact, "no_answer"))
    assert len(stage.hub.commands) == n


async def test_an_agent_who_says_first_that_it_was_answered_is_not_told_so(stage):
    await stage.here(ready())
    contact = await dialling(stage)
    await stage.contact("answered", contact, via="key")
    await stage.heard(Dialed(contact, "answered"))
    assert not commands(stage, "answer")


async def test_a_telephone_that_is_not_there_fails_it(stage):
    await stage.here(ready())
    contact = await dialling(stage)
    await stage.heard(PhoneFailed(contact))
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": contact})
    assert "P-01" in stage.troubles[-1]


async def test_an_exchange_that_cannot_call_the_telephone_fails_it(stage):
    await stage.here(ready())
    stage.exchange.refuses["dial"] = SwitchRefused("POST channels", "Allocation failed", 500)
    contact = await dialling(stage)
    assert stage.hub.commands[-1] == (S1, "failed", {"contact": contact})
    assert stage.troubles


async def test_an_exchange_that_is_away_is_no_fault_of_the_telephone(stage):
    await stage.here(ready())
    stage.exchange.refuses["dial"] = SwitchError("away")
    contact = await dialling(stage)
    ending = {"contact": contact, "by": "system", "result": "failed"}
    assert stage.hub.commands[-1] == (S1, "hangup", ending)


# -- what is not done, and why


async def refused(stage, **more):
    calls = stage.bridge.report().calls
    with pytest.raises(DiademaError, match=more.pop("match")):
        await asked(stage, **more)
    assert not commands(stage, "dial"), "no station was told"
    assert stage.bridge.report().calls == calls


async def test_what_the_guard_does_not_allow_reaches_no_station(stage):
    await stage.here(ready())
    await refused(stage, number="0051987654321", match="--allow")


async def test_nor_what_is_one_too_many(stage):
    await stage.here(ready())
    for _ in range(2):
        contact = await dialling(stage)
        await stage.heard(Dialed(contact, "busy"))
        await stage.contact("ended", contact, by="system", dial_result="busy")
    stage.hub.commands.clear()
    await refused(stage, match="--an-hour")


SEATS = [
    ([], "a001", "not logged in"),
    ([ready(), ready(S2, "a001")], "a001", "two seats"),
    ([ready(S2, "a002")], "a002", "no extension"),
    ([SeatState(station=S1, agent="a001", presence="not_ready")], "a001", "not ready"),
    (
        [ready(open=[OpenContact(contact="x", phase="talking", direction="in")])],
        "a001",
        "in a call",
    ),
]


@pytest.mark.parametrize(("seats", "agent", "why"), SEATS, ids=[one[2] for one in SEATS])
async def test_an_agent_who_cannot_call_now(stage, seats, agent, why):
    stage.people.phones.pop(S2)
    await stage.here(*seats)
    await refused(stage, agent=agent, match=why)


async def test_an_agent_whose_call_rings_cannot_call(stage):
    await stage.here(ready())
    await stage.offered()
    await refused(stage, match="in a call")


async def test_an_agent_whose_telephone_is_not_registered_cannot_call(stage):
    await stage.here(ready())
    await stage.heard(PhoneSeen("PJSIP/101", False))
    await refused(stage, match="not registered")
    await stage.heard(PhoneSeen("PJSIP/101", None))
    await asked(stage)  # which nobody can say is no reason


async def test_an_exchange_that_is_not_there_is_said_at_once(stage):
    await stage.here(ready())
    await stage.heard(Down(SwitchError("away")))
    await refused(stage, match="no connection to the switch")


@pytest.mark.parametrize("error", [HubAway("away"), HubSaysNo("no")])
async def test_a_hub_that_does_not_pass_it_on(stage, error):
    await stage.here(ready())
    stage.hub.refuses = error
    await refused(stage, match=str(error))
    stage.hub.refuses = None
    await asked(stage, name="ab")  # it may be tried again


@pytest.mark.parametrize("kind", ["command.refused", "contact.blocked"])
async def test_a_station_that_does_not_dial_forgets_it(stage, kind):
    await stage.here(ready())
    contact = await asked(stage)
    await stage.said(kind, i=1, command="dial", reason="busy")
    assert stage.bridge.report().calls == 0
    await stage.contact("dialed", contact, via="host", direction="out", i=1)
    assert not [one for one in stage.exchange.asked if one[0] == "dial"]


@pytest.mark.parametrize("seat", [S1, S2])
async def test_a_station_that_dials_what_nobody_wants_any_more_is_told_so(stage, seat):
    """Its command came late, or the hub passed it on and was not heard."""
    await stage.here(ready(), ready(S2, "a002"))
    await stage.said("contact.dialed", s=seat, c="dial-" + "0" * 24, via="host", i=77)
    ending = {"contact": "dial-" + "0" * 24, "by": "system", "result": "failed"}
    assert stage.hub.commands == [(seat, "hangup", ending)]


async def test_a_call_that_another_program_had_dialled_is_left_alone(stage):
    await stage.here(ready())
    await stage.said("contact.dialed", c="crm-1", via="host", i=77)
    assert not stage.hub.commands


async def test_a_station_that_never_answers_leaves_no_number_behind(stage, monkeypatch):
    monkeypatch.setattr("diadema.switch.calls._OBEYS_S", 0)
    await stage.here(ready())
    await asked(stage)
    for task in [*stage.bridge._ends.lines._later]:
        await task
    await stage.settle()
    assert stage.bridge.report().calls == 0 and not stage.bridge._calls._numbers
    assert "P-01" in stage.troubles[-1]


# -- once


async def test_the_same_request_again_is_the_same_call(stage):
    await stage.here(ready())
    first = await asked(stage, name="ab" * 32)
    assert await asked(stage, name="ab" * 32) == first
    assert len(commands(stage, "dial")) == 1
    await stage.contact("dialed", first, via="host", direction="out", i=1)
    assert await asked(stage, name="ab" * 32) == first
    assert [one[0] for one in stage.exchange.asked].count("dial") == 1


async def test_also_of_a_bridge_that_began_anew_in_between(tmp_path):
    before = Stage(tmp_path)
    await before.here(ready())
    first = await asked(before, name="ab" * 32)
    before.journal.close()
    stage = Stage(tmp_path)
    await stage.here(ready())
    assert await asked(stage, name="ab" * 32) == first
    assert not stage.hub.commands
    stage.journal.close()


# -- without a program, and after one of them was away


async def test_no_queue_calls_whoever_dials_by_key(stage):
    await stage.here(ready())
    await stage.contact("dialed", "k1", via="key", direction="out")
    assert stage.exchange.asked == [("set_busy", "a001", True)]
    await stage.contact("ended", "k1", by="agent", dial_result="no_answer")
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)
    await stage.contact("dialed", "k2", via="key", direction="out")
    await stage.contact("answered", "k2", via="key")
    await stage.contact("ended", "k2", by="agent")
    assert stage.exchange.asked[-1] == ("set_busy", "a001", True)
    await stage.said("wrapup.ended", c="k2")
    assert stage.exchange.asked[-1] == ("set_busy", "a001", False)


def dials(contact):
    return ready(open=[OpenContact(contact=contact, phase="dialing", direction="out")])


async def test_a_call_that_the_station_begins_while_the_hub_is_missed_goes_out(stage):
    await stage.here(ready())
    contact = await asked(stage)
    await stage.bridge.floor(Floor(number=9, seats=[ready()]))
    await stage.settle()
    await stage.bridge.floor(Floor(number=10, seats=[dials(contact)]))
    await stage.settle()
    assert [one for one in stage.exchange.asked if one[0] == "dial"] == [
        ("dial", contact, PHONE, NUMBER)
    ]


async def test_a_bridge_that_lost_the_number_ends_what_the_station_dials(tmp_path):
    before = Stage(tmp_path)
    await before.here(ready())
    contact = await asked(before)
    before.journal.close()
    stage = Stage(tmp_path)
    await stage.bridge.floor(Floor(number=1, seats=[dials(contact)]))
    await stage.heard(Up(frozenset()))
    assert stage.hub.commands[-1][:2] == (S1, "hangup")
    stage.journal.close()


async def test_a_bridge_that_begins_anew_goes_on_with_a_call_out(tmp_path):
    before = Stage(tmp_path)
    await before.here(ready())
    contact = await dialling(before)
    before.journal.close()
    stage = Stage(tmp_path)
    await stage.bridge.floor(Floor(number=1, seats=[dials(contact)]))
    await stage.heard(Up(frozenset({contact})))
    assert not stage.hub.commands
    await stage.heard(Dialed(contact, "answered"))
    assert stage.hub.commands == [(S1, "answer", {"contact": contact})]
    stage.journal.close()


async def test_an_exchange_that_comes_back_ends_nothing_that_has_not_begun(stage):
    await stage.here(ready())
    contact = await asked(stage)
    await stage.heard(Up(frozenset()))
    assert not commands(stage, "hangup")
    await stage.contact("dialed", contact, via="host", direction="out", i=1)
    assert ("dial", contact, PHONE, NUMBER) in stage.exchange.asked


async def test_an_old_word_of_a_call_dials_nothing(stage):
    await stage.here(ready())
    contact = await asked(stage)
    stage.clock.now = T0 + 3_600_000
    stage.bridge.station_said(
        {"s": S1, "k": "contact.dialed", "c": contact, "via": "host", "t": T0}
    )
    await stage.settle()
    assert not [one for one in stage.exchange.asked if one[0] == "dial"]


async def test_the_number_is_in_no_file_and_in_no_word(stage, tmp_path, caplog):
    caplog.set_level(0)
    await stage.here(ready())
    stage.exchange.refuses["dial"] = SwitchRefused("POST channels", "no", 500)
    await dialling(stage)
    said = repr(stage.hub.commands) + repr(stage.bridge.report()) + caplog.text
    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir() if one.is_file())
    assert NUMBER not in said and NUMBER.encode() not in kept
    assert not stage.bridge._calls._numbers
