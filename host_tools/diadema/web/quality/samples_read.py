"""What the pages of samples are made from, read in a worker: each plan with its periods, whether
anything is set up at all, and the file of a draw.
"""

import io
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.kept_draws import frame_rows, stored_draw
from diadema.quality.sample_file import write_sample
from diadema.quality.sample_plans import plans_of
from diadema.quality.samples import PlanState, beside_of, list_of, overview
from diadema.site.directory.people import People
from diadema.store import open_reader, quality
from diadema.store.quality import assigned_calls
from diadema.words import Sentence

_RECENT = 2  # periods of each plan in the list: one goes on, one is worked off
_SIDES = {"caller", "agent"}


class SetUp(Struct, frozen=True, kw_only=True):
    """What has to be there before anything is drawn, in this order."""

    notices: bool
    scorecard: bool
    plan: bool


class Read(Struct, kw_only=True):
    """`blind`: draws of which the reader has calls to evaluate: nothing tells whose they are."""

    plans: list[PlanState]
    set_up: SetUp
    blind: set[str]


def read(
    data: DataDir,
    people: People,
    zone: str,
    now_ms: int,
    person: Person,
    plan: str | None = None,
) -> Read:
    """Of that plan alone, with all its periods; else of each the newest. Raises DiademaError."""
    published = bool(people.scorecards)
    if not data.store.exists():
        known = plans_of(data)
        plans = [
            PlanState(
                code=code,
                version=one.version,
                plan=one.plan,
                beside=beside_of(known, code),
                load=None,
                periods=[],
            )
            for code, one in sorted(known.items())
            if plan in (None, code)
        ]
        up = SetUp(notices=False, scorecard=published, plan=bool(known))
        return Read(plans=plans, set_up=up, blind=set())
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        sides = {one.side for one in quality.notices(tx)}
        plans = overview(
            tx,
            data,
            people,
            ZoneInfo(zone),
            now_ms,
            plan=plan,
            periods=_RECENT if plan is None else None,
        )
        blind = set()
        if person.may("evaluate"):
            mine = assigned_calls(tx, assignee=person.id, waiting=True)
            blind = {
                one.assignment.draw
                for one in mine
                if one.assignment.draw is not None and now_ms < one.assignment.due_utc
            }
    has_plan = any(one.plan is not None for one in plans)
    up = SetUp(notices=sides >= _SIDES, scorecard=published, plan=has_plan)
    return Read(plans=plans, set_up=up, blind=blind)


def draw_file(data: DataDir, draw: str) -> bytes:
    """As `diadema quality sample verify` reads it. Raises DiademaError where it cannot be made."""
    made_from = stored_draw(data, draw)
    if made_from is None:
        raise DiademaError(Sentence("samples.not_kept", draw=draw))
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        calls = list_of(made_from.listed, assigned_calls(tx, draws=[draw]))
    made = io.BytesIO()
    write_sample(made, made_from.sample, frame_rows(data, draw), calls)
    return made.getvalue()
