"""An evaluation that was released, as people read it: folded, its items by section, with what was
noted and measured; and the names, calls and hours around it. Everything is safe to show.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.access.book import AccountError
from diadema.base.sanitize import visible
from diadema.quality.own_record import AnsweredItem, Indicators, OwnEvaluation
from diadema.quality.scoring import NOT_APPLICABLE
from diadema.store.quality import Note
from diadema.store.rows import Contact
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import NOTHING, clock, local_time, percent


class Line(Struct):
    """An item as the page has it. `state`: full, below or none."""

    text: str
    answer: str
    state: str
    critical: str
    before: str
    notes: list[str]


class Card(Struct):
    """An evaluation, folded: what it was of, its score, items by section."""

    id: str
    when: str
    about: list[str]
    score: str
    remarks: list[str]
    sections: list[tuple[str, list[Line]]]
    notes: list[str]
    measured: list[tuple[str, str]]


class Cards:
    """In the words of one language."""

    def __init__(self, web_app: WebApp, language: str) -> None:
        self._web_app, self._language = web_app, language
        self._words = section("own_quality", language)
        self._people = web_app.people()
        self._zone = ZoneInfo(web_app.floor.site.zone)
        self._names: dict[str, str] = {}

    def card(self, one: OwnEvaluation) -> Card:
        its, sent, words = one.evaluated, one.evaluated.submitted, self._words
        contact = one.contact
        start = contact.start_utc if contact else None
        queue = self.queue(contact)
        remarks = []
        if its.annulled:
            remarks.append(words["annulled"].format(reason=visible(its.annulled.reason or "")))
        for step in its.revisions:
            cause = words.get(f"cause.{step.cause}", step.cause or "")
            reason = visible(step.reason or "")
            said = words["revised"].format(at=self.time(step.utc), cause=cause, reason=reason)
            remarks.append(said)
        if its.failed != "none":
            remarks.append(words[f"failed.{its.failed}"].format(score=_tenths(its.score)))
        if sent.basis != "random":
            remarks.append(words["basis.other"])
        form = f"{visible(one.form.label)} v{sent.version}" if one.form else words["form.lost"]
        by = words["by"].format(name=self.who(sent.by))
        if sent.basis != "random":
            by += f" · {words['basis.short']}"
        return Card(
            id=sent.evaluation,
            when=self.time(start or sent.utc),
            about=[*([queue] if queue else []), form, by],
            score=_tenths(its.raw),
            remarks=remarks,
            sections=self._sections(one.items),
            notes=[self._note(note) for note in one.notes],
            measured=self._measured(one.measured, contact),
        )

    def _sections(self, items: Iterable[AnsweredItem]) -> list[tuple[str, list[Line]]]:
        found: dict[str, list[Line]] = {}
        for one in items:
            state = "none" if one.answer == NOT_APPLICABLE else "below" if one.wrong else "full"
            critical = "" if one.item.kind == "normal" else self._words[f"kind.{one.item.kind}"]
            before = one.before and self._answer(one, one.before)
            line = Line(
                text=visible(one.item.text),
                answer=self._answer(one, one.answer),
                state=state,
                critical=critical,
                before=self._words["before"].format(answer=before) if before else "",
                notes=[self._note(note) for note in one.notes],
            )
            found.setdefault(visible(one.section), []).append(line)
        return [*found.items()]

    def _answer(self, one: AnsweredItem, answer: str) -> str:
        if answer == NOT_APPLICABLE:
            return self._words["answer.none"]
        if one.item.scale == "yes_no":
            return self._words["answer.yes" if answer == "1" else "answer.no"]
        return self._words["answer.of"].format(n=answer, of={"0_2": 2, "1_5": 5}[one.item.scale])

    def _note(self, one: Note) -> str:
        at = f"{clock(one.from_ms // 1000)} · " if one.from_ms is not None else ""
        return f"{at}{self._words[f'about.{one.about}']}: {visible(one.text, lines=True)}"

    def _measured(self, one: Indicators, contact: Contact | None) -> list[tuple[str, str]]:
        if contact is None:
            return []
        words = self._words
        said = [
            ("talk", clock(one.talk_ms // 1000)),
            ("holds", words["holds.said"].format(n=one.holds, s=clock(one.hold_ms // 1000),
                                                 most=clock(one.longest_hold_ms // 1000))
             if one.hold_ms else "0"),
            ("code", words["untyped"] if one.untyped else visible(self._code(contact))),
            ("steps", words["steps.said"].format(n=one.steps, block=one.blocks)),
        ]  # fmt: skip
        if one.longest_silence_ms is not None:
            said += [
                ("silence", clock(one.longest_silence_ms // 1000)),
                ("interruptions", str(one.interruptions)),
                ("speech", percent(one.speech)),
                ("clipped", words["yes" if one.clipped else "no"]),
            ]
        return [(words[f"measured.{name}"], value) for name, value in said]

    def _code(self, contact: Contact) -> str:
        labels = self._people.codes.get(contact.code or "", [])
        return labels[-1] if labels else contact.code or NOTHING

    def call(self, contact: Contact | None) -> str:
        if contact is None:
            return NOTHING
        return " · ".join(filter(None, (self.time(contact.start_utc), self.queue(contact))))

    def queue(self, contact: Contact | None) -> str:
        if contact is None or not contact.queue:
            return ""
        queue = self._people.queue(contact.queue, contact.start_utc)
        return visible(self._people.queues.get(queue, queue))

    def who(self, account: str) -> str:
        if account not in self._names:
            self._names[account] = visible(name_of(self._web_app, account))
        return self._names[account]

    def time(self, utc_ms: int | None) -> str:
        return NOTHING if utc_ms is None else local_time(utc_ms, self._zone)


def _tenths(value: int | None) -> str:
    return NOTHING if value is None else f"{value / 10:.1f}"


def name_of(web_app: WebApp, account: str) -> str:
    """The name of whoever it was, as accounts have it."""
    try:
        return web_app.accounts.book.get(account).name or account
    except AccountError:  # it is gone, or was a rule
        return account
