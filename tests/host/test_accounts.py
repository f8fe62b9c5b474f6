"""Accounts, sessions, tokens, codes, throttling and the record of it, on a file of their own."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from diadema.access import Accounts, throttle
from diadema.access import book as passwords
from diadema.access.audit import AuditFull
from diadema.access.book import AccountError, WeakPassword
from diadema.access.roles import Person
from diadema.access.sessions import IDLE_MS, WHOLE_MS
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.people import People, Worker

ME = Person(id="jefa", name="Jefa Inventada", role="admin", address="10.0.0.1")
SECRET = "una frase de prueba"
START = 1_795_000_000_000


class Time:
    def __init__(self) -> None:
        self.ms = START

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def accounts(tmp_path: Path, time: Time) -> Iterator[Accounts]:
    made = Accounts(DataDir(tmp_path), time)
    yield made
    made.close()


def add(accounts: Accounts, name: str = "jefa", role: str = "admin", **more: object) -> None:
    accounts.book.add(ME, name, "Nombre", role, password=SECRET, **more)  # type: ignore[arg-type]


def test_nobody_else_may_read_the_file(accounts: Accounts, tmp_path: Path) -> None:
    add(accounts)
    for path in tmp_path.glob("accounts.sqlite3*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    accounts.close()
    DataDir(tmp_path).accounts.chmod(0o644)
    with pytest.raises(DiademaError, match="chmod 600"):
        Accounts(DataDir(tmp_path))


def test_no_secret_stands_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    add(accounts)
    secrets = [
        SECRET,
        accounts.sessions.begin("jefa", "10.0.0.1"),
        accounts.tokens.add(ME, "central", "switch"),
        accounts.codes.entry("jefa"),
        accounts.codes.set_up(),
    ]
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in secrets if secret.encode() in held]


def test_a_password_proves_an_account_in_use_and_no_other(accounts: Accounts) -> None:
    add(accounts)
    add(accounts, "otra", "monitor")
    found = accounts.book.proves(" Jefa ", SECRET)
    assert found is not None and found.id == "jefa"
    assert accounts.book.proves("jefa", SECRET + "x") is None
    assert accounts.book.proves("nadie", SECRET) is None
    accounts.book.disable(ME, "otra")
    assert accounts.book.proves("otra", SECRET) is None
    accounts.book.disable(ME, "otra", disabled=False)
    assert accounts.book.proves("otra", SECRET) is not None


def test_an_unknown_account_costs_as_much_work_as_a_known_one(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(accounts)
    checked: list[str] = []

    class Hasher:
        def verify(self, kept: str, password: str) -> bool:
            checked.append(kept.rsplit("$", 2)[0])
            return False

    passwords._nobody()
    monkeypatch.setattr(passwords, "_hasher", Hasher())
    accounts.book.proves("jefa", "x")
    accounts.book.proves("nadie", "x")
    assert len(checked) == 2 and checked[0] == checked[1]  # the same parameters


@pytest.mark.parametrize(
    ("password", "word"),
    [("corta", "short"), ("x" * 300, "long"), ("aaaabbbbcccc", "same"), ("maria.torres", "same")],
)
def test_a_weak_password_is_refused(accounts: Accounts, password: str, word: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        accounts.book.add(ME, "maria.torres", "M", "admin", password=password)
    assert refused.value.word == word
    assert accounts.book.is_empty()


@pytest.mark.parametrize(
    ("name", "role", "agent", "word"),
    [
        ("", "admin", None, "bad_id"), ("a b", "admin", None, "bad_id"),
        ("<script>", "admin", None, "bad_id"), ("ok", "boss", None, "bad_role"),
        ("ok", "service", None, "bad_role"), ("ok", "agent", None, "agent_missing"),
        ("ok", "admin", "a001", "agent_too_much"), ("jefa", "admin", None, "taken"),
    ],
)  # fmt: skip
def test_what_is_no_account_is_refused(
    accounts: Accounts, name: str, role: str, agent: str | None, word: str
) -> None:
    add(accounts)
    with pytest.raises(AccountError) as refused:
        add(accounts, name, role, agent=agent)
    assert refused.value.word == word
    assert [one.id for one in accounts.book.all()] == ["jefa"]


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    add(accounts)
    for attempt in (
        lambda: accounts.book.disable(ME, "jefa"),
        lambda: accounts.book.change(ME, "jefa", name="J", role="hr", agent=None, teams=()),
    ):
        with pytest.raises(AccountError) as refused:
            attempt()
        assert refused.value.word == "last_admin"
    add(accounts, "otra")
    accounts.book.disable(ME, "jefa")


def test_a_first_password_must_be_changed(accounts: Accounts) -> None:
    first = accounts.book.add(ME, "rosa", "Rosa", "hr")
    assert accounts.book.get("rosa").must_change
    accounts.book.set_password(ME, "rosa", SECRET)
    assert not accounts.book.get("rosa").must_change
    assert accounts.book.proves("rosa", first) is None
    assert accounts.book.reset(ME, "rosa") != first
    assert accounts.book.get("rosa").must_change


def test_a_session_has_two_ends(accounts: Accounts, time: Time) -> None:
    add(accounts)
    idle, busy = (accounts.sessions.begin("jefa", "10.0.0.2") for _ in range(2))
    person = accounts.sessions.person(idle, "10.0.0.3")
    assert person is not None and (person.id, person.address) == ("jefa", "10.0.0.3")
    assert accounts.sessions.person(idle + "x", "") is None
    for _ in range(WHOLE_MS // (IDLE_MS // 2) - 1):
        time.ms += IDLE_MS // 2
        assert accounts.sessions.person(busy, "") is not None
    assert accounts.sessions.person(idle, "") is None
    assert accounts.sessions.open({person.session}) == set()
    time.ms = START + WHOLE_MS
    assert accounts.sessions.person(busy, "") is None


@pytest.mark.parametrize("how", ["disable", "reset", "password", "change", "end"])
def test_what_takes_something_away_ends_sessions_at_once(accounts: Accounts, how: str) -> None:
    add(accounts, "otra")
    add(accounts)
    secret = accounts.sessions.begin("jefa", "")
    person = accounts.sessions.person(secret, "")
    assert person is not None
    book = accounts.book
    {
        "disable": lambda: book.disable(ME, "jefa"),
        "reset": lambda: book.reset(ME, "jefa"),
        "password": lambda: book.set_password(ME, "jefa", SECRET + "2"),
        "change": lambda: book.change(ME, "jefa", name="J", role="hr", agent=None, teams=()),
        "end": lambda: accounts.sessions.end(person.session),
    }[how]()
    assert accounts.sessions.person(secret, "") is None
    assert accounts.sessions.again(person) is None


def test_a_token_ends_by_time_and_by_hand(accounts: Accounts, time: Time) -> None:
    one = accounts.tokens.add(ME, "central", "switch", days=2)
    two = accounts.tokens.add(ME, "tablero", "supervisor", days=9, teams=["Ventas"])
    person = accounts.tokens.person(two, "10.0.0.9")
    assert person is not None
    assert (person.id, person.role, person.teams) == ("token:tablero", "supervisor", {"Ventas"})
    with pytest.raises(AccountError):
        accounts.tokens.add(ME, "central", "switch")
    time.ms += 2 * 86_400_000
    assert accounts.tokens.person(one, "") is None
    accounts.tokens.add(ME, "central", "switch")
    number = next(t.number for t in accounts.tokens.all() if t.name == "tablero")
    accounts.tokens.revoke(ME, number)
    assert accounts.tokens.person(two, "") is None
    assert accounts.tokens.open({person.session}) == set()


@pytest.mark.parametrize(("role", "days"), [("service", 5), ("agent", 5), ("hr", 0), ("hr", 9999)])
def test_what_is_no_token_is_refused(accounts: Accounts, role: str, days: int) -> None:
    with pytest.raises(AccountError):
        accounts.tokens.add(ME, "x", role, days=days)  # type: ignore[arg-type]


def test_codes_are_good_once_and_not_for_long(accounts: Accounts, time: Time) -> None:
    old, code = accounts.codes.set_up(), accounts.codes.set_up()
    assert not accounts.codes.sets_up(old)
    assert accounts.codes.sets_up(code.lower().replace("-", " ").replace("0", "o"))
    assert accounts.codes.enters(code) is None
    add(accounts)
    assert not accounts.codes.sets_up(code)
    entry = accounts.codes.entry("jefa")
    assert accounts.codes.enters(entry) == "jefa"
    assert accounts.codes.enters(entry) is None
    late = accounts.codes.entry("jefa")
    time.ms += 11 * 60_000
    assert accounts.codes.enters(late) is None


def test_only_the_first_account_is_a_first_account(accounts: Accounts) -> None:
    accounts.book.add(ME, "uno", "Uno", "admin", password=SECRET, only_first=True)
    with pytest.raises(AccountError) as refused:
        accounts.book.add(ME, "dos", "Dos", "admin", password=SECRET, only_first=True)
    assert refused.value.word == "not_first"


def test_waits_grow_with_each_failure_and_end_with_success(accounts: Accounts, time: Time) -> None:
    who = {"account": "jefa", "address": "10.0.0.7"}
    for _ in range(throttle.FREE["account"]):
        assert accounts.throttle.attempt(**who) == 0
    waits = []
    for _ in range(12):
        wait = accounts.throttle.attempt(**who)
        assert wait > 0
        waits.append(wait)
        time.ms += wait - 1
        assert accounts.throttle.attempt(**who) == 1
        time.ms += 1
        assert accounts.throttle.attempt(**who) == 0
    assert waits == sorted(waits) and waits[-1] == 15 * 60_000
    accounts.throttle.passed(**who)
    assert accounts.throttle.attempt(**who) == 0


def test_an_address_that_tries_many_names_waits_too(accounts: Accounts) -> None:
    tries = [accounts.throttle.attempt(account=f"n{n}", address="10.0.0.8") for n in range(40)]
    assert tries.index(next(wait for wait in tries if wait)) == throttle.FREE["address"]
    assert accounts.throttle.attempt(account="n1", address="10.0.0.9") == 0


def test_the_record_is_a_chain_that_shows_what_was_changed(
    accounts: Accounts, tmp_path: Path
) -> None:
    add(accounts)
    for name in ("uno", "dos", "tres"):
        add(accounts, name, "hr")
    assert accounts.audit.check() is None
    with sqlite3.connect(DataDir(tmp_path).accounts) as tx:
        tx.execute("UPDATE audit SET who = 'otro' WHERE number = 3")
    tx.close()
    assert accounts.audit.check() == 3
    with sqlite3.connect(DataDir(tmp_path).accounts) as tx:
        tx.execute("DELETE FROM audit WHERE number = 2")
    tx.close()
    assert accounts.audit.check() == 2


def test_reads_are_recorded_behind_and_found_again(accounts: Accounts, time: Time) -> None:
    accounts.audit.note(ME, "agents.day", ["a001"])
    accounts.audit.note(ME, "agents.day", ["a001"])  # the page asked twice in a minute
    time.ms += 60_000
    accounts.audit.note(ME, "agents.day", ["a001"])
    accounts.audit.note(Person(id="otra", name="", role="hr"), "marks", ["a002", "a001", "a002"])
    accounts.audit.close()
    rows = accounts.audit.rows()
    assert [(row.who, row.what, row.agents) for row in rows] == [
        ("otra", "marks", ["a001", "a002"]), ("jefa", "agents.day", ["a001"]),
        ("jefa", "agents.day", ["a001"]),
    ]  # fmt: skip
    assert rows[1].address == "10.0.0.1" and rows[2].at_ms == START
    assert len(accounts.audit.rows(agent="a002")) == 1
    assert len(accounts.audit.rows(what="agents.")) == 2
    assert len(accounts.audit.rows(who="otra", from_ms=START + 1)) == 1
    assert [row.number for row in accounts.audit.rows(limit=1, before=3)] == [2]
    assert accounts.audit.check() is None


def test_without_a_record_nothing_personal_is_read(accounts: Accounts, tmp_path: Path) -> None:
    with sqlite3.connect(DataDir(tmp_path).accounts) as tx:
        tx.execute("DROP TABLE audit")
    tx.close()
    with pytest.raises(AuditFull):
        for number in range(20_000):
            accounts.audit.note(ME, "agents.day", [str(number)])


def test_changes_of_accounts_are_recorded_with_what_changed(accounts: Accounts) -> None:
    add(accounts)
    add(accounts, "sup", "supervisor", teams=["Ventas"])
    accounts.book.change(ME, "sup", name="Nombre", role="supervisor", agent=None, teams=["Cobros"])
    change, *_ = accounts.audit.rows(what="accounts.change")
    assert change.detail == {"account": "sup", "teams": [["Ventas"], ["Cobros"]]}
    assert (change.who, change.address) == ("jefa", "10.0.0.1")
    assert SECRET not in json.dumps([row.detail for row in accounts.audit.rows()])


def test_a_team_is_all_that_a_supervisor_sees() -> None:
    people = People(
        workers={a: Worker(id=a, name=a, team=t) for a, t in (("a1", "V"), ("a2", "C"))},
        supervised={"sup": ["C"]},
    )
    sees = {
        ("supervisor", frozenset({"V"})): {"a1"},
        ("supervisor", frozenset[str]()): set(),
        ("monitor", frozenset[str]()): {"a1", "a2"},
        ("monitor", frozenset({"C"})): {"a2"},
        ("hr", frozenset[str]()): {"a1", "a2"},
        ("technician", frozenset[str]()): set(),
        ("area", frozenset({"V"})): set(),
        ("switch", frozenset[str]()): set(),
        ("nobody", frozenset[str]()): set(),
        ("admin", frozenset[str]()): {"a1", "a2"},
    }
    for (role, teams), seen in sees.items():
        person = Person(id="x", name="", role=role, teams=teams)  # type: ignore[arg-type]
        assert {a for a in people.workers if person.sees(a, people)} == seen, role
    named = Person(id="sup", name="", role="supervisor")
    assert named.scope(people) == {"C"}
    own = Person(id="x", name="", role="agent", agent="a1", teams=frozenset({"C"}))
    assert {a for a in people.workers if own.sees(a, people)} == {"a1"}
