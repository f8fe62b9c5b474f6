"""What the directory says of quality's work: scorecards as they were published, plans of samples,
notices and exclusions of every day, and who is barred from whom.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

import msgspec
from msgspec.structs import replace

from diadema.site.directory.book import Directory, Entry
from diadema.site.directory.kinds import Body
from diadema.site.directory.notices import Notice, Notices
from diadema.site.directory.people import Exclusion, People
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.scorecards import Scorecard, scorecard_of
from diadema.site.directory.tables import SCORECARD

_PLAN = {"name": "label", "plan_days": "days"}  # what is called otherwise in a table


def add_quality(people: People, book: Directory, last: date) -> None:
    for one in book.frozen(SCORECARD):
        made = replace(msgspec.json.decode(one.body, type=Scorecard), version=one.version)
        people.scorecards[made.code, one.version] = made
    for plan in book.entries("sample_plans", last):
        people.sample_plans[plan.code] = plan_of(plan.body or {})
    people.notices = Notices(versions={code: its for code, its in _notices(book)})
    people.conflicts = frozenset(
        (str(one.body["account"]), str(one.body["agent"]))
        for one in book.entries("conflicts", last)
        if one.body is not None
    )
    for agent, those in groupby(book.versions("sample_exclusions"), key=lambda one: one.code):
        people.sample_exclusions[agent] = [
            Exclusion(str((one.body or {}).get("why") or ""), one.valid_from, one.valid_until)
            for one in those
        ]


def plan_of(body: Body) -> SamplePlan:
    """What is not given is as the plan has it by itself."""
    given: dict[str, Any] = {_PLAN.get(name, name): value for name, value in body.items()}
    return msgspec.convert({"per_agent": None} | given, SamplePlan)


def written_scorecards(book: Directory) -> Iterator[Scorecard]:
    """As they stand in the directory, published or not."""
    parts: dict[str, dict[str, list[Body]]] = {}
    for kind in ("scorecard_sections", "scorecard_items"):
        for one in book.entries(kind):
            assert one.body is not None
            its = parts.setdefault(str(one.body["scorecard"]), {})
            its.setdefault(kind, []).append(one.body)
    for one in book.entries("scorecards"):
        assert one.body is not None
        its = parts.get(one.code, {})
        yield scorecard_of(
            one.body, its.get("scorecard_sections", ()), its.get("scorecard_items", ())
        )


def notice_bytes(body: Body) -> bytes:
    """What is published of a notice."""
    return msgspec.json.encode(body)


def _notices(book: Directory) -> Iterator[tuple[str, list[Notice]]]:
    for code, those in groupby(book.versions("notices"), key=lambda one: one.code):
        yield code, [_notice(one) for one in those]


def _notice(one: Entry) -> Notice:
    days: dict[str, Any] = {"first": one.valid_from, "last": one.valid_until}
    if one.body is None:
        return Notice(code=one.code, at_ms=one.at_ms, **days)
    digest = hashlib.sha256(notice_bytes(one.body)).hexdigest()
    its = {name: value for name, value in one.body.items() if name not in ("name", "text")}
    return msgspec.convert(its | days | {"hash": digest, "at_ms": one.at_ms}, Notice)
