"""What is not there, not one's own, or failed: told on a page of ours, in the page's language, and
to programs in the same words.
"""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from diadema.base.clock import open_clock
from diadema.site.example import EXAMPLE
from diadema.web.app import create_app
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from diadema.words import LANGUAGES, section, text

from tests.support.web_stage import BEARER, TOKEN, Hub, Nats, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGE = {"accept": "text/html,*/*;q=0.8"}
NICEGUI = ("doesn't exist", "sad_face", "Server error")


async def get(web: Web, path: str, **more: Any) -> httpx.Response:
    more = {"headers": PAGE, "cookies": web.cookies} | more
    async with httpx.AsyncClient(base_url=web.url, timeout=300, **more) as client:
        return await client.get(path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/nada", "/ui/nada", "/ui/fleet/a/b", "/flasher/nada"])
async def test_a_page_that_is_not_there_is_told_inside_the_house(
    web: Web, hub: Hub, path: str, language: str
) -> None:
    answer = await get(web, f"{path}?lang={language}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert f'<html lang="{language}"' in answer.text
    assert text("web.nowhere", language) in answer.text
    assert text("web.title.no_page", language) in answer.text
    assert 'class="bar shell"' in answer.text  # with the ways to what is there
    assert not [sign for sign in NICEGUI if sign in answer.text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/ui/agents/zzz", "agent_day.unknown"),
        ("/ui/reports?kind=xx", "reports.no_kind"),
        ("/ui/fleet/Z-99", "fleet.unknown"),
    ],
)
async def test_an_unknown_agent_report_or_station_is_told(
    worked_web: Web, path: str, word: str, language: str
) -> None:
    sign = "&" if "?" in path else "?"
    answer = await get(worked_web, f"{path}{sign}lang={language}")
    assert answer.status_code == 404
    assert text(word, language, agent="zzz", given="xx", station="Z-99", known="").partition(":")[
        0
    ] in answer.text.replace("\\u00ab", "«")


async def test_who_has_worked_is_known_without_a_list(worked_web: Web) -> None:
    assert (await get(worked_web, "/ui/agents/a001")).status_code == 200


@pytest.mark.parametrize("path", ["/ui/accounts", "/handover", "/flasher", "/ui/reports?kind=tmo"])
async def test_what_is_not_ones_own_is_a_403_on_a_page(web: Web, hub: Hub, path: str) -> None:
    answer = await get(web, path, cookies=web.login("hr"))
    assert answer.status_code == 403
    assert section("web", "es")["not_yours"] in answer.text
    assert 'lang="es' in answer.text


@pytest.mark.parametrize("path", ["/ui/help", "/ui/listening"])
async def test_a_live_page_that_is_not_ones_own_can_be_skipped_to(
    web: Web, hub: Hub, path: str
) -> None:
    answer = await get(web, path, cookies=web.login("hr"))
    assert answer.status_code == 403
    (target,) = re.findall(r'class="skip" href="#(\w+)"', answer.text)
    assert f'id="{target}"' in answer.text


async def test_a_program_gets_the_same_words_as_json(web: Web, hub: Hub) -> None:
    for language in LANGUAGES:
        page = await get(web, f"/flasher?lang={language}", cookies=web.login("hr"))
        told = await get(
            web,
            "/api/v1/people/agents",
            cookies=web.login("hr"),
            headers=PAGE | {"accept-language": language},
        )
        assert told.status_code == page.status_code == 403
        assert told.json()["detail"] in page.text
    nothing = await get(web, "/nada", headers=BEARER | {"accept": "*/*"}, cookies={})
    assert nothing.json() == {"detail": text("web.nowhere", "es")}


async def test_a_fault_of_ours_is_told_on_a_page(tmp_path: Path) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    web_app = WebApp(
        Settings(tmp_path, "nats://127.0.0.1:1", "u", "p", TOKEN), open_clock(None), "b"
    )
    web_app.worker.close()  # it would begin a process, for which nothing here asks
    app = create_app(web_app)
    web_app.people = fails  # type: ignore[assignment,method-assign]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=BEARER, timeout=300
    ) as client:
        page = await client.get("/ui/?lang=en", headers=PAGE)
        told = await client.get("/api/v1/live", headers={"accept-language": "en"})
    assert page.status_code == told.status_code == 500
    assert text("web.title.fault", "en") in page.text
    assert told.json() == {"detail": text("web.fault", "en")}
    assert text("web.fault", "en").partition("&")[0] in page.text
    assert "secret" not in page.text + told.text


async def test_the_address_rules_the_language_then_the_person_then_the_site(
    web: Web, hub: Hub
) -> None:
    """A browser's own language is not asked: its pages are all in one. A program's is."""
    english = PAGE | {"accept-language": "en"}
    cookies = web.login("supervisor")
    for path in ("/nada", "/ui/nada", "/account", "/ui/agents", "/login"):
        cookies = {} if path == "/login" else cookies
        assert '<html lang="es' in (await get(web, path, headers=english, cookies=cookies)).text
        page = await get(web, f"{path}?lang=en", headers=PAGE, cookies=cookies)
        assert '<html lang="en' in page.text
    supervisor = web.login("supervisor")
    person = web.accounts.sessions.person(supervisor["diadema_session"], "")
    web.accounts.book.speak(person.id, "en")
    page = await get(web, "/nada", cookies=supervisor)
    assert '<html lang="en' in page.text
    said = [
        (await get(web, f"/api/v1/nada{query}", headers=BEARER | more, cookies={})).json()[
            "detail"
        ]
        for query, more in (
            ("", {"accept-language": "en"}),
            ("?lang=es", {"accept-language": "en"}),
        )
    ]
    assert said == [section("web", "en")["not_found"], section("web", "es")["not_found"]]


async def test_a_link_that_was_used_says_so_at_the_login(web: Web, hub: Hub) -> None:
    async with httpx.AsyncClient(base_url=web.url, timeout=300, headers=PAGE) as client:
        answer = await client.get("/enter?code=used", follow_redirects=True)
    assert answer.url.path == "/login"
    assert text("accounts.used", "es") in answer.text


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def new_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Web]:
    """A web whose hub was never started: a site, and no store."""
    folder = tmp_path_factory.mktemp("new")
    (folder / "site.json").write_text(EXAMPLE)
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_before_the_first_start_pages_say_so_in_their_language(
    new_web: Web, open_page: Any, language: str
) -> None:
    sheet = await get(new_web, f"/handover?lang={language}")
    assert sheet.status_code == 503
    page = await open_page(f"{new_web.url}/ui/agents?lang={language}")
    said = text("web.no_store", language)
    await page.get_by_text(said).wait_for()
    assert said in html.unescape(sheet.text)
