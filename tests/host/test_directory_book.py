"""People and places: every version of every entry stays; a change is done whole or not at all."""

from datetime import date

import pytest
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.problems import Wrong

DAY = date(2026, 12, 1)
AGENT = {"code": "e001", "name": "Ejemplo Uno", "short": "UNO", "alias": "E1"}


@pytest.fixture
def book(tmp_path):
    with Directory(tmp_path / "directory.sqlite3") as made:
        yield made


def put(book, kind, at_ms=1, **given):
    body = KINDS[kind].read(given)
    change = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    book.apply([change], by="Ana", reason="prueba", at_ms=at_ms)


def change(kind, code, body, **more):
    return Change(kind=kind, code=code, body=body, **more)


def words(error):
    return [(one.word, one.column) for one in error.value.problems]


def apply(book, *changes):
    return book.apply(changes, by="Ana", reason="prueba", at_ms=1)


def test_nothing_is_written_over(book):
    put(book, "teams", code="Mañana")
    put(book, "agents", **AGENT, at_ms=10)
    put(book, "agents", **AGENT, team="Mañana", at_ms=20)
    newest, first = book.history("agents", "e001")
    assert (first.version, first.at_ms, first.body) == (1, 10, AGENT)
    assert (newest.version, newest.body["team"], newest.by) == (2, "Mañana", "Ana")


def test_a_change_holds_on_its_days_only(book):
    put(book, "queues", code="q1", name="Consultas")
    target = {"metric": "aht_s", "queue": "q1", "value": 300}
    put(book, "targets", **target)
    body = target | {"value": 360}
    december = {"valid_from": date(2026, 12, 1), "valid_until": date(2026, 12, 31)}
    apply(book, change("targets", "aht_s/q1", body, **december))
    days = (date(2026, 11, 30), DAY, date(2026, 12, 31), date(2027, 1, 1))
    values = [book.entry("targets", "aht_s/q1", day).body["value"] for day in days]
    assert values == [300, 360, 360, 300]
    assert [one.body["value"] for one in book.entries("targets", DAY)] == [360]


def test_a_retired_code_keeps_its_history_and_is_never_anothers(book):
    put(book, "agents", **AGENT)
    apply(book, change("agents", "e001", None, valid_from=DAY))
    assert book.entries("agents", DAY) == []
    assert [one.code for one in book.entries("agents", date(2026, 11, 30))] == ["e001"]
    assert [one.code for one in book.entries("agents", DAY, retired=True)] == ["e001"]
    with pytest.raises(Wrong) as error:
        apply(book, change("agents", "e001", AGENT))
    assert words(error) == [("code_retired", "code")]


def test_a_day_of_the_roster_may_be_filled_again(book):
    put(book, "agents", **AGENT)
    for absence in ("vacation", "permission"):
        row = {"day": "2026-12-01", "agent": "e001", "absence": absence}
        apply(book, change("roster", "2026-12-01/e001", row))
        apply(book, change("roster", "2026-12-01/e001", None))
    assert len(book.history("roster", "2026-12-01/e001")) == 4


@pytest.mark.parametrize(
    ("kind", "body", "wrong"),
    [
        ("agents", AGENT | {"team": "Nadie"}, ("unknown_teams", "team")),
        ("agents", AGENT | {"queues": ["q9"]}, ("unknown_queues", "queues")),
        ("roster", {"day": "2026-12-01", "agent": "e9", "absence": "vacation"},
         ("unknown_agents", "agent")),
        ("shifts", {"code": "t1", "name": "T", "start": "08:00", "end": "16:00",
                    "pauses": ["10:00-10:15 nada"]}, ("unknown_reasons", "pauses")),
    ],
)  # fmt: skip
def test_whom_it_names_must_be_there(book, kind, body, wrong):
    with pytest.raises(Wrong) as error:
        apply(book, change(kind, KINDS[kind].code(body), body))
    assert words(error) == [wrong]


def test_what_is_one_persons_is_one_persons(book):
    put(book, "agents", **AGENT, badges="iso14443a:04A1B2C3")
    other = AGENT | {"code": "e002", "badges": ["iso14443a:04A1B2C3"]}
    with pytest.raises(Wrong, match="belongs to e001"):
        apply(book, change("agents", "e002", other))
    apply(book, change("agents", "e001", AGENT), change("agents", "e002", other))


def test_whom_others_name_is_not_retired(book):
    put(book, "teams", code="Mañana")
    put(book, "agents", **AGENT, team="Mañana")
    with pytest.raises(Wrong, match=r"1 use it \(e001\)"):
        apply(book, change("teams", "Mañana", None))
    apply(book, change("agents", "e001", AGENT), change("teams", "Mañana", None))


def test_all_or_nothing(book):
    good = change("agents", "e001", AGENT)
    with pytest.raises(Wrong):
        apply(book, good, change("agents", "e001", AGENT))
    with pytest.raises(Wrong):
        apply(book, good, change("teams", "Nadie", None))
    assert book.entries("agents") == [] and book.last_change() == 0


def test_whoever_was_slower_is_told(book):
    put(book, "agents", **AGENT)
    put(book, "agents", **AGENT, team=None)
    with pytest.raises(Wrong) as error:
        apply(book, change("agents", "e001", AGENT, seen=1))
    assert error.value.conflict and words(error) == [("changed_meanwhile", "code")]
    with pytest.raises(Wrong, match="there already"):
        apply(book, change("agents", "e001", AGENT, seen=0))


def test_a_change_has_an_author_and_a_reason(book):
    for by, reason in (("", "x"), ("Ana", " "), ("A\u202ena", "x"), ("Ana", "x" * 201)):
        with pytest.raises(Wrong):
            book.apply([change("agents", "e001", AGENT)], by=by, reason=reason, at_ms=1)


def test_what_was_planned_is_not_lost_unseen(book):
    put(book, "teams", code="Mañana")
    put(book, "agents", **AGENT)
    moved = AGENT | {"team": "Mañana"}
    apply(book, change("agents", "e001", moved, valid_from=date(2027, 1, 1)))
    renamed = AGENT | {"name": "Otro Nombre"}
    with pytest.raises(Wrong, match="planned from 2027-01-01"):
        apply(book, change("agents", "e001", renamed, valid_from=DAY))
    until = {"valid_from": DAY, "valid_until": date(2026, 12, 31)}
    apply(book, change("agents", "e001", renamed, **until))
    assert book.entry("agents", "e001", DAY).body == renamed
    assert book.entry("agents", "e001", date(2027, 1, 1)).body == moved


def test_several_have_it_open(book, tmp_path):
    put(book, "agents", **AGENT)
    with Directory(tmp_path / "directory.sqlite3") as other:
        assert other.entry("agents", "e001").body == AGENT
        put(other, "agents", **AGENT, team=None)
    assert book.entry("agents", "e001").version == 2


def test_a_page_at_a_time(book):
    for number in range(7):
        put(book, "reasons", code=f"r{number}", label=f"R{number}")
    first = book.entries("reasons", limit=3)
    assert [one.code for one in first] == ["r0", "r1", "r2"]
    assert [one.code for one in book.entries("reasons", after="r2", limit=3)] == ["r3", "r4", "r5"]
    assert book.count("reasons") == 7
