"""Whether changes can be done as things stand: each by itself, and all of them together.

What entries say of each other: whom they name must be there, and what must be one of its kind
is one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection

from diadema.base.sanitize import hidden
from diadema.site.badges import brief
from diadema.site.directory.fields import Value
from diadema.site.directory.kinds import KINDS, Body, Kind, kind_of
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.scorecards import MOST_ITEMS, PARTS, Item, Scorecard
from diadema.site.directory.tables import SCORECARD, Change, read_entries, read_frozen

_SHOWN = 3


def named(kind: Kind, body: Body) -> Iterator[tuple[str, str, str]]:
    """What the body names: its field, the kind and the code."""
    if kind.name == "scorecard_items":
        yield "section", "scorecard_sections", f"{body['scorecard']}/{body['section']}"
    for name, of in _naming(kind.name):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, list):
            pauses = of == "reasons"
            yield from ((name, of, one.partition(" ")[2] if pauses else one) for one in value)
        else:
            yield name, of, str(value)


@cache
def _naming(kind: str) -> tuple[tuple[str, str], ...]:
    """The fields that name others, and the kind that each names."""
    return tuple(
        (field.name, field.of or "reasons")
        for field in KINDS[kind].fields
        if field.type == "ref" or field.shape == "pause"
    )


def problems(newest: "Newest", requested: "list[Change]") -> Iterator[Problem]:
    """Of the changes with everything else that is there."""
    now = _after(requested)
    yield from _unknown(newest, requested, now)
    yield from _doubles(newest, requested, now)
    yield from _switch_names(newest, requested, now)
    yield from _private_limits(newest, now)
    yield from _items(newest, now)
    yield from _plans(newest, now)
    yield from _still_named(newest, now)


def _after(requested: "list[Change]") -> dict[str, "dict[str, Change]"]:
    now: dict[str, dict[str, Change]] = {}
    for one in requested:
        now.setdefault(one.kind, {})[one.code] = one
    return now


def _is_there(newest: "Newest", now: dict[str, "dict[str, Change]"], kind: str, code: str) -> bool:
    if (change := now.get(kind, {}).get(code)) is not None:
        return change.body is not None
    return newest.of(kind).get(code, (0, None))[1] is not None


def _unknown(
    newest: "Newest", requested: "list[Change]", now: dict[str, "dict[str, Change]"]
) -> Iterator[Problem]:
    known: dict[tuple[str, str], bool] = {}
    for one in requested:
        if one.body is None:
            continue
        for column, kind, code in named(KINDS[one.kind], one.body):
            there = known.get((kind, code))
            if there is None:
                there = known[kind, code] = _is_there(newest, now, kind, code)
            if not there:
                yield Problem(
                    word=f"unknown_{kind}", kind=one.kind, code=one.code, row=one.row,
                    column=column, value=code,
                )  # fmt: skip


def _doubles(
    newest: "Newest", requested: "list[Change]", now: dict[str, "dict[str, Change]"]
) -> Iterator[Problem]:
    for name in now:
        kind = KINDS[name]
        for field in kind.fields:
            if not field.unique:
                continue
            owners: dict[str, str] = {}
            for code, (_, body) in newest.of(name).items():
                if body is not None and code not in now[name]:
                    owners |= dict.fromkeys(_values(body, field.name), code)
            for one in requested:
                if one.kind != name or one.body is None:
                    continue
                for value in _values(one.body, field.name):
                    if owners.setdefault(value, one.code) != one.code:
                        yield Problem(
                            word="belongs", kind=name, code=one.code, row=one.row,
                            column=field.name, value=brief(value),
                            values={"owner": owners[value]},
                        )  # fmt: skip


def _switch_names(
    newest: "Newest", requested: "list[Change]", now: dict[str, "dict[str, Change]"]
) -> Iterator[Problem]:
    """A queue's own code is its name at the switch too, so it is no other queue's."""
    if "queues" not in now:
        return
    bodies = {code: body for code, (_, body) in newest.of("queues").items()}
    bodies |= {code: change.body for code, change in now["queues"].items()}
    owners = {
        name: code
        for code, body in bodies.items()
        if body is not None
        for name in _values(body, "switch_names")
    }
    for one in requested:
        if one.kind != "queues" or one.body is None:
            continue
        if (owner := owners.get(one.code, one.code)) != one.code:
            yield Problem(
                word="belongs", kind="queues", code=one.code, row=one.row, column="code",
                value=one.code, values={"owner": owner},
            )  # fmt: skip
        for name in _values(one.body, "switch_names"):
            if name != one.code and bodies.get(name) is not None:
                yield Problem(
                    word="belongs", kind="queues", code=one.code, row=one.row,
                    column="switch_names", value=name, values={"owner": name},
                )  # fmt: skip


def _private_limits(newest: "Newest", now: dict[str, "dict[str, Change]"]) -> Iterator[Problem]:
    """A private reason has no limit of its own, neither before nor after it is made private."""

    def body_of(kind: str, code: str) -> Body | None:
        if (change := now.get(kind, {}).get(code)) is not None:
            return change.body
        return newest.of(kind).get(code, (0, None))[1]

    def is_private(reason: Value) -> bool:
        return bool((body_of("reasons", str(reason)) or {}).get("private"))

    for change in now.get("alert_limits", {}).values():
        reason = (change.body or {}).get("aux_reason")
        if reason and is_private(reason):
            yield Problem(
                word="private_alert", kind=change.kind, code=change.code, row=change.row,
                column="aux_reason", value=str(reason),
            )  # fmt: skip
    for change in now.get("reasons", {}).values():
        if is_private(change.code) and any(
            (body_of("alert_limits", code) or {}).get("aux_reason") == change.code
            for code in {*newest.of("alert_limits"), *now.get("alert_limits", ())}
        ):
            yield Problem(
                word="private_has_alert", kind=change.kind, code=change.code, row=change.row,
                column="private", value=change.code,
            )  # fmt: skip


def _items(newest: "Newest", now: dict[str, "dict[str, Change]"]) -> Iterator[Problem]:
    """How many a scorecard has, what one of them alone can be, and what stays as published."""
    if "scorecard_items" not in now:
        return
    changed = now["scorecard_items"]
    bodies = {code: body for code, (_, body) in newest.of("scorecard_items").items()}
    bodies |= {code: one.body for code, one in changed.items()}
    counts: Counter[Value] = Counter()
    checking: dict[tuple[Value, Value], str] = {}
    for code, body in sorted(bodies.items(), key=lambda one: one[0] in changed):
        if body is None:
            continue
        counts[body["scorecard"]] += 1
        its = changed.get(code)
        what = body.get("checks")
        first = checking.setdefault((body["scorecard"], what), code) if what else code
        if its is None:
            continue
        if first != code:
            yield _of_item(its, "checks_twice", "checks", what, other=first.partition("/")[2])
        if counts[body["scorecard"]] > MOST_ITEMS:
            yield _of_item(its, "items_many", "code", body["code"], most=MOST_ITEMS)
        if body.get("playbook") not in (None, *newest.playbooks(now)):
            yield _of_item(its, "unknown_playbook", "playbook", body["playbook"])
        known = newest.published_item(str(body["scorecard"]), str(body["code"]))
        for name, default in (("kind", "normal"), ("scale", "yes_no")):
            value = body.get(name, default)
            if known is not None and getattr(known, name) != value:
                yield _of_item(its, "meaning", name, value, code=body["code"])


def _plans(newest: "Newest", now: dict[str, "dict[str, Change]"]) -> Iterator[Problem]:
    """Somebody who does not supervise them has to evaluate a plan's teams."""
    for change in now.get("sample_plans", {}).values():
        teams = set(_values(change.body or {}, "teams"))
        monitors = _values(change.body or {}, "monitors")
        supervised = {
            code: set(_values(body or {}, "teams"))
            for code, (_, body) in newest.of("supervisors").items()
        }
        if teams and all(teams <= supervised.get(one, set()) for one in monitors):
            value = ", ".join(monitors)
            yield Problem(
                word="monitors_barred", kind=change.kind, code=change.code, row=change.row,
                column="monitors", value=value,
            )  # fmt: skip


def _of_item(change: Change, word: str, column: str, value: Value, **values: Any) -> Problem:
    return Problem(
        word=word, kind=change.kind, code=change.code, row=change.row, column=column,
        value=str(value), values=values,
    )  # fmt: skip


def _values(body: Body, name: str) -> list[str]:
    value = body.get(name)
    return value if isinstance(value, list) else [str(value)] if value else []


def _still_named(newest: "Newest", now: dict[str, "dict[str, Change]"]) -> Iterator[Problem]:
    """Whom others name is not retired; the plans of days are let be."""
    gone = {
        (name, code): change
        for name, those in now.items()
        for code, change in those.items()
        if change.body is None and not KINDS[name].slot
    }
    if not gone:
        return
    users: dict[tuple[str, str], list[str]] = {}
    for kind in KINDS.values():
        if kind.many:
            continue
        for code, (_, body) in newest.of(kind.name).items():
            change = now.get(kind.name, {}).get(code)
            if (body := change.body if change else body) is None:
                continue
            for _, of, named_code in named(kind, body):
                if of == "scorecards" and kind.name in PARTS:
                    continue  # they go with it
                if (of, named_code) in gone:
                    users.setdefault((of, named_code), []).append(code)
    for key, those in users.items():
        change = gone[key]
        few = ", ".join(those[:_SHOWN]) + (" …" if len(those) > _SHOWN else "")
        yield Problem(
            word="still_named", kind=change.kind, code=change.code, row=change.row,
            value=change.code, values={"count": len(those), "users": few},
        )  # fmt: skip


_encode = msgspec.json.Encoder().encode


class Newest:
    """The newest version of each entry of a kind as a change finds them; read once a kind."""

    def __init__(self, tx: Connection, requested: list[Change]) -> None:
        self._tx = tx
        self._kinds: dict[str, dict[str, tuple[int, Body | None]]] = {}
        self._starts: dict[tuple[str, str], date] = {}
        self._published: dict[str, dict[str, Item]] = {}
        self._requested = requested

    def of(self, kind: str) -> Mapping[str, tuple[int, Body | None]]:
        """code → version and body; of a kind with many, only what is asked about."""
        known = self._kinds.get(kind)
        if known is None:
            if kind_of(kind).many:
                codes = sorted(one.code for one in self._requested if one.kind == kind)
                first, last = (codes[0], codes[-1] + "\0") if codes else ("", "")
            else:
                first, last = "", None
            rows = [*read_entries(self._tx, kind, None, first, last, None, None, retired=True)]
            known = self._kinds[kind] = {row.code: (row.version, row.body) for row in rows}
            starts = ((row.code, row.valid_from) for row in rows)
            self._starts |= {(kind, code): start for code, start in starts if start is not None}
        return known

    def playbooks(self, now: Mapping[str, Mapping[str, Change]]) -> set[str]:
        """By their own ids, which are not those of their entries."""
        bodies = {code: body for code, (_, body) in self.of("playbooks").items()}
        bodies |= {code: one.body for code, one in now.get("playbooks", {}).items()}
        return {str(body["id"]) for body in bodies.values() if body is not None}

    def published_item(self, scorecard: str, item: str) -> Item | None:
        """As it was last in a published version of its scorecard."""
        if scorecard not in self._published:
            of_it = read_frozen(self._tx, f"{SCORECARD}{scorecard}")
            cards = (msgspec.json.decode(one.body, type=Scorecard) for one in of_it)
            self._published[scorecard] = {
                its.code: its for card in cards for its in card.items
            }  # fmt: skip
        return self._published[scorecard].get(item)

    def all_problems(self, requested: list[Change]) -> list[Problem]:
        return [*self.problems(requested), *problems(self, requested)]

    def problems(self, requested: Iterable[Change]) -> Iterator[Problem]:
        """Of each change by itself."""
        rows: dict[tuple[str, str], int | None] = {}
        for one in requested:
            key = (one.kind, one.code)
            if key in rows:
                yield _problem(one, "code_twice", other=rows[key] or "?")
                continue
            rows[key] = one.row
            if (word := self._wrong(one)) is not None:
                planned = self._starts.get(key)
                values = {"day": planned} if word == "planned" else {}
                yield _problem(one, word, **values)

    def _wrong(self, one: Change) -> str | None:
        """The word of what is wrong with it."""
        kind = kind_of(one.kind)
        version, body = self.of(one.kind).get(one.code, (0, None))
        there, wanted = body is not None, one.body is not None
        if one.seen is not None and one.seen != version:
            return "code_taken" if one.seen == 0 else "changed_meanwhile"
        if not wanted and not there:
            return "unknown_code"
        if one.restores and (there or not version):
            return "not_retired"
        if wanted and version and not there and not (kind.slot or one.restores):
            return "code_retired"
        if one.body is not None and kind.code(one.body) != one.code:
            return "code_other"
        if one.valid_from and one.valid_until and one.valid_until < one.valid_from:
            return "validity"
        return "planned" if wanted and self._hides_plan(one) else None

    def _hides_plan(self, one: Change) -> bool:
        """Whether a change that was made for later days would be lost by it unseen."""
        planned = self._starts.get((one.kind, one.code))
        if planned is None or one.valid_from is None or planned <= one.valid_from:
            return False
        return one.valid_until is None or one.valid_until >= planned

    def next_row(self, one: Change, number: int) -> dict[str, Any]:
        version, _ = self.of(one.kind).get(one.code, (0, None))
        return {
            "kind": one.kind,
            "code": one.code,
            "version": version + 1,
            "valid_from": one.valid_from and one.valid_from.isoformat(),
            "valid_until": one.valid_until and one.valid_until.isoformat(),
            "body": None if one.body is None else _encode(one.body),
            "change": number,
        }


def _problem(one: Change, word: str, **values: Any) -> Problem:
    column, value = kind_of(one.kind).key[-1], one.code
    if word == "validity":
        column, value = "valid_until", f"{one.valid_until}"
    return Problem(
        word=word, values=values, kind=one.kind, code=one.code, row=one.row, column=column,
        value=value,
    )  # fmt: skip


def check_author(by: str, reason: str) -> None:
    """Raises Wrong unless both can stand in the history."""
    for column, value, most in (("by", by, 64), ("reason", reason, 200)):
        if not value.strip():
            raise Wrong(Problem(word="missing", column=column))
        if strange := hidden(value):
            characters = {"characters": ", ".join(strange)}
            raise Wrong(Problem(word="hidden", column=column, value=value, values=characters))
        if len(value) > most:
            values = {"most": most, "length": len(value)}
            raise Wrong(Problem(word="too_long", column=column, value=value, values=values))
