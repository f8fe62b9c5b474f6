"""`POST /api/v1/switch/calls`: who may have whom call, what is said of it, and what is kept."""

import asyncio
import json
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from diadema.switch.hub_link import HubLink
from diadema.wire.switching import CallOut, seal, unseal
from diadema.words import Sentence
from nats.aio.subscription import Subscription

from tests.support.reported_day import stations
from tests.support.web_stage import PASSWORD, TESTER, TOKEN, Hub, Nats, Web, content, headers_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
NUMBER, SECRET = "987654321", "de-prueba"
PATH = "/api/v1/switch/calls"
GUIDE = Path(__file__).parents[3] / "host_tools" / "README.md"
CALL = {"agent": "a001", "number": NUMBER}
DONE = {"c": "dial-1", "reference": "ab" * 16}


@pytest.fixture(scope="module")
def web(nats_server: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = stations(tmp_path_factory.mktemp("calls"))
    data.switch.write_text("{}")
    keys = {"host": PASSWORD, "api": TOKEN, "gateway": "", "badge_key": "0f" * 32}
    data.secrets.touch(0o600)
    data.secrets.write_text(json.dumps(keys | {"switch": SECRET}))
    web = Web(data.root, nats_server.url)
    web.start()
    yield web
    web.kill()


class Bridge:
    """Plays it: what it was asked, and what it answers next."""

    def __init__(self, hub: Hub) -> None:
        self.heard: list[bytes] = []
        self.asked: list[Any] = []
        self.names: list[Any] = []
        self.answer: dict[str, Any] | None = DONE
        self._client = hub.client

    async def start(self) -> Subscription:
        subscription = await self._client.subscribe("switch.dial", cb=self._take)
        await self._client.flush()
        return subscription

    async def _take(self, message: Any) -> None:
        self.heard.append(message.data + str(message.headers).encode())
        self.asked.append(msgspec.json.decode(message.data))
        self.names.append((message.headers or {}).get("Diadema-Once"))
        if self.answer is not None:
            await message.respond(msgspec.json.encode(self.answer))


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(shared_hub: Hub) -> AsyncIterator[Bridge]:
    made = Bridge(shared_hub)
    subscription = await made.start()
    yield made
    await subscription.unsubscribe()
    await shared_hub.client.flush()


_number = count()


@pytest.fixture
def program(web: Web) -> dict[str, str]:
    """A token of its own."""
    name = f"crm{next(_number)}"
    return {"Authorization": f"Bearer {web.accounts.tokens.add(TESTER, name, 'switch')}"}


async def post(web: Web, headers: dict[str, str], **more: Any) -> httpx.Response:
    """Once the web, which may have just begun, has its broker."""
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as client:
        while True:
            answer = await client.post(PATH, json=CALL | more)
            if "NATS" not in answer.text:
                return answer


def recorded(web: Web) -> list[Any]:
    return web.accounts.audit.rows(what="switch.call", limit=1000)


async def test_a_program_asks_and_the_number_is_sealed_on_its_way(
    web: Web, bridge: Bridge, program: dict[str, str]
) -> None:
    answer = await post(web, program, campaign="cobranza", consent=1)
    assert (answer.status_code, answer.json()) == (202, {"c": "dial-1"})
    (asked,) = bridge.asked
    wanted = msgspec.convert(asked, CallOut)
    assert unseal(SECRET, wanted.sealed) == NUMBER
    assert unseal("another", wanted.sealed) is None
    assert (wanted.agent, wanted.campaign, wanted.consent) == ("a001", "cobranza", 1)
    assert NUMBER.encode() not in bridge.heard[0]


async def test_who_had_whom_called_is_recorded_and_the_number_is_not(
    web: Web, bridge: Bridge, program: dict[str, str]
) -> None:
    before = len(recorded(web))
    await post(web, program)
    row = recorded(web)[0]
    assert len(recorded(web)) == before + 1
    assert row.who.startswith("token:crm") and row.agents == ["a001"]
    assert row.detail == {"contact": "dial-1", "reference": "ab" * 16}
    kept = b"".join(content(path) for path in web.folder.rglob("*") if path.is_file())
    assert NUMBER.encode() not in kept and b"dial-1" in kept


async def test_an_agent_calls_for_nobody_else_and_a_supervisor_for_his_team(
    web: Web, bridge: Bridge, program: dict[str, str]
) -> None:
    asked = {
        ("agent", "a001"): 202, ("agent", "a002"): 403, ("supervisor", "a001"): 202,
        ("supervisor", "a002"): 403, ("admin", "a002"): 202, ("monitor", "a001"): 403,
        ("hr", "a001"): 403, ("technician", "a001"): 403,
    }  # fmt: skip
    cookies = {
        "agent": web.login("agent", agent="a001"),
        "supervisor": web.login("supervisor", teams=["Mañana"]),
        **{role: web.login(role) for role in ("admin", "monitor", "hr", "technician")},  # type: ignore[arg-type]
    }
    got = {}
    for role, agent in asked:
        got[role, agent] = (await post(web, headers_of(cookies[role]), agent=agent)).status_code
    assert got == asked
    assert len(bridge.asked) == 3, "what is not theirs to do goes no further"
    assert (await post(web, {})).status_code == 401


REFUSALS = [
    ("no_login", {"agent": "a001"}, 409, "fotocheck", "badge"),
    ("two_logins", {"agent": "a001"}, 409, "cierre una", "close one"),
    ("no_extension", {"seat": "P-01"}, 409, "Anexo", "Seats"),
    ("not_ready", {"agent": "a001"}, 409, "disponible", "ready"),
    ("in_call", {"agent": "a001"}, 409, "cuando termine", "when it is over"),
    ("not_allowed", {}, 409, "--allow", "--allow"),
    ("too_many_out", {"phone": "PJSIP/101", "count": 60}, 429, "--an-hour", "--an-hour"),
    ("away", {}, 409, "central", "switch"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=[one[0] for one in REFUSALS])
async def test_why_not_is_said_in_both_languages(
    web: Web, bridge: Bridge, program: dict[str, str], case: tuple[Any, ...]
) -> None:
    word, values, status, es, en = case
    sentence = Sentence(f"errors.switch.{word}", **values).parts()
    bridge.answer = {"error": "refused", "detail": "x", "status": status, "sentence": sentence}
    before = len(recorded(web))
    for language, told in (("es", es), ("en", en)):
        answer = await post(web, program | {"Accept-Language": language})
        assert answer.status_code == status and told in answer.json()["detail"]
    assert len(recorded(web)) == before, "nobody was called"


async def test_without_a_bridge_and_without_a_switch(
    web: Web, shared_hub: Hub, program: dict[str, str]
) -> None:
    answer = await post(web, program)
    assert answer.status_code == 503 and "puente" in answer.json()["detail"]
    there = web.folder / "switch.json"
    there.unlink()
    try:
        answer = await post(web, program)
        assert answer.status_code == 409 and "switch setup asterisk" in answer.json()["detail"]
        answer = await post(web, program | {"Accept-Language": "en"})
        assert "No switch is connected" in answer.json()["detail"]
    finally:
        there.write_text("{}")


async def test_a_bridge_that_was_silent_is_asked_again_by_the_same_name(
    web: Web, bridge: Bridge, program: dict[str, str]
) -> None:
    bridge.answer = None
    head = program | {"Idempotency-Key": "llamada-1"}
    answer = await post(web, head)
    assert answer.status_code == 503 and "Idempotency-Key" in answer.json()["detail"]
    bridge.answer = DONE
    assert (await post(web, head)).json() == {"c": "dial-1"}
    assert (await post(web, head)).json() == {"c": "dial-1"}
    assert len(bridge.asked) == 2 and bridge.names[0] == bridge.names[1] is not None
    assert (await post(web, head, number="987654322")).status_code == 422, "of another call"
    assert len(bridge.asked) == 2


@pytest.mark.parametrize(
    "more",
    [{"number": ""}, {"number": "98765\n"}, {"number": "9" * 21}, {"number": "12 34"},
     {"number": "١٢٣"}, {"number": "1;2"}, {"agent": "a b"}, {"consent": 2}, {"x": 1},
     {"campaign": "a/b"}],
)  # fmt: skip
async def test_what_does_not_fit_reaches_nobody(
    web: Web, bridge: Bridge, program: dict[str, str], more: dict[str, Any]
) -> None:
    answer = await post(web, program, **more)
    assert answer.status_code == 422 and not bridge.asked
    log = (web.folder / "web.log").read_text(errors="replace")
    assert NUMBER not in log


async def test_the_line_of_the_guide_is_typed(
    web: Web, bridge: Bridge, program: dict[str, str], system_program: Callable[..., str]
) -> None:
    system_program("curl", "curl")
    (line,) = re.findall(r"^    (curl .*)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert line.endswith(f"http://127.0.0.1:8600{PATH}")
    token = program["Authorization"].removeprefix("Bearer ")
    await post(web, program)  # it has its broker
    typed = await asyncio.create_subprocess_shell(
        line.replace("http://127.0.0.1:8600", web.url),
        env=os.environ | {"TOKEN": token}, stdout=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    said, _ = await typed.communicate()
    assert json.loads(said) == {"c": "dial-1"}
    assert (bridge.asked[-1]["agent"], bridge.names[-1] is None) == ("a001", False)


async def test_the_document_says_what_it_needs(web: Web, program: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=web.url, headers=program, timeout=300) as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    told = document["paths"]["/api/v1/switch/calls"]["post"]
    assert {"202", "409", "429", "503"} <= told["responses"].keys()
    assert "--an-hour" in told["description"]
    assert any(one["name"] == "Idempotency-Key" for one in told["parameters"])


async def test_the_bridges_own_end_of_it(nats_server: Nats) -> None:
    """What is no request of ours is answered as such, and repeats no number."""
    dialled: list[Any] = []

    async def dial(wanted: CallOut, number: str, name: str | None) -> tuple[str, str | None]:
        dialled.append((wanted.agent, number, name))
        return "dial-1", "ab" * 16

    async def nothing(*_: Any) -> None:
        return None

    link = HubLink(
        lambda: nats_server.url, PASSWORD, lambda _: None, nothing, lambda: None, nothing, dial,  # type: ignore[arg-type, return-value]
        nothing,
    )  # fmt: skip
    replies: list[Any] = []

    class Asked:
        def __init__(self, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.data, self.headers = body, headers

        async def respond(self, data: bytes) -> None:
            replies.append(json.loads(data))

    good = {"agent": "a001", "sealed": seal(PASSWORD, NUMBER)}
    bad = [
        b"x", b"{}", msgspec.json.encode(good | {"sealed": seal("another", NUMBER)}),
        msgspec.json.encode(good | {"sealed": "00"}), msgspec.json.encode(good | {"number": "1"}),
        msgspec.json.encode(good | {"sealed": seal(PASSWORD, "1&2")}),
    ]  # fmt: skip
    for body in bad:
        await link._on_dial(Asked(body))  # type: ignore[arg-type]
    assert replies == [{"error": "bad_request", "status": 422}] * len(bad) and not dialled
    once = " ".join(["a" * 64, "b" * 64, "c" * 64])
    await link._on_dial(Asked(msgspec.json.encode(good), {"Diadema-Once": once}))  # type: ignore[arg-type]
    assert replies[-1] == DONE and dialled == [("a001", NUMBER, "c" * 64)]
