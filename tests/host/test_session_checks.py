"""What the host says of sessions that stations opened: of those that are open now, and why."""

import json

import pytest
from diadema.hub.commanding import Commands
from diadema.hub.session_checks import SessionChecks
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.badges import simulated_badge
from diadema.site.station_config import badge_hash

from tests.support.scripted_station import SITE, T0, S, Script

KEY = "5a" * 32
S2, S3 = "DIA-0123456789ac", "DIA-0123456789ad"
HERS, LENT = "iso14443a:04A1B2C3D4E5F6", "iso14443a:0BADCAFE"
SECURE = "desfire:04112233445566"
SIMULATED, OF_DESK = "DIA-0ed1ad000001", simulated_badge(bytes.fromhex(KEY), "a001")
MINUTE = 60_000


def site_with(agent=None, **more):
    first = SITE["agents"][0] | {"pin": f"{'00' * 8}:{'00' * 16}"} | (agent or {})
    return sites.parse(json.dumps(SITE | {"agents": [first, SITE["agents"][1]]} | more).encode())


class Floor:
    """Stations that tell what they have, and what the host then says."""

    def __init__(self, ingest):
        self.ingest = ingest
        self.checks = SessionChecks(ingest, KEY)

    def use(self, **more):
        self.ingest.use_site(site_with(**more))

    def tell(self, script, last=None, hello=True):
        """What is new, up to `last`, after a greeting that counts all."""
        station = self.ingest.stations.get(script.s)
        journal = station.journals.get(script.e) if station else None
        first = journal.position + 1 if journal else 1
        messages = [script.hello_message()] if hello else []
        effects = self.ingest.take(messages + script.messages(first, last), "stream", "server")
        self.checks.note(effects.opened)

    def said(self):
        found = []
        for _ in range(3):
            for s, told in self.checks.due():
                self.checks.forget(s)
                assert (told["cmd"], told["agent"]) == ("session", "a001")
                found.append((s, told["verdict"], told.get("reason")))
        assert self.checks.due() == []
        return sorted(found)


@pytest.fixture
def floor(ingest):
    made = Floor(ingest)
    made.use()
    return made


def badge(name):
    return badge_hash(bytes.fromhex(KEY), name)


def tapped(name=HERS, method="badge", provisional=True, utc=T0, s=S, agent="a001"):
    script = Script(s=s, agent=agent).boot().clock(utc).mark("in", badge=badge(name))
    return script.login(method=method, provisional=provisional, mark=True)


def test_a_provisional_session_is_confirmed_and_another_one_left_alone(floor):
    floor.tell(tapped())
    floor.tell(Script(s=S2, agent="a002").boot().clock().login())
    assert floor.said() == [(S, "confirm", None)]
    assert floor.said() == []


@pytest.mark.parametrize("provisional", [True, False])
@pytest.mark.parametrize(
    ("given", "login", "reason"),
    [
        ({"agent": {"id": "a009"}}, {}, "not_in_roster"),
        ({}, {"name": LENT}, "unknown_badge"),
        ({"agent": {"badges": [SECURE]}}, {}, "unknown_badge"),
        ({"pin": "always"}, {}, "pin_required"),
        ({"pin": "clonable"}, {}, "pin_required"),
        ({}, {"method": "badge_secure"}, "pin_required"),
        ({}, {"method": "code_pin"}, "pin_required"),
        (
            {"pin": "always", "agent": {"badges": [HERS, SECURE]}},
            {"name": SECURE, "method": "badge_secure"},
            "pin_required",
        ),
    ],
)
def test_one_that_should_not_be_is_closed_with_the_reason(
    floor, given, login, reason, provisional
):
    floor.use(**given)
    floor.tell(tapped(**login, provisional=provisional))
    assert floor.said() == [(S, "close", reason)]


BOTH = {"pin": "clonable", "agent": {"badges": [HERS, SECURE]}}


@pytest.mark.parametrize(
    ("given", "login"),
    [
        ({"pin": "always"}, {"method": "badge_pin"}),
        (BOTH, {"name": SECURE, "method": "badge_secure"}),
        ({"agent": {"code": "1234"}}, {"method": "code_pin"}),
        ({"agent": {"day_badges": [{"badge": LENT, "day": "2026-11-18"}]}}, {"name": LENT}),
    ],
)
def test_one_that_is_in_order_is_confirmed(floor, given, login):
    floor.use(**given)
    floor.tell(tapped(**login))
    assert floor.said() == [(S, "confirm", None)]


def test_a_badge_lent_for_another_day_is_none(floor):
    floor.use(agent={"day_badges": [{"badge": LENT, "day": "2026-11-17"}]})
    floor.tell(tapped(LENT))
    assert floor.said() == [(S, "close", "unknown_badge")]


@pytest.mark.parametrize(
    ("s", "given", "verdict"),
    [
        (SIMULATED, OF_DESK, ("confirm", None)),
        (SIMULATED, HERS, ("close", "unknown_badge")),
        (S, OF_DESK, ("close", "unknown_badge")),
    ],
)
def test_the_badge_of_a_simulated_desk_is_good_there_alone(floor, s, given, verdict):
    floor.tell(tapped(given, s=s))
    assert floor.said() == [(s, *verdict)]


def test_who_guessed_pins_at_another_desk_is_locked_out_here_too(floor):
    floor.use(pin="always")
    other = Script(s=S2).boot().clock(T0)
    for _ in range(5):
        other.add("session.denied", a="a001", reason="wrong_pin")
    floor.tell(other)
    floor.tell(tapped(method="badge_pin", utc=T0 + 10_000))
    assert floor.said() == [(S, "close", "locked")]
    floor.tell(tapped(method="badge_pin", utc=T0 + 5 * MINUTE, s=S3))
    assert floor.said() == [(S, "close", "moved"), (S3, "confirm", None)]


SEATS = [
    ("move", [(S, "close", "moved")]),
    ("deny", [(S2, "close", "at_other_seat")]),
    ("allow", []),
]


@pytest.mark.parametrize(("policy", "said"), SEATS)
@pytest.mark.parametrize("first", [0, 1])
def test_two_seats(floor, policy, said, first):
    floor.use(multi_login=policy)
    scripts = [
        tapped(provisional=False, utc=T0),
        tapped(provisional=False, utc=T0 + MINUTE, s=S2),
    ]
    floor.tell(scripts.pop(first))
    floor.tell(scripts.pop())
    assert floor.said() == said


def test_a_session_that_is_over_in_the_backlog_is_not_judged(floor):
    """The other seat tells of hours ago: what it says counts when it has said all."""
    here = tapped(provisional=False, utc=T0)
    floor.tell(here)
    floor.said()
    late = tapped(provisional=True, utc=T0 + MINUTE, s=S2)
    opened = late.n
    late.ready().call("c1").logout()
    floor.tell(late, last=opened)
    assert floor.said() == []
    floor.tell(late, hello=False)
    assert floor.said() == []


def test_a_station_that_is_gone_is_judged_when_it_is_back(floor):
    script = tapped()
    floor.tell(script, hello=False)
    assert floor.said() == []
    floor.tell(script)
    assert floor.said() == [(S, "confirm", None)]


def test_what_was_said_is_in_the_session_and_not_said_again(floor, reader, writer, clock):
    script = tapped()
    floor.tell(script)
    floor.said()
    script.add("session.corrected", a="a001", i=9, verdict="closed", reason="unknown_badge")
    floor.tell(script)
    floor = Floor(Ingest(writer, floor.ingest.site, clock))
    floor.tell(script)
    assert floor.said() == []
    script.add("session.closed", a="a001", reason="corrected", by="a hub")
    floor.tell(script)
    (session,) = reader.sessions()
    assert (session.verdict, session.verdict_reason) == ("closed", "unknown_badge")
    assert (session.reason, session.provisional) == ("corrected", True)
    script.login(provisional=True)
    script.add("session.confirmed", a="a001", i=10)
    floor.tell(script)
    assert [one.verdict for one in reader.sessions()] == ["closed", "confirmed"]
    assert floor.said() == []


def test_after_a_restart_only_what_nobody_answered_is_looked_at(floor, writer, clock):
    floor.tell(tapped(provisional=True))
    floor.tell(Script(s=S2, agent="a002").boot().clock().login())
    again = Floor(Ingest(writer, floor.ingest.site, clock))
    again.use(pin="always")
    for s in (S, S2):
        again.tell(Script(s=s).boot(), last=0)
    assert again.said() == [(S, "close", "pin_required")]


def test_a_verdict_on_a_session_that_is_over_is_not_sent_again(ingest, writer):
    commands = Commands(ingest, None)
    commands.ask(S, {"cmd": "session", "agent": "a001", "verdict": "confirm"})
    commands.ask(S, {"cmd": "text", "m": "m1", "text": "hola"})
    assert commands.withdraw([S, S2], "session") == {S}
    assert commands.waiting == 1
    assert commands.withdraw([S], "session") == set()
    commands.reload()
    assert commands.waiting == 1


def test_two_commands_of_one_station_are_answered_each(ingest):
    commands = Commands(ingest, None)
    for of in (4, 9, 4):
        commands.ask(S, {"cmd": "fault", "of": of, "state": "accepted", "by": "Ana"})
    assert commands.waiting == 2
