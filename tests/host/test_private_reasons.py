"""Nothing that tells of a person says for which private reason she was not ready."""

import io
import json
import shutil
import subprocess
from datetime import timedelta
from html import unescape

import msgspec
import openpyxl
import pytest
from diadema.exchange import cloud_events_export, queue_log_export
from diadema.figures.agent_day import agent_page, events_behind
from diadema.figures.overview import overview
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.report.formats import made_as, on_screen
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site import description as sites
from diadema.site.directory.book import Change
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.site.directory.publishing import open_directory
from diadema.web.actions.words import reason_of
from diadema.web.agents import queries
from diadema.web.agents.api import page_json
from diadema.web.floor.views import FULL
from diadema.web.reports.html import page_of
from diadema.wire.live_rows import Row
from rich.console import Console

from tests.host.test_report_adherence import DAY, DESCRIBED, LIMA, Desk, at, place

__all__ = ["place"]
CODES = ("sshh", "topico", "lactancia")
LABELS = ("SS. HH.", "Tópico", "Lactancia")


@pytest.fixture
def worked(place, ingest, reader):
    """Shifts with every private reason in them, one of them set by a supervisor, one planned. The
    two agents' are the same but for which private one it was at each hour.
    """
    for k in (1, 2):
        planned = [(at(12), at(13), "refrigerio"), (at(14), at(14, 30), CODES[-k])]
        place.plan(k, at(8), at(16), planned)
        place.say(
            k, k="schedule.published", a=f"a00{k}", day=DAY.isoformat(), version=1, shift="M",
            start=at(8) * 1000, end=at(16) * 1000,
            pauses=[(start * 1000, end * 1000, reason) for start, end, reason in planned],
        )  # fmt: skip
        desk = Desk(k, at(8))
        for hour, reason in zip((9, 10, 11), CODES[k:] + CODES[:k], strict=True):
            desk.until(at(hour)).pause(reason).until(at(hour, 20)).ready()
        desk.until(at(13)).pause(CODES[k], by="supervisor").until(at(13, 20)).ready()
        desk.call("c1", 60_000)
        ingest.take([desk.script.hello_message()], "stream", "server")
        place.take(desk)
    ingest.site = sites.parse(json.dumps(DESCRIBED).encode())
    acts = Actions(ingest, Commands(ingest, None), reader, None)
    for a, reasons in (("a001", CODES), ("a002", CODES[::-1])):
        for one in reasons:
            acts.act({"action": "presence", "a": a, "reason": one, "by": "elena", "who": "E"})
    return place


def check(text):
    text = text if isinstance(text, str) else msgspec.json.encode(text).decode()
    for word in (*CODES, *LABELS):
        assert word not in text, word
    return text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", ["floor", "agent:a001"])
def test_no_report_names_one(worked, kind, scope):
    of, _, code = scope.partition(":")
    for span in ("day", "week"):
        now = (at(23)) * 1000
        report = make(worked.data, kind, around(span, DAY), Scope(of=of, code=code), now)
        check(json.dumps(json.loads(made_as("json", report)), ensure_ascii=False))
        check(unescape(page_of(report).html))
        for one in report.sections:
            check(made_as("csv", report, one.key).decode("utf-8-sig"))
        book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report)))
        check(
            "\n".join(
                str(cell)
                for sheet in book
                for row in sheet.iter_rows(values_only=True)
                for cell in row
            )
        )
        screen = Console(file=io.StringIO(), width=600)
        on_screen.show(screen, report)
        check(screen.file.getvalue())
        if span == "day":
            check(printed(made_as("pdf", report)))
    private = "auxiliar privada" in made_as("json", report).decode()
    assert private == (kind in ("tmo", "adherencia", "supervision"))


HERS = [("a002", "a001"), ("Asesor 2", "Asesor 1"), ("A-02", "A-01"), ("89a2", "89a1")]


@pytest.mark.parametrize("kind", KINDS)
def test_which_one_it_was_changes_nothing_in_a_report(worked, kind):
    """Neither a number nor an order, a limit or a colour: but for her name it is the other's."""
    first, second = (
        page_of(
            make(worked.data, kind, around("day", DAY), Scope(of="agent", code=a), at(23) * 1000)
        ).html
        for a in ("a001", "a002")
    )
    for her, other in HERS:
        second = second.replace(her, other)
    assert first == second


def printed(pdf):
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    done = subprocess.run([program, "-", "-"], input=pdf, check=True, capture_output=True)
    return done.stdout.decode()


def test_no_export_names_one(worked):
    people = read_people(worked.data)
    log, events = io.StringIO(), io.BytesIO()
    queue_log_export.Export(worked.data, people, LIMA).write(log, DAY, DAY)
    cloud_events_export.Export(worked.data, people).write(events)
    assert "COMPLETECALLER" in check(log.getvalue())
    told = [json.loads(line) for line in check(events.getvalue().decode()).splitlines()]
    shifts = [one["data"]["event"] for one in told if one["type"] == "diadema.schedule.published"]
    assert [[reason for *_, reason in one["pauses"]] for one in shifts] == [
        ["refrigerio", "privado"]
    ] * 2


def test_no_page_of_a_person_names_one(worked, reader):
    data, now = worked.data, at(23) * 1000
    page = page_json(agent_page(data, "a001", DAY, now))
    shown = check(page)
    assert '"reason":"private"' in shown
    assert [one["reason"] for one in page["reasons"]][-1] == "private"
    assert sum(one["reason"] == "private" for one in page["reasons"]) == 1
    sums, _, _ = queries.day(data, DAY, now, "a001")
    check(sums)
    assert sums.load.reasons["private"] == 4 * 1200
    found = events_behind(data, "a001", at(0) * 1000, at(23) * 1000)
    assert any(event.get("reason") == "private" for event in found)
    check(found)
    check(overview(data, DAY, DAY, now, ["a001", "a002"]).rows)
    shown = [
        json.dumps([page_json(agent_page(data, a, DAY, now)), events_behind(data, a, 0, now)])
        for a in ("a001", "a002")
    ]
    for her, other in HERS:
        shown[1] = shown[1].replace(her, other)
    assert shown[0] == shown[1]  # but for her name, whichever it was
    people = read_people(data)
    words = {"reason.private": "auxiliar privada"}
    assert {reason_of(act, people, words) for act in reader.acts()} == {*words.values()}


@pytest.mark.parametrize("how", ["retired", "over"])
def test_one_that_is_in_use_no_more_has_no_name_either(worked, reader, how):
    with open_directory(worked.data, 1) as book:
        for code in CODES:
            body = book.entry("reasons", code).body
            ends = (
                Change(kind="reasons", code=code, body=None, valid_from=DAY)
                if how == "retired"
                else Change(kind="reasons", code=code, body=body, valid_until=DAY - timedelta(1))
            )
            book.apply([ends], by="Ana", reason="prueba", at_ms=2)
    for kind in KINDS:
        for scope in (Scope(), Scope(of="agent", code="a001")):
            report = make(worked.data, kind, around("week", DAY), scope, at(23) * 1000)
            check(json.dumps(json.loads(made_as("json", report)), ensure_ascii=False))
    test_no_page_of_a_person_names_one(worked, reader)
    test_no_export_names_one(worked)


def test_the_floor_shows_no_more_than_that_it_is_private():
    row = Row(
        agent="a001", state="not_ready", reason="topico", reason_label="Tópico", private=True
    )
    live = dict(zip(FULL.live_columns, FULL.live(row, People()), strict=True))
    assert (live["reason"], live["label"]) == ("private", None)
    check(msgspec.structs.asdict(row.shown()))  # as `/api/v1/live` has it
    open_one = Row(
        agent="a001", state="not_ready", reason="break", reason_label="Break", private=False
    )
    live = dict(zip(FULL.live_columns, FULL.live(open_one, People()), strict=True))
    assert (live["reason"], live["label"]) == ("break", "Break")
