"""Every page, in each language, has no word of the other one: none that only the other catalogue
has, in what is seen, and in what is said to ears or shown to a pointer.

The pages are the application's own, so a new one is read by itself. Words of the centre's data,
which are in one language, may stand anywhere. Some reports are read in the browser; of the others
what their page shows, as the server draws it into the same one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from diadema.base.paths import DataDir
from diadema.report.kinds import KINDS as REPORTS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site.directory.book import Directory
from diadema.site.directory.kinds import KINDS
from diadema.store import open_reader
from diadema.web.reports.html import page_of
from diadema.words import LANGUAGES
from playwright.async_api import Page, expect

from tests.host.test_report_adherence import DAY
from tests.host.web.test_private_reasons_pages import PLACES, QUIET, pages
from tests.support.private_stage import NOW
from tests.support.web_stage import TESTER, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACCOUNT_NAME = "Prueba"  # of whoever looks
SEEN = ("tmo", "constancia")  # reports in the browser: one with pictures, one of a ticket
FILE = re.compile(r"/\S+")
TAG = re.compile(r"<[^>]*>")
ATTRIBUTE = re.compile(r'(?:title|aria-label)="([^"]*)"')
WORD = re.compile(r"[^\W\d_]{3,}")
PLACE = re.compile(r"\{\w*\}")
# of what is pressed, one of each: it shows more
PRESSED = ("summary", ".tile", ".list-tools button.primary")
SAID = """() => {
  const said = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    if (!walk.currentNode.parentElement.closest('script, style, pre, .q-icon, [data-keep]')) {
      said.push(walk.currentNode.data);
    }
  }
  for (const one of document.querySelectorAll('*')) {
    for (const name of ['aria-label', 'aria-description', 'title', 'placeholder', 'alt']) {
      if (one.hasAttribute(name)) said.push(one.getAttribute(name));
    }
  }
  return said;
}"""


def words_of(texts: Iterable[str]) -> set[str]:
    return {
        word.casefold()
        for text in texts
        for word in WORD.findall(FILE.sub(" ", PLACE.sub(" ", text)))
    }


def catalogue(language: str) -> set[str]:
    """Every word of it."""
    folder = files("diadema.words") / language
    return words_of(
        text for area in folder.iterdir() for text in json.loads(area.read_text()).values()
    )


def of_the_centre(data: DataDir) -> Iterator[str]:
    """Whatever its people have written."""
    yield data.site.read_text()
    with Directory(data.directory) as book:
        for kind in KINDS:
            yield from (json.dumps(one.body, ensure_ascii=False) for one in book.versions(kind))
    yield f"{TESTER.id} {ACCOUNT_NAME}"
    with open_reader(data.store) as reader:
        yield from (str(one) for one in reader.acts(start_utc=0, end_utc=None))


def addresses(folder: Path) -> Iterator[str]:
    """Of every page, of some reports and of every list of people and places."""
    for name in pages(folder):
        path = name.split(" ")[1].format_map(PLACES)
        if path in ("/", "/enter", "/login", "/setup", "/metrics"):  # they lead on, or are no page
            continue
        kinds = {"/ui/reports": [*SEEN], "/ui/people": [*KINDS]}.get(path, [""])
        yield from (
            f"{path}?day={DAY}&kind={kind}" if kind else f"{path}?day={DAY}" for kind in kinds
        )
    yield from ("/ui/nowhere?", "/nowhere?")


def reported(data: DataDir, language: str) -> Iterator[tuple[str, list[str]]]:
    """What the page of each report shows of it."""
    for kind in REPORTS:
        report = make(data, kind, around("day", DAY), Scope(), NOW, language=language)
        page = page_of(report)
        drawn = page.head + page.html
        texts = [unescape(one) for one in (*TAG.split(drawn), *ATTRIBUTE.findall(drawn))]
        for one in page.pictures:
            texts += [one.title, one.note, *names_in(one.options)]
        yield f"report {kind}", texts


def names_in(options: Any) -> Iterator[str]:
    """Of a picture's axes and series."""
    if isinstance(options, dict):
        for key, value in options.items():
            if key == "name" and isinstance(value, str):
                yield value
            yield from names_in(value)
    elif isinstance(options, list):
        for one in options:
            yield from names_in(one)


async def said_on(page: Page) -> list[str]:
    await expect(page.locator("main, .tile").first).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)
    await page.evaluate(QUIET)
    said: list[str] = await page.evaluate(SAID)
    for selector in PRESSED:
        one = page.locator(f"{selector}:visible").first
        if await one.count():
            await one.click()
            await page.evaluate(QUIET)
            said += await page.evaluate(SAID)
    return said


def wrong_in(where: str, texts: Iterable[str], foreign: set[str]) -> list[str]:
    found = {text: sorted(words_of([text]) & foreign) for text in texts}
    return sorted(
        f"{where}: {' '.join(words)}: {' '.join(text.split())[:120]}"
        for text, words in found.items()
        if words
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_page_has_a_word_of_the_other_language(
    private_web: Web, open_page: OpenPage, tmp_path: Path, language: str
) -> None:
    (other,) = (one for one in LANGUAGES if one != language)
    foreign = catalogue(other) - catalogue(language)
    foreign -= words_of(of_the_centre(DataDir(private_web.folder)))
    assert {"es": "seats", "en": "posiciones"}[language] in foreign
    page = await open_page(f"{private_web.url}/static/icon.svg")
    wrong, read = [], 0
    for address in addresses(tmp_path):
        await page.goto(f"{private_web.url}{address}&lang={language}")
        texts = await said_on(page)
        read += len(texts)
        wrong += wrong_in(address, texts, foreign)
    for name, texts in reported(DataDir(private_web.folder), language):
        read += len(texts)
        wrong += wrong_in(name, texts, foreign)
    nobody = await open_page(f"{private_web.url}/login?used=1&lang={language}", role=None)
    texts = await said_on(nobody)
    wrong += [f"/login: {text}" for text in texts if words_of([text]) & foreign]
    assert read > 9000
    assert not wrong, "\n".join(wrong)
