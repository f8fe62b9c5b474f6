"""Samples in the reader's words: plans with what they ask of the monitors, periods with what they
committed to and what was drawn. It counts and never shows a score.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict

from diadema.base.sanitize import visible
from diadema.quality.load import Load
from diadema.quality.samples import DrawState, PeriodState, PlanState, StratumState
from diadema.site.directory.labels import choice_label
from diadema.site.directory.people import People
from diadema.site.directory.quality import SamplePlan
from diadema.store.assistance import key_of
from diadema.store.quality import AssignedCall
from diadema.store.quality_rows import DrawStep
from diadema.words import section, text
from diadema.words.formatting import NOTHING, grouped, local_time

PATH = "/ui/quality/samples"
_NAMED = 5  # plans that draw from the same calls, in the list


class Monitored(Struct):
    """What one monitor has of a draw."""

    account: str
    assigned: int = 0
    done: int = 0
    waiting: int = 0
    missed: int = 0
    due_utc: int | None = None  # of what is waiting, the nearest


def monitors_of(draw: DrawState, now_ms: int) -> list[Monitored]:
    """By account. A call that two have counts for each."""
    found: dict[str, Monitored] = {}
    for one in _assigned(draw):
        its = found.setdefault(one.assignment.assignee, Monitored(one.assignment.assignee))
        its.assigned += 1
        if one.submitted is not None:
            its.done += 1
        elif one.assignment.due_utc <= now_ms:
            its.missed += 1
        else:
            its.waiting += 1
            its.due_utc = min(its.due_utc or one.assignment.due_utc, one.assignment.due_utc)
    return [found[account] for account in sorted(found)]


def _assigned(draw: DrawState) -> Iterator[AssignedCall]:
    for seen in draw.calls:
        yield seen.first
        if seen.second is not None:
            yield seen.second


class View:
    """`names`: of accounts, by their ids. `blind`: draws of which nothing tells whose calls these
    are, as the reader evaluates some.
    """

    def __init__(
        self,
        people: People,
        names: Mapping[str, str],
        language: str,
        zone: ZoneInfo,
        now_ms: int,
        blind: set[str],
    ) -> None:
        self._people, self._names, self._blind = people, names, blind
        self._language, self._zone, self._now_ms = language, zone, now_ms
        self._words = section("samples", language)

    # -- plans

    def plan(self, one: PlanState) -> dict[str, Any]:
        """A line of the list."""
        words, plan = self._words, one.plan
        name = visible(plan.label) if plan else visible(one.code)
        return {
            "code": visible(one.code),
            "name": name,
            "link": self._link(one.code),
            "retired": plan is None,
            "form": self._form(plan) if plan else NOTHING,
            "amount": self._amount(plan) if plan else words["plan.retired"],
            "of": self._of_whom(plan) if plan else "",
            "load": self.load(one.load) if one.load else words["load.unknown"],
            "short": bool(one.load and is_short(one.load)),
            "beside": self._some(one.beside),
            "troubles": [*self._troubles(one)],
            "periods": [self._in_list(one.code, its) for its in one.periods],
        }

    def _some(self, plans: list[str]) -> str:
        """The page of a period names them all."""
        few = [visible(one) for one in plans[:_NAMED]]
        return ", ".join([*few, *(["…"] if len(plans) > _NAMED else [])])

    def _link(self, *parts: str) -> str:
        return f"{'/'.join((PATH, *parts))}?lang={self._language}"

    def _form(self, plan: SamplePlan) -> str:
        form = self._people.scorecard(plan.scorecard)
        return visible(form.label if form else plan.scorecard)

    def _amount(self, plan: SamplePlan) -> str:
        """How many of whom, and how often."""
        each = self._words[f"each.{plan.period}"]
        if plan.total is None:
            return self._words["amount.each"].format(n=plan.per_agent or 0, each=each)
        values = {"n": grouped(plan.total), "each": each, "least": plan.least or 0}
        if plan.most is None:
            return self._words["amount.total"].format(**values)
        return self._words["amount.total.most"].format(**values, most=plan.most)

    def _of_whom(self, plan: SamplePlan) -> str:
        people = self._people
        teams = [people.teams.get(one, one) for one in plan.teams]
        parts = [", ".join(map(visible, some)) for some in (teams, plan.queues) if some]
        return " · ".join(parts) or self._words["of.all"]

    def load(self, load: Load) -> str:
        """«2,520 escuchas ≈ 378 h; su equipo: 6 × 120 h»."""
        values = {"calls": grouped(load.calls), "monitors": load.monitors}
        hours, each = load.hours, load.hours_each
        if hours is None or each is None:
            return self._words["load.calls"].format(**values)
        return self._words["load"].format(**values, hours=grouped(hours), each=grouped(each))

    def load_notes(self, load: Load) -> list[str]:
        """How the hours were found, and whether they suffice."""
        words = self._words
        notes = [words["load.agents"].format(n=grouped(load.agents))]
        if load.each_ms is not None:
            minutes = max(1, round(load.each_ms / 60_000))
            word = "load.measured" if load.measured else "load.estimated"
            notes.append(words[word].format(minutes=minutes))
        if is_short(load):
            most = grouped(load.most_each * load.monitors)
            notes.append(words["load.short"].format(calls=grouped(load.calls), most=most))
        return notes

    def settings(self, plan: SamplePlan) -> list[tuple[str, str]]:
        """What the plan says, name by name."""
        words, language = self._words, self._language
        strata = [choice_label(one, language, "strata") for one in plan.strata]
        monitors = [self.account(one) for one in plan.monitors]
        twice = words["plan.twice.of"].format(share=plan.twice_share, least=plan.twice_least)
        return [
            (words["plan.form"], self._form(plan)),
            (words["plan.amount"], self._amount(plan)),
            (words["plan.of"], self._of_whom(plan)),
            (words["plan.strata"], ", ".join([words["plan.strata.agent"], *strata])),
            (words["plan.least_talk"], words["seconds"].format(n=plan.least_talk_s)),
            (words["plan.twice"], twice),
            (words["plan.monitors"], ", ".join(monitors) or NOTHING),
            (words["plan.cap"], words["plan.cap.of"].format(n=plan.cap_per_day, days=plan.days)),
        ]

    def account(self, account: str) -> str:
        return visible(self._names.get(account) or account)

    def _troubles(self, one: PlanState) -> Iterator[str]:
        words, plan = self._words, one.plan
        if plan is not None and self._people.scorecard(plan.scorecard) is None:
            yield words["trouble.form"].format(form=visible(plan.scorecard))
        if plan is not None and (gone := [its for its in plan.monitors if its not in self._names]):
            yield words["trouble.monitors"].format(accounts=", ".join(map(visible, gone)))
        for its in one.periods:
            if its.state in ("to_draw", "no_secret"):
                yield words[f"trouble.{its.state}"].format(period=its.period.word)
            if its.drawn and its.drawn.arrived and its.supplement is None:
                yield words["arrived"].format(n=its.drawn.arrived, period=its.period.word)

    # -- periods

    def _in_list(self, plan: str, one: PeriodState) -> dict[str, Any]:
        drawn = one.drawn
        return {
            "word": one.period.word,
            "link": self._link(plan, one.period.word),
            "state": one.state,
            "said": self._words[f"state.{one.state}"],
            "days": self._days(one),
            "progress": self._progress(drawn) if drawn and one.state == "drawn" else "",
            "share": _share(drawn) if drawn and one.state == "drawn" else None,
            "chosen": grouped(drawn.chosen) if drawn else NOTHING,
        }

    def _progress(self, draw: DrawState) -> str:
        words = self._words
        said = [words["progress"].format(done=grouped(draw.evaluated), n=grouped(draw.chosen))]
        if draw.missed:
            said.append(words["progress.missed"].format(n=grouped(draw.missed)))
        return " · ".join(said)

    def _days(self, one: PeriodState) -> str:
        start = self._time(one.period.start_ms, "day")
        end = self._time(one.period.end_ms - 1, "day")
        return start if start == end else self._words["days"].format(start=start, end=end)

    def _time(self, utc_ms: int | None, form: Any = "date_second") -> str:
        return NOTHING if utc_ms is None else local_time(utc_ms, self._zone, form)

    def period(self, plan: PlanState, one: PeriodState) -> dict[str, Any]:
        """One period whole."""
        words = self._words
        values = {
            "plan": visible(plan.plan.label if plan.plan else plan.code),
            "code": visible(plan.code),
            "word": one.period.word,
            "days": self._days(one),
            "state": one.state,
            "said": words[f"state.{one.state}"],
            "what": words[f"state.{one.state}.what"].format(
                end=self._time(one.period.end_ms, "date_minute")
            ),
            "beside": ", ".join(map(visible, plan.beside)),
            "planned": _of(one.planned.planned),
        }
        draws = [its for its in (one.drawn, one.supplement) if its is not None]
        late = one.drawn.arrived if one.drawn and one.supplement is None else 0
        return values | {
            "commitment": self.commitment(one),
            "draws": [self._draw(its) for its in draws],
            "annulled": self._annulled(one),
            "arrived": words["arrived"].format(n=grouped(late), period=one.period.word)
            if late
            else "",
        }

    def commitment(self, one: PeriodState) -> dict[str, Any]:
        """What was promised, when, and what it holds for."""
        words, late = self._words, one.period.committed_ms > one.period.start_ms
        since = self._time(one.period.committed_ms)
        drawn = one.drawn.draw.drawn if one.drawn else None
        return {
            "hash": one.commit,
            "at": since,
            "holds": words["commit.late" if late else "commit.whole"].format(at=since),
            "secret": (drawn.secret or "") if drawn else "",
            "sealed": words["commit.sealed"].format(end=self._time(one.period.end_ms)),
        }

    def _annulled(self, one: PeriodState) -> str:
        step = one.drawn.draw.annulled if one.drawn else one.planned.annulled
        if step is None:
            return ""
        return self._words["annulled"].format(
            at=self._time(step.utc), by=self.account(step.by), why=visible(step.reason or "")
        )

    def _draw(self, draw: DrawState) -> dict[str, Any]:
        words, step = self._words, draw.draw.drawn
        assert step is not None
        frame, excluded = step.frame or 0, draw.draw.excluded
        is_blind = draw.id in self._blind
        return {
            "id": draw.id,
            "late": draw.late,
            "title": words["draw.late" if draw.late else "draw"],
            "at": self._time(step.utc),
            "cut": self._time(step.cut_utc),
            "form": words["draw.form.of"].format(form=visible(draw.form), n=draw.form_version),
            "frame": grouped(frame),
            "frame_hash": step.frame_hash or "",
            "whole": draw.whole,
            "excluded": [
                (text(f"commands.quality.excluded.{why}", self._language), grouped(count))
                for why, count in excluded.items()
                if count
            ],
            "all": grouped(frame + sum(excluded.values())),
            "chosen": grouped(draw.chosen),
            "replaced": grouped(draw.replaced) if draw.replaced else "",
            "short": [] if is_blind else [*self._short(draw)],
            "progress": self._progress(draw),
            "counts": [
                (words[f"count.{name}"], grouped(count), name == "missed" and count > 0)
                for name, count in (
                    ("evaluated", draw.evaluated),
                    ("waiting", draw.waiting),
                    ("missed", draw.missed),
                    ("unassigned", draw.unassigned),
                )
            ],
            "monitors": [self._monitor(one) for one in monitors_of(draw, self._now_ms)],
            "blind": is_blind,
            "strata": [] if is_blind else [self._stratum(one) for one in draw.strata],
            "counts_of": words["strata.count"].format(n=grouped(len(draw.strata))),
            "of": _of(step),
            "file": file_of(draw.id),
            "command": f"diadema quality sample verify {file_of(draw.id)} "
            f"--commit {draw.draw.planned.commitment if draw.draw.planned else ''} "
            f"--frame-hash {step.frame_hash}",
        }

    def _short(self, draw: DrawState) -> Iterator[str]:
        """Agents of whom there were fewer than the plan wants."""
        for agent, (wanted, had) in draw.short.items():
            name = visible(self._people.name(agent))
            yield self._words["short.one"].format(name=name, had=had, wanted=wanted)

    def _monitor(self, one: Monitored) -> dict[str, Any]:
        return {
            "name": self.account(one.account),
            "assigned": grouped(one.assigned),
            "done": grouped(one.done),
            "waiting": grouped(one.waiting),
            "missed": grouped(one.missed),
            "is_missed": one.missed > 0,
            "due": self._time(one.due_utc and one.due_utc - 1, "day_minute"),  # the last minute
        }

    def _stratum(self, one: StratumState) -> dict[str, Any]:
        """By its agent's name, and what else parts the calls."""
        counts = {
            name: grouped(getattr(one, name))
            for name in ("size", "drawn", "evaluated", "missed", "waiting", "unassigned")
        }
        return counts | {
            "agent": visible(self._people.name(one.agent)),
            "stratum": visible(one.stratum) or NOTHING,
            "is_missed": one.missed > 0,
        }


def is_short(load: Load) -> bool:
    """Whether the monitors may not be given as many as the plan draws."""
    return load.calls > load.most_each * load.monitors


def file_of(draw: str) -> str:
    return f"muestra-{draw}.zip"


def _share(draw: DrawState) -> int:
    """Percent that is evaluated."""
    return 100 * draw.evaluated // draw.chosen if draw.chosen else 0


def _of(step: DrawStep | None) -> list[Any]:
    """Its event, as an action names it."""
    return [] if step is None else [*key_of(step)]


def plain_plan(one: PlanState, now_ms: int, blind: set[str]) -> dict[str, Any]:
    """For programs."""
    load = one.load
    return {
        "code": one.code,
        "version": one.version,
        "plan": None if one.plan is None else asdict(one.plan),
        "beside": one.beside,
        "load": None
        if load is None
        else asdict(load) | {"hours": load.hours, "hours_each": load.hours_each},
        "periods": [plain_period(its, now_ms, blind) for its in one.periods],
    }


def plain_period(one: PeriodState, now_ms: int, blind: set[str]) -> dict[str, Any]:
    return {
        "period": one.period.word,
        "start_ms": one.period.start_ms,
        "end_ms": one.period.end_ms,
        "state": one.state,
        "commit": one.commit,
        "committed_ms": one.period.committed_ms,
        "of": _of(one.planned.planned),
        "draws": [_plain_draw(its, now_ms, blind) for its in (one.drawn, one.supplement) if its],
    }


def _plain_draw(draw: DrawState, now_ms: int, blind: set[str]) -> dict[str, Any]:
    step, annulled = draw.draw.drawn, draw.draw.annulled
    assert step is not None
    totals = Counter({name: getattr(draw, name) for name in
                      ("evaluated", "waiting", "missed", "unassigned")})  # fmt: skip
    return {
        "draw": draw.id,
        "of": _of(step),
        "late": draw.late,
        "drawn_ms": step.utc,
        "frame": step.frame,
        "frame_hash": step.frame_hash,
        "secret": step.secret,
        "excluded": draw.draw.excluded,
        "chosen": draw.chosen,
        "replaced": draw.replaced,
        "arrived": draw.arrived,
        "annulled": None
        if annulled is None
        else {"by": annulled.by, "at_ms": annulled.utc, "reason": annulled.reason},
        **totals,
        "monitors": [asdict(its) for its in monitors_of(draw, now_ms)],
        "strata": None if draw.id in blind else [asdict(its) for its in draw.strata],
    }
