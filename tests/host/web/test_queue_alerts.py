"""Alerts of the switch's queues: each rule at its edge, whose it is, and what «visto» does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.site.directory.people import People, Worker
from diadema.site.directory.publishing import open_directory
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Floor
from diadema.web.floor.queue_alerts import Alert, is_for, is_queue_for
from playwright.async_api import expect

from tests.host.test_projection import started, take
from tests.support.targeted import put
from tests.support.web_stage import Hub, Nats, Web, empty_directory, headers_of
from tests.support.web_viewer import OpenPage

NOW = 1_795_000_000_000
LIMIT_S = 300


def now() -> int:
    return int(time.time() * 1000)


class Centre:
    """A floor whose one queue the test tells of, with a clock that it moves."""

    def __init__(self, **people: Any) -> None:
        self.now, self.down = NOW, False
        self.people, self.floor = People(**people), Floor()
        self.watch = Watch(
            self.floor, self, lambda: self.people, lambda: date(2026, 11, 18), self.since
        )

    def now_ms(self) -> int:
        return self.now

    def since(self) -> int | None:
        return NOW if self.down else None

    def tell(self, level: float | None = None, heard: int | None = None, **queue: Any) -> None:
        its = {"service_level": {"offered": level}} | queue
        value = {"half_hour": 1, "short_s": 5, "source": "PBX-a", "queues": {"ventas": its}}
        self.floor.put("queues", json.dumps(value | {"heard": heard or self.now}).encode())

    def row(self, agent: str, state: str) -> None:
        self.floor.put(f"agent.{agent}", json.dumps({"a": agent, "state": state}).encode())

    def after(self, seconds: float, **queue: Any) -> list[Alert]:
        """What holds then, where the queue stands as told."""
        self.now += round(1000 * seconds)
        self.tell(**queue)
        self.watch.look()
        return self.watch.alerts


def rules(found: list[Alert]) -> list[str]:
    return [one.rule for one in found]


def test_more_wait_than_the_limit() -> None:
    centre = Centre(queues={"ventas": "Ventas"})
    assert centre.after(0, waiting=5) == []
    (alert,) = centre.after(1, waiting=6)
    assert (alert.rule, alert.queue, alert.name, alert.what, alert.limit, alert.level) == (
        "queue_waiting", "ventas", "Ventas", "6", 5, 2,
    )  # fmt: skip
    assert (alert.since, alert.agent) == (NOW + 1000, "")
    (later,) = centre.after(60, waiting=9)
    assert (later.what, later.key) == ("9", alert.key)
    assert centre.after(1, waiting=5) == []
    (anew,) = centre.after(1, waiting=6)
    assert anew.key != alert.key


def test_the_longest_wait_is_known_by_whom_it_began_with() -> None:
    centre = Centre()
    since = NOW - 119_000
    assert centre.after(1, waiting=1, longest_since=since) == []
    (alert,) = centre.after(0.001, waiting=1, longest_since=since)
    assert (alert.rule, alert.since, alert.limit) == ("queue_wait_s", since, 120)
    (other,) = centre.after(30, waiting=1, longest_since=since + 9_000)  # the next one waits too
    assert other.key == alert.key
    assert centre.after(1, waiting=1, longest_since=centre.now) == []


def test_a_service_level_under_its_target_for_so_long() -> None:
    centre = Centre(targets={("service_level", ""): 80.0})
    assert centre.after(0, level=79.9) == []
    assert centre.after(599, level=70.0) == []
    (alert,) = centre.after(1, level=70.0)
    assert (alert.rule, alert.since, alert.level) == ("queue_level_s", NOW, 1)
    assert (alert.what, alert.base, alert.limit) == ("70.0", 80.0, 600)
    (unknown,) = centre.after(600, level=None)  # as when a half-hour begins
    assert (unknown.what, unknown.key) == (None, alert.key)
    assert centre.after(1, level=None) == []
    assert centre.after(1, level=79.0) == []
    assert rules(centre.after(600, level=79.0)) == ["queue_level_s"]
    assert centre.after(1, level=80.0) == []


def test_without_a_target_no_level_is_under_it() -> None:
    centre = Centre()
    centre.after(0, level=1.0)
    assert centre.after(9_999, level=1.0) == []


def test_a_level_is_that_of_its_queues_variant_and_target() -> None:
    centre = Centre(targets={("service_level", ""): 99.0, ("service_level", "ventas"): 50.0})
    levels = {"service_level": {"offered": 10.0, "answered": 60.0}, "variant": "answered"}
    centre.after(0, **levels)
    assert centre.after(600, **levels) == []


def test_nobody_is_ready_while_callers_wait() -> None:
    worker = Worker(id="a1", name="Una", queues=["ventas"])
    centre = Centre(workers={"a1": worker})
    centre.row("a1", "talking")
    assert centre.after(0, waiting=1) == []
    assert centre.after(59, waiting=1) == []
    (alert,) = centre.after(1, waiting=2)
    assert (alert.rule, alert.since, alert.limit) == ("queue_ready_s", NOW, 60)
    centre.row("a1", "ready")
    assert centre.after(1, waiting=2) == []
    centre.row("a1", "talking")
    assert centre.after(1, waiting=2) == []  # it begins anew
    assert rules(centre.after(60, waiting=2)) == ["queue_ready_s"]
    assert centre.after(1, waiting=0) == []


def test_who_is_given_to_no_queue_is_missed_in_none() -> None:
    centre = Centre(workers={"a1": Worker(id="a1", name="Una")})
    centre.after(0, waiting=1)
    assert centre.after(600, waiting=1) == []
    assert centre.watch.queues.ready == {}


def test_how_many_are_ready_is_counted_for_each_queue() -> None:
    given = {"a1": ["ventas", "it"], "a2": ["ventas"], "a3": ["otra"]}
    workers = {a: Worker(id=a, name=a, queues=queues) for a, queues in given.items()}
    workers["a4"] = Worker(id="a4", name="Antes", queues=["cerrada"], active=False)
    centre = Centre(workers=workers)
    for agent in ("a1", "a2", "a9"):
        centre.row(agent, "ready")
    told: list[None] = []
    centre.watch.on_change.append(lambda: told.append(None))
    centre.watch.look()
    assert centre.watch.queues.ready == {"ventas": 2, "it": 1, "otra": 0}
    centre.watch.look()
    assert len(told) == 1
    centre.row("a2", "held")
    centre.watch.look()
    assert (centre.watch.queues.ready["ventas"], len(told)) == (1, 2)


def test_the_queues_own_limit_holds() -> None:
    limits = {("queue_waiting", "", "", ""): 3, ("queue_waiting", "", "ventas", ""): 8}
    centre = Centre(alert_limits=limits)
    assert centre.after(0, waiting=8) == []
    assert rules(centre.after(1, waiting=9)) == ["queue_waiting"]


def test_where_no_switch_tells_any_more_nothing_is_said() -> None:
    centre = Centre()
    assert len(centre.after(0, waiting=9)) == 1
    assert len(centre.after(1, waiting=9, heard=centre.now + 1000 - 60_000)) == 1
    assert centre.after(1, waiting=9, heard=centre.now + 1000 - 60_001) == []
    assert len(centre.after(1, waiting=9)) == 1
    centre.floor.drop("queues")
    centre.watch.look()
    assert centre.watch.alerts == []


TEAMS = {
    "a1": Worker(id="a1", name="Una", team="Norte", queues=["ventas"]),
    "a2": Worker(id="a2", name="Otra", team="Sur"),
    "a3": Worker(id="a3", name="Antes", team="Sur", queues=["ventas"], active=False),
}


def test_a_queues_alert_is_for_the_teams_that_serve_it_and_else_for_all() -> None:
    people = People(workers=TEAMS)
    alert = Alert(rule="queue_waiting", name="Ventas", since=1, level=2, limit=5, queue="ventas")
    north, south = frozenset({"Norte"}), frozenset({"Sur"})
    seen = [is_for(alert, teams, people) for teams in (None, north, south, frozenset[str]())]
    assert seen == [True, True, False, False]
    assert is_queue_for("de nadie", south, people)
    hers = Alert(rule="help", agent="a2", name="Otra", since=1, level=3, limit=60)
    assert [is_for(hers, teams, people) for teams in (None, north, south)] == [True, False, True]


async def test_what_was_seen_to_is_known_again_after_the_web_begins_anew(
    ingest: Any, reader: Any, clock: Any, tmp_path: Any
) -> None:
    take(ingest, started())
    before = Centre()
    clock.now = before.now = NOW
    (alert,) = before.after(0, waiting=9)
    acts = Actions(ingest, Commands(ingest, None), reader, None)  # type: ignore[arg-type]
    said = {"by": "aruiz", "who": "Ana Ruiz", "action": "acknowledge", "queue": "ventas"}
    acts.act(said | {"rule": alert.rule, "since": alert.since})
    acts.act(said | {"rule": alert.rule, "since": alert.since - 9_000})
    later = Centre()
    later.now = NOW
    await later.watch.remember(DataDir(tmp_path))
    assert later.watch.seen[alert.key] == "Ana Ruiz"
    (again,) = later.after(40, waiting=9)
    assert again.key == alert.key
    assert later.after(1, waiting=0) == []
    (anew,) = later.after(1, waiting=9)
    assert anew.key not in later.watch.seen
    much_later = Centre()
    much_later.now = NOW + 3_600_001
    await much_later.watch.remember(DataDir(tmp_path))
    (other,) = much_later.after(0, waiting=9)
    assert other.key not in much_later.watch.seen


# -- over the API and on the floor


@pytest.fixture(scope="module")
def queue_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """With a directory of its own: one team serves the queue."""
    folder = tmp_path_factory.mktemp("queues")
    data = DataDir(folder)
    empty_directory(data)
    with open_directory(data, 1):
        pass
    for code in ("Norte", "Sur"):
        put(data, "teams", code=code)
    put(data, "queues", code="ventas", name="Ventas")
    for code, team, queues in (("x1", "Norte", ["ventas"]), ("x2", "Sur", [])):
        put(data, "agents", code=code, name=code, short=code, alias=code, team=team, queues=queues)
    data.secrets.unlink(missing_ok=True)  # the web writes those of its server
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


async def tell(hub: Hub, waiting: int) -> None:
    value = {"half_hour": 1, "short_s": 5, "source": "PBX-a", "heard": now()}
    value |= {"queues": {"ventas": {"waiting": waiting}}}
    await hub.put_raw("queues", json.dumps(value).encode())


@pytest.fixture
async def api(queue_web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = headers_of(queue_web.login("admin"))
    async with httpx.AsyncClient(base_url=queue_web.url, headers=headers, timeout=300) as client:
        yield client


async def alerts_of(api: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """As soon as there are so many."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            found: list[dict[str, Any]] = (await api.get("/api/v1/alerts")).json()
            if len(found) == count:
                return found


@pytest.mark.asyncio(loop_scope="session")
async def test_an_alert_is_there_for_its_teams_can_be_seen_to_and_clears(
    api: httpx.AsyncClient, queue_web: Web, hub: Hub
) -> None:
    await tell(hub, 7)
    (alert,) = await alerts_of(api, 1)
    assert (alert["rule"], alert["queue"], alert["name"], alert["what"], alert["by"]) == (
        "queue_waiting", "ventas", "Ventas", "7", None,
    )  # fmt: skip
    seen = {"action": "acknowledge", "rule": alert["rule"], "since": alert["since"]}
    path = "/api/v1/queues/ventas/actions"
    for team, count, status in (("Sur", 0, 403), ("Norte", 1, 202)):
        headers = headers_of(queue_web.login("supervisor", teams=[team]))
        async with httpx.AsyncClient(
            base_url=queue_web.url, headers=headers, timeout=300
        ) as other:
            assert len((await other.get("/api/v1/alerts")).json()) == count
            assert (await other.post(path, json=seen)).status_code == status
    (told,) = hub.asked
    assert told.pop("by").startswith("supervisor")
    assert told == seen | {"who": "Prueba", "queue": "ventas"}
    (alert,) = await alerts_of(api, 1)
    assert alert["by"] == "Prueba"
    await tell(hub, 5)
    assert await alerts_of(api, 0) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_only_an_alert_can_be_seen_to(api: httpx.AsyncClient, hub: Hub) -> None:
    note = {"action": "note", "kind": "orientacion", "rule": "queue_waiting"}
    answer = await api.post("/api/v1/queues/ventas/actions", json=note)
    assert (answer.status_code, hub.asked) == (422, [])


@pytest.mark.asyncio(loop_scope="session")
async def test_a_running_web_takes_another_limit(api: httpx.AsyncClient, hub: Hub) -> None:
    await tell(hub, 4)
    assert await alerts_of(api, 0) == []
    entry = {"rule": "queue_waiting", "queue": "ventas", "value": 3}
    wanted = {"entry": entry, "reason": "campaña"}
    path = "/api/v1/people/alert_limits/queue_waiting//ventas"
    assert (await api.put(path, json=wanted)).status_code == 200
    assert (await api.post("/api/v1/people/publication")).status_code == 200
    await tell(hub, 4)
    (alert,) = await alerts_of(api, 1)
    assert (alert["limit"], alert["what"]) == (3, "4")
    gone = await api.delete(path, params={"reason": "fin"})
    assert gone.status_code == 200
    assert await alerts_of(api, 0) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_a_limit_of_a_private_reason_is_refused_in_words(
    api: httpx.AsyncClient, queue_web: Web
) -> None:
    put(DataDir(queue_web.folder), "reasons", code="medico", label="Médico", private=True)
    entry = {"rule": "not_ready_s", "aux_reason": "medico", "value": 60}
    path = "/api/v1/people/alert_limits/not_ready_s///medico"
    wanted = {"entry": entry, "reason": "prueba"}
    answer = await api.put(path, json=wanted, params={"lang": "es"})
    assert answer.status_code == 422
    assert "«medico» es un auxiliar privado y no lleva límite" in answer.json()["detail"]
    assert answer.json()["errors"][0]["where"] == "aux_reason"


@pytest.mark.asyncio(loop_scope="session")
async def test_it_stands_on_the_floor_as_an_agents_does(
    queue_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{queue_web.url}/ui/")
    await hub.put(a="x1", name="Una", state="talking", since=now())
    await hub.put(a="x2", name="Otra", state="talking", since=now())
    await tell(hub, 7)
    line = page.locator(".alert")
    await expect(line).to_have_count(1)
    await expect(line).to_contain_text("Ventas")
    await expect(line).to_contain_text("7 llamadas en cola, más de 5")
    await expect(page).to_have_title("(1) Piso en vivo · Centro")
    await line.get_by_role("button", name="Ventas", exact=True).click()
    await expect(page.locator(".tile:not([hidden]) .name")).to_have_text("Una")
    await line.get_by_role("button", name="Marcar como visto: Ventas").click()
    await expect(line).to_contain_text("visto por Prueba")
    await expect(page).to_have_title("Piso en vivo · Centro")
    await tell(hub, 0)
    await expect(line).to_have_count(0)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("queue_wait_s", "espera máxima de más de 2:00"),
        ("queue_level_s", "nivel de servicio 70.5 %, bajo la meta 80.0 % por más de 10:00"),
        ("queue_ready_s", "nadie disponible con llamadas en cola por más de 1:00"),
    ],
)
async def test_each_rule_is_said(
    web: Web, hub: Hub, open_page: OpenPage, rule: str, said: str
) -> None:
    limits = {"queue_wait_s": 120, "queue_level_s": 600, "queue_ready_s": 60}
    page = await open_page(f"{web.url}/ui/")
    one = {"rule": rule, "a": "", "queue": "v", "name": "Ventas", "seat": None, "since": 1}
    one |= {"level": 2, "limit": limits[rule], "what": "70.5", "base": 80, "by": None}
    text = await page.evaluate(
        """async (one) => {
          const { Alerts } = await import('/static/alerts.js');
          const { words } = JSON.parse(document.getElementById('options').textContent);
          return new Alerts(words, () => {}, false).text(one);
        }""",
        one,
    )
    assert text.replace("\u00a0", " ") == said
