"""Every number of the floor, of the intraday page and of an agent's page, read from what the
browser shows, is the reports' at the same cut-off: each queue by its own targets, and what the
switch calls queues and agents under their names here.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from diadema.words import section as words_of
from playwright.async_api import Locator, Page, expect

from tests.support.equal_stage import DAY, TARGETS, Stage
from tests.support.web_stage import Hub, Nats, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIMIT_MS = 300_000
QUEUES = {"ventas": "Ventas", "soporte": "Soporte"}
_CLOCK = re.compile(r"^(?:(\d+):)?(\d+):(\d\d)$")
_METRICS = ("asa_s", "abandonment", "aht_s", "occupancy")
_TARGET_LINE = """() => {
  const element = document.querySelector("[data-chart]");
  const chart = element && window.getElement(element.id.replace(/^c/, ""))?.chart;
  return chart?.getOption().series[0].markLine?.label.formatter;
}"""
_CELLS = """all => all.map(row => [...row.cells].map(one => one.textContent))"""

type Number = int | float | str | None
type Told = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """With a server of its own: others clear the floor of the shared one."""
    folder = tmp_path_factory.mktemp("equal")
    server = Nats(folder)
    server.start()
    hub = await Hub.open(server.url)
    stage = Stage(folder, hub)
    await stage.tell()
    yield stage
    stage.close()
    await hub.close()
    server.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def centre(stage: Stage) -> AsyncIterator[Web]:
    web = Web(stage.folder, stage.hub.client.connected_url.geturl(), stage.folder.parent / "clock")
    web.start()
    yield web
    web.kill()


async def report(web: Web, kind: str, scope: str = "floor") -> Told:
    """Its sections by name, each `rows` and `total` of plain values; and its cut-off."""
    async with httpx.AsyncClient(
        base_url=web.url, headers=headers_of(web.cookies), timeout=60
    ) as api:
        asked = {"span": DAY, "scope": scope}
        answer = await api.get(f"/api/v1/reports/{kind}", params=asked, timeout=300)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told | {one["section"]: one for one in told["sections"]}


def stated(told: Told) -> dict[str, Number]:
    return {row["figure"]: plain(row["value"]) for row in told["summary"]["rows"]}


def plain(cell: Any) -> Number:
    value: Number = cell["value"] if isinstance(cell, dict) else cell
    return value


def number(text: str) -> Number:
    """As it is written in Spanish: 1:05 is 65 seconds, «33.3 %» is 33.3, «—» is nothing."""
    text = text.replace("\u00a0", " ").strip()
    if text in ("—", ""):
        return None
    if of_clock := _CLOCK.match(text):
        hours, minutes, seconds = (int(one or 0) for one in of_clock.groups())
        return 3600 * hours + 60 * minutes + seconds
    if text.endswith(" %"):
        return float(text[:-2].replace(",", ""))
    return int(text.replace(",", "")) if text.replace(",", "").isdigit() else text


def aim(metric: str, queue: str = "") -> dict[str, Any] | None:
    """The queue's own, else the site's."""
    its = [one for one in TARGETS if one["metric"] == metric]
    return next(
        (one for queued in (queue, "") for one in its if one.get("queue", "") == queued), None
    )


def is_missed(goal: dict[str, Any] | None, value: Number) -> bool:
    if goal is None or not isinstance(value, int | float):
        return False
    low: float = goal["value"]
    if "most" in goal:
        return not low <= value <= goal["most"]
    at_most = goal["metric"] in ("asa_s", "aht_s", "abandonment")
    return value > low if at_most else value < low


# -- the floor


async def stat(page: Page, name: str) -> Number:
    return number(await page.locator(f'.stat[data-stat="{name}"] b').inner_text())


async def test_the_floor(centre: Web, open_page: OpenPage) -> None:
    page = await open_page(f"{centre.url}/ui/")
    await expect(page.locator('.tile[data-a="a001"]')).to_be_visible(timeout=LIMIT_MS)
    logins = await report(centre, "asistencia")
    online = sum(row["logged_in"] for row in logins["logins"]["rows"])
    totals = {
        await one.get_attribute("data-total"): number(await one.locator("b").inner_text())
        for one in await page.locator(".total").all()
    }
    assert totals.pop("online") == online == 2
    assert {name: n for name, n in totals.items() if n} == {"talking": 1, "not_ready": 1}
    beside = page.locator('[data-stat="segments"] small')
    await expect(beside).to_have_text("solo de estaciones")
    calls, times = await report(centre, "llamadas"), await report(centre, "tmo")
    aht = {row["code"]: row["aht_s"] for row in times["aht_agents"]["rows"]}
    for row in calls["calls_agents"]["rows"]:
        foot = await page.locator(f'.tile[data-a="{row["code"]}"] .foot').inner_text()
        handled, mean = re.search(r"(\d+)\s+(?:aten|at\.)", foot), re.search(r"TMO (\S+)", foot)
        assert handled and int(handled[1]) == row["answered"] + row["connected"]
        assert mean and number(mean[1]) == aht[row["code"]]
    cut = await page.locator(".cut > span").inner_text()
    assert re.search(r"corte ([\d:]+)", cut)[1] == calls["cut_off"]["at"][-8:]  # type: ignore[index]
    assert int(re.sub(r"\D", "", cut.partition("evento")[2])) == calls["cut_off"]["position"]
    await expect(page.locator(".cut .owing")).to_be_hidden()
    assert calls["cut_off"]["owing"] == []
    await expect(page.locator('.tile[data-a="a001"] .state')).to_have_text("en llamada · Soporte")
    choice = page.locator(".tool.queue select")
    shown = await choice.locator("option").all_inner_texts()
    assert shown[1:] == ["saldos", *sorted(QUEUES.values())]
    for queue in ("", *QUEUES):
        await choice.select_option(queue)
        await the_queues(centre, page, queue)
        await todays(centre, page)


async def the_queues(centre: Web, page: Page, queue: str) -> None:
    """The switch's side, of the running half-hour but for who waits, whenever she came."""
    told = await report(centre, "servicio", f"queue:{queue}" if queue else "floor")
    section, goal = told["service_halves"], aim("service_level", queue)
    assert goal is not None
    half = next(row for row in section["rows"] if row["hour"] == "06:30")
    level, threshold = f"sl_{goal.get('variant', 'offered')}", goal["threshold_s"]
    assert told["threshold_s"] == threshold
    found = [await stat(page, one) for one in ("waiting", "abandoned", "level")]
    assert found == [section["total"]["waiting"], half["abandoned"], half[level]]
    beside = (await page.locator('[data-stat="level"] small').inner_text()).replace("\u00a0", " ")
    assert beside.endswith(f"≤ {threshold} s · meta {goal['value']:.1f} %")
    hint = await page.locator('[data-stat="level"]').get_attribute("title") or ""
    levels = [number(line.rpartition(": ")[2]) for line in hint.splitlines()]
    variants = ("offered", "noshort", "answered", "removed", "all")
    assert levels == [half[f"sl_{one}"] for one in variants]
    waits = {"": 1060, "ventas": 100, "soporte": 1060}  # since the entry, in no report
    longest = await stat(page, "longest")
    assert isinstance(longest, int)
    # the site's clock stands; the page's goes on by itself between two words from there
    assert 0 <= longest - waits[queue] <= await page.evaluate("performance.now()") / 1000


async def todays(centre: Web, page: Page) -> None:
    """Of the agents whose tiles are shown."""
    shown = await page.locator(".tile:not([hidden])").evaluate_all(
        "all => all.map(one => one.dataset.a)"
    )
    calls, times = await report(centre, "llamadas"), await report(centre, "tmo")
    its = [row for row in calls["calls_agents"]["rows"] if row["code"] in shown]
    hers = [row for row in times["aht_agents"]["rows"] if row["code"] in shown]
    n = sum(row["n"] for row in hers)
    seconds = sum(row["talk_s"] + row["hold_s"] + row["wrap_s"] for row in hers)
    expected = (
        sum(row["answered"] + row["connected"] for row in its),
        (2 * seconds + n) // (2 * n),
        sum(row["missed"] for row in its),
    )
    found = [await stat(page, one) for one in ("segments", "tmo", "missed")]
    assert tuple(found) == expected
    if len(shown) == 2:
        assert expected[1] == stated(times)["TMO"]


# -- the intraday page


async def cells(table: Locator) -> list[list[str]]:
    found: list[list[str]] = await table.evaluate_all(_CELLS)
    return found


@pytest.mark.parametrize("queue", ["", *QUEUES])
async def test_the_intraday_page(centre: Web, open_page: OpenPage, queue: str) -> None:
    scope = f"queue:{queue}" if queue else "floor"
    told = await report(centre, "intradia", scope)
    address = f"{centre.url}/ui/reports?kind=intradia&grain=day&day={DAY}&scope={scope}"
    page = await open_page(address)
    cut = await page.locator("[data-cut]").inner_text()
    assert f"evento {told['cut_off']['position']}" in cut and told["cut_off"]["at"] in cut
    shown = await page.locator("table[data-section]").evaluate_all(
        "all => all.map(one => one.dataset.section)"
    )
    with_rows = [one["section"] for one in told["sections"] if one["rows"]]
    assert shown == with_rows and {"summary", "intraday", "waits"} <= {*shown}
    for key in shown:
        await every_cell(page, told[key])
    await marked(page, told["intraday"], queue)
    others = {kind: await report(centre, kind, scope) for kind in ("servicio", "llamadas", "tmo")}
    assert {one["cut_off"]["position"] for one in others.values()} == {told["cut_off"]["position"]}
    await as_others_say(page, told["intraday"], others, queue)


async def every_cell(page: Page, section: Told) -> None:
    table = page.locator(f'table[data-section="{section["section"]}"]')
    keys = [one["key"] for one in section["columns"]]
    body = await cells(table.locator("tbody tr"))
    assert len(body) == len(section["rows"])
    for shown, row in zip(body, section["rows"], strict=True):
        for text, key in zip(shown, keys, strict=True):
            value, said = plain(row[key]), text.removesuffix(" !")
            assert (said if isinstance(value, str) else number(said)) == value, key
    if section["total"]:
        (foot,) = await cells(table.locator("tfoot tr"))
        summed = {one["key"] for one in section["columns"] if one.get("total")}
        for text, key in zip(foot[1:], keys[1:], strict=True):
            value = section["total"][key] if key in summed else None
            assert number(text.removesuffix(" !")) == value, key


async def marked(page: Page, section: Told, queue: str) -> None:
    """What stays behind the queue's target has the sign, and its head says the target."""
    table = page.locator('table[data-section="intraday"]')
    heads = await table.locator("thead th").all_inner_texts()
    body = await cells(table.locator("tbody tr"))
    of_level = aim("service_level", queue)
    assert of_level is not None
    level = f"sl_{of_level.get('variant', 'offered')}"
    metrics = {**{one: one for one in _METRICS}, level: "service_level"}
    signs = 0
    for at, column in enumerate(section["columns"]):
        goal = aim(metrics.get(column["key"], ""), queue)
        if goal is not None:
            assert "meta" in heads[at]
            told = [number(one) for one in re.findall(r"[\d.,]+\s%|[\d:]+", heads[at])]
            assert told[-1] == goal.get("most", goal["value"]), heads[at]
        for shown, row in zip(body, section["rows"], strict=True):
            assert shown[at].endswith(" !") == is_missed(goal, row[column["key"]]), column["key"]
            signs += shown[at].endswith(" !")
    assert 0 < signs < len(metrics) * len(body)


async def as_others_say(page: Page, section: Told, others: dict[str, Told], queue: str) -> None:
    """Each half-hour is that of the reports of one side."""
    keys = [one["key"] for one in section["columns"]]
    table = page.locator('table[data-section="intraday"]')
    sides = [others["servicio"]["service_halves"], others["tmo"]["aht_halves"]]
    sides += [] if queue else [others["tmo"]["load_halves"]]
    compared = set()
    for shown in await cells(table.locator("tbody tr")):
        row = {
            key: one if key in ("day", "hour") else number(one.removesuffix(" !"))
            for key, one in zip(keys, shown, strict=True)
        }
        for side in sides:
            (its,) = (one for one in side["rows"] if one["hour"] == row["hour"])
            same = (row.keys() & its.keys()) - {"hour"}
            assert {key: row[key] for key in same} == {key: plain(its[key]) for key in same}
            compared |= same
    level = next(key for key in keys if key.startswith("sl_"))
    assert {
        "received",
        "answered",
        "abandoned",
        "waiting",
        "asa_s",
        "n",
        "aht_s",
        level,
    } <= compared
    assert queue or {"ready", "occupancy"} <= compared
    (foot,) = await cells(table.locator("tfoot tr"))
    total = dict(zip(keys, (number(one.removesuffix(" !")) for one in foot), strict=True))
    service, handled = stated(others["servicio"]), stated(others["tmo"])
    assert total["asa_s"] == service["ASA"] and total["abandonment"] == service["% abandono"]
    assert total[level] == service[words_of("reports")[f"col.{level}"]]
    assert total["aht_s"] == handled["TMO"]
    assert queue or total["occupancy"] == handled["ocupación"]
    if not queue:  # one call is hers by what the switch calls her alone, and counts once
        (day,) = others["servicio"]["joined"]["rows"]
        assert (day["by_alias"], day["calls_alone"]) == (1, 0)
    called = stated(others["llamadas"])
    assert (total["received"], total["abandoned"]) == (called["recibidas"], called["abandonadas"])


# -- an agent's page


async def figures(page: Page) -> dict[str, tuple[Number, str]]:
    """Word → number, and its target as it is written."""
    found = {}
    for box in await page.locator(".figures .figure").all():
        small = box.locator("small")
        goal = (await small.inner_text()).replace("\u00a0", " ") if await small.count() else ""
        word = await box.locator("dt").inner_text()
        found[word] = (number(await box.locator(".number").inner_text()), goal)
    return found


async def region(page: Page, name: str) -> list[list[str]]:
    return await cells(page.get_by_role("region", name=name).locator("tbody tr"))


async def test_the_page_of_handling_times_marks_what_misses_its_target(
    centre: Web, open_page: OpenPage
) -> None:
    """Its line stood at «240» over an axis in minutes, and nothing said what was missed."""
    page = await open_page(f"{centre.url}/ui/handling?day={DAY}&lang=es")
    await expect(page.locator(".figures-table tbody tr").first).to_be_visible(timeout=LIMIT_MS)
    times = await report(centre, "tmo")
    told, shown = stated(times), await figures(page)
    for word, name, metric, goal in (
        ("TMO", "TMO", "aht_s", "meta ≤ 1:40"),
        ("Ocupación", "ocupación", "occupancy", "meta 5.0 % – 11.0 %"),
    ):
        assert shown[word] == (told[name], goal)
        box = page.locator(".figures .figure").filter(has=page.get_by_text(word, exact=True))
        assert await box.locator(".sign").count() == is_missed(aim(metric), told[name]), word
    by_name = {row["agent"]: row["aht_s"] for row in times["aht_agents"]["rows"]}
    seen = set()
    for line in await page.locator(".figures-table tbody tr").all():
        its = by_name[await line.locator("td").first.inner_text()]
        cell = line.locator("td").nth(4)
        late = is_missed(aim("aht_s"), its)
        assert number((await cell.inner_text()).removesuffix(" !")) == its
        assert (await cell.inner_text()).endswith(" !") is late
        assert (await cell.get_attribute("data-missed") is not None) is late
        seen.add(late)
    assert True in seen
    await page.wait_for_function(f"({_TARGET_LINE})() === 'meta 1:40'", timeout=LIMIT_MS)


@pytest.mark.parametrize("agent", ["a001", "a002"])
async def test_an_agents_page(centre: Web, stage: Stage, open_page: OpenPage, agent: str) -> None:
    page = await open_page(f"{centre.url}/ui/agents/{agent}?day={DAY}&lang=es")
    await expect(page.locator(".figures .figure").first).to_be_visible(timeout=LIMIT_MS)
    kinds = ("llamadas", "tmo", "asistencia", "adherencia", "protocolo", "tipificacion")
    told = {kind: await report(centre, kind, f"agent:{agent}") for kind in kinds}
    (calls,) = told["llamadas"]["calls_agents"]["rows"]
    (times,), (load,) = told["tmo"]["aht_agents"]["rows"], told["tmo"]["load_agents"]["rows"]
    goals = {
        column["key"]: column["target"]["word"].removeprefix("≤\u00a0")
        for name in ("aht_agents", "load_agents")
        for column in told["tmo"][name]["columns"]
        if "target" in column
    }
    assert goals == {"aht_s": "1:40", "occupancy": "5.0 % – 11.0 %"}
    assert await figures(page) == {
        "Atenciones": (calls["answered"] + calls["connected"], ""),
        "No contestados": (calls["missed"], ""),
        "TMO": (times["aht_s"], f"meta {goals['aht_s']}"),
        "Conversación": (times["talk_mean_s"], ""),
        "Espera": (times["hold_mean_s"], ""),
        "Post llamada": (times["wrap_mean_s"], ""),
        "Ocupación": (load["occupancy"], f"meta {goals['occupancy']}"),
        "Tiempo conectado": (load["logged_s"], ""),
    }
    status = await page.locator(".status").first.inner_text()
    assert f"evento {told['tmo']['cut_off']['position']}" in status
    await her_calls(page, told, calls, times)
    reasons = {
        row["reason"]: row["seconds"] for row in told["adherencia"]["pauses_agents"]["rows"]
    }
    assert {row[0]: number(row[2]) for row in await region(page, "Auxiliares")} == reasons
    assert reasons["auxiliar privada"] == 60
    (marks,) = told["asistencia"]["marks"]["rows"]
    shown = await region(page, "Marcaciones")
    assert len(shown) == marks["marks"]
    for at, key in ((0, "first_in"), (-1, "last_out")):
        if marks[key] is not None:
            assert shown[at][0] == hour(marks[key])
    steps = {
        row["step"]: (f"{row['ticked']} / {row['possible']}", row["block"], row["automatic"])
        for row in told["protocolo"]["steps"]["rows"]
    }
    protocol = await region(page, "Protocolo")
    assert {row[0]: (row[1], number(row[2]), number(row[3])) for row in protocol} == steps
    voice = {row[0]: number(row[1]) for row in await region(page, "Voz")}
    measured = stage.voice(agent)
    assert voice == measured and measured["habla el asesor"]


async def her_calls(page: Page, told: Told, calls: Told, times: Told) -> None:
    """One by one they come to the report's sums."""
    rows = await region(page, "Llamadas")
    note = page.locator("section", has=page.get_by_role("heading", name="Llamadas")).locator(
        ".note"
    )
    assert (await note.inner_text()).startswith(f"{len(rows)} en el día")
    assert len(rows) == calls["offered"] + calls["dialed"]
    marks = [row[8] for row in rows]
    closed = [row for row in rows if row[2] == "atendida" and "en curso" not in row[8]]
    assert len(closed) == times["n"]
    names = (("talk_s", 4), ("hold_s", 5), ("wrap_s", 6))
    for key, at in names:
        assert sum(int(number(row[at]) or 0) for row in closed) == times[key], key
    (rings,) = told["llamadas"]["rings_agents"]["rows"]
    taken = [row for row in rows if row[2] == "atendida"]
    assert len(taken) == calls["answered"]
    assert sum(int(number(row[3]) or 0) for row in taken) == rings["ring_s"]
    missed = [row for row in rows if row[2] == "no contestada"]
    excused = [row for row in missed if "no imputable" in row[8]]
    assert (len(missed) - len(excused), len(excused)) == (calls["missed"], calls["excused"]), marks
    codes: dict[str, int] = {}
    for row in closed:
        codes[row[7]] = codes.get(row[7], 0) + 1
    section = told["tipificacion"]["pareto"]
    by_label = {
        " › ".join(row[f"level{n}"] for n in (1, 2, 3)): row["count"] for row in section["rows"]
    }
    assert codes == by_label
    of_queues = {row["queue"]: row["offered"] for row in told["llamadas"]["calls_queues"]["rows"]}
    named: dict[str, int] = {}
    for row in rows:
        queue = row[1].partition(" · ")[2]
        named[queue] = named.get(queue, 0) + 1
    assert named == of_queues


def hour(utc_ms: int) -> str:
    """In Lima, five hours behind."""
    seconds = utc_ms // 1000 - 5 * 3600
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


async def test_a_sum_and_a_mean_have_two_names(centre: Web) -> None:
    """Section C: `talk_s` of an agent's day was a mean, and `calls.talk_s` beside it a sum."""
    (times,) = (await report(centre, "tmo", "agent:a001"))["aht_agents"]["rows"]
    async with httpx.AsyncClient(
        base_url=centre.url, headers=headers_of(centre.cookies), timeout=60
    ) as api:
        day, page = [
            (await api.get(f"/api/v1/agents/a001/{one}?day={DAY}", timeout=300)).json()
            for one in ("day", "page")
        ]
    for name in ("talk", "hold", "wrap"):
        assert day["calls"][f"{name}_s"] == times[f"{name}_s"]
        for its in (day, page["figures"]):
            assert its[f"{name}_mean_s"] == times[f"{name}_mean_s"]
            assert f"{name}_s" not in its
