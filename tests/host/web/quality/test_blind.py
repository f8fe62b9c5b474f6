"""With the own cookie a monitor does not find whose call is to be evaluated: neither by its key,
nor by when it began, nor by how long it was. The same reads have it again once it is evaluated.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest
from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.quality.blind import hidden
from diadema.report.kinds import KINDS as REPORTS

from tests.host.web.test_access import SAMPLE, may
from tests.support.access_table import ROUTES
from tests.support.evaluation_stage import (
    EvaluationStage,
    api,
    connected,
    entered,
    now_ms,
)
from tests.support.web_stage import Hub, Web, headers_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
MONITOR = Person(id="ana", name="Ana Paz", role="monitor")
LIMA = ZoneInfo("America/Lima")
LONGER = 17_433  # ms, as no other call is
MS = 65_000 + LONGER
ENDLESS = ("/api/v1/standby/stream",)
ANSWERS = {"saluda": "1", "escucha": "5", "valida": "1", "tipifica": "0", "cierra": "2"}
NOTE = {"item": "cierra", "about": "praise", "text": "Pregunta con calma"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluationStage]:
    made = EvaluationStage(DataDir(tmp_path_factory.mktemp("blind")), calls=3)
    made.another("odd", LONGER)
    made.another("next", 0)
    yield made
    made.close()


class Sought:
    """What of a call must be nowhere."""

    def __init__(self, stage: EvaluationStage) -> None:
        (s, e, n), self.c = stage.calls[3], "odd"
        with_start = next(json.loads(body) for body in stage.script.bodies[n - 1 :])
        self.start = with_start["u"] + stage.script.offset
        begun = datetime.fromtimestamp(self.start / 1000, UTC)
        local = begun.astimezone(LIMA)
        self.day, talk = local.date(), MS - 12_000
        self.words = {
            "key": re.compile(rf'{s}"?, ?{e}, ?{n}\b|"n": ?{n}\b'),
            "contact": re.compile(r'"odd"'),
            "start": re.compile(
                rf"\b{self.start}\b|{local:%H:%M:%S}|{begun:%H:%M:%S}|{self.start // 1000}"
            ),
            "length": re.compile(
                rf"\b({MS}|{MS - 3000}|{talk})\b|\b1:22\b|\"talk_s\": ?{talk // 1000}\b"
            ),
        }

    def found_in(self, text: str) -> list[str]:
        return [name for name, word in self.words.items() if word.search(text)]


def addresses(sought: Sought, q: str) -> list[str]:
    """Of every route that a monitor may read, in each way that shows single calls."""
    day = sought.day.isoformat()
    span = {"from": sought.start - 3_600_000, "to": sought.start + 3_600_000}
    found = []
    for name, line in ROUTES.items():
        method, path = name.split(" ", 1)
        if method != "GET" or not may("monitor", line) or path in ENDLESS:
            continue
        path = path.format(**SAMPLE | line.sample | {"q": q})
        query = "&".join(f"{key}={value}" for key, value in line.asked.items())
        found.append(f"{path}?{query}")
        found.append(f"{path}?day={day}")
        if path.endswith("/events"):
            found[-1] = f"{path}?from={span['from']}&to={span['to']}"
            found.append(f"{found[-1]}&c=odd")
        if path in ("/api/v1/contacts", "/api/v1/actions", "/api/v1/messages"):
            found.append(f"{path}?from={day}&to={day}&agent=a001")
    for kind, its in REPORTS.items():
        if MONITOR.may(its.right):
            found.append(f"/api/v1/reports/{kind}?span={day}&scope=agent:a001&format=json")
    return found


async def reads(web: Web, sought: Sought, q: str) -> dict[str, list[str]]:
    """Where something of the call stands."""
    wrong = {}
    async with api(web, "ana") as client:
        await connected(client)
        for address in addresses(sought, q):
            answer = await client.get(address)
            assert answer.status_code < 500, address
            if found := sought.found_in(answer.text):
                wrong[address] = found
    return wrong


async def test_no_read_of_a_monitor_finds_a_call_that_is_to_be_evaluated_blind(
    stage: EvaluationStage, quality_web: Web, hub: Hub
) -> None:
    hub.answer = stage.answer
    sought = Sought(stage)
    q = stage.assign(3)
    own = f"/ui/quality/evaluate/{q}", f"/api/v1/quality/assignments/{q}"
    log = quality_web.folder / "web.log"
    before = len(log.read_bytes())  # other tests' rows may stand there
    wrong = await reads(quality_web, sought, q)
    of_it = {name: found for name, found in wrong.items() if name.startswith(own)}
    assert all(found == ["length"] for found in of_it.values()), "how long it is, one hears"
    assert {name: found for name, found in wrong.items() if name not in of_it} == {}
    said = log.read_bytes()[before:].decode()
    for word in ("DIA-", "a001", "Rosa", "Quispe", "odd"):
        assert word not in said
    async with api(quality_web, "ana") as client:
        path = f"/api/v1/quality/assignments/{q}"
        assert (await client.post(f"{path}/code", json={"code": "112"})).status_code == 200
        body = {"answers": ANSWERS, "notes": [NOTE]}
        done = await client.post(f"{path}/submit", json=body)
        assert done.status_code == 200, done.text
    there = await reads(quality_web, sought, q)
    day = sought.day.isoformat()
    assert {"key", "start", "contact"} <= {one for found in there.values() for one in found}, (
        "the search itself finds it"
    )
    for path in ("contacts", "agents/a001/page", "agents/a001/events"):
        assert any(path in name for name in there), path
    assert f"/api/v1/agents/a001/page?day={day}" in there


async def test_the_day_without_it_is_whole(
    stage: EvaluationStage, quality_web: Web, hub: Hub
) -> None:
    """What is left out is nowhere missing: sums are of the calls that are listed, and the time is
    of the state before.
    """
    stage.assign(1, to="noe")
    sought = Sought(stage)
    day = sought.day.isoformat()

    async def day_of(account: str) -> dict[str, dict[str, object]]:
        headers = headers_of(entered(quality_web, account))
        async with httpx.AsyncClient(
            base_url=quality_web.url, headers=headers, timeout=120
        ) as client:
            page = await client.get(f"/api/v1/agents/a001/page?day={day}")
            sums = await client.get(f"/api/v1/agents/a001/day?day={day}")
        return {"page": page.json(), "day": sums.json()}

    blind, whole = await day_of("noe"), await day_of("luz")
    assert len(blind["page"]["calls"]) == len(whole["page"]["calls"]) - 1  # type: ignore[arg-type]
    assert blind["day"]["calls"]["answered"] == whole["day"]["calls"]["answered"] - 1  # type: ignore[index]
    logged = [one["page"]["figures"]["logged_s"] for one in (blind, whole)]  # type: ignore[index]
    assert logged[0] == logged[1]
    bars = blind["page"]["presence"]
    states = [one["state"] for one in bars]  # type: ignore[attr-defined,index]
    assert all(one != other for one, other in pairwise(states)), "no seam"


async def test_no_report_has_sums_by_which_one_would_find_it(
    stage: EvaluationStage, quality_web: Web, hub: Hub
) -> None:
    """The difference to the day without it would be the call."""
    stage.assign(1, to="noe")
    day = Sought(stage).day.isoformat()

    async def agents_in(account: str) -> dict[str, list[str]]:
        headers = headers_of(entered(quality_web, account))
        found = {}
        async with httpx.AsyncClient(
            base_url=quality_web.url, headers=headers, timeout=120
        ) as client:
            for kind, its in REPORTS.items():
                if not MONITOR.may(its.right):
                    continue
                address = f"/api/v1/reports/{kind}?span={day}&format=json"
                sections = (await client.get(f"{address}&scope=floor")).json()["sections"]
                found[kind] = [
                    one["section"] for one in sections
                    if "agent" in {column["key"] for column in one["columns"]}
                ]  # fmt: skip
                of_one = await client.get(f"{address}&scope=agent:a001")
                hides = account == "noe" and not its.of_evaluations
                assert of_one.status_code == (403 if hides else 200), kind
            begin = Sought(stage).start - 3_600_000
            span = f"from={begin}&to={begin + 7_200_000}"
            events = await client.get(f"/api/v1/agents/a001/events?{span}")
            assert events.status_code == (403 if account == "noe" else 200), "numbers have holes"
        return found

    blind, whole = await agents_in("noe"), await agents_in("luz")
    evaluated = {kind for kind, its in REPORTS.items() if its.of_evaluations}
    assert all(sections == [] for kind, sections in blind.items() if kind not in evaluated)
    assert {"llamadas", "tmo", "consolidado"} <= {kind for kind, its in whole.items() if its}


async def test_a_coordinator_who_evaluates_blind_does_not_find_it_by_the_own_listening(
    stage: EvaluationStage, quality_web: Web, hub: Hub
) -> None:
    q = stage.assign(2, to="luz")
    call = [*stage.calls[2]]
    stage.monitor.say(
        "listening.started", by="luz", listening="0b1ac0000001", a="a001", call=call,
        source="recording", purpose="evaluation", via="browser", announced=False,
    )  # fmt: skip
    async with api(quality_web, "luz") as client:
        told = (await client.get("/api/v1/agents/a001/listenings")).json()
        assert call not in [one["call"] for one in told["listenings"]]
        report = await client.get(
            f"/api/v1/reports/escuchas?span={datetime.now(LIMA).date()}&scope=floor&format=json"
        )
        assert "listen_agents" not in [one["section"] for one in report.json()["sections"]]
    by_another = headers_of(quality_web.login("agent", agent="a001"))
    async with httpx.AsyncClient(
        base_url=quality_web.url, headers=by_another, timeout=120
    ) as client:
        told = (await client.get("/api/v1/agents/a001/listenings")).json()
        assert call in [one["call"] for one in told["listenings"]], "its agent sees it"
    stage.answer({"action": "evaluation_submitted", "of": ["HUB-main", *map(int, q.split("-"))],
                  "answers": "15100", "by": "luz", "notes": [], "right_code": "112"})  # fmt: skip


async def test_one_that_was_replaced_is_hidden_as_long_as_the_one_in_its_place(
    stage: EvaluationStage, quality_web: Web
) -> None:
    """Both are of one agent."""
    person = Person(id="eva", name="Eva", role="monitor")
    q = stage.assign(0, to="eva", draw="d1d1d1d1d1d1")
    key = ("HUB-main", *map(int, q.split("-")))
    stage.monitor.assigned(
        stage.calls[1], to="eva", of=key, reason="unplayable", rank=9, form="atencion", version=1,
        due=now_ms() + 86_400_000, draw="d1d1d1d1d1d1",
    )  # fmt: skip
    assert hidden(stage.data, person, now_ms()) == {stage.calls[0], stage.calls[1]}
