"""/ui/accounts in a real browser: an account is added, comes in, and is shut out again."""

import re
from contextlib import suppress

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.words.formatting import local_time
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import expect

from tests.support.scripted_station import SITE, T0
from tests.support.web_stage import ACCOUNT_PASSWORD, TESTER, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


async def test_a_new_account_comes_in_and_is_shut_out(web: Web, open_page) -> None:
    page = await open_page(f"{web.url}/ui/accounts")
    await page.get_by_role("button", name="Agregar", exact=True).click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Usuario").fill("0nora.prueba")  # first of all, however many there are
    await form.get_by_label("Nombre completo").fill("Nora de Prueba")
    await form.get_by_role("button", name="Guardar").click()
    once = page.locator(".once code")
    password = await once.inner_text()
    await page.get_by_role("button", name="Ya lo anoté").click()
    row = page.get_by_role("row").filter(has_text="0nora.prueba").first
    await expect(row).to_contain_text("Debe cambiar su contraseña")

    hers = await open_page(f"{web.url}/ui/", role=None)
    await expect(hers).to_have_url(f"{web.url}/login?next=/ui/")
    await hers.get_by_label("Usuario").fill("0Nora.Prueba")
    await hers.get_by_label("Contraseña").fill("no es esta")
    await hers.get_by_role("button", name="Ingresar").click()
    await expect(hers.get_by_role("alert")).to_have_text("Usuario o contraseña incorrectos.")
    await hers.get_by_label("Contraseña").fill(password)
    await hers.get_by_role("button", name="Ingresar").click()
    await expect(hers).to_have_url(f"{web.url}/account")
    await hers.get_by_label("Contraseña", exact=True).fill(password)
    await hers.get_by_label("Contraseña nueva").fill(ACCOUNT_PASSWORD)
    await hers.get_by_label("La misma otra vez").fill(ACCOUNT_PASSWORD)
    await hers.get_by_role("button", name="Cambiar contraseña").click()
    await expect(hers.get_by_role("status")).to_contain_text("Contraseña cambiada")
    await hers.goto(f"{web.url}/ui/")
    await expect(hers.locator(".bar-person")).to_have_text("Nora de Prueba")

    await row.get_by_role("checkbox").click()
    await page.get_by_role("button", name="Desactivar o activar").click()
    await expect(row).to_contain_text("Desactivada")
    await expect(hers).to_have_url(f"{web.url}/login?next=%2Fui%2F", timeout=300_000)


async def test_an_open_page_does_nothing_when_its_session_is_over(web: Web, open_page) -> None:
    cookies = web.login("admin")
    page = await open_page(f"{web.url}/ui/accounts", cookies=cookies)
    button = page.get_by_role("button", name="Comprobar")
    await expect(button).to_be_visible()
    person = web.accounts.sessions.person(cookies["diadema_session"], "")
    assert person is not None
    web.accounts.sessions.end(person.session)
    with suppress(PlaywrightError):  # the page may have noticed it by itself, and be gone
        await button.click(timeout=10_000)
    await expect(page).to_have_url(re.compile("/login"), timeout=300_000)


async def test_a_token_is_shown_once_and_works(web: Web, open_page) -> None:
    page = await open_page(f"{web.url}/ui/accounts")
    await page.get_by_role("button", name="Agregar un token").click()
    await page.get_by_role("dialog").get_by_label("Para qué").fill("tablero")
    await page.get_by_role("button", name="Guardar").click()
    token = await page.locator(".once code").inner_text()
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        told = (await client.get(f"{web.url}/api/v1/me")).json()
        assert (told["role"], told["id"]) == ("switch", "token:tablero")
        assert (await client.get(f"{web.url}/api/v1/live")).status_code == 403


async def test_of_a_standbys_token_it_is_seen_how_far_that_is(web: Web, open_page) -> None:
    token = web.accounts.tokens.add(TESTER, "segunda", "standby")
    page = await open_page(f"{web.url}/ui/accounts")
    row = page.get_by_role("row").filter(has_text="segunda").first
    await expect(row).to_contain_text("En uso")
    await expect(row).not_to_contain_text("preguntó")
    asked = {"here": "https://b:8600", "after": 7, "backup_ms": T0, "every_s": 900}
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}"}, timeout=300
    ) as client:
        await client.get(f"{web.url}/api/v1/standby/stream", params=asked)  # there is no stream
    await page.reload()
    made = local_time(T0, SITE["zone"], "date_second")
    await expect(row).to_contain_text("le faltaban — mensajes")
    await expect(row).to_contain_text(f"copia de {made}")
    (number,) = [one.number for one in web.accounts.tokens.all() if one.name == "segunda"]
    web.accounts.tokens.revoke(TESTER, number)
    await page.reload()
    await expect(row).to_contain_text("Terminado")
    await expect(row).not_to_contain_text("preguntó")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/ui/accounts", "/login", "/account"])
async def test_forms_are_readable_for_everybody(web: Web, open_page, path: str, scheme) -> None:
    role = None if path == "/login" else "admin"
    page = await open_page(f"{web.url}{path}", role=role, color_scheme=scheme)
    await expect(page.get_by_role("heading").first).to_be_visible()
    found = await Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()


async def test_the_record_of_access_speaks_and_is_looked_through_by_its_words(
    web: Web, open_page
) -> None:
    name = next(iter(web.login("hr").values()))  # an account is made: a row of the record
    assert name
    page = await open_page(f"{web.url}/ui/accounts")
    record = page.get_by_role("region", name="Registro de accesos")
    await record.get_by_label("Qué").fill("Creó una")
    await page.get_by_role("option", name="Creó una cuenta").click()
    await record.get_by_role("button", name="Buscar").click()
    body = record.locator("tbody")
    first = body.get_by_role("row").filter(has_text="Creó una cuenta").first
    await expect(first).to_contain_text("usuario: ")
    await expect(first).to_contain_text("rol: ")
    await expect(body).not_to_contain_text("Ingresó")
    await expect(body).not_to_contain_text("accounts.add")
