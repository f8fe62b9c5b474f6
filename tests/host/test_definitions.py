"""Each definition has one sentence and an example in numbers, the same in reports, pages and
`host_tools/README.md`; what the example says is worked out here, from its own numbers, by the
product.
"""

import re
from datetime import date
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from diadema.figures import shifts as of_shifts
from diadema.figures.attendance import AgentDay, _sessions_of
from diadema.figures.booking import Fault, Stretch, add, book_contact, technical
from diadema.figures.lost_time import Cost, Stop, costs
from diadema.figures.overview import Ticks, ticks_of
from diadema.figures.rows import Calls, Load, QueueSums, Spread, Sums
from diadema.figures.stays import MarkTime, Stay, paired
from diadema.metrics import calls as of
from diadema.metrics import queue, schedule, states
from diadema.metrics.fcr import WINDOW_DAYS, Visit, look, tally
from diadema.metrics.queue import Flow
from diadema.metrics.rounding import percent as share
from diadema.metrics.rounding import quantile
from diadema.quality.counted import DrawnCall, Scored
from diadema.quality.estimates import item_share
from diadema.quality.monitors import Task, twice
from diadema.report.kinds.adherence import _summed as summed
from diadema.report.kinds.dispositions import _negative
from diadema.report.kinds.faults import _group as tickets_of
from diadema.report.kinds.faults import operative
from diadema.report.kinds.help_requests import group
from diadema.report.kinds.listening import listened
from diadema.report.kinds.monitors import Work
from diadema.report.kinds.quality import stated as quality_stated
from diadema.report.kinds.quality_group import by_form
from diadema.report.kinds.quality_read import Sample, Sampled
from diadema.report.model import Scope, Target
from diadema.site.directory.people import Planned, Reason
from diadema.site.directory.scorecards import Scorecard
from diadema.site.work import Campaign, Step
from diadema.store.assistance import HelpCase, TicketCase
from diadema.store.quality import Heard
from diadema.store.quality_rows import Listening
from diadema.store.rows import (
    Contact,
    Details,
    Press,
    QueueCall,
    Session,
    Span,
    Ticket,
    Trail,
)
from diadema.words import section
from diadema.words.formatting import clock, long_clock, percent

from tests import definitions
from tests.host.test_fcr import LATER, Place, begun, called, stated
from tests.support.scripted_station import Script

README = (Path(__file__).parents[2] / "host_tools" / "README.md").read_text("utf-8")
H = 3600
DAY = date(2026, 11, 18)
_NUMBER = re.compile(
    r"(?P<hour>\d\d:\d\d(?::\d\d)?)|(?P<h>\d+) h\b(?: (?P<hm>\d+) min)?|(?P<min>\d+) min"
    r"|(?P<s>\d+) s\b|(?P<n>\d+)(?! ?[:,.]\d)"
)


def numbers(said):
    """As they stand there; hours of the day and lengths of time in seconds."""
    for one in _NUMBER.finditer(said):
        if one["hour"]:
            parts = [*map(int, one["hour"].split(":")), 0][:3]
            yield parts[0] * H + parts[1] * 60 + parts[2]
        elif one["h"]:
            yield int(one["h"]) * H + int(one["hm"] or 0) * 60
        else:
            yield int(one["min"]) * 60 if one["min"] else int(one["s"] or one["n"])


def shift(length_s, pauses=(), start_s=0, tolerance_s=0):
    its = {"start_s": start_s, "end_s": start_s + length_s, "tolerance_s": tolerance_s}
    return Planned(day=DAY, shift="M", pauses=list(pauses), **its)


def adherence(length, out, fault):
    worked = length - out - fault
    shown = [Stretch(0, worked, "ready"), Stretch(worked, worked + fault, "not_ready", "fault")]
    plan = shift(length)
    return schedule.adherence(*schedule.followed(plan, schedule.deviations(plan, shown, {})))


def shrinkage(agents, length, lunch_s, absent):
    reasons = {"lunch": Reason(code="lunch", label="")}
    plan = shift(length, [(H, H + lunch_s, "lunch")])
    shown = [Stretch(0, H, "ready"), Stretch(H, H + lunch_s, "not_ready", "lunch"),
             Stretch(H + lunch_s, length, "talking")]  # fmt: skip
    its = [of_shifts.lost(shown, of_shifts.pauses(shown), [], reasons, 0, length)] * (
        agents - absent
    )
    owed = absent * of_shifts.owed_s(plan, reasons, length)
    its.append(states.Shrinkage(unplanned_s=owed, basis_s=owed))
    return summed(states.Shrinkage, its).total


def lost(technical_s, training_s, auxiliary_s, basis_s):
    its = {"technical_s": technical_s, "training_s": training_s, "auxiliary_s": auxiliary_s}
    return states.Shrinkage(basis_s=basis_s, **its).in_office


def gone(paid_s, unpaid_s, unplanned_s, basis_s):
    return states.Shrinkage(
        basis_s=basis_s, paid_absence_s=paid_s, unpaid_absence_s=unpaid_s, unplanned_s=unplanned_s
    ).out_office


def late(*given):
    *entries, start, tolerance = given
    plan = shift(H, start_s=start, tolerance_s=tolerance)
    return [
        schedule.lateness(plan, entry, "permiso" if k else None) for k, entry in enumerate(entries)
    ]


def outside(entry, exit_):
    stay = Stay(day=DAY, entry=entry * 1000, exit=(exit_ + 24 * H) * 1000)
    return AgentDay(agent="a001", day="2026-11-18", stays=[stay]).outside_s


def absent(shifts, entered):
    here = Stay(day=DAY, entry=1000)
    days = [
        AgentDay(agent="a", day="", planned=shift(H), stays=[here] if k < entered else [])
        for k in range(shifts)
    ]
    return sum(day.absent(10_000) for day in days)


def _paired(its):
    hours = [
        MarkTime(key=("s", 1, k), utc=second * 1000, direction=direction)
        for k, (second, direction) in enumerate(its)
    ]
    return paired(hours, lambda *_: DAY)


def stays(state, *its):
    return sum(stay.state == state for stay in _paired(its))


def stayed(*hours):
    return AgentDay(
        agent="a", day="", stays=_paired(zip(hours, cycle(("in", "out")), strict=False))
    ).stay_s


def not_ready(lunch_s, fault_s):
    load = Load()
    add(load, Stretch(0, lunch_s, "not_ready", "refrigerio"), lunch_s)
    add(load, Stretch(0, fault_s, "not_ready", "fault", "system"), fault_s)
    return load.not_ready


def sessions(*its):
    """(opened, closed, why): seconds."""
    day = AgentDay(
        agent="a",
        day="",
        sessions=[
            Session(
                station="s",
                epoch=1,
                sequence=k,
                agent="a",
                open_utc=start * 1000,
                close_utc=end * 1000,
                reason=why,
            )
            for k, (start, end, why) in enumerate(its)
        ],
    )
    _sessions_of(day, 24 * H * 1000, several=False)
    return day


def booked(*its):
    """Calls of contacts: (outcome, cause, direction, more)."""
    sums = Sums()
    for k, (outcome, more) in enumerate(its):
        contact = Contact(
            station="s",
            epoch=1,
            sequence=k,
            contact=f"c{k}",
            agent="a001",
            outcome=outcome,
            phase="closed",
        )
        for name, value in more.items():
            setattr(contact, name, value)
        book_contact(sums, contact, {}, doubtful=False)
    return sums.calls()


def rung(rings, **causes):
    its = [("missed", {"cause": cause}) for cause, n in causes.items() for _ in range(n)]
    its += [("answered", {})] * (rings - len(its))
    return booked(*its)


def no_telephone(rings, answered, withdrawn, without):
    its = [("answered", {})] * answered + [("missed", {"cause": "withdrawn"})] * withdrawn
    its += [("missed", {"cause": "technical", "ended_by": "technical"})] * without
    calls = booked(*its)
    assert (calls.offered, calls.answered, calls.excused) == (rings, answered, rings - answered)
    return calls.failed


def rung_and_answered(rings, answered, withdrawn):
    return rung(rings, withdrawn=withdrawn, no_answer=rings - answered - withdrawn).missed


def handled(calls, handed_over, out):
    its = [("answered", {})] * calls
    its += [("answered", {"more": Details(parent="c0")})] * handed_over
    return booked(*its, *[("answered", {"direction": "out"})] * out)


def coded(with_code, without):
    its = [("answered", {"code": "111"})] * with_code
    return booked(*its, *[("answered", {"code": "SIN_TIPIFICAR"})] * without)


def retyped(other, own):
    its = [("answered", {"code": "1", "more": Details(author="elena")})] * other
    own_ones = [("answered", {"code": "1", "more": Details(author="a001")})] * own
    return booked(*its, *own_ones).retyped


def handed(handled_n, inside, out):
    transfers = {"blind reclamos": inside, "consulted afp": out}
    calls = Calls(answered=handled_n, transferred=inside + out, transfers=transfers)
    return [share(of.transferred_to(calls, {area}), handled_n) for area in ("reclamos", "afp")]


def flow(*its):
    """(how many, outcome, seconds that they waited)."""
    found = Flow()
    for n, outcome, wait_s in its:
        call = QueueCall(
            station="PBX-x", epoch=1, sequence=1, pbx="1", queue="q", start_utc=0, outcome=outcome,
            wait_ms=wait_s * 1000,
        )  # fmt: skip
        for _ in range(n):
            found.add(call, threshold_s=20, short_s=5)
    return found


def levels(answered, within, abandoned=0, abandoned_within=0, short=0):
    ended = flow((within, "answered", 20), (answered - within, "answered", 21))
    ended += flow((short, "abandoned", 5), (max(abandoned_within - short, 0), "abandoned", 20))
    ended += flow((abandoned - max(short, abandoned_within), "abandoned", 21))
    return queue.service_level(ended)


def waited(*its):
    return flow(*((n, "answered", s) for n, s in zip(its[::2], its[1::2], strict=True)))


def percentile(of_them):
    return lambda *its: queue.wait_percentile(
        dict(zip(its[1::2], its[::2], strict=True)), of_them
    )  # fmt: skip


def ticks(key_steps=1, ticked=0, calls=0, block=0, automatic=0):
    names = ("greeting", "identity", "need", "information", "closing")[:key_steps]
    steps = [Step(step=name) for name in names]
    sums = Sums(
        campaigns={"v": calls}, steps={"v greeting": ticked}, steps_block={"v greeting": block},
        steps_automatic={"v greeting": automatic},
    )  # fmt: skip
    whole = Ticks()
    for one in ticks_of(sums, [Campaign(code="v", label="", steps=steps)]).values():
        whole += one
    return whole


def monitored(assigned=0, done=0, ahead=0, heard_s=0, call_s=0):
    """So many calls of a monitor's, of which some may be evaluated yet; the first has it all."""
    whole = Work()
    for k in range(assigned):
        its = SimpleNamespace(assignee="m", utc=0, due_utc=2 if k >= assigned - ahead else 1)
        given = SimpleNamespace(assignment=its, submitted=("h", 1, k) if k < done else None)
        call = Contact(station="s", epoch=1, sequence=k, contact="", agent="a", answered_utc=0,
                       end_utc=0 if k else call_s * 1000)  # fmt: skip
        whole.add(Task(given, None, call, 0 if k else heard_s * 1000), 1)
    return whole


def seen_twice(assigned, lacking):
    def its(k, second):
        one = SimpleNamespace(
            draw="d", call_s="s", call_e=1, call_n=k, second=second, form="f", version=1, utc=0
        )
        answered = SimpleNamespace(submitted=SimpleNamespace(answers=""))
        its = None if second and k < lacking else answered
        return Task(SimpleNamespace(assignment=one), its, None, 0)

    tasks = [its(k, second) for k in range(assigned) for second in (False, True)]
    return len(twice(tasks, {("f", 1): SimpleNamespace(items=[])}, ZoneInfo("UTC")))


def resolved(*days):
    visits = [Visit("r", "1", day * 86_400_000) for day in days]
    return tally(look(visits, {}, 0, 30 * 86_400_000, 60 * 86_400_000)).rate


DESK, EVENING = ("DIA-000000000001", 1, 1), 24 * H * 1000
SHOWN = Trail(station=DESK[0], epoch=1, sequence=1, agent="a1", session=DESK, boot=1, start_u=0,
              start_utc=0, end_u=EVENING, end_utc=EVENING, spans=[Span(0, "ready")])  # fmt: skip


def fault(start, end, n=2):
    hours = {"open_utc": start * 1000, "technical_utc": start * 1000, "closed_utc": end * 1000}
    return Press(station=DESK[0], epoch=1, sequence=n, kind="fault", agent="a1", **hours)


def faults(*hours):
    its = [
        Fault(fault(start, end, n))
        for n, (start, end) in enumerate(zip(hours[::2], hours[1::2], strict=True), 2)
    ]
    return schedule.length_s(technical(its, [SHOWN], [Stretch(0, 24 * H, "ready")]))


def lost_time(*hours):
    """The first two of them are one agent's."""
    its = [
        Stop(f"a{k // 2}", fault(start, end), [(start, end)])
        for k, (start, end) in enumerate(zip(hours[::2], hours[1::2], strict=True))
    ]
    return costs(its, lambda one: one.agent)[1].lost_s


def lost_calls(alone, shared):
    first = {("s", 1, k): 1 for k in range(alone + shared)}
    second = {key: 1 for key in [*first][alone:]}
    its = [Stop("a1", fault(0, 9), [(0, 9)], calls) for calls in (first, second)]
    return costs(its, lambda one: one.press.sequence)[1].calls


def helped(accepted=(), solved=(), never=0, waiting=0, target=60):
    """Calls for help: seconds until somebody came and, of others, until they were solved."""

    def one(**more):
        press = Press(station="s", epoch=1, sequence=1, kind="help", open_utc=0, open_b=1)
        return HelpCase(msgspec.structs.replace(press, **more))

    cases = [one(accepted_b=1, wait_ms=1000 * wait) for wait in accepted]
    cases += [one(accepted_b=1, accepted_u=0, outcome="resolved", closed_b=1, closed_u=1000 * took)
              for took in solved]  # fmt: skip
    cases += [one(outcome="resolved", closed_b=1) for _ in range(never)]
    return group(cases + [one() for _ in range(waiting)], target, 1)


def often(*given):
    return [value for n, value in zip(given[::2], given[1::2], strict=True) for _ in range(n)]


def ticketed(met, missed, going, due, done):
    """Tickets that were `done` in time, late, or may still be."""
    base = {"ticket": "t", "station": "s", "epoch": 1, "sequence": 1, "by": "ana", "utc": 0}
    its = [Ticket(**base, **{due: 10, done: 5}) for _ in range(met)]
    its += [Ticket(**base, **{due: 10, done: 15}) for _ in range(missed)]
    its += [Ticket(**base, **{due: 99}) for _ in range(going)]
    asked = SimpleNamespace(bounds_ms=(0, 99), now_ms=20)
    return tickets_of(asked, [TicketCase(one) for one in its], Cost())


def met(its):
    return share(its.accept_met + its.solve_met, its.accept_due + its.solve_due)


def goal(aim, *shown):
    return queue.halves_met([*map(float, shown), None], Target(aim, at_most=False).missed)


def _lated(name):
    return lambda *given: sum(getattr(one, name) for one in late(*given))


def spread_of(its):
    calls = Calls()
    calls.add_spread(Spread([*its]))
    return calls


def _calls(get, *names):
    return lambda *given: get(Calls(**dict(zip(names, given, strict=True))))


def sampled(state, n=1, **scored):
    """Drawn calls of one stratum of 300, evaluated or not."""
    its = {"key": ("h", 1, 1), "evaluation": "e", "utc": 1, "answers": "1", "submitted": "1",
           "raw": 900, "score": 900, "failed": "none", "user": None, "business": None,
           "compliance": None}  # fmt: skip
    told = Scored(**its | scored) if state == "counted" else None
    call = DrawnCall(
        draw="d", key=("s", 1, 1), agent="a", stratum=scored.get("answers", ""), pool=300,
        form="P", version=1, due_utc=1, state=state, twice=False, scored=told,
    )  # fmt: skip
    one = Sampled(call=call, contact=None, utc=1, day=DAY, team="", queue="", motive="",
                  inside=True, stratum=("d", "a", call.stratum), scored=told)  # fmt: skip
    return [one] * n


def scored(*given, of="raw"):
    """Strata, each its calls and the scores of those evaluated."""
    found = []
    for k, (pool, *scores) in enumerate(given):
        for score in scores:
            (one,) = sampled("counted", **{of: 10 * score, "answers": str(k)})
            found.append(msgspec.structs.replace(
                one, call=msgspec.structs.replace(one.call, pool=pool)))  # fmt: skip
    return found


def quality(key, *calls):
    """The figure of the summary of a sample of these calls."""
    form = Scorecard(code="P", label="", version=1, sections=(), items=(), contract=True)
    sample = Sample(draws=[], calls=[one for its in calls for one in its],
                    forms={("P", 1): form})  # fmt: skip
    asked = SimpleNamespace(target=lambda _: None, scope=Scope(), sees_all=False)
    groups = by_form(asked, sample)
    return next(one.value for one in quality_stated(sample, groups) if one.key == key)


def in_states(counted=0, undone=0, open=0, pair=0):
    its = {"counted": counted, "undone": undone, "open": open, "pair": pair}
    return [sampled(state, n) for state, n in its.items()]


def without(kind):
    return lambda possible, right: quality(
        {"user": "pecuf", "business": "pecn", "compliance": "pecc"}[kind],
        sampled("counted", right, **{kind: 0}), sampled("counted", possible - right, **{kind: 1}),
    )  # fmt: skip


def heard(sources, heard_s=(), call_s=None, via=()):
    """Listenings of one call, of these sources; None: one that was refused."""
    key = ("DIA-1", 1, 1)
    made = []
    for n, source in enumerate(sources):
        about = dict(zip(("call_s", "call_e", "call_n"), key, strict=True))
        event = {"station": "HUB-main", "epoch": 1, "sequence": n, "utc": 0, "by": "ana"}
        began = Listening(
            **event, **about, kind="started" if source else "refused", source=source or "live",
            via=via[n] if via else "switch",
        )  # fmt: skip
        ms = 1000 * heard_s[n] if heard_s else 0
        made.append(Heard(began=began, ended=Listening(**event, kind="ended", heard_ms=ms)))
    return listened(made, {} if call_s is None else {key: call_s})


WORKED_OUT = {
    "received": lambda users, again: flow((users + again, "answered", 1)).received,
    "switch_answered": lambda answered, again: QueueSums(answered=answered, again=again).distinct,
    "abandoned": lambda hung_up, left: flow(
        (hung_up, "abandoned", 9), (left, "left", 9)).abandoned,
    "answer_rate": lambda served, all_: queue.answer_rate(
        flow((served, "answered", 1), (all_ - served, "waiting", 1))),
    "abandonment": lambda gone, served: queue.abandonment(
        flow((gone, "abandoned", 9), (served, "answered", 1))),
    "abandonment_noshort": lambda gone, short, served: queue.abandonment_noshort(
        flow((gone - short, "abandoned", 6), (short, "abandoned", 5), (served, "answered", 1))),
    "abandonment_received": lambda gone, all_: queue.abandonment_received(
        flow((gone, "abandoned", 9), (all_ - gone, "left", 1))),
    "sl_offered": lambda answered, soon, gone: levels(answered, soon, gone)["offered"],
    "sl_noshort": lambda answered, soon, gone, short: levels(
        answered, soon, gone, short=short)["noshort"],
    "sl_answered": lambda answered, soon: levels(answered, soon, 7)["answered"],
    "sl_removed": lambda *given: levels(*given)["removed"],
    "sl_all": lambda received, soon: queue.service_level(
        flow((soon, "answered", 20), (received - soon, "left", 20)))["all"],
    "asa_s": lambda *its: queue.asa(waited(*its)),
    "wait_p50_s": percentile(50),
    "wait_p90_s": percentile(90),
    "longest_wait_s": lambda *waits: queue.longest_wait({wait: 1} for wait in waits),
    "halves_met": goal,
    "aht_s": _calls(of.aht, "n", "talk_s", "hold_s", "wrap_s"),
    "aht_median_s": lambda *its: of.aht_median(spread_of(its)),
    "aht_p90_s": lambda *its: of.aht_p90(spread_of(its)),
    "talk_mean_s": _calls(of.talk_mean, "n", "talk_s"),
    "hold_mean_s": _calls(of.hold_mean, "n", "switch_n", "hold_s"),
    "consult_mean_s": _calls(of.consult_mean, "n", "switch_n", "consult_s"),
    "wrap_mean_s": _calls(of.wrap_mean, "n", "switch_n", "wrap_s"),
    "occupancy": lambda talk, dial, ready: states.occupancy(
        Load(talking=talk, dialing=dial, ready=ready)),
    "utilisation": lambda busy, ready, away_s: states.utilisation(
        Load(talking=busy, ready=ready, not_ready=away_s)),
    "logged_s": lambda ready, talk, away_s: Load(
        ready=ready, talking=talk, not_ready=away_s).logged_s,
    "not_ready": not_ready,
    "offered": lambda one, three, others: rung(one * three + others, no_answer=one).offered,
    "missed": rung_and_answered,
    "excused": lambda rings, *its: rung(
        rings, **dict(zip(("technical", "withdrawn", "caller_gave_up"), its, strict=True))
    ).excused,
    "failed": no_telephone,
    "pickup_rate": _calls(of.pickup_rate, "offered", "excused", "answered"),
    "handled": lambda *given: of.handled(handled(*given)),
    "distinct": lambda segments, more: of.distinct(handled(segments - more, more, 0)),
    "connect_rate": _calls(of.connect_rate, "connected", "dialed"),
    "transfer_rate": _calls(of.transfer_rate, "transferred", "answered"),
    "transfer_internal_rate": lambda *given: handed(*given)[0],
    "transfer_external_rate": lambda *given: handed(*given)[1],
    "typified": lambda *given: coded(*given).typified,
    "untyped": lambda *given: coded(*given).untyped,
    "retyped": retyped,
    "typified_rate": _calls(of.typified_rate, "typified", "untyped"),
    "negative": lambda codes, no: _negative(
        SimpleNamespace(people=SimpleNamespace(negative_codes={"9"})),
        Calls(codes={"9": no, "1": codes - no})),
    "automatic": lambda ticked, by_itself: ticks(ticked=ticked, automatic=by_itself).automatic,
    "ticked_share": lambda calls, steps, ticked: share(
        ticks(steps, ticked, calls).ticked, ticks(steps, ticked, calls).possible),
    "one_by_one_share": lambda calls, steps, ticked, block: share(
        (one := ticks(steps, ticked, calls, block)).ticked - one.block, one.possible),
    "evaluated_share": lambda assigned, done: share(
        (one := monitored(assigned, done)).done, one.assigned),
    "late_calls": lambda assigned, done, ahead: monitored(assigned, done, ahead).late,
    "heard_share": lambda heard, length: share(
        (one := monitored(1, 1, 0, heard, length)).heard_s, one.call_s),
    "pairs": seen_twice,
    "fcr": resolved,
    "absent": absent,
    "late_days": lambda *given: sum(one.raw_s > 0 for one in late(*given)),
    "late_s": _lated("raw_s"),
    "late_whole_s": _lated("whole_s"),
    "late_unexplained_s": _lated("unexplained_s"),
    "late_whole_unexplained_s": _lated("whole_unexplained_s"),
    "outside_s": outside,
    "stay_s": stayed,
    "no_exit": lambda i, o, again: stays("no_exit", (i, "in"), (o, "out"), (again, "in")),
    "no_entry": lambda first, i, o: stays("no_entry", (first, "out"), (i, "in"), (o, "out")),
    "orphans": lambda closed, unheard: sessions(
        *[(k, k + 1, "agent") for k in range(closed)],
        *[(60 + k, 61 + k, "unheard") for k in range(unheard)]).orphans,
    "impossible": lambda a, b, c, d: sessions((a, b, "agent"), (c, d, "agent")).impossible,
    "adherence": adherence,
    "absenteeism": states.absenteeism,
    "conformance": schedule.conformance,
    "shrinkage": shrinkage,
    "in_office": lost,
    "out_office": gone,
    "technical_s": faults,
    "help_asked": lambda named, others: helped([1] * (named + others)).requests,
    "help_met": lambda target, soon, wait, late, long, never: share(
        (one := helped(often(soon, wait, late, long), never=never, target=target)).met, one.due),
    "help_wait_p50_s": lambda *its: quantile(helped(often(*its)).waits, 50),
    "help_wait_p90_s": lambda *its: quantile(helped(often(*its)).waits, 90),
    "help_solve_p50_s": lambda *its: quantile(helped(solved=often(*its)).solves, 50),
    "help_solve_p90_s": lambda *its: quantile(helped(solved=often(*its)).solves, 90),
    "help_never": lambda taken, waiting, over: helped([1] * taken, (), over, waiting).never,
    "help_share": share,
    "listen_started": lambda live, recorded: heard(["live"] * live + ["recording"] * recorded)
    .started,
    "listen_heard_s": lambda *heard_s: heard(["recording"] * 2, heard_s).heard_s,
    "listen_share": lambda heard_s, call_s: share(
        heard(["recording"], [heard_s], call_s).known_s,
        heard(["recording"], [heard_s], call_s).call_s),
    "listen_refused": lambda all_, let: heard(["live"] * let + [None] * (all_ - let)).refused,
    "listen_outside": lambda live, asked: heard(
        ["live"] * live, via=["switch"] * asked + ["outside"] * (live - asked)).outside,
    "tickets": lambda told, by_hand: ticketed(told, 0, by_hand, "accept_due_utc", "taken_utc"
                                              ).tickets,
    "accept_met": lambda *its: met(ticketed(*its, "accept_due_utc", "taken_utc")),
    "solve_met": lambda *its: met(ticketed(*its, "solve_due_utc", "resolved_utc")),
    "lost_s": lost_time,
    "lost_calls": lost_calls,
    "operative": operative,
    "chosen_n": lambda done, undone, going: quality("chosen_n", *in_states(done, undone, going)),
    "evaluated_n": lambda drawn, undone, going: quality(
        "evaluated_n", *in_states(drawn - undone - going, undone, going)),
    "undone_n": lambda drawn, done, going: quality(
        "undone_n", *in_states(done, drawn - done - going, going)),
    "open_n": lambda drawn, done, undone: quality(
        "open_n", *in_states(done, undone, drawn - done - undone)),
    "pair_n": lambda drawn, done, undone: quality(
        "pair_n", *in_states(done, undone, pair=drawn - done - undone)),
    "raw_mean": lambda one, a, b, c, other, d, e: quality(
        "raw_mean", scored((one, a, b, c), (other, d, e))),
    "uncovered": lambda frame, beside: quality(
        "uncovered", scored((frame - beside, 90)),
        [msgspec.structs.replace(one, call=msgspec.structs.replace(
            one.call, pool=beside), stratum=("d", "a", "x")) for one in sampled("undone")]),
    "auto_fail": lambda all_, failed: quality(
        "auto_fail", sampled("counted", failed, failed="section"),
        sampled("counted", all_ - failed)),
    "pecuf": without("user"),
    "pecn": without("business"),
    "pecc": without("compliance"),
    "penc": lambda calls, applied, right: item_share([(right, applied)] * calls, 300).value,
    "contract_grade": lambda of_them, *scores: quality(
        "contract_grade", scored((of_them, *scores), of="score")),
}  # fmt: skip
OF_SCORES = {"raw_mean", "contract_grade"}
OF_HOURS = {  # of attendance and adherence, always h:mm:ss
    "late_s", "late_unexplained_s", "late_whole_s", "late_whole_unexplained_s", "technical_s",
    "lost_s",
}  # fmt: skip
STORED = {  # worked out by a whole report
    "referred": "con referencia", "users": "usuarios distintos", "agent_days": "jornadas",
    "again": "usuarios que volvieron a llamar", "again_share": "% que volvió a llamar",
}  # fmt: skip


def formulas(language):
    return {
        key.removeprefix("formula."): value
        for key, value in section("reports", language).items()
        if key.startswith("formula.")
    }


def example(key, language):
    """What goes in, and what is said to come out."""
    word = {"es": ". Ejemplo: ", "en": ". Example: "}[language]
    said = formulas(language)[key].partition(word)[2]
    given, _, result = said.rpartition(": ")
    assert given and result, (key, said)
    return [*numbers(given)], result


def written(key, value):
    if key in OF_SCORES:
        return f"{value:.1f}"
    if isinstance(value, float):
        return percent(value).replace("\u00a0", " ")
    if key in OF_HOURS:
        return long_clock(value)
    return clock(value) if key.endswith("_s") or key == "not_ready" else str(value)


def test_every_definition_has_an_example_that_is_worked_out():
    for language in ("es", "en"):
        wanted, there = formulas(language).keys(), {*WORKED_OUT, *STORED}
        assert wanted == there, (
            f"formula.KEY in {language}/reports.json and WORKED_OUT of this file differ by"
            f" {sorted(wanted ^ there)}"
        )


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("key", WORKED_OUT)
def test_the_example_of_a_definition_is_right(key, language):
    given, result = example(key, language)
    assert written(key, WORKED_OUT[key](*given)) == result


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


@pytest.mark.parametrize("key", STORED)
def test_the_example_of_what_a_whole_report_counts_is_right(place, key):
    given, result = example(key, "es")
    kind, scripts = "consolidado", [begun()]
    if key == "agent_days":
        agents, days = given
        kind = "asistencia"
        assert days == 1
        scripts = [
            Script(s=f"DIA-0123456789a{k}", agent=f"a00{k + 1}").boot().clock().login(0).ready(0)
            for k in range(agents)
        ]
    elif key in ("referred", "users"):
        calls, known, users = given
        for k in range(calls):
            called(scripts[0], f"c{k}", f"r{k % users}" if k < known else None)
    else:
        users, often, times = given
        for k in range(users):
            for n in range(times if k < often else 1):
                called(scripts[0], f"c{k}{n}", f"r{k}")
    value, _ = stated(place.take(*scripts).report(kind, now=LATER), STORED[key])
    assert written(key, value) == result
    assert example(key, "en")[0] == given


def test_the_examples_of_both_languages_have_the_same_numbers():
    for key in formulas("es"):
        assert example(key, "es")[0] == example(key, "en")[0], key


def test_fcr_says_its_days():
    assert f"en {WINDOW_DAYS} días" in formulas("es")["fcr"]


def test_the_readme_says_them_in_the_same_words():
    part = README.partition("### ¿Cómo se calcula?")[2].partition("</details>")[0]
    said = [line for line in part.splitlines() if line.startswith("- ")]
    assert sorted(said) == sorted(definitions.lines().values()), (
        "run `.venv/bin/python -m tests.definitions`, look at host_tools/README.md and commit"
    )


def test_the_lines_of_the_readme_are_renewed_in_their_places():
    first, second, *_ = definitions.lines().values()
    assert definitions.renewed(README) == README
    assert definitions.renewed(README.replace(first, first + "..")) == README
    assert f"{first}\n{second}\n" in definitions.renewed(README.replace(second + "\n", ""))
    more = README.replace(first, f"{first}\n- **of old**: nothing.")
    assert definitions.renewed(more) == README
