"""/ui/help: who waits for help is seen at once by everybody who may go, in the order in which
somebody should, and what one does is seen by the others.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.access.authenticator import csrf
from diadema.base.paths import DataDir
from playwright.async_api import Locator, Page, Route, expect

from tests.support.broker_fixtures import until
from tests.support.help_stage import HelpStage
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, Hub, Nats, Web, headers_of
from tests.support.web_viewer import LIMIT_S, OpenPage, connect, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
FULL_HD = {"width": 1920, "height": 1080}
SMALL = """() => [...document.querySelectorAll('.helps :is(button, select, input), .sound')]
  .filter((one) => one.offsetParent).map((one) => [one.className, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44).map(([name]) => name)"""
BROAD = "document.documentElement.scrollWidth > innerWidth"
CUT = """() => [...document.querySelectorAll('.total, .total *')]
  .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).display !== 'inline').map((one) => one.textContent)"""
PRESS = "(button) => button.click()"  # also one that has just gone
COVERED = """() => [...document.querySelectorAll('.help')].flatMap((help) =>
  [...help.querySelectorAll('b, p, small, .choice')]).filter((one) => one.offsetParent
    && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => one.className + ': ' + one.textContent)"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpStage]:
    stage = HelpStage(DataDir(tmp_path_factory.mktemp("help")), agents=56)
    put(stage.data, "helpers", account="luz", topics=["saldo"], queues=["ventas"])
    put(stage.data, "playbooks", motive="1", id="saldos", version="3", owner="luz")
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def help_web(made: HelpStage, nats_server: Nats) -> Iterator[Web]:
    """Ana sees the agents of odd numbers; Luz nobody's, and helps with balances of Ventas. Those
    beyond 42 are each of one test, which has them do something long ago.
    """
    web = Web(made.data.root, nats_server.url)
    web.start()
    add = web.accounts.book.add
    add(TESTER, "ana", "Ana Torres", "supervisor", teams=["Tarde"], password=ACCOUNT_PASSWORD)
    add(TESTER, "luz", "Luz Ramos", "monitor", teams=["Noche"], password=ACCOUNT_PASSWORD)
    add(TESTER, "teo", "Teo", "technician", password=ACCOUNT_PASSWORD)
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(made: HelpStage, hub: Hub, help_web: Web) -> AsyncIterator[HelpStage]:
    """Nobody waits yet."""
    await made.begin(hub)
    await listed(help_web, None)
    yield made
    made.rest()


def entered(web: Web, account: str) -> dict[str, str]:
    secret = web.accounts.sessions.begin(account, "127.0.0.1")
    return {"diadema_session": secret, "diadema_csrf": csrf(secret)}


def api(web: Web, account: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{web.url}/api/v1", headers=headers_of(entered(web, account)), timeout=60
    )


async def listed(web: Web, account: str | None, *agents: str) -> list[dict[str, Any]]:
    """What the stream shows to that account (None: an administrator), once it is of these."""
    headers = headers_of(entered(web, account) if account else web.cookies)
    opened = connect(f"{web.ws}?scope=help", compression=None, additional_headers=headers)
    async with asyncio.timeout(LIMIT_S), opened as socket:
        snap = json.loads(await socket.recv())["snap"]
        seq, entries = snap["seq"], {str(one["of"]): one for one in snap["rows"]}
        order = [*entries]
        while tuple(entries[of]["a"] for of in order) != agents:
            message = json.loads(await socket.recv())
            assert message["seq"] == seq + 1
            seq = message["seq"]
            entries |= {str(one["of"]): one for one in message["d"]}
            order = [str(of) for of in message["order"]] if "order" in message else order
        return [entries[of] for of in order]


async def page_of(web: Web, open_page: OpenPage, account: str, **options: Any) -> Page:
    page = await open_page(f"{web.url}/ui/help", cookies=entered(web, account), **options)
    await expect(
        page.locator(".floor[data-mode=help]:not([data-stale]) .stat b").first
    ).to_be_visible()
    return page


def press(page: Page | Locator, word: str) -> Locator:
    return page.get_by_role("button", name=word, exact=True)


# -- who sees what, and in which order


async def test_a_caller_on_hold_comes_first_then_what_is_urgent_then_who_waited_longest(
    help_web: Web, stage: HelpStage
) -> None:
    for k, topic in ((43, "saldo"), (45, "reclamo"), (47, "saldo"), (49, "saldo")):
        c = stage.ring(k, ago_s=400)
        stage.ask(k, ago_s=200 - k, topic=topic)
        if k == 47:
            stage.hold(k, c, ago_s=20)
        await stage.tell(k)
    rows = await listed(help_web, "ana", "a047", "a045", "a043", "a049")
    first = rows[0]
    assert (first["held"], first["state"], first["seat"], first["alias"]) == (
        True, "held", "B-47", "AS47",
    )  # fmt: skip
    assert (first["queue"], first["motive"]) == ("Ventas", "Consulta")
    assert (first["playbook"], first["version"], first["topic"]) == ("saldos", "3", "Saldos")
    assert 0 <= time.time() * 1000 - first["state_since"] < 60_000
    assert rows[1]["urgent"] and not first["urgent"]


async def test_each_sees_those_that_are_the_own_to_take(help_web: Web, stage: HelpStage) -> None:
    for k, queue, topic in (
        (1, "ventas", "saldo"), (2, "ventas", "saldo"), (4, "soporte", "saldo"),
        (6, "ventas", "sistema"),
    ):  # fmt: skip
        stage.ring(k, queue=queue)
        stage.ask(k, topic=topic)
        await stage.tell(k)
    await listed(help_web, "ana", "a001")
    await listed(help_web, "luz", "a001", "a002")
    async with api(help_web, "luz") as client:
        assert {one["a"] for one in (await client.get("/help")).json()} == {"a001", "a002"}


async def test_what_was_escalated_reaches_helpers_of_other_topics(
    help_web: Web, stage: HelpStage, hub: Hub
) -> None:
    stage.ring(6)
    of = stage.ask(6, topic="sistema")
    await stage.tell(6)
    stage.host("escalated", of, level=1)
    await hub.site(cut={"at": 1, "position": 2})  # as the hub says once a second
    (row,) = await listed(help_web, "luz", "a006")
    assert row["level"] == 1


async def test_who_may_not_help_is_told_so(
    help_web: Web, stage: HelpStage, open_page: OpenPage
) -> None:
    async with api(help_web, "teo") as client:
        assert (await client.get("/help")).status_code == 403
    page = await open_page(f"{help_web.url}/ui/help", cookies=entered(help_web, "teo"))
    await expect(page.locator(".refused")).to_be_visible()
    await expect(page.locator(".bar-links")).not_to_contain_text("Ayudas")


async def test_one_of_another_or_that_is_over_has_nobody_to_go(
    help_web: Web, stage: HelpStage
) -> None:
    stage.ring(2, queue="soporte")
    of = stage.ask(2)
    await stage.tell(2)
    assert [one["of"] for one in await listed(help_web, None, "a002")] == [of]
    async with api(help_web, "ana") as client:
        path = "/help/" + "/".join(map(str, of))
        for wanted in (f"{path}/takers", "/help/DIA-ffffffffffff/1/1/takers"):
            answer = await client.get(wanted)
            assert answer.status_code == 404
            assert "ya terminó, o no es de los suyos" in answer.json()["detail"]
        assert (await client.get(f"/help/{of[0]}/1/x/takers")).status_code == 422


# -- what two people do at once


async def test_what_one_does_is_seen_by_the_other(
    help_web: Web, stage: HelpStage, open_page: OpenPage, hub: Hub
) -> None:
    ana = await page_of(help_web, open_page, "ana")
    luz = await page_of(help_web, open_page, "luz", viewport=PHONE)
    for page in (ana, luz):
        await expect(page.locator(".empty")).to_contain_text("Nadie espera ayuda")
    stage.ring(1)
    of = stage.ask(1)
    await stage.tell(1)
    for page in (ana, luz):
        await expect(page.locator(".help-who")).to_have_text("B-01 · AS1")
        await expect(page.locator(".help-about")).to_have_text(
            "Ventas · Consulta · instructivo saldos v3"
        )
        await expect(page.locator(".help-status")).to_have_text("Nadie la tiene.")
        await expect(page).to_have_title("(1) Ayudas")
        await expect(page.locator(".unseen")).to_have_text("Pedido de ayuda: B-01 · AS1 · Saldos")
        await expect(page.locator("[data-stat=waiting] b")).to_have_text("1")
        await expect(page.locator(".help-wait .clock")).to_have_text(re.compile(r"^\d:\d\d$"))
    await press(luz, "Voy").click()
    await expect(ana.locator(".help-status")).to_contain_text("Va Luz Ramos · ")
    await expect(luz.locator(".help-status")).to_contain_text("La tiene usted · ")
    await expect(press(ana, "Voy")).to_be_hidden()
    stage.hear(1, "accepted", of, "Luz Ramos")
    await stage.tell(1)
    await expect(ana.locator("[data-stat=waiting] b")).to_have_text("0")
    await expect(ana.locator("[data-stat=taken] b")).to_have_text("1")
    await press(luz, "Resolver").click()
    await expect(ana.locator(".help-status")).to_contain_text("Resuelta por Luz Ramos")
    await expect(press(luz, "no es claro")).to_be_visible()
    stage.hear(1, "resolved", of, "Luz Ramos")
    await stage.tell(1)
    await expect(ana.locator(".help")).to_have_count(0)
    await press(luz, "no es claro").click()
    await expect(luz.locator(".sent")).to_contain_text("Instructivo: registrado.")
    assert hub.asked[-1] == {
        "action": "help_noted", "of": of, "gap": "unclear", "playbook": "saldos", "version": "3",
        "by": "luz", "who": "Luz Ramos",
    }  # fmt: skip
    await press(luz, "Listo").click()
    await expect(luz.locator(".help")).to_have_count(0)
    await luz.reload()
    gaps = luz.locator(".gaps")
    await expect(gaps.locator("summary")).to_have_text("Lo que falta en sus instructivos · 1")
    await gaps.locator("summary").click()
    await expect(gaps.locator("li")).to_contain_text("saldos v3")
    await expect(gaps.locator("li")).to_contain_text("no es claro · Saldos")
    await expect(ana.locator(".gaps")).to_have_count(0)


async def test_who_solves_one_says_what_came_of_it_however_late_the_answer_is(
    help_web: Web, stage: HelpStage, open_page: OpenPage
) -> None:
    """The stream tells that it is over before the request that ended it is answered."""
    luz = await page_of(help_web, open_page, "luz")
    stage.ring(1)
    of = stage.ask(1)
    stage.hear(1, "accepted", of, "Luz Ramos")
    await stage.tell(1)
    taken, told = luz.locator("[data-stat=taken] b"), asyncio.Event()
    await expect(taken).to_have_text("1")

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await told.wait()
        await route.fulfill(response=answer)

    await luz.route("**/api/v1/help/actions", late)
    await press(luz, "Resolver").click()
    await expect(luz.locator(".help-status")).to_contain_text("Resuelta por Luz Ramos")
    stage.hear(1, "resolved", of, "Luz Ramos")
    await stage.tell(1)
    await expect(taken).to_have_text("0")
    told.set()
    await expect(press(luz, "no es claro")).to_be_visible()


async def test_of_two_who_take_one_the_second_is_told_who_has_it(
    help_web: Web, stage: HelpStage, open_page: OpenPage, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = stage.publish

    async def once_both_have_asked() -> None:
        await until(lambda: sum(one.get("state") == "accepted" for one in hub.asked) == 2)
        await publish()

    pages = [await page_of(help_web, open_page, one) for one in ("ana", "luz")]
    stage.ring(3)
    stage.ask(3)
    await stage.tell(3)
    buttons = [press(page, "Voy") for page in pages]
    for one in buttons:
        await expect(one).to_be_visible()
    monkeypatch.setattr(stage, "publish", once_both_have_asked)
    await asyncio.gather(*(one.evaluate(PRESS) for one in buttons))
    refused = [page.locator(".sent [data-state=failed]") for page in pages]

    async def one_is() -> bool:
        return sum([await one.count() for one in refused]) == 1

    await until(one_is)
    second = await refused[1].count()
    name = ("Luz Ramos", "Ana Torres")[second]
    await expect(refused[second]).to_contain_text(f"{name} ya tiene este pedido")
    await expect(pages[not second].locator(".help-status")).to_contain_text("La tiene usted")


async def test_who_helps_beyond_the_own_teams_reads_what_came_of_it(
    help_web: Web, stage: HelpStage
) -> None:
    stage.ring(4)
    of = stage.ask(4)
    await stage.tell(4)
    async with api(help_web, "luz") as luz, api(help_web, "ana") as ana:
        taken = {"action": "help", "of": of, "state": "accepted"}
        given = (await luz.post("/help/actions", json=taken)).json()
        place = "/actions/" + "/".join(map(str, given["of"]))
        mine = await luz.get(place)
        assert mine.status_code == 200, mine.text
        assert mine.json()["outcome"]["result"] == "waiting"
        assert (await ana.get(place)).status_code == 403  # who sees neither agent nor press


async def test_an_answer_counts_down_and_goes_to_the_one_who_asks(
    help_web: Web, stage: HelpStage, open_page: OpenPage, hub: Hub
) -> None:
    page = await page_of(help_web, open_page, "ana")
    of = stage.ask(5, topic=None)
    await stage.tell(5)
    await expect(page.locator(".help-topic")).to_have_text("sin tema")
    await press(page, "Responder").click()
    text = page.get_by_label("Lo lee en su estación y confirma con una tecla")
    await expect(text).to_be_focused()
    await page.keyboard.press("Enter")  # nothing is written yet: nothing goes
    await text.fill("Con el DNI basta")
    await expect(page.locator(".help-below .hint")).to_have_text("Quedan 68 caracteres.")
    await text.press_sequentially("x" * 90)
    await expect(page.locator(".help-below .hint")).to_have_text("Quedan 0 caracteres.")
    await text.fill("Con el DNI basta")
    await press(page, "Enviar").click()
    await expect(page.locator(".sent li")).to_contain_text("Responder: enviado")

    def sent() -> list[dict[str, Any]]:
        return [one for one in hub.asked if one["action"] == "message"]

    await until(sent)  # the page says so at once
    assert [(one["text"], one["of"], one["by"]) for one in sent()] == [
        ("Con el DNI basta", of, "ana")
    ]
    await expect(page.locator(".help-below")).to_be_empty()


async def test_one_is_passed_on_to_somebody_who_may_take_it(
    help_web: Web, stage: HelpStage, open_page: OpenPage, hub: Hub
) -> None:
    ana = await page_of(help_web, open_page, "ana")
    luz = await page_of(help_web, open_page, "luz")
    stage.ring(1)
    of = stage.ask(1)
    await stage.tell(1)
    await press(ana, "Derivar").click()
    to = ana.get_by_label("A quién")
    await expect(to.locator("option").first).to_have_text("Luz Ramos")
    names = await to.locator("option").all_inner_texts()
    assert {"Luz Ramos", "Ana Torres", "Prueba"} >= {*names} and "Teo" not in names
    await to.select_option("luz")
    await press(ana, "Enviar").click()
    await expect(ana.get_by_label("Motivo")).to_be_focused()  # it says why
    await ana.get_by_label("Motivo").fill("sabe de saldos")
    await ana.keyboard.press("Enter")
    await expect(ana.locator(".help-status")).to_have_text("Derivada a Luz Ramos: sabe de saldos")
    await expect(luz.locator(".help-status")).to_have_text("Se la derivaron: sabe de saldos")
    assert hub.asked[-1]["of"] == of and hub.asked[-1]["to"] == "luz"
    await press(luz, "Voy").click()
    await expect(ana.locator(".help-status")).to_contain_text("Va Luz Ramos")


async def test_a_call_that_ends_first_leaves_the_request_and_says_so(
    help_web: Web, stage: HelpStage, open_page: OpenPage
) -> None:
    page = await page_of(help_web, open_page, "ana")
    c = stage.ring(1)
    of = stage.ask(1)
    await stage.tell(1)
    await expect(page.locator(".help-state")).to_contain_text("en llamada")
    await expect(page.locator(".unseen")).to_have_text("Pedido de ayuda: B-01 · AS1 · Saldos")
    stage.hang_up(1, c)
    stage.host("escalated", of, level=2)
    await stage.tell(1)
    await expect(page.locator(".unseen")).to_have_text("Nadie acude: B-01 · AS1 · Saldos")
    await expect(page.locator("[data-sign=over]")).to_have_text("terminó antes")
    await expect(page.locator("[data-sign=level2]")).to_have_text("nadie acude")
    await expect(page.locator(".help-about")).to_contain_text("instructivo saldos v3")


# -- how it looks, and the tile


@pytest.mark.parametrize(
    ("account", "language", "scheme", "viewport"),
    [("ana", "es", "light", DESK), ("ana", "en", "dark", PHONE), ("luz", "es", "dark", DESK)],
)
async def test_it_fits_can_be_pressed_and_is_clean(
    help_web: Web,
    stage: HelpStage,
    open_page: OpenPage,
    account: str,
    language: str,
    scheme: str,
    viewport: dict[str, int],
) -> None:
    crowd(stage)
    await stage.publish()
    page = await open_page(
        f"{help_web.url}/ui/help?lang={language}",
        cookies=entered(help_web, account),
        color_scheme=scheme,
        viewport=viewport,
    )
    await expect(page.locator(".help").nth(9)).to_be_visible()
    await press(page.locator(".help").first, {"es": "Derivar", "en": "Pass on"}[language]).click()
    await press(
        page.locator(".help").nth(1), {"es": "Responder", "en": "Answer"}[language]
    ).click()
    await press(page.locator(".help").nth(2), {"es": "Resolver", "en": "Solve"}[language]).click()
    await expect(page.locator(".put-away")).to_be_visible()
    assert not await page.evaluate(BROAD)
    assert await page.evaluate(SMALL) == []
    assert await page.evaluate(COVERED) == []
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert not found.response["violations"], found.generate_report()


def crowd(stage: HelpStage) -> None:
    """Forty who wait, in all ways."""
    for k in range(1, 41):
        c = stage.ring(k, ago_s=700, queue=("ventas", "soporte")[k % 3 == 0], motive=k % 4 > 0)
        of = stage.ask(k, ago_s=11 * k, topic=("saldo", "reclamo", "sistema", None)[k % 7 % 4])
        if k % 9 == 0:
            stage.hold(k, c, ago_s=3 * k)
        if k % 10 == 5:
            stage.hear(k, "accepted", of, "Marcela Villavicencio")
        if k % 8 == 3:
            stage.hang_up(k, c)
        stage.say(k)
        if k % 6 == 1:
            stage.host("escalated", of, level=1 + k % 2)


async def test_floor_and_wall_say_how_many_wait_and_how_long(
    help_web: Web, stage: HelpStage, open_page: OpenPage
) -> None:
    floor = await open_page(f"{help_web.url}/ui/", cookies=entered(help_web, "ana"))
    wall = await open_page(f"{help_web.url}/wall", role=None)
    for page in (floor, wall):
        await expect(page.locator("[data-total=help] b")).to_have_text("0")
    stage.ask(51, ago_s=65)
    stage.ask(53, ago_s=5)
    stage.ask(52, ago_s=30)  # of another team
    for k in (51, 52, 53):
        await stage.tell(k)
    for page, n in ((floor, "2"), (wall, "3")):
        tile = page.locator("[data-total=help]")
        await expect(tile.locator("b")).to_have_text(n)
        await expect(tile.locator("time")).to_have_text(re.compile(r"^[1-9]:\d\d$"))
    assert "help_by" not in await wall.content()
    await floor.locator("[data-total=help]").click()
    await expect(floor).to_have_url(re.compile("/ui/help"))
    await expect(floor.locator(".help")).to_have_count(2)


async def test_the_totals_fit_while_somebody_waits(
    help_web: Web, stage: HelpStage, open_page: OpenPage
) -> None:
    stage.ask(54, ago_s=900)
    await stage.tell(54)
    for path, viewport in (("/ui/", PHONE), ("/ui/", DESK), ("/wall", DESK), ("/wall", FULL_HD)):
        for language in ("es", "en"):
            page = await open_page(f"{help_web.url}{path}?lang={language}", viewport=viewport)
            tile = page.locator("[data-total=help]")
            await expect(tile.locator("time")).to_have_text(re.compile(r"^[1-5]\d:\d\d$"))
            assert await page.evaluate(CUT) == [], (path, viewport, language)
            assert not await page.evaluate(BROAD)


async def test_the_wall_has_no_more_of_it_than_that(help_web: Web, stage: HelpStage) -> None:
    async with viewing(help_web, "?scope=wall") as viewer:
        stage.ask(1)
        await stage.tell(1)
        while viewer.snap["help"][0] != 1:
            await viewer.take()
        assert isinstance(viewer.snap["help"][1], int) and len(viewer.snap["help"]) == 2
        assert not {"a", "help", "seat"} & {*viewer.snap["who"], *viewer.snap["live"]}


async def test_one_that_was_handed_over_waits_again_until_the_other_comes(
    help_web: Web, stage: HelpStage
) -> None:
    of = stage.ask(3)
    stage.hear(3, "accepted", of, "Ana Torres")
    await stage.tell(3)
    async with viewing(help_web, "?scope=wall") as viewer, api(help_web, "ana") as ana:
        while (viewer.snap or {}).get("help") != [0, None]:
            await viewer.take()
        given = {"action": "help_assigned", "of": of, "to": "luz", "reason": "sabe"}
        assert (await ana.post("/help/actions", json=given)).status_code == 202
        while viewer.snap["help"][0] != 1:
            await viewer.take()
        async with api(help_web, "luz") as luz:
            taken = {"action": "help", "of": of, "state": "accepted"}
            assert (await luz.post("/help/actions", json=taken)).status_code == 202
        while viewer.snap["help"][0] != 0:
            await viewer.take()
