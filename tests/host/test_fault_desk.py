"""The desk of faults: each report in a ticket, mass failures, who is told what, all of it once."""

import pytest
from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.hub.fault_book import CLEARING_MS, NAMING_MS
from diadema.hub.fault_rules import MASS_MS
from diadema.hub.own_journal import Refused
from diadema.site.directory.people import Tool
from diadema.store.assistance import steps_of
from diadema.words import LANGUAGES, text

from tests.support.fault_room import Room, seats_of
from tests.support.scripted_station import T0

MINUTE = 60_000
A_MOMENT = 1000  # in which a station's events may lie ahead of the test's clock


@pytest.fixture
def made(tmp_path):
    rooms = []

    def make(count=4, **more):
        folder = tmp_path / str(len(rooms))
        folder.mkdir()
        rooms.append(Room(folder, count, **more))
        return rooms[-1]

    yield make
    for room in rooms:
        room.end()


def state(room, name):
    found = room.case(name).ticket
    return found.state, found.outcome


def test_a_report_begins_a_ticket_once_it_is_named(made):
    room = made()
    seat = room.seats[1].press(None)
    assert not room.settle()
    seat.name_it("sistemas", "crm")
    room.settle()
    case = room.one()
    ticket = case.ticket
    assert (ticket.by, ticket.area, ticket.part, ticket.severity) == (
        "rule:report", "sistemas", "crm", 3,
    )  # fmt: skip
    assert (ticket.title, ticket.seats) == ("Sistemas: CRM: A-01", "A-01")
    assert ticket.accept_due_utc == T0 + 15 * MINUTE
    assert seats_of(case) == [1] and not room.settle()


def test_one_that_nobody_names_begins_one_after_a_while_and_is_named_late(made):
    room = made()
    seat = room.seats[1].press(None)
    room.wait(NAMING_MS - A_MOMENT)
    assert room.going() == []
    room.wait(2 * A_MOMENT)
    ticket = room.one().ticket
    assert (ticket.area, ticket.title) == ("", "Falla por definir: A-01")
    seat.name_it("audio")
    room.settle()
    case = room.one()
    assert (case.ticket.area, case.steps[-1].by) == ("audio", "rule:report")


def test_pressed_twice_at_one_seat_it_is_one_problem_and_another_thing_another(made):
    room = made()
    seat = room.seats[1].press()
    room.settle()
    seat.press()
    room.settle()
    assert len(room.one().reports) == 2
    seat.press("audio", None)
    room.settle()
    assert [one.ticket.area for one in room.going()] == ["sistemas", "audio"]


def test_three_seats_are_a_mass_failure_that_takes_their_tickets_and_later_ones(made):
    room = made(6)
    for n in (1, 2):
        room.seats[n].press()
        room.wait(1000)
    assert [one.ticket.by for one in room.going()] == ["rule:report"] * 2
    room.seats[3].press()
    room.settle()
    case = room.one()
    assert (case.ticket.by, case.ticket.title, case.ticket.severity) == (
        "rule:mass", "Falla masiva: Sistemas: CRM", 2,
    )  # fmt: skip
    assert case.ticket.seats.splitlines() == ["A-01", "A-02", "A-03"]
    assert seats_of(case) == [1, 2, 3]
    closed = [one.ticket for one in room.cases() if one.ticket.state == "closed"]
    assert [(one.outcome, one.other) for one in closed] == [("duplicate", case.ticket.ticket)] * 2
    room.seats[4].press("sistemas", "red")
    room.wait(3 * MASS_MS)
    room.seats[5].press()
    room.settle()
    first, other = room.going()
    assert seats_of(first) == [1, 2, 3, 5] and seats_of(other) == [4]


def test_three_that_are_far_apart_are_none(made):
    room = made()
    for n in (1, 2, 3):
        room.seats[n].press()
        room.wait(MASS_MS // 2 + A_MOMENT)
    assert [one.ticket.by for one in room.going()] == ["rule:report"] * 3


def test_what_nobody_named_is_nothing_in_common(made):
    room = made()
    for n in (1, 2, 3):
        room.seats[n].press(None)
    room.wait(NAMING_MS + A_MOMENT)
    assert [one.ticket.by for one in room.going()] == ["rule:report"] * 3


def test_a_tenth_of_a_queue_is_one_too(made):
    of_sales = made(20, queues=lambda n: ["ventas"] if n <= 20 else [])
    for n in (1, 2):
        of_sales.seats[n].press()
    of_sales.settle()
    assert (of_sales.one().ticket.by, of_sales.one().ticket.severity) == ("rule:mass", 2)
    larger = made(21, queues=lambda n: ["ventas"])
    for n in (1, 2):
        larger.seats[n].press()
    larger.settle()
    assert len(larger.going()) == 2


def test_one_agent_who_is_moved_twice_in_one_failure_makes_no_mass_failure(made):
    room = made(5)
    room.seats[1].press().log_out()
    for n in (2, 3):
        room.seats[n].log_out().log_in("a001").press()
        if n == 2:
            room.seats[n].log_out()
    room.settle()
    assert [one.ticket.by for one in room.going()] == ["rule:report"] * 3
    room.seats[4].press()
    room.settle()
    assert [one.ticket.by for one in room.going()] == ["rule:report"] * 4
    room.seats[5].press()
    room.settle()
    assert seats_of(room.one()) == [1, 2, 3, 4, 5]


def test_a_whole_queue_is_grave_and_so_it_grows(made):
    room = made(5, queues=lambda n: ["ventas"] if n <= 4 else [])
    for n in (1, 2, 3):
        room.seats[n].press()
    room.settle()
    assert room.one().ticket.severity == 2
    room.seats[4].press()
    room.settle()
    ticket = room.one().ticket
    assert (ticket.severity, ticket.accept_due_utc) == (1, T0 + 5 * MINUTE)


def test_a_fifth_of_all_and_ten_is_as_grave(made):
    room = made(51)
    for n in range(1, 10):
        room.seats[n].press()
    room.settle()
    assert room.one().ticket.severity == 2
    room.seats[10].press()
    room.settle()
    assert room.one().ticket.severity == 2
    room.seats[11].press()
    room.settle()
    assert room.one().ticket.severity == 1


def test_one_seat_without_a_vital_tool_is_as_grave_as_a_group(made):
    """Named at once, named late, entered by hand; one that a person judged stays."""
    room = made(4)
    room.people.tools = [Tool("a", "crm", "CRM", vital=True), Tool("b", "crm", "CRM"),
                         Tool("a", "red", "Red")]  # fmt: skip
    room.seats[1].press()
    room.settle()
    ticket = room.one().ticket
    assert (ticket.by, ticket.severity) == ("rule:report", 2)
    assert ticket.accept_due_utc == T0 + 15 * MINUTE
    room.seats[2].press("sistemas", "red")
    room.settle()
    assert [one.ticket.severity for one in room.going()] == [2, 3]
    late, judged = room.seats[3].press(None), room.seats[4].press(None)
    room.wait(NAMING_MS + A_MOMENT)
    third, fourth = (one.ticket for one in room.going()[2:])
    assert (third.severity, fourth.severity) == (3, 3)
    room.act("changed", ticket=fourth.ticket, severity=4, reason="tiene otra máquina")
    late.name_it("sistemas", "crm")
    judged.name_it("sistemas", "crm")
    room.settle()
    graves = {one.ticket.ticket: one.ticket.severity for one in room.cases()}
    assert (graves[third.ticket], graves[fourth.ticket]) == (2, 4)


def test_a_vital_tool_that_is_entered_by_hand_takes_what_comes(made):
    room = made()
    room.people.tools = [Tool("a", "crm", "CRM", vital=True)]
    name = room.act("opened", area="sistemas", part="crm", title="CRM caído")
    assert room.case(name).ticket.severity == 2
    room.seats[1].press()
    room.settle()
    assert seats_of(room.case(name)) == [1]


def test_a_vital_tool_answered_from_the_floor_before_it_had_a_ticket(made):
    room = made()
    room.people.tools = [Tool("a", "crm", "CRM", vital=True)]
    room.answer(room.seats[1].press(), "accepted")
    assert (room.one().ticket.state, room.one().ticket.severity) == ("taken", 2)


def test_what_a_person_said_of_the_severity_stays(made):
    room = made(5, queues=lambda n: ["ventas"] if n <= 4 else [])
    for n in (1, 2, 3):
        room.seats[n].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("changed", ticket=name, severity=4, reason="solo es lento")
    assert room.one().ticket.accept_due_utc > T0 + 60 * MINUTE - 1
    room.seats[4].press()
    room.settle()
    assert room.one().ticket.severity == 4 and seats_of(room.one()) == [1, 2, 3, 4]


def mass(room, *numbers):
    for n in numbers:
        room.seats[n].press()
    room.settle()
    return room.one().ticket.ticket


def test_the_whole_way_of_one(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.clock.now += MINUTE
    room.act("taken", ticket=name, external="INC-7")
    ticket = room.one().ticket
    assert (ticket.state, ticket.assignee, ticket.external) == ("taken", "elena", "INC-7")
    assert ticket.solve_due_utc == T0 + 240 * MINUTE
    assert room.seats[1].heard == [("accepted", "Elena Soto")]
    room.act("noted", ticket=name, text="Se llamó al proveedor. " * 30, note="y a la jefa")
    assert [len(words) for _, words in room.case(name).texts] == [690, 11]
    room.act("resolved", ticket=name, cause="red", fix="puerto nuevo")
    assert room.seats[1].heard[-1] == ("resolved", "Elena Soto")
    assert state(room, name) == ("resolved", None)
    assert room.case(name).reports[0].result == "red"
    room.seats[1].confirm("yes")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_who_is_not_asked_any_more_at_the_next_log_in(made):
    room = made()
    name = mass(room, 1, 2, 3)
    room.act("resolved", ticket=name, cause="red")
    room.seats[1].confirm("yes")
    room.settle()
    room.seats[2].log_out()
    room.wait(MINUTE)
    assert state(room, name) == ("resolved", None)
    room.seats[2].log_in()
    room.seats[3].log_out()
    room.seats[4].log_out().log_in("a003")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_who_was_moved_before_it_was_mended_is_not_waited_for(made):
    room = made()
    name = mass(room, 1, 2, 3)
    room.wait(MINUTE)
    room.seats[3].log_out()
    room.seats[4].log_out().log_in("a003")
    room.wait(MINUTE)
    room.act("resolved", ticket=name, cause="red")
    for n in (1, 2):
        assert state(room, name) == ("resolved", None)
        room.seats[n].confirm("yes")
        room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_nobody_answered(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("resolved", ticket=name, cause="red")
    room.wait(MINUTE)
    room.seats[1].log_out().log_in()
    room.settle()
    assert state(room, name) == ("closed", "unanswered")
    assert [one.kind for one in room.case(name).steps] == [
        "opened", "taken", "resolved", "closed",
    ]  # fmt: skip


def test_the_second_who_takes_it_is_told_who_has_it_and_it_can_be_given_on(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("taken", ticket=name)
    with pytest.raises(Refused) as refusal:
        room.act("taken", ticket=name, by="teo")
    assert (refusal.value.error, refusal.value.values) == (
        "ticket_taken_already", {"who": "elena"},
    )  # fmt: skip
    room.act("taken", ticket=name, by="teo", who="Teo Ríos", to="teo")
    assert room.one().ticket.assignee == "teo"
    assert room.seats[1].heard[-1] == ("accepted", "Teo Ríos")


def test_it_is_given_to_nobody_who_is_disabled_or_would_not_see_it(made):
    room = made()
    accounts = Accounts(room.data)
    for name, role in (
        ("teo", "technician"),
        ("iris", "area"),
        ("mona", "monitor"),
        ("ada", "admin"),
    ):
        accounts.book.add(THE_HUB, name, name.title(), role, password="clave-de-prueba-1")
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    with pytest.raises(Refused) as refusal:
        room.act("taken", ticket=name, to="iris")
    assert (refusal.value.error, refusal.value.values) == ("ticket_not_theirs", {"to": "iris"})
    room.people.fault_areas["sistemas"].accounts = ["iris"]
    room.act("taken", ticket=name, to="iris")
    room.act("taken", ticket=name, to="teo")
    accounts.book.disable(THE_HUB, "iris")
    accounts.close()
    for to in ("iris", "mona"):
        with pytest.raises(Refused) as refusal:
            room.act("taken", ticket=name, to=to)
        assert (refusal.value.error, refusal.value.values) == ("ticket_no_account", {"to": to})
    assert room.one().ticket.assignee == "teo"


def test_a_no_of_one_seat_opens_it_again_with_the_new_report(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("resolved", ticket=name, cause="red")
    room.seats[1].confirm("no")
    room.settle()
    case = room.one()
    assert (case.ticket.ticket, case.ticket.state, case.ticket.reopened) == (name, "taken", 1)
    assert len(case.reports) == 2
    assert room.seats[1].heard[-1] == ("accepted", "elena")
    room.act("resolved", ticket=name, cause="red")
    room.seats[1].confirm("yes")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_in_a_mass_failure_a_no_begins_its_own_and_three_open_it_again(made):
    room = made(5)
    name = mass(room, 1, 2, 3, 4, 5)
    room.act("resolved", ticket=name, cause="red")
    for n in (1, 2):
        room.seats[n].confirm("no")
    room.settle()
    assert state(room, name) == ("resolved", None)
    assert [seats_of(one) for one in room.going()] == [[1], [2]]
    room.seats[4].confirm("yes")
    room.seats[3].confirm("no")
    room.settle()
    case = room.one()
    assert (case.ticket.ticket, case.ticket.state) == (name, "taken")
    assert seats_of(case) == [1, 1, 2, 2, 3, 3, 4, 5]
    assert [room.seats[n].heard[-1] for n in (1, 2, 3)] == [("accepted", "elena")] * 3
    others = [one.ticket for one in room.cases() if one.ticket.ticket != name]
    assert {(one.outcome, one.other) for one in others if one.utc} == {("duplicate", name)}
    room.act("resolved", ticket=name, cause="red")
    for n in (1, 2, 3, 5):
        room.seats[n].confirm("yes")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_a_mass_failure_with_one_no_is_closed_and_that_seat_goes_on(made):
    room = made()
    name = mass(room, 1, 2, 3)
    room.act("resolved", ticket=name, cause="red")
    room.seats[1].confirm("no")
    for n in (2, 3):
        room.seats[n].confirm("yes")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")
    assert seats_of(room.one()) == [1]


def test_whoever_joins_one_that_is_taken_is_told_by_whom(made):
    room = made()
    name = mass(room, 1, 2, 3)
    room.act("taken", ticket=name)
    room.seats[4].press()
    room.settle()
    assert room.seats[4].heard == [("accepted", "elena")]


def test_a_rejected_one_ends_at_its_seat(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("closed", ticket=name, outcome="rejected", reason="no hay falla")
    assert room.seats[1].heard == [("rejected", "Elena Soto")]
    assert state(room, name) == ("closed", "rejected")
    assert room.going() == []


def test_a_mass_failure_that_is_none_gives_each_seat_its_own_again(made):
    room = made(6)
    for n in (1, 2):
        room.seats[n].press()
        room.settle()
    own = [one.ticket.ticket for one in room.going()]
    room.act("taken", ticket=own[0])
    room.seats[3].press()
    room.settle()
    name = room.one().ticket.ticket
    assert room.case(name).ticket.by == "rule:mass"
    room.act("closed", ticket=name, outcome="rejected", reason="cada una es otra")
    going = room.going()
    assert [one.ticket.ticket for one in going[:2]] == own
    assert [seats_of(one) for one in going] == [[1], [2], [3]]
    assert [one.ticket.state for one in going] == ["taken", "open", "open"]
    assert [("rejected" in dict(room.seats[n].heard)) for n in (1, 2, 3)] == [False] * 3
    room.seats[4].press()
    room.settle()
    assert len(room.going()) == 4
    for n in (5, 6):
        room.seats[n].press()
    room.settle()
    assert [seats_of(one) for one in room.going()] == [[1], [2], [3], [4, 5, 6]]


def test_a_report_is_moved_and_what_is_left_empty_is_a_duplicate(made):
    room = made()
    room.seats[1].press()
    room.seats[2].press("audio", None)
    room.settle()
    first, second = (one.ticket.ticket for one in room.going())
    room.act("taken", ticket=second)
    room.act("linked", ticket=second, of=room.seats[1].of())
    assert state(room, first) == ("closed", "duplicate")
    assert seats_of(room.case(second)) == [1, 2] and room.case(first).reports == []
    assert room.seats[1].heard == [("accepted", "elena")]


def test_a_duplicate_gives_its_reports_away(made):
    room = made()
    room.seats[1].press()
    room.seats[2].press("audio", None)
    room.settle()
    first, second = (one.ticket.ticket for one in room.going())
    room.act("closed", ticket=first, outcome="duplicate", other=second, reason="es la misma")
    assert seats_of(room.one()) == [1, 2]


def refusals(room):
    """Two open ones, one that is a duplicate of the first, one that is solved, one rejected."""
    for n, area in ((1, "audio"), (2, "sistemas"), (3, "sistemas"), (4, "audio"), (5, "sistemas")):
        room.seats[n].press(area, {1: None, 2: "crm", 3: "red", 4: "x", 5: "y"}[n])
    room.settle()
    names = [one.ticket.ticket for one in room.going()]
    room.act("closed", ticket=names[2], outcome="duplicate", other=names[0], reason="x")
    room.act("resolved", ticket=names[3], cause="x")
    room.act("closed", ticket=names[4], outcome="rejected", reason="x")
    return dict(zip("abdsr", names, strict=True))


@pytest.mark.parametrize(
    ("action", "asked", "error"),
    [
        ("closed", {"ticket": "a", "outcome": "duplicate", "other": "a"}, "ticket_itself"),
        ("closed", {"ticket": "a", "outcome": "duplicate", "other": "d"}, "ticket_ring"),
        ("closed", {"ticket": "b", "outcome": "duplicate", "other": "d"}, "ticket_is_closed"),
        ("closed", {"ticket": "b", "outcome": "duplicate", "other": "r"}, "ticket_is_closed"),
        ("closed", {"ticket": "b", "outcome": "duplicate", "other": "s"}, "ticket_is_resolved"),
        ("closed", {"ticket": "b", "outcome": "duplicate"}, "ticket_no_other"),
        ("closed", {"ticket": "b", "outcome": "rejected", "other": "a"}, "ticket_no_other"),
        ("closed", {"ticket": "r", "outcome": "rejected"}, "ticket_is_closed"),
        ("closed", {"ticket": "s", "outcome": "rejected"}, "ticket_is_resolved"),
        ("closed", {"ticket": "z", "outcome": "rejected"}, "no_such_ticket"),
        ("closed", {"ticket": "a", "outcome": "rejected", "reason": " "}, "ticket_says_nothing"),
        ("linked", {"ticket": "r", "of": 2}, "ticket_is_closed"),
        ("linked", {"ticket": "b", "of": 2}, "ticket_has_it"),
        ("linked", {"ticket": "b", "of": 4}, "no_such_press"),
        ("taken", {"ticket": "r"}, "ticket_is_closed"),
        ("taken", {"ticket": "a", "to": "nadie"}, "ticket_no_account"),
        ("resolved", {"ticket": "r", "cause": "x"}, "ticket_is_closed"),
        ("resolved", {"ticket": "s", "cause": "x"}, "ticket_is_resolved"),
        ("reopened", {"ticket": "a", "reason": "x"}, "ticket_is_open"),
        ("reopened", {"ticket": "d", "reason": "x"}, "ticket_is_empty"),
        ("changed", {"ticket": "a", "severity": 3, "reason": "x"}, "ticket_as_it_was"),
        ("changed", {"ticket": "a", "area": "nada", "reason": "x"}, "no_such_fault_area"),
        ("changed", {"ticket": "r", "severity": 1, "reason": "x"}, "ticket_is_closed"),
        ("noted", {"ticket": "a", "text": "\n"}, "ticket_says_nothing"),
        ("opened", {"area": "nada", "title": "x"}, "no_such_fault_area"),
        ("opened", {"area": "audio", "title": "x", "seats": ["Z-99"]}, "no_such_seat"),
        ("opened", {"area": "audio", "title": "x", "of": 1}, "ticket_has_it"),
    ],
)  # fmt: skip
def test_what_is_not_done_says_what_to_do_and_leaves_all_as_it_was(made, action, asked, error):
    room = made(5)
    names = refusals(room)
    before = room.told()
    fields = {"reason": "x"} if action == "closed" else {}
    for key, value in asked.items():
        if key in ("ticket", "other"):
            value = names.get(value, "0" * 12)
        if key == "of":
            value = room.seats[value].of(room.seats[value].ticket or room.seats[value].closed)
        fields[key] = value
    with pytest.raises(Refused) as refusal:
        room.act(action, **fields)
    assert refusal.value.error == error
    assert room.told() == before
    for language in LANGUAGES:
        assert len(text(f"acting.{error}", language, **refusal.value.values)) > 20


def test_an_area_that_is_gone_gets_no_new_ticket_and_keeps_those_it_has(made):
    room = made()
    name = room.act("opened", area="audio", title="Sin sonido")
    room.people.fault_areas["audio"].in_use = False
    with pytest.raises(Refused) as refusal:
        room.act("opened", area="audio", title="Otra vez")
    assert refusal.value.error == "no_such_fault_area"
    assert "audio" not in str(refusal.value.values["allowed"])
    room.act("changed", ticket=name, area="audio", severity=2, reason="son más")
    assert room.one().ticket.severity == 2


def test_reopened_by_a_person_it_is_resolved_again(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("resolved", ticket=name, cause="red")
    room.act("reopened", ticket=name, reason="no era")
    assert room.one().ticket.state == "taken"
    room.act("resolved", ticket=name, cause="otra")
    room.seats[1].confirm("yes")
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_a_failure_that_nobody_pressed_takes_what_comes(made):
    room = made()
    name = room.act("opened", area="sistemas", title="CRM caído", part="crm", whole=True)
    ticket = room.one().ticket
    assert (ticket.by, ticket.severity, ticket.seats) == ("elena", 1, "")
    room.seats[1].press()
    room.seats[2].press("sistemas", "red")
    room.settle()
    assert seats_of(room.case(name)) == [1]
    every = room.act("opened", area="audio", title="Sin sonido", seats=["A-01", "A-02", "A-03"])
    assert room.case(every).ticket.severity == 2
    alone = room.act("opened", area="audio", title="Un audífono", seats=["A-04"])
    room.seats[3].press("audio", None)
    room.settle()
    assert seats_of(room.case(every)) == [3] and room.case(alone).reports == []
    room.act("resolved", ticket=alone, cause="cambiado")
    assert state(room, alone) == ("closed", "unanswered")


def test_one_is_entered_for_a_report(made):
    room = made()
    room.seats[1].press(None)
    name = room.act("opened", area="audio", title="No oye", of=room.seats[1].of())
    room.wait(NAMING_MS + A_MOMENT)
    assert room.one().ticket.ticket == name and seats_of(room.one()) == [1]
    room.seats[2].press("audio", None)
    room.settle()
    assert len(room.going()) == 2


def test_a_part_of_a_station_is_a_fault_after_a_minute(made):
    room = made()
    room.seats[1].say("station.fault", part="codec", code="no_answer")
    room.seats[2].say("station.fault", part="lights", code="no_answer")
    room.wait(CLEARING_MS - A_MOMENT)
    room.seats[2].say("station.fault_cleared", part="lights", code="no_answer")
    assert room.going() == []
    room.wait(2 * A_MOMENT)
    ticket = room.one().ticket
    assert (ticket.by, ticket.area, ticket.part, ticket.severity, ticket.title) == (
        "rule:station", "estacion", "codec", 3, "códec de audio: A-01",
    )  # fmt: skip
    room.seats[1].say("station.fault_cleared", part="codec", code="no_answer")
    room.settle()
    assert state(room, ticket.ticket) == ("closed", "confirmed")


def test_a_part_that_was_said_to_be_mended_and_is_not(made):
    room = made()
    room.seats[1].say("station.fault", part="lights", code="no_answer")
    room.wait(CLEARING_MS + A_MOMENT)
    name = room.one().ticket.ticket
    assert room.one().ticket.severity == 4
    room.act("resolved", ticket=name, cause="cable")
    room.wait(MINUTE)
    assert state(room, name) == ("resolved", None)
    room.seats[1].log_out().log_in()
    room.settle()
    assert (room.one().ticket.ticket, room.one().ticket.state) == (name, "taken")


def test_the_telephones_of_a_room_that_is_empty_are_nobodys_fault(made):
    room = made(3)
    for n in (1, 2, 3):
        room.seats[n].log_out().say("station.fault", part="telephone", code="no_phone")
    room.wait(2 * CLEARING_MS)
    assert room.going() == []
    for n in (1, 2, 3):
        room.seats[n].log_in()
    room.settle()
    assert (room.one().ticket.by, room.one().ticket.part) == ("rule:mass", "telephone")
    for n in (1, 2, 3):
        room.seats[n].say("station.fault_cleared", part="telephone", code="no_phone")
    room.settle()
    assert room.going() == []


def test_a_seat_that_is_unfit_is_a_fault_until_it_is_fit(made):
    room = made()
    room.seats[1].say("station.selftest", checks={}, fit=False, bench=True, reason="keys")
    assert not room.settle()
    for _ in range(2):
        room.seats[1].say("station.selftest", checks={"keys": "failed"}, fit=False, reason="keys")
        room.settle()
    name = room.one().ticket.ticket
    assert room.one().ticket.title == "autoprueba: A-01"
    room.seats[1].say("station.selftest", checks={"keys": "ok"}, fit=True)
    room.settle()
    assert state(room, name) == ("closed", "confirmed")


def test_an_answer_to_one_report_moves_its_ticket_along(made):
    room = made()
    room.seats[1].press(None)
    room.answer(room.seats[1], "accepted")
    case = room.one()
    assert (case.ticket.state, case.ticket.assignee) == ("taken", "elena")
    room.answer(room.seats[1], "resolved", cause="red")
    assert state(room, case.ticket.ticket) == ("resolved", None)
    room.seats[1].confirm("yes")
    room.seats[2].press()
    room.settle()
    other = room.one().ticket.ticket
    room.answer(room.seats[2], "rejected", note="no hay falla")
    assert state(room, case.ticket.ticket) == ("closed", "confirmed")
    assert state(room, other) == ("closed", "rejected")
    assert room.case(other).ticket.reason == "no hay falla"


def test_an_answer_to_one_report_of_a_mass_failure_is_that_seats_alone(made):
    room = made()
    name = mass(room, 1, 2, 3)
    room.answer(room.seats[1], "resolved")
    assert state(room, name) == ("open", None)
    room.seats[1].confirm("no")
    room.settle()
    assert seats_of(room.one()) == [1, 1, 2, 3]


def test_what_a_station_was_told_past_the_desk_is_followed(made):
    room = made()
    room.seats[1].press()
    room.settle()
    name = room.one().ticket.ticket
    room.seats[1].obey({"i": 5, "of": room.seats[1].ticket, "state": "resolved", "by": "central"})
    room.settle()
    assert state(room, name) == ("resolved", None)


@pytest.mark.parametrize("jump", [-3_600_000, 3_600_000, -86_400_000])
def test_a_clock_that_jumps_loses_and_doubles_nothing(made, jump):
    room = made()
    room.seats[1].press()
    room.seats[2].press(None)
    room.settle()
    room.clock.now += jump
    room.wait(1)
    assert [seats_of(one) for one in room.going()] == [[1], [2]]
    first, second = (room.case(one.ticket.ticket) for one in room.going())
    if first.ticket.part is None:
        first, second = second, first
    name = first.ticket.ticket
    room.act("closed", ticket=second.ticket.ticket, outcome="duplicate", other=name, reason="x")
    room.clock.now -= jump // 2
    room.restart()
    room.settle()
    assert seats_of(room.one()) == [1, 2]
    room.act("resolved", ticket=name, cause="red")
    room.seats[1].confirm("yes")
    room.seats[2].confirm("no")
    room.settle()
    assert (room.one().ticket.ticket, room.one().ticket.reopened) == (name, 1)
    with room.reader.engine.connect() as tx:
        steps = steps_of(tx, [name])[name]
    assert [one.sequence for one in steps] == sorted(one.sequence for one in steps)


def test_a_report_of_hours_ago_begins_one_and_what_was_followed_long_ago_none(made):
    room = made()
    seat = room.seats[1].press()
    seat.press("audio", None)
    room.clock.now += 3 * 86_400_000
    room.settle()
    assert [one.ticket.area for one in room.going()] == ["audio"]
