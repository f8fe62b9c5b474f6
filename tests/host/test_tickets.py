"""What the host does about help and faults, as rows: steps of help, and tickets."""

import json

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.messages import Message, subject_of
from diadema.maintenance.rebuild import rebuild
from diadema.store import tables
from diadema.store.assistance import (
    adoptions,
    fault_mark,
    help_cases,
    is_mass,
    loose_faults,
    ticket_cases,
)
from diadema.store.rows import Ticket
from diadema.wire.actions import TEXT_CHARACTERS
from diadema.wire.events import EVENT_LIMIT, KINDS
from diadema.wire.long_texts import parts_of, whole_text
from sqlalchemy import select

from tests.support.scripted_station import SITE, T0, S, Script

HUB, TICKET = "HUB-main", "abc123def456"
PRESS, OTHER = [S, 7, 4], [S, 7, 9]
OPENED = {"area": "sistemas", "part": "crm", "severity": 2, "title": "CRM caído",
          "seats": ["A-01", "A-02"], "of": PRESS, "due": T0 + 300_000}  # fmt: skip


@pytest.fixture
def host(ingest):
    """Tells what the hub says, event after event."""
    count = 0

    def say(kind, s=HUB, **fields):
        nonlocal count
        count += 1
        at = {"s": s, "e": 1, "n": count, "b": 0, "u": 0, "t": T0 + count, "k": kind}
        body = json.dumps({"by": "ana", **at, **fields}, ensure_ascii=False).encode()
        return ingest.take_file([Message(0, subject_of(s), body)])

    return say


def ticketed(host, kind, **fields):
    return host(f"ticket.{kind}", ticket=fields.pop("ticket", TICKET), **fields)


def rows(reader, table):
    with reader.engine.connect() as tx:
        return [dict(one._mapping) for one in tx.execute(select(table)).all()]


def ticket(reader):
    (found,) = rows(reader, tables.tickets)
    return found


def test_a_ticket_goes_its_way(host, reader):
    ticketed(host, "opened", **OPENED)
    assert ticket(reader) | {"state": "open", "by": "ana", "utc": T0 + 1, "of_n": 4} == ticket(
        reader
    )
    assert ticket(reader)["seats"] == "A-01\nA-02" and not ticket(reader)["estimated"]
    ticketed(host, "linked", of=OTHER)
    ticketed(host, "taken", to="teo", due=T0 + 900_000, external="INC-7")
    ticketed(host, "taken", to="luz", by="teo")
    taken = {"state": "taken", "assignee": "luz", "taken_by": "ana", "taken_utc": T0 + 3,
             "accept_due_utc": T0 + 300_000, "solve_due_utc": T0 + 900_000,
             "external": "INC-7"}  # fmt: skip
    assert ticket(reader) | taken == ticket(reader)
    ticketed(host, "changed", severity=1, area="proveedor", reason="cayó todo", due=T0 + 60_000)
    assert (ticket(reader)["severity"], ticket(reader)["area"]) == (1, "proveedor")
    assert ticket(reader)["solve_due_utc"] == T0 + 60_000
    ticketed(host, "resolved", cause="red", fix="puerto nuevo")
    assert ticket(reader)["state"] == "resolved" and ticket(reader)["resolved_utc"] == T0 + 6
    ticketed(host, "reopened", reason="sigue")
    again = ticket(reader)
    assert (again["state"], again["reopened"], again["resolved_utc"]) == ("taken", 1, None)
    ticketed(host, "resolved", cause="red")
    ticketed(host, "closed", outcome="confirmed")
    assert ticket(reader)["state"] == "closed" and ticket(reader)["outcome"] == "confirmed"
    steps = rows(reader, tables.ticket_steps)
    assert [one["kind"] for one in steps] == [
        "opened", "linked", "taken", "taken", "changed", "resolved", "reopened", "resolved",
        "closed",
    ]  # fmt: skip
    assert [one["of_n"] for one in steps[:2]] == [4, 9]


def test_a_ticket_whose_opening_was_lost_says_so(host, reader):
    ticketed(host, "taken", to="teo")
    assert ticket(reader)["estimated"] and ticket(reader)["state"] == "taken"


def test_what_a_station_says_of_tickets_is_nothing(host, reader):
    ticketed(host, "opened", s=S, **OPENED)
    assert rows(reader, tables.tickets) == rows(reader, tables.ticket_steps) == []


def test_many_that_are_closed_are_forgotten_and_stay_in_the_store(host, ingest, reader):
    for at in range(70):
        ticketed(host, "opened", **OPENED, ticket=f"{at:012}")
        ticketed(host, "closed", outcome="rejected", reason="no hay falla", ticket=f"{at:012}")
    assert len(ingest.station(HUB).state.tickets) == 64
    assert len(rows(reader, tables.tickets)) == 70


def test_what_is_done_about_help_is_kept(host, reader):
    host("help.assigned", of=PRESS, to="luz", reason="sabe de créditos")
    host("help.escalated", of=PRESS, level=1)
    host("help.noted", of=PRESS, gap="missing", playbook="saldos", version=3, text="No dice")
    steps = rows(reader, tables.help_steps)
    assert [(one["kind"], one["of_n"]) for one in steps] == [
        ("assigned", 4), ("escalated", 4), ("noted", 4),
    ]  # fmt: skip
    assert [steps[0]["assignee"], steps[1]["level"]] == ["luz", 1]
    noted = {"gap": "missing", "playbook": "saldos", "version": "3", "text": "No dice"}
    assert steps[2] | noted == steps[2]


def test_all_of_it_comes_again_from_the_events(tmp_path, host, clock, reader):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    ticketed(host, "opened", **OPENED)
    ticketed(host, "noted", text="Se llamó al proveedor")
    host("help.escalated", of=PRESS, level=1)
    kept = tables.tickets, tables.ticket_steps, tables.help_steps
    before = [rows(reader, one) for one in kept]
    assert rebuild(data, clock, apply=True).differences == []
    assert [rows(reader, one) for one in kept] == before and all(before)


@pytest.mark.parametrize("letter", ["a", "ñ", "\U0001f600", '"', "\\", "\n"])
def test_a_long_text_travels_in_parts(letter):
    text = letter * TEXT_CHARACTERS
    parts = parts_of(text)
    assert len(parts) > 1
    said = [(one["text"], one["part"], one["parts"], one.get("sha256")) for one in parts]
    assert whole_text(said) == text
    assert whole_text(said[:-1]) is whole_text(said[1:]) is whole_text(said[::-1]) is None
    changed = [("x" + said[0][0][1:], *said[0][1:]), *said[1:]]
    assert whole_text(changed) is None
    assert parts_of("Se llamó") == [{"text": "Se llamó"}]
    assert whole_text([("Se llamó", None, None, None)]) == "Se llamó"
    longest = {"s": "HUB-main", "e": 2**32 - 1, "n": 2**53 - 1, "b": 0, "u": 0, "t": 2**45,
               "k": "ticket.noted", "by": "b" * 32, "ticket": TICKET}  # fmt: skip
    for one in parts:
        body = json.dumps(longest | one, ensure_ascii=False, separators=(",", ":")).encode()
        assert len(body) <= EVENT_LIMIT


@pytest.mark.parametrize(
    "longest",
    [
        {"k": "help.assigned", "to": "t" * 32, "reason": "\u00f1" * 64},
        {"k": "help.escalated", "level": 2},
        {"k": "help.noted", "gap": "unclear", "playbook": "p" * 16, "version": "v" * 16},
        {"k": "ticket.opened", "area": "a" * 24, "part": "p" * 24, "severity": 4,
         "seats": ["S" * 12] * 3, "title": "\u00f1" * 30 + "t" * 30, "due": 2**45},
        {"k": "ticket.linked"},
        {"k": "ticket.taken", "to": "t" * 32, "due": 2**45, "external": "x" * 32},
        {"k": "ticket.changed", "severity": 4, "area": "a" * 24, "part": "p" * 24,
         "reason": "\u00f1" * 64, "due": 2**45, "external": "x" * 32},
        {"k": "ticket.resolved", "cause": "\u00f1" * 48, "fix": "\u00f1" * 48},
        {"k": "ticket.reopened", "reason": "\u00f1" * 64, "due": 2**45},
        {"k": "ticket.closed", "outcome": "unanswered", "reason": "\u00f1" * 64, "other": TICKET,
         "external": "x" * 32},
    ],
    ids=lambda one: one["k"],
)  # fmt: skip
def test_the_longest_of_each_kind_fits(longest):
    place = {"s": "HUB-main", "e": 2**32 - 1, "n": 2**53 - 1, "b": 0, "u": 0, "t": 2**45,
             "by": "b" * 32}  # fmt: skip
    of = {"of": ["DIA-" + "f" * 12, 2**32 - 1, 2**53 - 1]}
    event = place | longest | (of if "of" in KINDS[longest["k"]].__struct_fields__ else {})
    if longest["k"].startswith("ticket."):
        event["ticket"] = TICKET
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(body) <= EVENT_LIMIT


def cases(reader, **which):
    with reader.engine.connect() as tx:
        return ticket_cases(tx, **which)


def test_a_case_has_its_reports_and_its_texts_whole(host, ingest, reader):
    script = Script().boot().clock().login().ready()
    script.add("fault.reported", a="a001").add("fault.reported", a="a001")
    ingest.take(script.messages(1), "stream", "server")
    first, second = ([S, 7, n] for n in (script.n - 1, script.n))
    ticketed(host, "opened", **OPENED | {"of": first})
    ticketed(host, "linked", of=second)
    ticketed(host, "linked", of=second)
    long = "ñandú " * 100
    for part in [*parts_of("Se llamó"), *parts_of(long)]:
        ticketed(host, "noted", **part)
    ticketed(host, "opened", **OPENED, ticket="0" * 12)
    ticketed(host, "closed", outcome="rejected", ticket="0" * 12)
    one, other = cases(reader)
    assert [one.sequence for one in one.reports] == [script.n - 1, script.n]
    assert [text for _, text in one.texts] == ["Se llamó", long]
    assert (one.ticket.ticket, other.ticket.ticket) == (TICKET, "0" * 12)
    assert [case.ticket.ticket for case in cases(reader, going=True)] == [TICKET]
    assert cases(reader, ids=["0" * 12])[0].ticket.outcome == "rejected"
    assert cases(reader, end_utc=T0) == []
    closed = other.ticket.closed_utc
    assert (
        len(cases(reader, start_utc=closed)) == 2 and len(cases(reader, start_utc=closed + 1)) == 1
    )
    with reader.engine.connect() as tx:
        assert adoptions(tx, [tuple(second), (S, 7, 1)]) == {tuple(second): [TICKET] * 2}


def test_what_came_of_help(host, ingest, reader):
    script = Script().boot().clock().login().ready().offer("c1")
    script.contact("answered", "c1", via="key", ring_ms=1)
    asked = []
    for more in ({"c": "c1"}, {}, {}, {}, {}):
        script.add("help.requested", a="a001", **more)
        asked.append([S, 7, script.n])
    late, told, served, not_served, open_ = asked
    script.contact("ended", "c1", by="caller")
    for of, result in ((told, "parcial"), (served, None), (not_served, None)):
        more = {"result": result} if result else {}
        script.add("help.resolved", of=of, i=5, by="Ana", **more)
    script.add("help.rated", a="a001", of=served, answer="yes")
    script.add("help.rated", a="a001", of=not_served, answer="no")
    ingest.take(script.messages(1), "stream", "server")
    host("help.assigned", of=open_, to="luz", reason="créditos")
    host("help.escalated", of=open_, level=1)
    host(
        "help.noted", of=open_, gap="wrong", playbook="saldos", version="2", text="Dice otra tasa"
    )
    with reader.engine.connect() as tx:
        found = help_cases(tx, start_utc=T0)
        going = help_cases(tx, going=True)
        assert help_cases(tx, end_utc=T0) == []
    assert [one.result(seated=True) for one in found] == [
        "termino_antes", "parcial", "resuelta", "sin_resultado", None,
    ]  # fmt: skip
    assert found[-1].result(seated=False) == "sin_resultado"
    assert [one.press.sequence for one in going] == [late[2], open_[2]]
    last = going[-1]
    assert (last.assignee, last.level, last.note.gap, last.text) == (
        "luz", 1, "wrong", "Dice otra tasa",
    )  # fmt: skip


def test_a_report_is_loose_until_a_ticket_has_it(host, ingest, reader):
    script = Script().boot().clock().login().ready()
    script.add("help.requested", a="a001").add("fault.reported", a="a001")
    of = [S, 7, script.n]
    ingest.take(script.messages(1), "stream", "server")

    def loose():
        with reader.engine.connect() as tx:
            return [one.sequence for one in loose_faults(tx)], fault_mark(tx)

    found, before = loose()
    assert found == [script.n]
    assert loose() == (found, before)
    ticketed(host, "opened", **OPENED | {"of": of})
    found, after = loose()
    assert found == [] and after != before
    script.add("fault.resolved", of=of, i=5, by="Teo")
    ingest.take(script.messages(script.n), "stream", "server")
    assert loose()[0] == [] and loose()[1] != after
    script.logout()
    ingest.take(script.messages(script.n - 1), "stream", "server")
    assert loose()[1] != after


def test_what_a_mass_failure_is():
    def ticket(**fields):
        return Ticket(ticket=TICKET, station=HUB, epoch=1, sequence=1, utc=T0, **fields)

    assert is_mass(ticket(by="rule:mass", of_n=4, severity=3))
    assert is_mass(ticket(by="ana", severity=2)) and not is_mass(ticket(by="ana", severity=3))
    assert not is_mass(ticket(by="rule:report", of_n=4, severity=2))
    assert not is_mass(ticket(by="ana", severity=1, estimated=True)) and not is_mass(None)
