"""Figures of people and their time, worked out a second time from what the centre gives out: each
counted and timed cell of the reports' JSON is the same.
"""

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from diadema.report.formats import as_json
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.words import section
from hypothesis import HealthCheck, given, settings

from tests.support.examples import examples
from tests.support.given_out import give_out
from tests.support.peopled import PLACES, REASONS, Told, days, lived
from tests.support.second_opinion import adherence, attendance, raw, states
from tests.support.second_opinion.asked import Whole
from tests.support.second_opinion.centre import Centre
from tests.support.second_opinions import differences

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
WORDS = section("reports", "es")
COLUMN = {word: key.removeprefix("col.") for key, word in WORDS.items() if key.startswith("col.")}
NAMED = {word: key.removeprefix("reason.") for key, word in WORDS.items() if key[:7] == "reason."}
NAMED[WORDS["reason.private"]] = states.PRIVATE
CODES = {one["label"]: one["code"] for one in REASONS}


class Both:
    """A centre's reports, and the second engine over what it gives out."""

    def __init__(self, centre, root, first, now_s):
        self.centre, self.now = centre, now_s * 1000
        self.first = first
        folder = give_out(centre.data, Path(root) / "given", sorted(centre.days))
        self.given = raw.read(folder)

    def report(self, kind, grain="week", day=None, scope=None):
        span = around(grain, day or self.first)
        made = make(self.centre.data, kind, span, scope or Scope(), self.now)
        told = as_json.fields(made)
        its = {one["section"]: one for one in told["sections"]}
        return its, [span.first + timedelta(days=k)
                     for k in range((span.last - span.first).days + 1)]  # fmt: skip


def wanted(given, team):
    """Whether she is of that team on that day."""

    def has(agent, day):
        rows = {row["Código"]: row["Equipo"] for row in given.on(day, "agents")}
        return team is None or rows.get(agent) == team

    return has


def scope(team):
    return Scope(of="team", code=team) if team else Scope()


def same(theirs, mine, names, key, total=None):
    """Rows by their key, cell by cell; and the sums of their columns."""
    keyed = {key(row): row for row in theirs["rows"]}
    assert len(keyed) == len(theirs["rows"]), f"{theirs['section']}: a row twice"
    assert set(keyed) == set(mine), (theirs["section"], set(keyed) ^ set(mine))
    rows = [(at, keyed[at], row, names) for at, row in mine.items()]
    if total is not None and theirs["rows"]:
        rows.append(("total", theirs["total"], total, total))
    wrong = [
        (theirs["section"], at, name, "says", row[name], "right", its[name])
        for at, row, its, cells in rows
        for name in cells
        if row[name] != its[name]
    ]
    assert not wrong, wrong


def alike(theirs, mine):
    wrong = {key: (theirs.get(key), mine.get(key)) for key in {*theirs, *mine}
             if theirs.get(key) != mine.get(key)}  # fmt: skip
    assert not wrong, wrong


def summed(rows, names):
    found = {}
    for name in names:
        known = [row[name] for row in rows if row[name] is not None]
        found[name] = sum(known) if known else None
    return found


def figures(told):
    return {
        COLUMN[row["figure"]]: (row["value"]["value"], row["n"]) for row in told["summary"]["rows"]
    }


# -- the reports of one span


def reason_code(label):
    return CODES.get(label) or NAMED.get(label, label)


def check_load(both, grain="week", day=None, team=None):
    """With its calls, by the same comparison as those."""
    span, of = around(grain, day or both.first), scope(team)
    whole = Whole(both.given, span.last)
    data = both.centre.data
    for kind in ("tmo", "intradia"):
        found = differences(data, whole, kind, span, both.now, of.of, of.code)
        assert not found, (kind, found)


MARKS = ("planned_in", "first_in", "corrected_in", "planned_out", "last_out", "corrected_out",
         "late_s", "late_whole_s", "stay_s", "outside_s", "marks", "corrections",
         "to_settle")  # fmt: skip
LOGINS = ("first_login", "last_logout", "late_login_s", "mark_to_login_s", "logout_to_mark_s",
          "sessions", "orphans", "impossible", "logged_in")  # fmt: skip
ADDED = ("late_s", "late_whole_s", "stay_s", "outside_s", "marks", "corrections", "to_settle")
LEGAL = ("entry", "exit", "corrected_entry", "corrected_exit", "stay_s", "outside_s")


def check_attendance(both, grain="week", day=None, team=None):
    told, span = both.report("asistencia", grain, day, scope(team))
    has = wanted(both.given, team)
    mine = attendance.Centre(both.given, span, both.now)
    rows = [row for row in mine.rows() if has(row["agent"], row["day"])]
    keyed = {(row["agent"], row["day"].isoformat()): row for row in rows}
    same(told["marks"], keyed, MARKS, lambda row: (row["code"], row["day"]),
         summed(rows, ADDED))  # fmt: skip
    logins = {at: row for at, row in keyed.items() if row["sessions"] or row["marks"]}
    same(told["logins"], {at: logins.get(at, keyed[at]) for at in
                          [(row["code"], row["day"]) for row in told["logins"]["rows"]]},
         LOGINS, lambda row: (row["code"], row["day"]))  # fmt: skip
    assert {at for at, row in keyed.items() if row["sessions"]} <= {
        (row["code"], row["day"]) for row in told["logins"]["rows"]
    }
    for row in told["marks"]["rows"]:
        its = keyed[row["code"], row["day"]]
        assert bool(row["explained"]) == bool(its["explained"]), row
    mine_legal = Counter(
        (f"Asesor {row['agent']}", row["date"].isoformat(), *(row[name] for name in LEGAL))
        for row in mine.register() if has(row["agent"], row["date"])
    )  # fmt: skip
    theirs_legal = Counter(
        (row["worker"], row["date"], *(row[name] for name in LEGAL))
        for row in told["register_of_marks"]["rows"]
    )
    assert theirs_legal == mine_legal, (theirs_legal - mine_legal, mine_legal - theirs_legal)
    unsettled = Counter(
        (row["agent"], *(row[f"corrected_{way}"] or row[way] for way in ("entry", "exit")))
        for row in mine.register()
        if row["state"] in ("no_entry", "no_exit") and has(row["agent"], row["date"])
    )
    assert unsettled == Counter(
        (row["code"], row["entry"], row["exit"]) for row in told["to_settle"]["rows"]
    )
    alike(figures(told), attendance.summary(rows))


DONE = ("shifts", "idle", "absences", "shift_s", "exception_s", "excused_s", "short_s", "slid",
        "followed_s", "scheduled_s", "worked_s", "credited_s")  # fmt: skip
SPENT = ("seconds", "pauses", "over_n", "over_s")
LOST = ("basis_s", *adherence.PARTS)


def check_adherence(both, grain="week", day=None, team=None):
    told, span = both.report("adherencia", grain, day, scope(team))
    mine = adherence.Centre(both.given, span, both.now, wanted(both.given, team))
    stage = Centre(both.given, span[-1]).stage
    tables = [
        ("adherence_agents", lambda agent, day: agent, "code"),
        ("adherence_days", lambda agent, day: day.isoformat(), "day"),
        ("adherence_stages", lambda agent, day: states.floor(stage(agent, day)), "stage"),
    ]
    for key, of, at in tables:
        if key not in told:
            assert at != "code" and (grain == "day" or at == "stage")
            assert at != "stage" or set(mine.done(of)) <= {"piso"}
            continue
        done = {
            name: {part: cell[part] for part in DONE} | adherence.ratios(cell)
            for name, cell in mine.done(of).items()
        }
        same(told[key], done, (*DONE, "adherence", "conformance"), lambda row, at=at: row[at],
             summed(done.values(), DONE))  # fmt: skip
    listed = Counter(
        (agent, day.isoformat(), 1000 * one.start, 1000 * one.end, one.excuse is not None)
        for (agent, day), shift in mine.shifts.items()
        for one in shift["listed"]
    )  # fmt: skip
    said = Counter(
        (row["code"], row["day"], row["from"], row["to"], bool(row["excused_by"]))
        for row in told["exceptions"]["rows"]
    )
    assert said == listed, (said - listed, listed - said)
    lost = {
        agent: {name: cell[name] for name in LOST}
        | {"shrinkage": adherence.shares(cell)["shrinkage"]}
        for agent, cell in mine.shrinkage().items()
    }
    same(told["shrinkage_agents"], lost, (*LOST, "shrinkage"), lambda row: row["code"],
         summed(lost.values(), LOST))  # fmt: skip
    spent = mine.pauses()
    same(told["pauses_agents"], spent, SPENT,
         lambda row: (row["code"], reason_code(row["reason"])),
         summed(spent.values(), SPENT))  # fmt: skip
    faults = Counter()
    for (agent, s, *_), seconds in mine.technical().items():
        faults[agent, f"P-{s[-2:]}"] += seconds
    assert faults == sum(
        (Counter({(row["code"], row["seat"]): row["technical_s"]})
         for row in told["technical"]["rows"]), Counter())  # fmt: skip
    alike(figures(told), mine.summary())


CHECKS = (check_load, check_attendance, check_adherence)


@settings(deadline=None, max_examples=examples(20), suppress_health_check=SLOW)
@given(days())
def test_random_days_agree_in_every_cell(told):
    with tempfile.TemporaryDirectory() as root:
        centre, _ = lived(Path(root) / "data", told)
        now = centre.at(told.first + timedelta(days=5), 12)
        both = Both(centre, root, told.first, now)
        for check in CHECKS:
            check(both)


READY, SERVED, HELD, RANG, DIALLED, CUT, FAULT, MENDED = 0, 3, 4, 5, 6, 7, 8, 9
IN_CALL, TAUGHT, TECHNICAL, TAP, PERSONAL, AWAY = 10, 11, 12, 13, 14, 15
LIVES = [
    [  # a night over the change of the clock; she moves to another team
        ("N", None, 900, 0, 9, [(READY, 3000, 1), (SERVED, 2400, 99), (AWAY, 5400, 1),
                                (CUT, 600, 301), (READY, 9000, 2)], 0),
        ("N", None, -600, 2, 3, [(READY, 5300, 5), (SERVED, 40, 700), (FAULT, 900, 0),
                                 (AWAY, 1800, 2), (MENDED, 400, 0), (READY, 3000, 0)], 1),
        ("N", None, 200, 0, 30, [(IN_CALL, 700, 3), (TECHNICAL, 800, 0), (MENDED, 60, 0),
                                 (AWAY, 4000, 0), (READY, 8000, 9)], 0),
        ("M", "vacation", 0, 0, 0, [], 0),
    ],
    [  # a second turn, a forgotten entry; nesting from the third day on
        ("M", None, 700, 0, 2, [(READY, 6400, 3), (HELD, 900, 50), (AWAY, 700, 1),
                                (PERSONAL, 400, 1), (READY, 9000, 4), (AWAY, 3600, 0)], 1),
        ("M", None, 0, 1, 8, [(READY, 3600, 0), (TAUGHT, 3000, 0), (DIALLED, 60, 7),
                              (CUT, 1000, 900), (AWAY, 200, 4)], 0),
        (None, None, 0, 0, 5, [(RANG, 600, 0), (READY, 600, 0), (RANG, 30, 1)], 0),
        ("T", None, -300, 0, 7, [(READY, 400, 0), (AWAY, 1200, 3), (RANG, 90, 2)], 0),
    ],
    [  # nobody came, leave with and without pay, a tap more, a fault that nobody sees to
        ("T", None, 0, 0, 0, [], 0),
        ("M", "unpaid_permission", 0, 0, 0, [], 0),
        ("M", None, 1200, 3, 1, [(TAP, 60, 0), (FAULT, 5000, 1), (AWAY, 4000, 1)], 0),
        ("M", None, 60, 0, 1, [(AWAY, 4000, 1), (READY, 3000, 8), (SERVED, 9, 9)], 1),
    ],
]  # fmt: skip
SAID = [(0, 1, -900), (2, 0, -4000), (4, 3, 600), (5, 2, 0), (6, 1, 0), (7, 1, 0), (8, 1, 3000)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("zone", ["America/Santiago", "America/New_York"])
def test_days_with_everything_agree_by_day_week_month_and_team(tmp_path, zone, late):
    first = dict(PLACES)[zone]
    centre, _ = lived(tmp_path / "data", Told(zone, first, False, LIVES, SAID, late))
    both = Both(centre, tmp_path, first, centre.at(first + timedelta(days=3), 17, 30))
    spans = [("week", first, None), ("month", first, None), ("week", first, "Norte"),
             ("week", first, "Sur"), ("day", first + timedelta(days=2), None)]  # fmt: skip
    for grain, day, team in spans:
        for check in CHECKS:
            check(both, grain, day, team)
    told = {kind: both.report(kind)[0] for kind in ("tmo", "asistencia", "adherencia")}
    assert late or told["tmo"]["load_agents"]["total"]["off"] > 0
    assert told["adherencia"]["technical"]["total"]["technical_s"] > 0
    assert min(told["adherencia"]["adherence_agents"]["total"][name] for name in (
        "idle", "absences", "exception_s", "excused_s", "short_s", "credited_s")) > 0  # fmt: skip
    assert told["asistencia"]["marks"]["total"]["to_settle"] > 0
    assert len(told["asistencia"]["corrections"]["rows"]) > 3
