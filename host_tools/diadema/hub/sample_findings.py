"""What `diadema doctor` finds of samples: periods that cannot be drawn or were not, too many
agents left out, and calls that nobody evaluated in time.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from diadema.base.paths import DataDir
from diadema.quality.pairs import seen_calls
from diadema.quality.periods import draw_ms, period_at
from diadema.quality.samples import has_secret
from diadema.site.context import zone_of
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people
from diadema.store import open_reader
from diadema.store.quality import draws
from diadema.store.record_heads import NAME as RECORDS_KEY
from diadema.words import Sentence

EXCLUDED_SHARE = 0.05  # of the agents, beyond which somebody chooses who is judged
_DRAWN_BY_MS = 3_600_000  # after its hour
_MISSED_MS = 60 * 86_400_000  # since the draw

type Found = tuple[bool, Sentence]
"""Whether something is to be done, and what."""


def sample_findings(data: DataDir, copy: DataDir, now_ms: int) -> Iterator[Found]:
    """`copy`: of the databases of `data`, to look into. Raises DiademaError."""
    if not copy.store.exists():
        return
    zone = zone_of(copy)
    known = people(copy, None, datetime.fromtimestamp(now_ms / 1000, zone).date())
    with closing(open_reader(copy.store)) as reader, reader.engine.connect() as tx:
        yield from _periods(tx, data, zone, now_ms)
        yield from _missed(tx, known, now_ms)
    yield from _left_out(known, zone, now_ms)


def _periods(tx: Connection, data: DataDir, zone: ZoneInfo, now_ms: int) -> Iterator[Found]:
    for one in draws(tx):
        step = one.planned
        if step is None or one.drawn is not None or one.annulled is not None:
            continue
        period = period_at(step.start_utc or 0, step.end_utc or 0, zone, step.utc)
        values = {"plan": step.plan, "period": period.word}
        has_key = (data.root / RECORDS_KEY).exists()
        if not has_key or not has_secret(
            data, step.plan or "", period.word, step.commitment or ""
        ):
            yield True, Sentence("commands.doctor.sample_secret", **values)
        elif now_ms > draw_ms(period, zone) + _DRAWN_BY_MS:
            yield True, Sentence("commands.doctor.sample_undrawn", **values)


def _missed(tx: Connection, known: People, now_ms: int) -> Iterator[Found]:
    recent = {
        one.drawn.draw: one.planned.plan if one.planned else ""
        for one in draws(tx)
        if one.drawn is not None
        and one.drawn.draw is not None
        and one.annulled is None
        and one.drawn.utc > now_ms - _MISSED_MS
    }
    for draw, plan in recent.items():
        seen = seen_calls(tx, known, now_ms, draws=[draw])
        if missed := sum(one.state == "missed" for one in seen):
            yield (
                False,
                Sentence(
                    "commands.doctor.sample_missed",
                    plan=plan,
                    draw=draw,
                    count=missed,
                    of=len(seen),
                ),
            )


def _left_out(known: People, zone: ZoneInfo, now_ms: int) -> Iterator[Found]:
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    agents = [one.id for one in known.workers.values() if one.active]
    out = [one for one in agents if known.left_out(one, today) is not None]
    if len(out) > EXCLUDED_SHARE * len(agents):
        yield True, Sentence("commands.doctor.sample_left_out", count=len(out), of=len(agents))
