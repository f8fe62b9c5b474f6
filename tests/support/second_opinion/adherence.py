"""What was planned beside what was done (`adherencia`): adherence with its exceptions,
conformance, shrinkage with its parts, pauses, technical time. Seconds of UTC.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from . import desks, plan, raw
from .attendance import NEAR_S
from .states import PRIVATE, bounds

BUSY = ("talking", "held", "consulting", "dialing", "wrapup", "offered")
TECHNICAL = ("fault", "link")
LISTED_S = 300


class Deviation(NamedTuple):
    """`planned` None: work. `did`: work, logged_out, off, or why she was not ready."""

    start: int
    end: int
    planned: str | None
    did: str
    excuse: str | None


class Centre:
    def __init__(self, given, days, now_ms, wanted=lambda agent, day: True):
        self.given, self.days, self.now, self.wanted = given, list(days), now_ms // 1000, wanted
        self.found = desks.read(given)
        self.shown = desks.by_agent(self.found)
        self.reasons = plan.reasons(given, self.days[-1])
        around = [self.days[0] + timedelta(days=k) for k in range(-2, len(self.days) + 2)]
        self.plans = plan.plans(given, around)
        self.faults = {
            agent: desks.technical(self.found, agent, shown) for agent, shown in self.shown.items()
        }
        self.said = defaultdict(list)
        for one in given.told("attendance.justified"):
            if one.f.get("time"):
                self.said[one.f["a"]].append((one.f["time"] // 1000, one))
        self.shifts = {}
        for agent in {agent for agent, _ in self.plans}:
            its = sorted((p for (a, _), p in self.plans.items()
                          if a == agent and p.works and p.start < self.now),
                         key=lambda p: p.start)  # fmt: skip
            for number, planned in enumerate(its):
                before = its[number - 1] if number else None
                after = its[number + 1] if number + 1 < len(its) else None
                if planned.day in self.days and wanted(agent, planned.day):
                    self.shifts[agent, planned.day] = self._shift(planned, before, after)

    def _shift(self, planned, before, after):
        agent, now = planned.agent, self.now
        first, last = planned.start - NEAR_S, planned.end + NEAR_S
        if before:
            first = max(first, (before.end + planned.start) // 2)
        if after:
            last = min(last, (planned.end + after.start) // 2)
        shown = [
            (max(one[0], first), min(one[1], last), *one[2:])
            for one in self.shown.get(agent, []) if one[0] < last and one[1] > first
        ]  # fmt: skip
        end = min(planned.end, now)
        pauses, slid = self._pauses(planned, shown)
        pauses = [(a, min(b, end), why) for a, b, why in pauses if a < end]
        its = self._deviations(planned.start, end, pauses, shown, agent)
        present = bool(shown)
        length = end - planned.start
        plainly = [(a, min(b, end), why) for a, b, why in planned.pauses if a < end]
        excused = sum(d.end - d.start for d in its if d.excuse)
        short = sum(d.end - d.start for d in its if not d.excuse and d.end - d.start < LISTED_S)
        whole = sum(d.end - d.start for d in its)
        return {
            "shifts": 1, "idle": int(not present),
            "shift_s": length if present else 0,
            "exception_s": whole if present else 0,
            "excused_s": excused if present else 0,
            "short_s": short if present else 0,
            "slid": slid if present else 0,
            "followed_s": length - whole + excused if present else 0,
            "scheduled_s": length - sum(b - a for a, b, _ in plainly),
            "worked_s": sum(one[1] - one[0] for one in shown if self._works(one)),
            "credited_s": sum(d.end - d.start for d in its
                              if d.excuse == "technical" and d.planned is None),
            "listed": [d for d in its if present and d.end - d.start >= LISTED_S
                       and not self._private(d.planned) and not self._private(d.did)],
            "owed_s": plan.owed(planned, self.reasons, now),
        }  # fmt: skip

    def _works(self, one):
        state, reason = one[2], one[3]
        if state == "not_ready":
            return reason in self.reasons and self.reasons[reason].productive
        return state in BUSY or state == "ready"

    def _pauses(self, planned, shown):
        """A pause at whose beginning a call was under way begins when that is over."""
        busy = []
        for one in shown:
            if one[2] not in BUSY:
                continue
            if busy and busy[-1][1] == one[0]:
                busy[-1] = (busy[-1][0], one[1])
            else:
                busy.append((one[0], one[1]))
        pauses, slid = [], 0
        for start, end, reason in planned.pauses:
            late = next((until - start for since, until in busy if since < start < until), 0)
            slid += late > 0
            pauses.append((start + late, end + late, reason))
        return pauses, slid

    def _deviations(self, start, end, pauses, shown, agent):
        faults = [(a, b) for a, b, _ in self.faults.get(agent, [])]
        edges = {start, end}
        for a, b, *_ in [*pauses, *shown, *faults]:
            edges |= {edge for edge in (a, b) if start < edge < end}
        found = []
        edges = sorted(edges)
        for a, b in pairwise(edges):
            one = next((one for one in shown if one[0] <= a < one[1]), None)
            planned = next((why for since, until, why in pauses if since <= a < until), None)
            works = one is not None and self._works(one)
            if works == (planned is None):
                continue
            technical = any(since <= a < until for since, until in faults)
            excuse = self._excuse(planned, one, technical)
            did = "logged_out"
            if one is not None and one[2] == "not_ready":
                did = one[3]
            elif one is not None:
                did = "work" if works else one[2]
            if found and found[-1].end == a and found[-1][2:] == (planned, did, excuse):
                found[-1] = found[-1]._replace(end=b)
            else:
                found.append(Deviation(a, b, planned, did, excuse))
        for number, one in enumerate(found):
            for second, said in self.said[agent]:
                if one.excuse is None and one.start <= second < one.end:
                    found[number] = one._replace(excuse=said.f["reason"])
        return [one for one in found if one.start < one.end]

    def _private(self, code):
        return code == PRIVATE or (code in self.reasons and self.reasons[code].private)

    def _excuse(self, planned, one, technical):
        reason = one[3] if one is not None and one[2] == "not_ready" else None
        if technical or reason in TECHNICAL:
            return "technical"
        if self._private(planned) or self._private(reason):
            return "private"
        if one is not None and one[2] == "not_ready" and one[4] == "supervisor":
            return "supervisor"
        if reason in self.reasons and self.reasons[reason].productive:
            return "productive"
        return None

    def absences(self):
        """By agent and day."""
        return {
            (agent, day): planned
            for (agent, day), planned in self.plans.items()
            if day in self.days and self.wanted(agent, day)
            and planned.absence and planned.absence != plan.DAY_OFF
            and plan.moment(day, "00:00", self.given.zone) <= self.now
        }  # fmt: skip

    def done(self, of):
        """By `of(agent, day)`."""
        found = defaultdict(Counter)
        for (agent, day), shift in self.shifts.items():
            for name, value in shift.items():
                if name != "listed":
                    found[of(agent, day)][name] += value
        for agent, day in self.absences():
            found[of(agent, day)]["absences"] += 1
        return found

    def summary(self):
        whole = self.done(lambda agent, day: None)[None]
        due = sum(shift["owed_s"] for shift in self.shifts.values())
        idle = sum(shift["owed_s"] for shift in self.shifts.values() if shift["idle"])
        lost = Counter()
        its = self.shrinkage()
        for part in its.values():
            lost.update(part)
        figures = shares(lost)
        present = whole["shifts"] - whole["idle"]
        return {
            "adherence": (raw.percent(whole["followed_s"], whole["shift_s"]), present),
            "absenteeism": (raw.percent(idle, due), whole["shifts"]),
            "conformance": (
                raw.percent(whole["worked_s"] + whole["credited_s"], whole["scheduled_s"]),
                whole["shifts"]),
            "shrinkage": (figures["shrinkage"], len(its)),
            "in_office": (figures["in_office"], len(its)),
            "out_office": (figures["out_office"], len(its)),
            "technical_s": (sum(self.technical().values()), len(self.technical())),
        }  # fmt: skip

    # -- what is no shift's: by the calendar

    def _within(self, agent):
        """[start, end) of her days that are asked for."""
        return [bounds(day, self.given.zone) for day in self.days if self.wanted(agent, day)]

    def _pauses_of(self, agent):
        """Each time she was not ready, whole: (start, end, reason, by the system)."""
        found = []
        for one in self.shown.get(agent, []):
            if one[2] != "not_ready":
                continue
            if found and found[-1][1] == one[0] and found[-1][2] == one[3]:
                found[-1] = (found[-1][0], one[1], one[3])
            else:
                found.append((one[0], one[1], one[3]))
        return found

    def pauses(self):
        """By agent and reason: seconds, pauses, over_n, over_s."""
        found = {}
        for agent in self.shown:
            for start, end, why in self._pauses_of(agent):
                known = self.reasons.get(why)
                private = self._private(why)
                limit = known.limit if known is not None and not private else 0
                for first, last in self._within(agent):
                    seconds = common(start, end, first, last)
                    began = first <= start < last
                    if not seconds and not began:
                        continue
                    cell = found.setdefault((agent, PRIVATE if private else why), {
                        "seconds": 0, "pauses": None if private else 0,
                        "over_n": 0 if limit else None, "over_s": 0 if limit else None,
                    })  # fmt: skip
                    cell["seconds"] += seconds
                    if not private:
                        cell["pauses"] += began
                    if limit:
                        cell["over_n"] += began and end - start > limit
                        cell["over_s"] += common(start + limit, end, first, last)
        return found

    def shrinkage(self):
        """By agent, who has any."""
        found = defaultdict(Counter)
        for agent, shown in self.shown.items():
            faults = [(a, b) for a, b, _ in self.faults[agent]]
            whole = self._pauses_of(agent)
            for first, last in self._within(agent):
                for start, end, state, reason, by in shown:
                    a, b = max(start, first), min(end, last)
                    if a >= b:
                        continue
                    lost = found[agent]
                    lost["basis_s"] += b - a
                    if state == "off":
                        lost["technical_part_s"] += b - a
                    if state == "not_ready":
                        self._away(lost, a, b, reason, by, faults, whole)
        for (agent, _), planned in self.absences().items():
            if planned.start is not None:
                seconds = plan.owed(planned, self.reasons, self.now)
                part = "unpaid" if planned.absence == plan.WITHOUT_PAY else "paid"
                found[agent][f"{part}_absence_s"] += seconds
                found[agent]["basis_s"] += seconds
        for (agent, _), shift in self.shifts.items():
            if shift["idle"]:
                found[agent]["unplanned_s"] += shift["owed_s"]
                found[agent]["basis_s"] += shift["owed_s"]
        return {agent: lost for agent, lost in found.items() if any(lost.values())}

    def _away(self, lost, start, end, reason, by, faults, whole):
        known = self.reasons.get(reason)
        paid = by == "system" or reason == PRIVATE or (known is not None and known.paid)
        pause = next(one for one in whole if one[0] <= start < one[1])
        limit = known.limit if known is not None else 0
        edges = {start, end, *(edge for fault in faults for edge in fault)}
        if limit:
            edges.add(pause[0] + limit)
        edges = sorted(edge for edge in edges if start <= edge <= end)
        for a, b in pairwise(edges):
            technical = reason in TECHNICAL or any(x <= a < y for x, y in faults)
            over = limit and a >= pause[0] + limit
            if technical:
                lost["technical_part_s"] += b - a
            elif known is not None and known.productive:
                lost["training_part_s"] += b - a
            elif over:
                lost["over_part_s"] += b - a
            elif paid:
                lost["auxiliary_part_s"] += b - a
            else:
                lost["basis_s"] -= b - a

    def technical(self):
        """By agent, station, area and part of the fault, and its cause."""
        found = Counter()
        for agent, faults in self.faults.items():
            for start, end, press in faults:
                for first, last in self._within(agent):
                    seconds = common(start, end, first, last)
                    if seconds:
                        where = agent, press.s, press.area or "", press.part or ""
                        found[*where, press.cause or ""] += seconds
        return found


def common(start, end, first, last):
    return max(0, min(end, last) - max(start, first))


PARTS = ("technical_part_s", "training_part_s", "over_part_s", "auxiliary_part_s",
         "paid_absence_s", "unpaid_absence_s", "unplanned_s")  # fmt: skip


def shares(lost):
    inside = sum(lost[part] for part in PARTS[:4])
    outside = sum(lost[part] for part in PARTS[4:])
    return {
        "shrinkage": raw.percent(inside + outside, lost["basis_s"]),
        "in_office": raw.percent(inside, lost["basis_s"]),
        "out_office": raw.percent(outside, lost["basis_s"]),
    }


def ratios(cell):
    """The shares of a row of what was done."""
    return {
        "adherence": raw.percent(cell["followed_s"], cell["shift_s"]),
        "conformance": raw.percent(cell["worked_s"] + cell["credited_s"], cell["scheduled_s"]),
    }
