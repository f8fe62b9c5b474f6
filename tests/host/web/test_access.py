"""Every route, page and socket, for every role: nobody reads or writes beyond his own."""

import re
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import httpx
import pytest
import pytest_asyncio
from diadema.access.roles import RIGHTS, Role
from diadema.base.clock import open_clock
from diadema.site.directory.kinds import KINDS
from diadema.web.app import create_app
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from websockets.exceptions import InvalidStatus

from tests.support.access_table import ALL, IN, INNER, OF_A_KIND, PEOPLE, ROUTES, SAMPLE, Line
from tests.support.web_stage import TESTER, Web, headers_of
from tests.support.web_viewer import connect

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROLES: tuple[Role, ...] = (
    "agent", "supervisor", "monitor", "quality_lead", "hr", "technician", "area", "admin",
    "switch", "standby", "nobody",
)  # fmt: skip
_SAYS = re.compile(r'"class":\[[^]]*"refused"').search  # an element of a page of NiceGUI
HTTP = [name for name in ROUTES if not name.startswith("WS ")]
SOCKETS = {
    "WS /ws": "/ws",
    "WS /ui/_nicegui_ws": "/ui/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def headers(worked_web: Web) -> AsyncIterator[dict[Role, dict[str, str]]]:
    """How each role comes in: the asesor is a001, the supervisor has her team."""
    token = worked_web.accounts.tokens.add(TESTER, "central", "switch")
    copier = worked_web.accounts.tokens.add(TESTER, "reserva", "standby")
    yield {
        "agent": headers_of(worked_web.login("agent", agent="a001")),
        "supervisor": headers_of(worked_web.login("supervisor", teams=["Mañana"])),
        "monitor": headers_of(worked_web.login("monitor")),
        "quality_lead": headers_of(worked_web.login("quality_lead")),
        "hr": headers_of(worked_web.login("hr")),
        "technician": headers_of(worked_web.login("technician")),
        "area": headers_of(worked_web.login("area")),
        "admin": headers_of(worked_web.login("admin")),
        "switch": {"Authorization": f"Bearer {token}"},
        "standby": {"Authorization": f"Bearer {copier}"},
        "nobody": {},
    }
    for one in worked_web.accounts.tokens.all():  # this module may come again to this worker
        if one.name in ("central", "reserva"):
            worked_web.accounts.tokens.revoke(TESTER, one.number)


def found_routes(app: Any, prefix: str = "") -> Iterator[str]:
    for route in app.routes:
        if (router := getattr(route, "original_router", None)) is not None:
            yield from found_routes(router, prefix + getattr(app, "prefix", ""))
            continue
        path = prefix + route.path
        inner = getattr(route, "app", None)
        if type(route).__name__ == "Mount" and hasattr(inner, "routes"):
            yield from found_routes(inner, path)
        elif type(route).__name__ == "Mount":
            yield f"{'WS' if 'SocketIo' in type(inner).__name__ else 'GET'} {path}"
        else:
            for method in sorted((getattr(route, "methods", None) or {"WS"}) - {"HEAD"}):
                yield f"{method} {re.sub(r':path}', '}', path)}"


async def test_every_route_has_its_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(tmp_path_factory.mktemp("d"), "nats://127.0.0.1:1", "u", "p", "t")
    guarded: Any = create_app(WebApp(settings, open_clock(None), "b"))
    found = {one for one in found_routes(guarded._app._app) if f" {INNER}" not in one}
    people = {line.replace("{kind}", kind) for kind in KINDS for line in PEOPLE} | {*OF_A_KIND}
    found -= {"GET /ui/favicon.ico"}  # NiceGUI's, in a process where an app was started
    assert found - people == set(ROUTES), "give the route its line in access_table.py"
    assert people <= found


def may(role: Role, line: Line) -> bool:
    if line.who == ALL:
        return True
    if line.who == IN:
        return role != "nobody"
    assert isinstance(line.who, tuple)
    return not RIGHTS[role].isdisjoint(line.who)


async def ask(
    web: Web, name: str, line: Line, headers: dict[str, str], **sample: str
) -> httpx.Response:
    method, path = name.split(" ", 1)
    sent = {} if line.body is None or method == "GET" else {"json": line.body}
    path = path.format(**SAMPLE | line.sample | sample)
    path += "/x" if path in ("/static", "/static/fonts") else ""
    # of thousands of clients each would read the machine's certificates, for plain HTTP
    client = httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300, verify=False)
    async with client:
        return await client.request(method, path, params=line.asked or None, **sent)


def is_kept_out(answer: httpx.Response) -> bool:
    """By status, by the way to the login, or by a page that says so and nothing else."""
    away = answer.headers.get("location", "").startswith(("/login", "/setup"))
    ours = answer.request.url.path in ("/setup", "/enter")
    return answer.status_code in (401, 403) or (away and not ours) or bool(_SAYS(answer.text))


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_what_is_its_own_and_nothing_else(
    worked_web: Web, headers: dict[Role, dict[str, str]], role: Role
) -> None:
    lines = {name: ROUTES[name] for name in HTTP if name != "POST /logout"}
    wrong = []
    cases: list[tuple[str, Line, dict[str, str]]] = [(*one, {}) for one in lines.items()]
    cases += [
        (name, Line(who=KINDS[kind].rights), {"kind": kind})
        for name, kind in product((*OF_A_KIND, *PEOPLE), ("agents", "notices", "scorecards"))
    ]
    readers = (*KINDS["teams"].rights, *KINDS["teams"].readers)
    cases.append(("GET /api/v1/people/{kind}", Line(who=readers), {"kind": "teams"}))
    for name, line, sample in cases:
        if role in ("switch", "standby") and "/account" in name:
            continue  # a token is no account: refused by the page itself
        answer = await ask(worked_web, name, line, headers[role], **sample)
        if is_kept_out(answer) == may(role, line) or answer.status_code == 500:
            wrong.append(f"{role} {name} {sample}: {answer.status_code} {answer.text[:120]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["agent", "supervisor"])
async def test_another_agent_is_not_seen(
    worked_web: Web, headers: dict[Role, dict[str, str]], role: Role
) -> None:
    """a002 is neither the asesor herself nor of the supervisor's team."""
    wrong = []
    for name, line in ROUTES.items():
        if line.scoped:
            answer = await ask(worked_web, name, line, headers[role], a="a002")
            if not is_kept_out(answer):
                wrong.append(f"{role} {name}: {answer.status_code} {answer.text[:120]}")
    for path in ("contacts", "sessions", "marks", "messages", "actions", "corrections"):
        line = ROUTES[f"GET /api/v1/{path}"]
        line = Line(who=line.who, asked={"agent": "a002"})
        answer = await ask(worked_web, f"GET /api/v1/{path}", line, headers[role])
        empty = answer.status_code == 200 and answer.json() in ([], {"items": [], "next": None})
        if not (is_kept_out(answer) or empty):
            wrong.append(f"{role} {path}: {answer.status_code} {answer.text[:120]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", SOCKETS)
async def test_a_socket_opens_for_whom_it_is(
    worked_web: Web, headers: dict[Role, dict[str, str]], role: Role, name: str
) -> None:
    address = f"ws://127.0.0.1:{worked_web.port}{SOCKETS[name]}"
    try:
        async with connect(address, additional_headers=headers[role]) as socket:
            assert await socket.recv()
            opened = True
    except InvalidStatus as refused:
        assert refused.response.status_code == 403
        opened = False
    assert opened == may(role, ROUTES[name])
