"""Whoever tries what is not theirs, or what does not fit, about calls for help and faults: by the
API, with the hub's real rules behind it. Each is refused with a sentence of the catalogue that
says what to do, and nothing is done; and neither a technician nor an area is told of a person.
"""

import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from diadema.access.authenticator import csrf
from diadema.base.paths import DataDir
from diadema.report.kinds import KINDS
from diadema.store import Reader, open_reader
from diadema.store.assistance import ticket_cases
from diadema.words import section
from websockets.exceptions import InvalidStatus

from tests.support.help_stage import HelpStage
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, Hub, Nats, Web, headers_of
from tests.support.web_viewer import connect

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACCOUNTS: dict[str, tuple[str, dict[str, Any]]] = {
    "ada": ("admin", {}),
    "ana": ("supervisor", {"teams": ["Tarde"]}),  # of the agents of odd numbers
    "bea": ("supervisor", {"teams": ["Mañana"]}),  # of the others
    "sol": ("supervisor", {}),  # of nobody
    "noe": ("monitor", {"teams": ["Noche"]}),
    "hugo": ("hr", {}),
    "teo": ("technician", {}),
    "iris": ("area", {}),
    "omar": ("area", {}),  # whom no area names
    "uno": ("agent", {"agent": "a001"}),
}
FIRST, SECOND = 1, 2  # of Tarde, of Mañana
PERSONS = re.compile(r"Asesor [12]\b|\ba00[12]\b|\bAS[12]\b")
BROKEN = {"web.hub_internal", "web.hub_bad_request", "web.fault"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpStage]:
    stage = HelpStage(DataDir(tmp_path_factory.mktemp("refused")), agents=2)
    put(stage.data, "fault_areas", code="sistemas", label="Sistemas", parts=["crm=CRM"],
        accounts=["iris"])  # fmt: skip
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def served(made: HelpStage, nats_server: Nats) -> Iterator[Web]:
    web = Web(made.data.root, nats_server.url)
    web.start()
    for name, (role, more) in ACCOUNTS.items():
        web.accounts.book.add(TESTER, name, name, role, password=ACCOUNT_PASSWORD, **more)
    yield web
    web.kill()


@pytest.fixture(scope="module")
def fault(made: HelpStage) -> dict[int, list[Any]]:
    """What each reported, which is the own ticket of each."""
    return {k: made.fail(k) for k in (FIRST, SECOND)}


class Tried:
    """What there is to be tried upon, and how: the presses of both agents, by number, and of each
    fault its ticket.
    """

    def __init__(self, stage: HelpStage, web: Web, fault: dict[int, list[Any]]) -> None:
        self.stage, self.web, self.fault = stage, web, fault
        self.help = {k: stage.ask(k) for k in fault}
        for k in fault:
            stage.say(k)
        with self._reader() as reader, reader.engine.connect() as tx:
            cases = ticket_cases(tx, going=True)
        of = {one.ticket.of_s: one.ticket.ticket for one in cases}
        self.ticket = {k: of[press[0]] for k, press in fault.items()}

    def _reader(self) -> Reader:
        return open_reader(self.stage.data.store)

    def headers(self, account: str) -> dict[str, str]:
        secret = self.web.accounts.sessions.begin(account, "127.0.0.1")
        return headers_of({"diadema_session": secret, "diadema_csrf": csrf(secret)})

    def client(self, account: str) -> httpx.AsyncClient:
        headers = self.headers(account) | {"Accept-Language": "es"}
        base = f"{self.web.url}/api/v1"
        return httpx.AsyncClient(base_url=base, headers=headers, timeout=300)

    def said_by_hub(self) -> int:
        """How many events."""
        with self._reader() as reader, reader.engine.connect() as tx:
            count = tx.exec_driver_sql("SELECT count(*) FROM events WHERE s LIKE 'HUB-%'")
            return int(count.scalar() or 0)

    async def refused(self, account: str, path: str, body: Any) -> tuple[int, str]:
        """The status and the sentence."""
        before = self.said_by_hub()
        async with self.client(account) as client:
            answer = await client.post(path, json=body)
        assert 400 <= answer.status_code < 500, (account, path, body, answer.text)
        assert self.said_by_hub() == before, "something was done"
        return answer.status_code, sentence(answer)

    async def all_refused(self, account: str, path: str, bodies: Iterable[Any]) -> None:
        wrong = []
        for body in bodies:
            try:
                await self.refused(account, path, body)
            except AssertionError as error:
                wrong.append((body, str(error).partition("\n")[0]))
        assert wrong == []


def sentence(answer: httpx.Response) -> str:
    """One of the catalogue, whole, and not that something broke."""
    said: str = answer.json()["detail"]
    words = {
        f"{area}.{name}": word
        for area in ("web", "acting", "faults", "help")
        for name, word in section(area, "es").items()
        if area in ("web", "acting") or name == "gone"
    }
    patterns = {
        name: re.sub(r"\\{\w+\\}", "[^{}]+", re.escape(word)) for name, word in words.items()
    }
    found = [name for name, pattern in patterns.items() if re.fullmatch(pattern, said, re.DOTALL)]
    assert found and not BROKEN.intersection(found), said
    return said


@pytest_asyncio.fixture(loop_scope="session")
async def tried(
    made: HelpStage, served: Web, hub: Hub, fault: dict[int, list[Any]]
) -> AsyncIterator[Tried]:
    its = Tried(made, served, fault)
    await made.begin(hub)
    yield its
    made.rest()


# -- whose it is


async def test_who_may_not_help_does_nothing_about_a_call_for_help(tried: Tried) -> None:
    of = tried.help[FIRST]
    for account in ("teo", "hugo", "iris", "omar", "uno"):
        for body in (
            {"action": "help", "state": "accepted", "of": of},
            {"action": "help_assigned", "of": of, "to": "ana", "reason": "sabe"},
            {"action": "help_noted", "of": of, "gap": "wrong"},
            {"action": "message", "of": of, "text": "Ya voy", "reason": "ayuda"},
        ):
            assert (await tried.refused(account, "/help/actions", body))[0] == 403


@pytest.mark.parametrize("account", ["bea", "sol", "noe"])
async def test_a_call_for_help_of_another_team_is_not_theirs(tried: Tried, account: str) -> None:
    of = tried.help[FIRST]
    for body in (
        {"action": "help", "state": "accepted", "of": of},
        {"action": "help", "state": "resolved", "of": of, "result": "resuelta"},
        {"action": "help_assigned", "of": of, "to": account, "reason": "me toca"},
        {"action": "help_noted", "of": of, "text": "x"},
        {"action": "message", "of": of, "text": "Ya voy", "reason": "ayuda"},
    ):
        status, said = await tried.refused(account, "/help/actions", body)
        assert status == 403 and said.startswith("Su cuenta no permite esto"), body
    async with tried.client(account) as client:
        assert tried.help[FIRST] not in [one["of"] for one in (await client.get("/help")).json()]
        path = "/".join(map(str, of))
        assert (await client.get(f"/help/{path}/takers")).status_code == 404
    own = {"action": "help", "state": "accepted", "of": of}  # by the door of the own agent
    if account == "bea":
        assert (await tried.refused(account, "/agents/a002/actions", own))[0] == 404
        station = f"/stations/{tried.fault[FIRST][0]}/actions"
        answer = {"action": "fault", "state": "rejected"}
        assert (await tried.refused(account, station, answer))[0] == 403


async def test_it_is_handed_over_to_nobody_who_could_not_come(tried: Tried) -> None:
    for to, status in (("bea", 409), ("teo", 409), ("iris", 409), ("nadie", 422), ("hub", 422)):
        body = {"action": "help_assigned", "of": tried.help[FIRST], "to": to, "reason": "x"}
        assert (await tried.refused("ana", "/help/actions", body))[0] == status, to


ON_TICKET: list[dict[str, Any]] = [
    {"action": "ticket_taken"},
    {"action": "ticket_changed", "severity": 4, "reason": "no es grave"},
    {"action": "ticket_noted", "text": "x"},
    {"action": "ticket_resolved", "cause": "cable"},
    {"action": "ticket_reopened", "reason": "sigue"},
    {"action": "ticket_closed", "outcome": "rejected", "reason": "no hay falla"},
]


@pytest.mark.parametrize("account", ["bea", "sol"])
async def test_a_fault_of_another_team_is_not_theirs(tried: Tried, account: str) -> None:
    other, of = tried.ticket[FIRST], tried.fault[FIRST]
    for body in (*ON_TICKET, {"action": "ticket_linked", "of": of}):
        status, said = await tried.refused(account, f"/tickets/{other}/actions", body)
        assert status == 404 and "no es de su área ni de sus asesores" in said
    opening = {"action": "ticket_opened", "area": "sistemas", "title": "Mía", "of": of}
    assert (await tried.refused(account, "/tickets", opening))[0] == 403
    if account == "bea":
        path = f"/tickets/{tried.ticket[SECOND]}/actions"
        for body, status in (
            ({"action": "ticket_linked", "of": of}, 403),
            ({"action": "ticket_closed", "outcome": "duplicate", "other": other,
              "reason": "es la misma"}, 404),
        ):  # fmt: skip
            assert (await tried.refused(account, path, body))[0] == status
    async with tried.client(account) as client:
        assert (await client.get(f"/tickets/{other}")).status_code == 404
        listed = (await client.get("/tickets")).text
        span = {"scope": f"ticket:{other}"}
        assert (await client.get("/reports/constancia", params=span)).status_code == 422
        told = listed + (await client.get("/reports/fallas")).text
    address = f"{tried.web.ws}?scope=faults"
    async with connect(address, additional_headers=tried.headers(account)) as socket:
        told += str(await socket.recv())
    assert other not in told and (tried.ticket[SECOND] in told) == (account == "bea")


async def test_the_own_supervisor_and_the_technician_see_and_do_it(tried: Tried) -> None:
    """Else nobody was refused for what they are."""
    for account in ("ana", "teo"):
        note = {"action": "ticket_noted", "text": "Se revisa"}
        async with tried.client(account) as client:
            path = f"/tickets/{tried.ticket[FIRST]}"
            assert (await client.get(path)).status_code == 200
            assert (await client.post(f"{path}/actions", json=note)).status_code == 202
            paper = {"scope": f"ticket:{tried.ticket[FIRST]}"}
            assert (await client.get("/reports/constancia", params=paper)).status_code == 200
    taken = {"action": "help", "state": "accepted", "of": tried.help[FIRST]}
    async with tried.client("ana") as client:
        assert (await client.post("/help/actions", json=taken)).status_code == 202
    assert (await tried.refused("ada", "/help/actions", taken))[0] == 409


async def test_who_works_for_no_area_or_mends_none_does_nothing_about_a_fault(
    tried: Tried,
) -> None:
    path = f"/tickets/{tried.ticket[FIRST]}/actions"
    for account, status in (("omar", 404), ("noe", 403), ("hugo", 403), ("uno", 403)):
        for body in ON_TICKET:
            assert (await tried.refused(account, path, body))[0] == status
    opening = {"action": "ticket_opened", "area": "sistemas", "title": "Otra"}
    for account in ("omar", "iris", "noe", "hugo", "uno"):
        assert (await tried.refused(account, "/tickets", opening))[0] == 403
    for scope, accounts in {"faults": ("iris", "noe", "hugo", "uno"), "help": ("teo", "iris"),
                            "area": ("teo", "ana", "ada")}.items():  # fmt: skip
        for account in accounts:
            with pytest.raises(InvalidStatus):
                address = f"{tried.web.ws}?scope={scope}"
                async with connect(address, additional_headers=tried.headers(account)):
                    pass


# -- what does not fit

HUGE = 2**64
WRONG_OF: list[Any] = [
    "x", [], ["DIA-0a0000000001", 1], ["DIA-0a0000000001", -1, 1], ["DIA-0a0000000001", 1, HUGE],
    [1, 2, 3], ["D" * 41, 1, 1], ["DIA-ffffffffffff", 1, 1], ["DIA-0a0000000001", 9, 9], None,
]  # fmt: skip


async def test_what_does_not_fit_a_call_for_help_is_refused_in_words(tried: Tried) -> None:
    of = tried.help[FIRST]
    bodies: list[Any] = [
        {"action": "help", "state": state, "of": of, **more}
        for state, more in (
            ("rejected", {}), ("", {}), (7, {}), ("accepted", {"by": "ada"}),
            ("accepted", {"among": []}), ("accepted", {"a": "a002"}),
            ("accepted", {"note": "x" * 201}), ("resolved", {"result": "inventado"}),
            ("resolved", {"result": "x" * 25}), ("resolved", {"result": "<b>"}),
        )
    ]  # fmt: skip
    bodies += [{"action": "help", "state": "accepted", "of": one} for one in WRONG_OF]
    bodies += [{"action": "help", "state": "accepted", "of": tried.fault[FIRST]}]
    bodies += [
        {"action": "help_assigned", "of": of, "to": "ada", "reason": reason}
        for reason in ("", "   ", "x" * 65, 7, None)
    ]
    bodies += [
        {"action": "help_noted", "of": of, **more}
        for more in (
            {}, {"text": "  "}, {"text": "x" * 1001}, {"text": "a\u202eb"}, {"gap": "bad"},
            {"gap": "wrong", "playbook": "x" * 17}, {"gap": "wrong", "version": "<1>"},
            {"text": ["x"]},
        )
    ]  # fmt: skip
    bodies += [
        {"action": "message", "of": of, "text": text, "reason": "ayuda", **more}
        for text, more in (
            ("", {}), ("x" * 85, {}), ("\U0001f600" * 84, {}), ("x", {"agents": ["a002"]}),
            ("x", {"of": None}),
        )
    ]  # fmt: skip
    bodies += [{"action": "ticket_taken"}, {"action": "logout", "reason": "x"}, {}, [], "x"]
    await tried.all_refused("ana", "/help/actions", bodies)


async def test_what_does_not_fit_a_fault_is_refused_in_words(tried: Tried) -> None:
    one, two = tried.ticket[FIRST], tried.ticket[SECOND]
    bodies: list[Any] = [
        {"action": "ticket_taken", "to": "nadie"},
        {"action": "ticket_taken", "to": "hugo"},
        {"action": "ticket_taken", "to": "token:x"},
        {"action": "ticket_taken", "external": "  x" * 20},
        {"action": "ticket_changed", "reason": "x"},
        {"action": "ticket_changed", "severity": 1, "reason": "  "},
        {"action": "ticket_changed", "area": "nada", "reason": "x"},
        {"action": "ticket_noted", "text": "\n"},
        {"action": "ticket_noted", "text": "x" * 1001},
        {"action": "ticket_resolved", "cause": " "},
        {"action": "ticket_reopened", "reason": "sigue"},
        {"action": "ticket_reopened", "reason": "x" * 65},
        {"action": "ticket_closed", "outcome": "duplicate", "reason": "x"},
        {"action": "ticket_closed", "outcome": "duplicate", "reason": "x", "other": one},
        {"action": "ticket_closed", "outcome": "duplicate", "reason": "x", "other": "0" * 12},
        {"action": "ticket_closed", "outcome": "rejected", "reason": "x", "other": two},
        {"action": "ticket_linked", "of": tried.help[FIRST]},
        {"action": "ticket_linked", "of": tried.fault[FIRST]},
    ]
    bodies += [{"action": "ticket_linked", "of": wrong} for wrong in WRONG_OF]
    await tried.all_refused("ada", f"/tickets/{one}/actions", bodies)
    for body in ON_TICKET:
        assert (await tried.refused("ada", f"/tickets/{'0' * 12}/actions", body))[0] == 404
    opening = {"action": "ticket_opened", "area": "sistemas", "title": "Otra"}
    wrong: list[Any] = [
        {"title": " "}, {"title": "x" * 61}, {"area": "nada"}, {"seats": ["Z-99"]},
        {"seats": "B-01"}, {"severity": 9}, {"of": tried.fault[FIRST]}, {"of": tried.help[FIRST]},
        {"whole": "quizás"}, {"by": "ana"}, {"ticket": one},
    ]  # fmt: skip
    await tried.all_refused("ada", "/tickets", [opening | more for more in wrong])


# -- no person


async def test_a_technician_learns_of_no_person_and_an_area_gets_no_report(tried: Tried) -> None:
    """Not by any report, in any form; of one agent or one team it is refused."""
    for n in (FIRST, SECOND):
        assert tried.ticket[n]
    async with tried.client("teo") as client:
        for kind in ("fallas", "operatividad", "constancia"):
            for form in ("json", "csv", "xlsx"):
                answer = await client.get(f"/reports/{kind}", params={"format": form})
                assert answer.status_code == 200
                told = cells(answer.content) if form == "xlsx" else answer.text
                assert ("B-01" in told or "Sistemas" in told) and not PERSONS.search(told)
            for scope in ("agent:a001", "team:Tarde"):
                answer = await client.get(f"/reports/{kind}", params={"scope": scope})
                assert answer.status_code == 403 and sentence(answer)
        for kind in ("ayudas", "consultas", "orientado", "llamadas", "supervision"):
            assert (await client.get(f"/reports/{kind}")).status_code == 403
        for path in ("/help", "/help/gaps", "/agents", "/agents/a001/day", "/live", "/actions",
                     "/messages", "/contacts", "/sessions", "/marks"):  # fmt: skip
            assert (await client.get(path)).status_code == 403, path
    async with tried.client("iris") as client:
        for kind in KINDS:
            assert (await client.get(f"/reports/{kind}")).status_code == 403
        told = (await client.get("/tickets")).text
        told += (await client.get(f"/tickets/{tried.ticket[FIRST]}")).text
        assert tried.ticket[FIRST] in told and not PERSONS.search(told) and "lost" not in told


def cells(content: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return "\n".join(str(one) for sheet in book for row in sheet.values for one in row)
