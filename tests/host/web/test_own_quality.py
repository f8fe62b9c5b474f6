"""What an agent reads of the quality of the own calls, who else reads it, and what nobody does."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.quality.own_record import own_record
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.quality_of import notice_bytes
from playwright.async_api import expect

from tests.support.evaluation_stage import EvaluationStage, now_ms
from tests.support.monitored import WEEK_MS
from tests.support.notice_room import TEXTS
from tests.support.targeted import put
from tests.support.web_stage import Hub, Nats, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECRET = "esto todavía nadie lo lee"
DUE = 4_000_000_000_000
PATH = "/ui/agents/a001/quality"


class Sampled:
    """Evaluations of a001's calls, and of invented ones of others."""

    def __init__(self, folder: Path, calls: int = 7) -> None:
        self.stage = EvaluationStage(DataDir(folder), calls=calls)
        self.data, self.monitor = self.stage.data, self.stage.monitor
        self.start = self._month_start()
        planned = self.monitor.planned(start=self.start, end=self.start + WEEK_MS)
        self.draw = self.monitor.drawn(planned)
        self.count = 0

    @staticmethod
    def _month_start() -> int:
        today = datetime.now(UTC)
        return int(datetime(today.year, today.month, 1, 12, tzinfo=UTC).timestamp() * 1000)

    def evaluate(self, raw: int, *, release: bool = True, call: Any = None, agent: str = "a001",
                 **more: Any) -> Any:  # fmt: skip
        """The next call; gives the event of its evaluation."""
        self.count += 1
        call = call or self.stage.calls[(self.count - 1) % len(self.stage.calls)]
        place: dict[str, Any] = {"rank": self.count}
        if more.get("basis", "random") != "random":
            place = {"draw": None, "stratum": None, "rank": None, "pool": None, "reason": "long"}
        task = self.monitor.assigned(call, agent, due=DUE, version=1, **place)
        name = f"{self.count:012}"
        told = {"evaluation": name, "raw": raw, "score": raw, "failed": "none", "notes": 0,
                "answers": "14111", "version": 1, "critical": [None, None, 0]}  # fmt: skip
        done = self.monitor.submitted(task, call, agent, **told | more)
        if release:
            self.monitor.released(done)
        return done

    def other(self, agent: str, raw: int) -> None:
        self.evaluate(raw, call=("DIA-0123456789ac", 9, self.count + 1), agent=agent)


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[Sampled]:
    made = Sampled(tmp_path)
    yield made
    made.stage.close()


def read(made: Sampled, agent: str = "a001") -> Any:
    return own_record(made.data, agent, now_ms())


# -- what there is of it


async def test_under_five_there_are_the_scores_and_no_mean(sampled: Sampled) -> None:
    assert read(sampled).figures == [], "nothing is released"
    for raw in (900, 755, 1000):
        sampled.evaluate(raw)
    sampled.evaluate(100, release=False)
    (figure,) = read(sampled).figures
    assert figure.figure.estimate is None and figure.team is None
    assert sorted(figure.figure.scores) == [755, 900, 1000] and figure.figure.of == 25
    assert len(read(sampled).evaluations) == 3


async def test_from_five_on_there_is_a_mean_with_its_interval(sampled: Sampled) -> None:
    for raw in (900, 755, 1000, 800, 845):
        sampled.evaluate(raw)
    sampled.evaluate(0, basis="targeted")
    sampled.monitor.step("annulled", sampled.evaluate(0), reason="no se oye")
    (found,) = read(sampled).figures
    estimate = found.figure.estimate
    assert (estimate.value, estimate.n, estimate.of) == (86.0, 5, 25)
    assert estimate.low < 86.0 < estimate.high
    month = date.fromtimestamp(sampled.start / 1000)
    assert (found.figure.first, found.figure.last.month) == (month, month.month)


async def test_another_draw_that_was_annulled_counts_no_more(sampled: Sampled) -> None:
    for raw in (900, 755, 1000, 800, 845):
        sampled.evaluate(raw)
    sampled.monitor.annulled(sampled.draw, reason="se pidió otra")
    assert read(sampled).figures == [] and len(read(sampled).evaluations) == 5


async def test_a_team_is_shown_with_five_others_in_it(sampled: Sampled) -> None:
    for number in range(1, 6):
        code = f"b{number}"
        put(sampled.data, "agents", code=code, name=code, short=code, alias=code, team="Mañana")
    sampled.evaluate(900)
    for number in range(1, 5):
        sampled.other(f"b{number}", 700)
    assert read(sampled).figures[0].team is None
    sampled.other("b5", 700)
    team = read(sampled).figures[0].team
    assert team is not None and (team.n, team.of) == (6, 150)
    assert team.value == pytest.approx((900 + 5 * 700) / 60, abs=0.1)


async def test_who_heard_is_told_when_it_may_be(sampled: Sampled) -> None:
    monitor, script = sampled.monitor, sampled.stage.script
    over = sampled.stage.calls[0]
    ended = monitor.heard(over, listening="1" * 12)
    monitor.say("listening.ended", of=ended, heard_ms=71_000, cause="closed")
    monitor.say("listening.refused", a="a001", call=over, source="recording",
                purpose="evaluation", reason="no_notice")  # fmt: skip
    monitor.heard(over, agent="a002", listening="2" * 12)
    first = script.n + 1
    script.u = now_ms() - 60_000 - script.offset
    script.offer("c-now").contact("answered", "c-now", 3000, via="key", ring_ms=3000)
    sampled.stage.ingest.take(script.messages(first), "stream", "server")
    going = script.s, script.e, first
    live = {"source": "live", "mode": "silent", "via": "switch", "t": now_ms()}
    monitor.heard(going, listening="3" * 12, announced=False, **live)
    monitor.heard(going, listening="4" * 12, announced=True, purpose="help", **live)
    monitor.heard(over, listening="5" * 12, announced=False, **live)
    found = [one.heard.began.listening[0] for one in read(sampled).listened]
    assert found == ["5", "4", "1"], "the silent one of a call that goes on is not told yet"
    script.contact("ended", "c-now", 1000, by="caller", on_hold=False)
    script.wrapup("started", "c-now", 0).wrapup("ended", "c-now", 1000, cause="timeout")
    sampled.stage.ingest.take(script.messages(first), "stream", "server")
    assert [one.heard.began.listening[0] for one in read(sampled).listened][1:3] == ["4", "3"]


# -- the page


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampled]:
    """Six evaluations, one of them revised and one directed; who heard, a copy, a notice, and
    that the agent was left out.
    """
    made = Sampled(tmp_path_factory.mktemp("own"))
    monitor, calls = made.monitor, made.stage.calls
    for raw in (900, 755, 1000, 800):
        made.evaluate(raw)
    noted = made.evaluate(845, answers="13102", notes=2)
    name = f"{made.count:012}"
    monitor.noted("Interrumpe a la usuaria\ndos veces.", evaluation=name, item="escucha",
                  from_ms=42_000, about="improve")  # fmt: skip
    monitor.noted("Todo con <b>calma</b>.", evaluation=name, about="praise")
    monitor.revised(noted, answers="13112", raw=875, score=875, failed="none",
                    critical=[None, None, 0], cause="error", reason="sí validó")  # fmt: skip
    made.evaluate(300, basis="targeted")
    made.evaluate(10, release=False)
    monitor.noted(SECRET, evaluation=f"{made.count:012}", about="improve")
    ended = monitor.heard(calls[0], t=now_ms() - 9000)
    monitor.say("listening.ended", of=ended, heard_ms=71_000, cause="closed")
    monitor.released_copy(calls[1])
    put(made.data, "notices", code="agent", name="Aviso al asesor", side="agent",
        text=TEXTS["agent"])  # fmt: skip
    put(made.data, "sample_exclusions", agent="a001", why="nesting")
    body = KINDS["notices"].read(
        {"code": "agent", "name": "Aviso al asesor", "side": "agent", "text": TEXTS["agent"]}
    )
    monitor.say("notice.published", notice="agent", side="agent", version=1,
                hash=hashlib.sha256(notice_bytes(body)).hexdigest())  # fmt: skip
    monitor.say("notice.signed", a="a001", notice="agent", how="paper", date="2026-11-17",
                document="RH-9")  # fmt: skip
    yield made
    made.stage.close()


@pytest.fixture(scope="module")
def own_web(shown: Sampled, nats_server: Nats, shared_hub: Hub) -> Iterator[Web]:
    made = Web(shown.data.root, nats_server.url)
    made.start()
    yield made
    made.kill()


async def get(web: Web, path: str, role: Any = "agent", **more: Any) -> httpx.Response:
    if role == "agent":
        more = {"agent": "a001"} | more
    headers = headers_of(web.login(role, **more))
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as http:
        return await http.get(path)


async def test_the_page_has_all_that_is_the_agents(own_web: Web) -> None:
    told = await get(own_web, f"{PATH}?lang=es")
    assert told.status_code == 200
    text = re.sub(r"<[^>]+>", " ", told.text)
    text = re.sub(r"\s+", " ", text.replace("\u00a0", " "))
    for said in (
        "Calidad de mis llamadas", "Atención", "86.6 (", "n 5 de 25)", "Escucha sin interrumpir",
        "0:42 · Por mejorar: Interrumpe a la usuaria dos veces.", "3 de 5", "Antes: no",
        "(había un error): sí validó", "Todo con &lt;b&gt;calma&lt;/b&gt;.",
        "crítico de cumplimiento", "Esta llamada no salió por sorteo", "Silencio más largo 0:07",
        "Una escucha, 1:11 en total.", "grabación", "evaluación", "Ana Ríos", "derechos ARCO",
        "Aviso al asesor, versión 1", "Usted fue informado: en papel, 2026-11-17 · RH-9",
        TEXTS["agent"], "Nesting",
    ):  # fmt: skip
        assert said in text, said
    assert SECRET not in told.text and "0000000007" not in told.text
    other = await get(own_web, f"{PATH}?lang=en")
    assert "Who heard my calls" in other.text and "n 5 of 25)" in other.text.replace("\xa0", " ")


async def test_programs_read_the_same(own_web: Web) -> None:
    told = (await get(own_web, "/api/v1/agents/a001/quality")).json()
    (figure,) = told["figures"]
    assert (figure["estimate"]["value"], figure["n"], figure["scores"]) == (86.6, 5, [])
    assert len(told["evaluations"]) == 6 and SECRET not in str(told)
    revised = next(one for one in told["evaluations"] if one["revised"])
    item = next(one for one in revised["items"] if one["item"] == "valida")
    assert (item["before"], item["answer"]) == ("1", "1") or item["before"] is None
    assert told["notices"][0]["state"] == "informed"
    assert told["exclusions"] == [{"why": "nesting", "first": None, "last": None}]
    heard = (await get(own_web, "/api/v1/agents/a001/listenings")).json()
    assert [(one["by"], one["heard_ms"]) for one in heard["listenings"]] == [("ana", 71_000)]
    assert [one["receiver"] for one in heard["copies"]] == ["Ana Ríos"]


WHO: list[tuple[Any, dict[str, Any], int]] = [
    ("agent", {"agent": "a001"}, 200), ("agent", {"agent": "a002"}, 403),
    ("supervisor", {"teams": ["Mañana"]}, 200), ("supervisor", {"teams": ["Tarde"]}, 403),
    ("quality_lead", {}, 200), ("monitor", {}, 403), ("hr", {}, 403), ("admin", {}, 403),
    ("technician", {}, 403), ("area", {}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("role", "more", "status"), WHO)
async def test_nobody_else_reads_it(
    own_web: Web, role: Any, more: dict[str, Any], status: int
) -> None:
    for path in (PATH, "/api/v1/agents/a001/quality", "/api/v1/agents/a001/listenings"):
        assert (await get(own_web, path, role, **more)).status_code == status, path
    day = (await get(own_web, "/ui/agents/a001?lang=es", role, **more)).text
    assert ("/agents/a001/quality" in day) == (status == 200), "the way from the agent's day"


async def test_who_read_it_is_in_the_record(own_web: Web) -> None:
    headers = headers_of(own_web.login("quality_lead"))
    async with httpx.AsyncClient(base_url=own_web.url, headers=headers, timeout=300) as http:
        me = (await http.get("/api/v1/me")).json()["id"]
        assert (await http.get(PATH)).status_code == 200
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(300):
        while not rows:  # it is written a moment later
            rows = (await get(own_web, f"/api/v1/audit?who={me}", "admin")).json()
    assert ("agents.quality", ["a001"]) in [(one["what"], one["agents"]) for one in rows]


@pytest.mark.parametrize("width", [1366, 390])
async def test_it_is_whole_and_axe_finds_nothing(
    own_web: Web, hub: Hub, open_page: OpenPage, width: int
) -> None:
    size = {"width": width, "height": 800}
    page = await open_page(f"{own_web.url}{PATH}?lang=es", role="agent", agent="a001",
                           viewport=size)  # fmt: skip
    card = page.locator(".own-card").nth(1)
    await card.locator("summary").click()
    await expect(card.locator(".own-items").first).to_be_visible()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
