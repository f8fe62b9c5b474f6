"""The six criteria of UC3-E1 «Monitorar el desempeño del personal a cargo», walked through by a
supervisor in her browser, over what two people did at real stations.
"""

import re
from pathlib import Path

import openpyxl
from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre
from playwright.async_api import Page, expect

from tests.support.chromium import CHROMIUM
from tests.support.supervisor import START_MS, ZONE, browsing, enter, go, report, rows, serve, show


async def asistencia_y_logueo(page: Page, centre: Centre, desk: Agent) -> None:
    """1. Controla la asistencia y logueo del personal a su cargo."""
    await go(page, "Personas", "Asistencia")
    row = page.get_by_role("row", name=re.compile(desk.desk.person.name))
    hour = re.compile(r"\d\d:\d\d")
    await expect(row.locator("td").nth(3)).to_have_text(hour)  # her own mark
    await expect(row.locator("td").nth(4)).to_have_text(hour)  # the system's login
    await expect(row.get_by_text("en curso")).to_be_visible()
    found = await report(centre, "asistencia")
    (told,) = (one for one in rows(found, "logins") if one["code"] == desk.desk.person.id)
    assert told["sessions"] == 1


async def tmo(page: Page, centre: Centre, desk: Agent) -> None:
    """2. Realiza el seguimiento del TMO, con sus tres partes, y lo que hay detrás."""
    await go(page, "Cifras", "TMO y llamadas")
    await expect(page.locator("canvas").first).to_be_visible()
    row = page.get_by_role("row", name=re.compile(desk.desk.person.name))
    (told,) = (
        one
        for one in rows(await report(centre, "tmo"), "aht_agents")
        if one["code"] == desk.desk.person.id
    )
    seconds = f"{told['aht_s'] // 60}:{told['aht_s'] % 60:02}"
    await expect(row.locator("td").nth(4)).to_have_text(seconds)
    await row.get_by_role("link").click()
    await page.locator(".figure", has_text="TMO").get_by_role("button").click()
    await expect(page.get_by_role("dialog").get_by_text("wrapup.ended").first).to_be_visible()
    await page.keyboard.press("Escape")


async def llamadas(page: Page, centre: Centre, tmp_path: Path) -> None:
    """3. Verifica la cantidad y tiempo de llamadas recibidas y atendidas; y se las lleva."""
    await show(page, "llamadas")
    await expect(page.get_by_role("heading", name=re.compile("^Llamadas ·"))).to_be_visible()
    found = await report(centre, "llamadas")
    inbound = rows(found, "check")[0]
    assert inbound["difference"] == 0
    became = ("answered", "missed", "excused", "open")
    assert inbound["received"] == sum(inbound[name] for name in became)
    check = page.locator("table", has=page.get_by_text("estaciones, entrantes"))
    cells = await check.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[1:4] == [str(inbound[name]) for name in ("received", "answered", "missed")]
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="XLSX").click()
    file = tmp_path / "llamadas.xlsx"
    await (await waiting.value).save_as(file)
    book = openpyxl.load_workbook(file, data_only=True)
    numbers = {
        cell.value for sheet in book for line in sheet.iter_rows() for cell in line if cell.value
    }
    assert inbound["received"] in numbers and "estaciones, entrantes" in numbers


async def protocolos(page: Page, centre: Centre) -> None:
    """4. Verifica el uso de los protocolos de atención."""
    await show(page, "protocolo")
    steps = rows(await report(centre, "protocolo"), "steps")
    assert any(step["ticked"] for step in steps), steps
    await expect(page.get_by_role("heading", name="Pasos por campaña")).to_be_visible()
    await expect(page.get_by_role("cell", name="saludo").first).to_be_visible()


async def consolidado(page: Page, centre: Centre) -> None:
    """5. Consolida usuarios atendidos y soluciones brindadas."""
    await show(page, "consolidado")
    summary = {
        row["figure"]: row["value"]["value"]
        for row in rows(await report(centre, "consolidado"), "summary")
    }
    assert summary["atenciones"] == 2
    row = page.get_by_role("row", name=re.compile("^llamadas atendidas"))
    await expect(row.locator("td").nth(1)).to_have_text(str(summary["llamadas atendidas"]))
    await expect(page.get_by_text(re.compile(r"Usuarios distintos: \d+ de \d+"))).to_be_visible()
    await expect(page.get_by_role("heading", name="Soluciones por resultado")).to_be_visible()


async def acciones(page: Page, centre: Centre, desk: Agent) -> None:
    """6. Informa sobre las acciones de supervisión: una de palabra, y una en la estación."""
    me = desk.desk.person
    await go(page, "Piso", "Piso en vivo")
    await page.locator(f'.tile[data-a="{me.id}"]').click()
    panel = page.get_by_role("dialog")
    await panel.get_by_role("button", name="Orientación").click()
    await panel.get_by_label("Nota").fill("Saludo completo")
    await panel.get_by_role("button", name="Guardar").click()
    await expect(panel.get_by_text("Orientación: registrado.")).to_be_visible()
    since = desk.seen
    await panel.get_by_role("button", name="Poner en auxiliar").click()
    await panel.locator("form.order select").select_option("break")
    await panel.locator("form.order input").fill("Relevo de las once")
    await panel.get_by_role("button", name="Enviar").click()
    await expect(panel.get_by_text("Poner en auxiliar: hecho.")).to_be_visible()
    await desk.expect("presence.changed", since, to="not_ready", reason="break", by="supervisor")
    await panel.get_by_role("button", name="Cerrar").first.click()
    await go(page, "Personas", "Registro de supervisión")
    await expect(page.get_by_text("Relevo de las once")).to_be_visible()
    await expect(
        page.get_by_role("cell", name=re.compile("orientación", re.I)).first
    ).to_be_visible()
    register = rows(await report(centre, "supervision"), "register")
    assert [row["by"] for row in register] == ["Elena Jefa Inventada"] * 2
    await page.get_by_role("link", name="Entrega de turno").click()
    await expect(page.get_by_text("Relevo de las once").first).to_be_visible()


async def test_the_six_criteria_of_uc3_e1(tmp_path, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    desks = people.desks(2)
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=START_MS,
        data=tmp_path / "data",
    ) as centre:
        await centre.switch_on()
        mine, other = centre.agents
        for desk in (mine, other):
            await desk.log_in()
            await desk.get_ready()
            await serve(desk, f"C-{desk.desk.seat}")
        await centre.drain()
        teams = sorted({desk.person.team for desk in desks})
        async with browsing(chromium, f"{centre.web}/login") as page:
            await enter(page, centre, teams)
            await asistencia_y_logueo(page, centre, mine)
            await tmo(page, centre, mine)
            await llamadas(page, centre, tmp_path)
            await protocolos(page, centre)
            await consolidado(page, centre)
            await acciones(page, centre, mine)
