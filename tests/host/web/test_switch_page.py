"""/ui/switch, for a bridge whose reports a test writes: whether the exchange works is its first
sentence, what is wrong stands before what is not, and nothing there is a code.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.site import description
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people import People, Worker
from diadema.site.directory.publishing import begin
from diadema.web.switch.view import View
from diadema.wire.switching import MemberState, PhoneState, QueueState, Report, Trouble
from diadema.words import Sentence
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from playwright.async_api import Page, expect

from tests.support.scripted_station import SITE
from tests.support.web_stage import TESTER, Hub, Nats, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NAMES = ["Rosa", "Luis", "Carmen", "Julio", "Flor", "Percy", "Milagros", "Wilmer"]
FAMILIES = ["Quispe", "Huamán", "Chirimoya", "Picaflor", "Lúcuma", "Zorzal", "Pacae", "Cóndor"]
QUEUES = [
    "Ventas", "Soporte", "Cobranzas", "Retenciones", "Postventa", "Reclamos", "Fidelización",
    "Activaciones", "Corporativo", "Averías", "Portabilidad", "Encuestas",
]  # fmt: skip
REASONS = [
    {"code": "refrigerio", "label": "Refrigerio", "limit_s": 3600},
    {"code": "topico", "label": "Tópico", "private": True},
]
AGENTS, SEATS = 400, 410


def station(number: int) -> str:
    return f"DIA-06000000{number:04x}"


def fill(data: DataDir) -> None:
    """A centre of 400 agents and twelve queues; ten of its seats have no extension."""
    agents = [
        {"id": f"a{n:03}", "name": f"{NAMES[n % 8]} {FAMILIES[n // 8 % 8]} {n}",
         "alias": f"A{n}", "short": f"A{n}", "badges": [], "team": f"Turno {n % 4}"}
        for n in range(1, AGENTS + 1)
    ]  # fmt: skip
    seats = [
        {"id": station(n), "seat": f"A-{n:03}", "teams": [f"Turno {n % 4}"]}
        for n in range(1, SEATS + 1)
    ]
    data.make()
    described = SITE | {"agents": agents, "stations": seats, "reasons": REASONS}
    data.site.write_text(json.dumps(described))
    with Directory(data.directory) as book:
        begin(book, description.load(data.site), 1)
        changes = [
            Change(kind="queues", code=f"q{at}", body=KINDS["queues"].read(
                {"code": f"q{at}", "name": name, "switch_names": [str(600 + at)]}))
            for at, name in enumerate(QUEUES)
        ]  # fmt: skip
        for n in range(1, AGENTS + 1):
            entry = book.entry("seats", f"A-{n:03}")
            body = KINDS["seats"].read(entry.body | {"extension": f"PJSIP/{1000 + n}"})
            changes.append(Change(kind="seats", code=f"A-{n:03}", body=body, seen=entry.version))
        book.apply(changes, by="t", reason="t", at_ms=2)


def member(n: int, queue: int, **more: Any) -> MemberState:
    return MemberState(name=f"a{n:03}", queue=str(600 + queue), agent=f"a{n:03}", **more)


def phones(count: int, gone: tuple[int, ...] = ()) -> list[PhoneState]:
    return [
        PhoneState(extension=f"PJSIP/{1000 + n}", station=station(n), there=n not in gone)
        for n in range(1, count + 1)
    ]


def trouble(key: str, ago_s: int, times: int = 1, **values: object) -> Trouble:
    now = int(time.time() * 1000)
    sentence = Sentence(f"errors.switch.{key}", **values).parts()
    utc_ms = now - 1000 * ago_s
    return Trouble(utc_ms=utc_ms, sentence=sentence, times=times, first_utc_ms=utc_ms - 600_000)


def report(**more: Any) -> Report:
    now = int(time.time() * 1000)
    its = {"name": "central", "version": "11.0.0", "up": True, "utc_ms": now,
           "since_utc_ms": now - 5_400_000}  # fmt: skip
    return Report(**(its | more))


def small() -> Report:
    """Two queues, four agents, all as it should be."""
    return report(
        calls=1,
        queues=[QueueState(name="600", mapped=True), QueueState(name="601", mapped=True)],
        members=[
            member(1, 0), member(2, 0, busy=True), member(3, 1, paused=True, reason="refrigerio"),
            member(4, 1, paused=True, reason="login"),
        ],
        phones=phones(4),
    )  # fmt: skip


def large() -> Report:
    """400 members, twelve queues and one that nobody mapped, 50 kinds of troubles."""
    members = []
    for n in range(1, AGENTS + 1):
        state: dict[str, Any] = {"busy": n % 3 == 0}
        if n % 5 == 0:
            state = {"paused": True, "reason": "refrigerio" if n % 2 else "wrapup_end"}
        members += [member(n, n % 12, **state), member(n, (n + 1) % 12, **state)]
    odd = {301: {"paused": True, "reason": "consola", "wanted": "ready"}, 302: {"wanted": "gone"},
           303: {"wanted": "there"}, 304: {"wanted": "paused"}}  # fmt: skip
    members += [member(n, (n + 2) % 12, **state) for n, state in odd.items()]
    members.append(MemberState(name="a999", queue="600"))
    queues = [
        QueueState(name=str(600 + at), mapped=True, waiting=max(0, 9 - 3 * at)) for at in range(12)
    ]
    queues.append(QueueState(name="urgencias", mapped=False, waiting=2))
    troubles = [trouble("phone_silent", 50 * n, seat=f"A-{n:03}") for n in range(50, 2, -1)]
    troubles.append(trouble("no_extension", 60, seat="A-405"))
    troubles.append(trouble("nobody", 5, times=12, member="a077"))
    gone = (3, 17, 42, 99, 120, 201, 333)
    return report(
        calls=141, unsent=3, queues=queues, members=members, phones=phones(AGENTS, gone),
        troubles=troubles,
    )  # fmt: skip


def away() -> Report:
    why = Sentence("errors.switch.unreachable", where="127.0.0.1:5038", error="[Errno 111]")
    return report(
        up=False, why=why.parts(), phones=phones(4),
        troubles=[trouble("foreign_gone", 4000, agent="Rosa Quispe 1", queue="Ventas"),
                  trouble("unreachable", 2, times=31, **why.values)],
    )  # fmt: skip


def shown(its: Report | None, *, up: bool | None = None, age_s: float | None = 1.0) -> Any:
    told = None if its is None else msgspec.to_builtins(its)
    is_up = (its is not None and its.up) if up is None else up
    return {"up": is_up, "age_s": age_s if told else None, "report": told}


STATES = {
    "none": lambda: None,
    "away": lambda: shown(None),
    "unreachable": lambda: shown(away()),
    "down": lambda: shown(small(), up=False, age_s=75.0),
    "small": lambda: shown(small()),
    "large": lambda: shown(large()),
}


@pytest.fixture(scope="module")
def switch_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("switch")
    fill(DataDir(folder))
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


class Bridge:
    """What the hub shows of it."""

    def __init__(self) -> None:
        self.shown: Any = None
        self.asked: Subscription

    async def begin(self, hub: Hub) -> None:
        self.asked = await hub.client.subscribe("hub.switch.shown", cb=self.answer)
        await hub.client.flush()

    async def answer(self, message: Msg) -> None:
        await message.respond(json.dumps({"switch": self.shown}).encode())


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(hub: Hub) -> AsyncIterator[Bridge]:
    made = Bridge()
    await made.begin(hub)
    yield made
    await made.asked.unsubscribe()


async def texts(page: Page, where: str) -> list[str]:
    return await page.locator(where).all_inner_texts()


@pytest.mark.parametrize(
    ("state", "language", "said"),
    [
        ("none", "es", "Todavía no hay una central conectada"),
        ("away", "es", "no está en marcha"),
        ("unreachable", "es", "La central no responde desde"),
        ("unreachable", "en", "The switch has not answered since"),
        ("down", "es", "no da señales desde"),
        ("small", "es", "Conectada desde"),
        ("large", "en", "Connected since"),
    ],
)
async def test_its_first_sentence_says_whether_it_works_and_since_when(
    switch_web: Web, bridge: Bridge, open_page: OpenPage, state: str, language: str, said: str
) -> None:
    bridge.shown = STATES[state]()
    for theme in ("light", "dark"):
        page = await open_page(
            f"{switch_web.url}/ui/switch?lang={language}",
            color_scheme=theme,
            viewport={"width": 390, "height": 844},
        )
        await expect(page.locator("#main h2").first).to_contain_text(said)
        assert (await Axe().run(page, options={"runOnly": WCAG})).violations_count == 0
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_why_it_is_away_is_said_and_what_was_so_before_is_not(
    switch_web: Web, bridge: Bridge, open_page: OpenPage
) -> None:
    bridge.shown = STATES["unreachable"]()
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es")
    head = page.locator(".switch-head")
    await expect(head).to_contain_text("No se llega a la central en 127.0.0.1:5038")
    await expect(head).to_contain_text("revise que Asterisk corra, el puerto y el cortafuegos.")
    await expect(page.locator(".switch-log li").first).to_contain_text("31 veces desde")
    await expect(page.locator("table")).to_have_count(0)


async def test_nothing_is_a_code(switch_web: Web, bridge: Bridge, open_page: OpenPage) -> None:
    bridge.shown = STATES["small"]()
    bridge.shown["report"]["members"].append(
        msgspec.to_builtins(member(5, 0, paused=True, reason="topico"))
    )
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es")
    rows = page.locator("#members tbody tr")
    await expect(rows).to_have_count(5)
    said = " ".join(await rows.all_inner_texts())
    assert "en pausa: Refrigerio" in said and "en pausa: inicio de sesión" in said
    assert "en pausa: auxiliar privada" in said and "en llamada o post llamada" in said
    for code in ("refrigerio", "login", "topico", "a001", "600"):
        assert code not in said
    assert await texts(page, "#queues tbody tr td:first-child") == ["Soporte", "Ventas"]


async def test_trouble_stands_first_and_400_members_do_not_bury_it(
    switch_web: Web, bridge: Bridge, open_page: OpenPage
) -> None:
    bridge.shown = STATES["large"]()
    page = await open_page(
        f"{switch_web.url}/ui/switch?lang=es", viewport={"width": 1366, "height": 768}
    )
    todo = page.locator(".switch-todo li")
    await expect(todo).to_have_count(4)
    assert [line.split(":")[0] for line in await todo.all_inner_texts()] == [
        "7 teléfonos sin registrar",
        "5 asesores no están en la central como en su estación",
        "Nadie asignó la cola urgencias de la central. Ponga ese nombre en la cola que sea, "
        "campo «Nombres en la central»",
        "10 posiciones sin anexo, en las que no timbra nada",
    ]
    await expect(todo.first).to_contain_text("A-003 (PJSIP/1003)")
    await expect(todo.first).to_contain_text("y 1 más")
    for one in await todo.all():
        box = await one.bounding_box()
        assert box is not None and box["y"] + box["height"] <= 768
    await expect(page.locator(".switch-log li:visible")).to_have_count(6)
    await expect(page.locator(".switch-log li").first).to_contain_text("12 veces desde")
    differs = page.locator("#members tbody tr:has(.differs)")
    await expect(differs).to_have_count(5)
    firsts = await page.locator("#members tbody tr").all_inner_texts()
    assert firsts[:5] == await differs.all_inner_texts()
    lines = " ".join(firsts[:5])
    assert "Está en pausa en Retenciones, y su estación dice disponible." in lines
    assert "Falta en " in lines
    states = await texts(page, "#phones tbody tr td:last-child")
    assert states[:8] == ["sin registrar"] * 7 + ["registrado"]
    waiting = await texts(page, "#queues tbody tr td:nth-child(2)")
    assert waiting[:4] == ["2", "9", "6", "3"]  # nobody is there for the first
    await expect(page.locator("#queues td[data-missed]")).to_have_count(1)


async def test_a_way_leads_to_the_directory_for_whoever_may_go_there(
    switch_web: Web, bridge: Bridge, open_page: OpenPage
) -> None:
    bridge.shown = STATES["large"]()
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es", role="technician")
    await expect(page.locator(".switch-todo li")).to_have_count(4)
    await expect(page.locator("#main a")).to_have_count(0)
    await expect(page.locator("#members")).not_to_contain_text("Refrigerio")
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es")
    await page.locator(".switch-todo").get_by_role("link", name="Colas").click()
    await page.wait_for_url("**/ui/people?kind=queues*")
    await expect(page.get_by_role("cell", name="Ventas", exact=True)).to_be_visible()


async def test_it_follows_live_and_leaves_what_is_being_read_as_it_is(
    switch_web: Web, bridge: Bridge, open_page: OpenPage
) -> None:
    bridge.shown = STATES["large"]()
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es")
    search = page.get_by_label("Buscar").first
    await search.press_sequentially("Huamán 1")
    rows, sorted_by = page.locator("#members tbody tr"), page.locator("#members th").first
    await expect(rows).to_have_count(14)
    await sorted_by.click()
    await expect(sorted_by).to_contain_class("sorted")
    await search.focus()
    its = large()
    its.members[0] = member(1, 0, paused=True, reason="refrigerio", wanted="ready")
    its.queues[0].waiting = 88
    bridge.shown = shown(its)
    await expect(page.locator("#queues")).to_contain_text("88")
    await expect(page.locator(".switch-todo")).to_contain_text("6 asesores")
    await expect(search).to_have_value("Huamán 1")
    await expect(search).to_be_focused()
    await expect(rows).to_have_count(14)
    await expect(sorted_by).to_contain_class("sorted")
    bridge.shown = STATES["unreachable"]()
    await expect(page.locator("#main h2").first).to_contain_text("no responde")
    await expect(page.locator("table")).to_have_count(0)
    bridge.shown = STATES["small"]()
    await expect(rows).to_have_count(4)
    await expect(page.locator(".switch-todo li")).to_have_count(1)  # seats without extension


async def test_of_a_server_that_is_silent_it_says_that_what_is_seen_is_old(
    switch_web: Web, bridge: Bridge, hub: Hub, open_page: OpenPage
) -> None:
    bridge.shown = STATES["small"]()
    page = await open_page(f"{switch_web.url}/ui/switch?lang=es")
    silent = page.get_by_text("El servidor no responde; lo que se ve es de antes.")
    await expect(page.locator("#members tbody tr")).to_have_count(4)
    await expect(silent).to_be_hidden()
    await bridge.asked.unsubscribe()
    await hub.client.flush()
    await expect(silent).to_be_visible()
    await expect(page.locator(".stale #members tbody tr")).to_have_count(4)
    await bridge.begin(hub)
    await expect(silent).to_be_hidden()
    await expect(page.locator(".stale")).to_have_count(0)


async def test_a_centre_without_fault_has_nothing_to_put_right() -> None:
    people = People(
        seats={station(1): "A-001"},
        phones={station(1): ("PJSIP/1001", "auto_answer")},
        queues={"ventas": "Ventas"},
        workers={"a001": Worker(id="a001", name="Rosa Quispe")},
    )
    its = report(
        queues=[QueueState(name="ventas", mapped=True, waiting=1)], phones=phones(1),
        members=[MemberState(name="a001", queue="ventas", agent="a001")],
    )  # fmt: skip
    view = View(its, people, TESTER, "es", ZoneInfo("America/Lima"))
    assert [*view.to_do()] == []
    assert not any(is_bad for _, _, is_bad in view.figures())
    its.members[0].busy = True  # whoever waits waits for nobody who is free
    view = View(its, people, TESTER, "es", ZoneInfo("America/Lima"))
    assert [(value, is_bad) for _, value, is_bad in view.figures()][:2] == [
        ("1", True), ("0", False),
    ]  # fmt: skip
    its.phones = []
    view = View(its, people, TESTER, "es", ZoneInfo("America/Lima"))
    assert view.figures()[-1][1:] == ("—", False)
