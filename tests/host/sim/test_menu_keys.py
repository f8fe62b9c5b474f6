"""The keys of simulated people lead where they should: typed into the station's own state machine,
configured for the sample site.
"""

import json
import random
from typing import Any

import pytest
from diadema.site.description import parse
from diadema.site.station_config import ConfigMaker
from diadema_sim import menu_keys, people
from diadema_sim.agent import shows_full_list, shows_question
from diadema_sim.station_user import StationHistory
from diadema_sim.witness import Witnessed
from lib.screens import Screen
from lib.timekeeping import Clock
from lib.words_es import WORDS

from tests.support.deskbench import DeskBench

ROSA = ("0" * 32, "a001")
TREE = people.LIMA_TREE


class Desk:
    """The state machine, and what a person knows of its history."""

    def __init__(self) -> None:
        desks = people.desks(1)
        content = people.site(desks, name="Centro", zone="America/Lima", tree=TREE)
        site = parse(json.dumps(content).encode())
        made = ConfigMaker(site, "5a" * 32, -300, 1, card_key="c4" * 16).build(desks[0].station)
        self.site = content
        self.bench = DeskBench(json.loads(made))
        self.seen: list[Witnessed] = []
        self.history = StationHistory(self.seen)
        self.bench.do("badge", ROSA)
        self.keys(menu_keys.READY)

    def keys(self, *keys: int) -> None:
        for key in keys:
            self.bench.do(f"key{key}")
        self._note()

    def ring(self, contact: str) -> None:
        self.bench.ring(contact)
        self._note()

    def call(self, contact: str) -> None:
        self.ring(contact)
        self.keys(menu_keys.ANSWER)

    def _note(self) -> None:
        for event in self.bench.events[len(self.seen) :]:
            self.seen.append(Witnessed(1, event["n"], event, event["u"], b""))

    def last(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self.bench.last(kind)
        return found

    def typify(self, contact: str, code: str) -> None:
        self.keys(
            *menu_keys.code_keys(
                TREE, code, self.history.recent_codes(), self.history.motive(contact)
            )
        )

    def menu(self, contact: str, line: str) -> None:
        coded = self.history.happened("contact.typified", contact)
        step = self.history.steps_left(contact, self.site["campaigns"]) > 0
        self.keys(*menu_keys.call_menu_keys(line, step=step, coded=coded))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def screen(desk: Desk) -> bytes:
    shown = Screen()
    shown.use(WORDS)
    shown.draw(desk.bench.station, Clock(lambda: 0), desk.bench.u, "up")
    return bytes(shown.canvas.buffer)


@pytest.mark.parametrize("seed", range(5))
def test_every_code_is_found_whatever_was_used_before(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    often = chance.sample(people.leaves(TREE), 5)
    hows = set()
    for number in range(40):
        contact = f"c{number}"
        code = chance.choice(often if number % 3 else people.leaves(TREE))
        desk.call(contact)
        motive = chance.choice([None, people.motive_of(TREE, code), "1"])
        if motive:
            desk.menu(contact, "motive")
            motives = [{"code": node[0]} for node in TREE["nodes"]]
            desk.keys(*menu_keys.coded_keys(motives, motive))
            assert desk.history.motive(contact) == motive
        desk.keys(menu_keys.HANG_UP)
        desk.typify(contact, code)
        typified = desk.last("contact.typified")
        assert (typified["c"], typified["code"]) == (contact, code)
        hows.add(typified["how"])
    assert hows == {"agent", "favourite"}


@pytest.mark.parametrize(("key", "kind"), [(menu_keys.YES, "help"), (menu_keys.NO, "fault")])
def test_who_is_asked_something_sees_it_and_knows_it(desk: Desk, key: int, kind: str) -> None:
    desk.bench.do("key5" if kind == "help" else "long5")
    assert shows_full_list(screen(desk)) and not shows_question(screen(desk))
    desk.keys(menu_keys.BACK)
    n = desk.last("help.requested" if kind == "help" else "fault.reported")["n"]
    desk.bench.command(kind, of=n, state="resolved", by="Ana P.")
    for after_ms in (3_000, 2_000):
        assert not shows_question(screen(desk))
        desk.bench.do("tick", after_ms=after_ms)
    desk.keys()
    assert desk.history.asked and shows_question(screen(desk))
    desk.keys(key)
    assert not desk.history.asked and not shows_question(screen(desk))


def test_what_nobody_answered_is_not_asked_after_the_next_login(desk: Desk) -> None:
    desk.bench.do("key5")
    desk.bench.command("help", of=desk.last("help.requested")["n"], state="resolved", by="Ana P.")
    desk.keys(menu_keys.BACK)
    assert desk.history.asked
    desk.bench.do("badge", ROSA)
    desk.keys(menu_keys.CLOSE_SESSION)
    desk.bench.do("badge", ROSA)
    desk.keys()
    assert not desk.history.asked


LINES = {
    "transfer": "areas",
    "motive": "motives",
    "after_call": "intend",
    "code": "tree",
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("steps", [0, 2, 4])
def test_the_menu_of_a_call_opens_what_is_wanted(desk: Desk, line: str, steps: int) -> None:
    desk.call("c1")
    for _ in range(steps):
        desk.keys(menu_keys.STEP)
        if desk.last("contact.step")["step"] == "identity":
            desk.keys(menu_keys.FIRST)  # how it was verified
    assert desk.history.steps_left("c1", desk.site["campaigns"]) == 4 - steps
    desk.menu("c1", line)
    assert desk.bench.station.menu.kind == LINES[line]


def test_with_a_code_the_menu_of_a_call_is_shorter_and_the_rest_as_before(desk: Desk) -> None:
    desk.call("c1")
    desk.menu("c1", "code")
    desk.typify("c1", "111")
    desk.menu("c1", "skip")
    assert desk.last("contact.step")["result"] == "skipped"
    desk.menu("c1", "recording")
    assert desk.bench.desk.unrecorded
    desk.menu("c1", "after_call")
    assert desk.bench.station.menu.kind == "intend"


def test_what_the_past_says_is_what_the_desk_knows(desk: Desk) -> None:
    """In a walk through the keys and what may come from the exchange."""
    chance = random.Random(3)
    for number in range(600):
        if chance.random() < 0.25:
            desk.ring(f"c{number}")
        elif desk.bench.desk.work != "idle" and chance.random() < 0.1:
            desk.bench.command("hangup", contact=desk.bench.desk.contact, by="caller")
        else:
            desk.keys(chance.choice((1, 1, 2, 3, 3, 4, 5, 6)))
        desk._note()
        state = desk.bench.desk
        assert desk.history.presence == state.presence
        assert desk.history.work[0] == state.work
        assert desk.history.recent_codes() == state.recent
        assert desk.history.uncoded_contacts() == [row[0] for row in state.pending]
        if state.work in ("talking", "held", "consulting"):
            assert desk.history.work[1] == state.contact
            assert desk.history.motive(state.contact) == state.motive
