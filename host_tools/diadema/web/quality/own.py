"""`/ui/agents/{a}/quality` and its API: what an agent reads of the quality of the own calls, and
who heard them. The own supervisors and the leads of quality read the same.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.quality import own_record
from diadema.quality.estimates import Estimate
from diadema.quality.own_record import (
    Copy,
    FormFigure,
    Listened,
    Opened,
    OwnEvaluation,
    OwnRecord,
)
from diadema.site.directory.people import People
from diadema.store.quality import Note
from diadema.store.rows import Contact
from diadema.web.guard import language_of
from diadema.web.permissions import not_yours, person_of
from diadema.web.quality.blind import hidden_from
from diadema.web.quality.cards import Cards, name_of
from diadema.web.refusals import trouble
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section
from diadema.words.formatting import (
    NOTHING,
    clock,
    interval,
    local_time,
    score,
)

router = APIRouter(tags=["agents"])
AgentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,24}$", examples=["a001"])]
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"description": "not among what you may see"}}


@router.get("/ui/agents/{a}/quality", include_in_schema=False)
async def page(request: Request, a: AgentId) -> HTMLResponse:
    web_app = web_app_of(request)
    found = await _read(request, web_app, a)
    person = person_of(request)
    drawn = _Drawn(web_app, language_of(request), found, reads_cases(person))
    own = person.agent == a
    title = section("own_quality", language_of(request))["title" if own else "title.other"]
    return plain_page(
        web_app, request, "own_quality.html", title, lead=person.may("quality"), **drawn.values()
    )


@router.get(
    "/api/v1/agents/{a}/quality",
    summary="An agent's released evaluations, figures, notices and exclusions from samples",
    responses=_REFUSED,
)
async def quality(request: Request, a: AgentId) -> dict[str, Any]:
    """A figure has `estimate` from five calls on; under that it has the scores alone."""
    found = await _read(request, web_app_of(request), a)
    return {
        "a": found.agent,
        "figures": [_figure(one) for one in found.figures],
        "evaluations": [evaluation_of(one) for one in found.evaluations],
        "notices": [
            {"notice": notice.code, "name": notice.name, "text": notice.text,
             "version": notice.version, "state": its.state, "how": its.how, "utc": its.utc,
             "date": its.date, "document": its.document}
            for notice, its in found.notices
        ],
        "exclusions": [
            {"why": one.why, "first": _iso(one.first), "last": _iso(one.last)}
            for one in found.exclusions
        ],
    }  # fmt: skip


@router.get(
    "/api/v1/agents/{a}/listenings",
    summary="Who heard an agent's calls, to whom copies were given, and what cases they are of",
    responses=_REFUSED,
)
async def listenings(request: Request, a: AgentId) -> dict[str, Any]:
    """`heard_ms`: what was really heard; null while it goes on."""
    web_app = web_app_of(request)
    found = await _read(request, web_app, a)
    return {
        "listenings": [_listening(one, web_app) for one in found.listened],
        "copies": [
            {"utc": one.act.utc, "by": one.act.by, "call": _key(one.contact),
             "purpose": one.act.purpose, "receiver": one.act.receiver, "hash": one.act.hash}
            for one in found.copies
        ],
        "cases": [_case(one) for one in found.cases if reads_cases(person_of(request))],
    }  # fmt: skip


async def _read(request: Request, web_app: WebApp, agent: str) -> OwnRecord:
    """Of whom the person may read it. Raises HTTPException."""
    person = person_of(request)
    if not may_read(person, agent, web_app.people()):
        raise not_yours(request)
    web_app.audit(person, "agents.quality", [agent])
    now_ms = web_app.pace.now_ms()
    try:
        left_out = await hidden_from(web_app, person)
        return await web_app.worker.ask(
            own_record.own_record, web_app.data, agent, now_ms, left_out
        )
    except DiademaError as error:
        raise HTTPException(503, trouble(error, language_of(request))) from error


def may_read(person: Person, agent: str, people: People) -> bool:
    """The agent, the own supervisors, and the leads of quality."""
    return person.may("own", "listen") and person.sees(agent, people)


def reads_cases(person: Person) -> bool:
    """The agent and the leads of quality: a case may be about what a supervisor did."""
    return person.may("own", "quality")


# -- as JSON


def _key(contact: Contact) -> list[Any]:
    return [contact.station, contact.epoch, contact.sequence]


def _iso(day: Any) -> str | None:
    return day.isoformat() if day is not None else None


def _estimate(one: Estimate | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n, "of": one.of}


def _figure(one: FormFigure) -> dict[str, Any]:
    figure = one.figure
    return {
        "form": one.form.code, "label": one.form.label, "first": figure.first.isoformat(),
        "last": figure.last.isoformat(), "n": len(figure.scores), "of": figure.of,
        "scores": figure.scores if figure.estimate is None else [],
        "estimate": _estimate(figure.estimate), "team": _estimate(one.team),
    }  # fmt: skip


def evaluation_of(one: OwnEvaluation) -> dict[str, Any]:
    """As the API has it."""
    its, sent = one.evaluated, one.evaluated.submitted
    return {
        "evaluation": sent.evaluation, "call": list(one.call), "utc": sent.utc, "by": sent.by,
        "basis": sent.basis, "form": one.form.code if one.form else None, "version": sent.version,
        "raw": its.raw, "score": its.score, "failed": its.failed,
        "released": its.released_utc, "annulled": its.annulled.reason if its.annulled else None,
        "revised": {
            "cause": its.revised.cause, "reason": its.revised.reason, "utc": its.revised.utc,
        }
        if its.revised
        else None,
        "items": [
            {"item": answered.item.code, "text": answered.item.text, "section": answered.section,
             "kind": answered.item.kind, "answer": answered.answer, "before": answered.before,
             "notes": [_note(note) for note in answered.notes]}
            for answered in one.items
        ],
        "notes": [_note(note) for note in one.notes],
    }  # fmt: skip


def _note(one: Note) -> dict[str, Any]:
    return {"about": one.about, "text": one.text, "from_ms": one.from_ms, "to_ms": one.to_ms}


def _listening(one: Listened, web_app: WebApp) -> dict[str, Any]:
    began, ended = one.heard.began, one.heard.ended
    return {
        "listening": began.listening, "utc": began.utc, "by": began.by,
        "name": name_of(web_app, began.by), "source": began.source, "mode": began.mode,
        "purpose": began.purpose, "via": began.via, "announced": began.announced,
        "call": [began.call_s, began.call_e, began.call_n],
        "heard_ms": ended.heard_ms if ended else None, "ended": ended.utc if ended else None,
    }  # fmt: skip


def _case(one: Opened) -> dict[str, Any]:
    its, closed = one.case.opened, one.case.closed
    return {
        "utc": its.utc, "by": its.by, "call": list(one.case.call), "number": its.number,
        "reason": its.reason, "until": its.until_utc,
        "evaluation": one.case.evaluation is not None,
        "closed": {"utc": closed.utc, "by": closed.by, "reason": closed.reason}
        if closed is not None else None,
    }  # fmt: skip


# -- as a page


class _Drawn(Cards):
    """What `own_quality.html` is given: everything in words, safe to show. `tells`: of cases of
    human resources too.
    """

    def __init__(self, web_app: WebApp, language: str, found: OwnRecord, tells: bool) -> None:
        super().__init__(web_app, language)
        self._found, self._tells = found, tells

    def values(self) -> dict[str, Any]:
        found, words = self._found, self._words
        return {
            "words": words,
            "agent": found.agent,
            "who": " · ".join(filter(None, (visible(found.name), visible(found.team)))),
            "figures": [self._figure(one) for one in found.figures],
            "cards": [self.card(one) for one in found.evaluations],
            "listened": [self._listened(one) for one in found.listened],
            "copies": [self._copy(one) for one in found.copies],
            "opened": [self._opened(one) for one in found.cases] if self._tells else [],
            "notices": [self._notice(one) for one in found.notices],
            "exclusions": [self._exclusion(one) for one in found.exclusions],
            "heard": self._sum(found.listened),
        }

    def _figure(self, one: FormFigure) -> dict[str, Any]:
        figure, words = one.figure, self._words
        span = words["span"].format(first=figure.first, last=figure.last)
        scores = [f"{raw / 10:.1f}" for raw in figure.scores]
        said = {"n": len(figure.scores), "of": figure.of}
        return {
            "form": visible(one.form.label),
            "span": span,
            "value": score(figure.estimate.value) if figure.estimate else "",
            "within": self._within(figure.estimate) if figure.estimate else "",
            "few": "" if figure.estimate else words["few"].format(**said),
            "scores": [] if figure.estimate else scores,
            "team": words["team"].format(value=score(one.team.value) + self._within(one.team))
            if one.team
            else "",
        }

    def _within(self, one: Estimate) -> str:
        return interval(one.low, one.high, one.n, one.of, self._language)

    def _listened(self, one: Listened) -> dict[str, Any]:
        began, ended, words = one.heard.began, one.heard.ended, self._words
        outside = began.via == "outside" and began.purpose is None
        source = "outside" if outside else began.source or "recording"
        said = [words[f"source.{source}"]]
        if began.mode and began.mode != "silent":
            said.append(words[f"mode.{began.mode}"])
        contact = one.contact
        return {
            "when": self.time(began.utc),
            "who": NOTHING if outside else self.who(began.by),
            "what": ", ".join(said),
            "purpose": words[f"purpose.{began.purpose}"] if began.purpose else NOTHING,
            "call": self.call(contact),
            "heard": clock((ended.heard_ms or 0) // 1000) if ended else words["going_on"],
        }

    def _sum(self, found: Sequence[Listened]) -> str:
        total = sum((one.heard.ended.heard_ms or 0) for one in found if one.heard.ended)
        word = "heard.sum.one" if len(found) == 1 else "heard.sum"
        return self._words[word].format(n=len(found), time=clock(total // 1000))

    def _opened(self, one: Opened) -> str:
        its, closed, words = one.case.opened, one.case.closed, self._words
        when = one.contact.start_utc if one.contact is not None else None
        said = words["case.opened" if one.case.evaluation is None else "case.opened.whole"]
        line = said.format(
            when=self.time(when), at=self.time(its.utc), number=visible(its.number or ""),
            reason=visible(its.reason),
            until=local_time((its.until_utc or 0) - 1, self._zone, "day"),
        )  # fmt: skip
        if closed is None:
            return line
        why = visible(closed.reason)
        return f"{line} {words['case.closed'].format(at=self.time(closed.utc), reason=why)}"

    def _copy(self, one: Copy) -> dict[str, str]:
        act, words = one.act, self._words
        return {
            "when": self.time(act.utc),
            "who": self.who(act.by),
            "purpose": words[f"copy.{act.purpose}"],
            "receiver": visible(act.receiver or ""),
            "call": self.call(one.contact),
        }

    def _notice(self, one: Any) -> dict[str, str]:
        notice, its = one
        words = self._words
        when = self.time(its.utc) if its.utc else its.date or ""
        state = words[f"notice.{its.state}"]
        if its.how:
            state = words["notice.signed"].format(
                state=state, how=words[f"how.{its.how}"], when=when,
                document=f" · {visible(its.document)}" if its.document else "",
            )  # fmt: skip
        return {
            "name": words["notice.name"].format(name=visible(notice.name), n=notice.version),
            "text": visible(notice.text, lines=True),
            "state": state,
        }

    def _exclusion(self, one: Any) -> str:
        words = self._words
        why = section("people", self._language)[f"choice.{one.why}"]
        first, last = (day.isoformat() if day else "" for day in (one.first, one.last))
        since = words["since"].format(day=first) if first else ""
        until = words["until"].format(day=last) if last else ""
        return " ".join(filter(None, (why, since, until)))
