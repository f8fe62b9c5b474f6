"""Attendance (`asistencia`): the worker's own marks as corrected, in pairs, beside her shift and
her logins; the register of DS 004-2006-TR. Times are milliseconds of UTC, durations seconds.
"""

from datetime import timedelta

from . import desks, plan, raw

LONGEST_MS = 16 * 3_600_000
NEAR_S = 8 * 3600


class Hour:
    """A mark as it counts, or an hour that a correction gives. `made`: her own, that way."""

    def __init__(self, key, utc, direction, made):
        self.keys, self.utc, self.direction, self.made = [key], utc, direction, made
        self.fixes = []


class Stay:
    def __init__(self, day, entry=None, exit=None):
        self.day, self.entry, self.exit, self.again = day, entry, exit, None
        self.made_in = entry.made if entry else None
        self.made_out = exit.made if exit else None
        self.state = ""

    def ends(self, hour):
        if self.exit:
            hour.keys += self.exit.keys
        self.exit = hour
        self.made_out = self.made_out if hour.made is None else hour.made

    def repeats(self, hour):
        """An entry after another one."""
        if self.again:
            self.entry.keys += self.again.keys
        self.again = hour
        self.made_in = hour.made if self.made_in is None else self.made_in

    @property
    def both(self):
        return self.entry is not None and self.exit is not None

    @property
    def seconds(self):
        return self.exit.utc // 1000 - self.entry.utc // 1000 if self.both else None

    def within(self, start_s, end_s):
        """Seconds of it in [start, end)."""
        return max(0, min(self.exit.utc // 1000, end_s) - max(self.entry.utc // 1000, start_s))

    @property
    def keys(self):
        return [key for hour in (self.entry, self.exit, self.again) if hour for key in hour.keys]


class Day:
    def __init__(self, agent, day, planned):
        self.agent, self.day, self.plan = agent, day, planned
        self.marks, self.fixes, self.stays, self.sessions = [], [], [], []


def key(event):
    return event.s, event.e, event.n


def hours(marks, fixes):
    """Of one agent. The last word on a mark counts; a correction of none gives an hour."""
    its = {key(mark): Hour(key(mark), mark.utc, mark.f["direction"], mark.utc) for mark in marks}
    for fix in fixes:
        if fix.k != "attendance.corrected":
            continue
        of = tuple(fix.f.get("of") or ())
        if of:
            hour = its.get(of)
            if hour is None:
                continue
        else:
            hour = its[key(fix)] = Hour(key(fix), 0, fix.f["direction"], None)
        if fix.f["direction"] != hour.direction:
            hour.direction, hour.made = fix.f["direction"], None
        hour.utc = fix.f["time"]
        hour.fixes.append(fix)
    return sorted(its.values(), key=lambda one: one.utc)


def paired(its, day_of):
    stays = []
    for hour in its:
        last = stays[-1] if stays else None
        if hour.direction == "in":
            day = day_of(hour.utc, False)
            if last and last.entry and not last.exit and last.day == day:
                last.repeats(hour)
            else:
                stays.append(Stay(day, entry=hour))
            continue
        if last and last.entry and not last.exit:
            if hour.utc - last.entry.utc <= LONGEST_MS:
                last.ends(hour)
                continue
            if last.again and hour.utc - last.again.utc <= LONGEST_MS:
                again, last.again = last.again, None
                stays.append(Stay(day_of(again.utc, False), entry=again, exit=hour))
                continue
        elif (
            last
            and last.exit
            and day_of(last.exit.utc, True) == day_of(hour.utc, True)
            and (not last.entry or hour.utc - last.entry.utc <= LONGEST_MS)
        ):
            last.ends(hour)
            continue
        stays.append(Stay(day_of(hour.utc, True), exit=hour))
    return stays


class Centre:
    """Everything of the days asked for. `several`: the site lets her be at several desks."""

    def __init__(self, given, days, now_ms, found=None):
        self.given, self.days, self.now = given, list(days), now_ms
        self.zone = given.zone
        known = sorted(given.people)
        around = [self.days[0] + timedelta(days=k) for k in range(-3, len(self.days) + 3)]
        self.plans = plan.plans(given, around)
        setting = given.on(known[-1], "settings")
        self.several = bool(setting) and setting[0]["Logueo en otra posición"] == "Se permite"
        found = found or desks.read(given)
        self.sessions = [one for one in found.sessions if one.open is not None]
        self.its = {}
        for agent in self._agents():
            self._of(agent)

    def _agents(self):
        marks = self.given.told("attendance.marked")
        return sorted(
            {one.f["a"] for one in marks if one.f.get("a")}
            | {agent for agent, _ in self.plans}
            | {one.agent for one in self.sessions}
            | {one.f["a"] for one in self.given.told("attendance.corrected",
                                                     "attendance.justified")}
        )  # fmt: skip

    def at(self, agent, day):
        if (agent, day) not in self.its:
            self.its[agent, day] = Day(agent, day, self.plans.get((agent, day)))
        return self.its[agent, day]

    def _day_of(self, agent):
        shifts = [(p.start, p.end, day) for (a, day), p in self.plans.items()
                  if a == agent and p.start is not None]  # fmt: skip

        def day_of(utc, leaves):
            utc = utc // 1000
            inside = [day for start, end, day in shifts if start <= utc < end + leaves]
            if inside:
                return min(inside)
            near = [(min(abs(utc - start), abs(utc - end)), day) for start, end, day in shifts]
            if near and min(near)[0] <= NEAR_S:
                return min(near)[1]
            return raw.day_of(utc, self.zone)

        return day_of

    def _of(self, agent):
        marks = [one for one in self.given.told("attendance.marked")
                 if one.f.get("a") == agent and one.utc is not None]  # fmt: skip
        fixes = [one for one in self.given.told("attendance.corrected", "attendance.justified")
                 if one.f["a"] == agent]  # fmt: skip
        fixes.sort(key=key)
        day_of = self._day_of(agent)
        stays = paired(hours(marks, fixes), day_of)
        for stay in stays:
            self.at(agent, stay.day).stays.append(stay)
        of_key = {its: stay for stay in stays for its in stay.keys}
        for mark in marks:
            self.at(agent, of_key[key(mark)].day).marks.append(mark)
        for fix in fixes:
            of = tuple(fix.f.get("of") or ()) or key(fix)
            if of in of_key:
                self.at(agent, of_key[of].day).fixes.append(fix)
            elif fix.f.get("day"):
                day = next((day for day in self.days if day.isoformat() == fix.f["day"]), None)
                if day:
                    self.at(agent, day).fixes.append(fix)
            elif fix.f.get("time"):
                day = day_of(fix.f["time"], fix.f.get("direction") == "out")
                self.at(agent, day).fixes.append(fix)
        for one in self.sessions:
            if one.agent != agent:
                continue
            inside = [stay.day for stay in stays
                      if stay.both and stay.entry.utc <= one.open < stay.exit.utc]  # fmt: skip
            day = inside[0] if inside else day_of(one.open, False)
            self.at(agent, day).sessions.append(one)
        for (a, day), planned in self.plans.items():
            if a == agent and planned:
                self.at(agent, day)
        self._states(agent, stays)

    def _states(self, agent, stays):
        for stay in stays:
            if stay.both:
                continue
            if not stay.entry:
                stay.state = "no_entry"
                continue
            planned = self.plans.get((agent, stay.day))
            shift = planned if planned and planned.start is not None else None
            logged = any(one.agent == agent and not one.over for one in self.sessions)
            there = (
                stay is stays[-1]
                and self.now - stay.entry.utc <= LONGEST_MS
                and (logged or shift is None or self.now < shift.end * 1000)
            )
            stay.state = "going" if there else "no_exit"

    def rows(self):
        """What the tables say of each agent and day."""
        wanted = set(self.days)
        return [self._row(one) for (_, day), one in sorted(self.its.items()) if day in wanted]

    def _row(self, one):
        one.stays.sort(key=lambda stay: (stay.entry or stay.exit).utc)
        own = {way: [mark.utc for mark in one.marks if mark.f["direction"] == way]
               for way in ("in", "out")}  # fmt: skip
        came = next((stay for stay in one.stays if stay.entry), None)
        entry = came.entry if came else None
        exit = one.stays[-1].exit if one.stays else None
        shift = one.plan if one.plan and one.plan.start is not None else None
        explained = self._explained(one)
        first = came and (came.entry.utc if came.made_in is None else came.made_in)
        late = lateness(one.plan, first)
        first_in = min(own["in"], default=None)
        last_out = max(own["out"], default=None)
        one.sessions.sort(key=lambda session: session.open)
        first_login = one.sessions[0].open if one.sessions else None
        going = any(not session.over for session in one.sessions)
        last_logout = max((s.close for s in one.sessions if s.close is not None), default=None)
        both = [stay for stay in one.stays if stay.both]
        begun = one.plan is not None and one.plan.works and one.plan.start * 1000 <= self.now
        login_late = lateness(one.plan, first_login)
        return {
            "agent": one.agent, "day": one.day,
            "planned_in": shift.start * 1000 if shift else None,
            "planned_out": shift.end * 1000 if shift else None,
            "first_in": first_in, "last_out": last_out,
            "corrected_in": other(entry, first_in),
            "corrected_out": other(exit, last_out),
            "late_s": late and late[0], "late_whole_s": late and late[1],
            "explained": explained if late else None,
            "stay_s": sum(stay.seconds for stay in both) if both else None,
            "outside_s": sum(self.outside(one, stay) for stay in both) if both else None,
            "marks": len(one.marks), "corrections": len(one.fixes),
            "to_settle": sum(stay.state in ("no_entry", "no_exit") for stay in one.stays),
            "first_login": first_login, "last_logout": last_logout,
            "late_login_s": login_late and login_late[0],
            "mark_to_login_s": between(first_in, first_login),
            "logout_to_mark_s": between(last_logout, last_out),
            "sessions": len(one.sessions),
            "orphans": sum(
                not s.heard if s.over else self.now - s.open > LONGEST_MS
                for s in one.sessions
            ),
            "impossible": self._impossible(one),
            "logged_in": int(going),
            "begun": begun,
            "absent": begun and not any(stay.entry or stay.exit for stay in one.stays),
            "stays": one.stays,
        }  # fmt: skip

    def outside(self, one, stay):
        """Of a stay with both what lies outside of the shift, as a whole day without one does."""
        if one.plan is None or not one.plan.works:
            return stay.seconds
        return stay.seconds - stay.within(one.plan.start, one.plan.end)

    def _explained(self, one):
        """The last justification of when she came: of the day, or of one of her entries."""
        entries = {its for stay in one.stays for hour in (stay.entry, stay.again) if hour
                   for its in hour.keys}  # fmt: skip
        said = None
        for fix in one.fixes:
            if fix.k != "attendance.justified" or fix.f.get("time"):
                continue
            of = tuple(fix.f.get("of") or ())
            if not of or of in entries:
                said = fix.f["reason"]
        return said

    def _impossible(self, one):
        count, until = 0, None
        for session in one.sessions:
            end = session.open if session.over else self.now
            end = end if session.close is None else session.close
            wrong = session.over and not 0 <= end - session.open <= LONGEST_MS
            over = until is not None and session.open < until and not self.several
            count += wrong or over
            if not wrong:
                until = max(until or 0, end)
        return count

    def register(self):
        """A row for each entry with its exit, of the days asked for."""
        found = []
        for (_, day), one in sorted(self.its.items()):
            if day not in set(self.days):
                continue
            for stay in one.stays:
                entry = stay.entry.utc if stay.entry else None
                exit = stay.exit.utc if stay.exit else None
                found.append({
                    "agent": one.agent, "date": day, "state": stay.state,
                    "entry": stay.made_in, "exit": stay.made_out,
                    "corrected_entry": entry if entry != stay.made_in else None,
                    "corrected_exit": exit if exit != stay.made_out else None,
                    "stay_s": stay.seconds,
                    "outside_s": self.outside(one, stay) if stay.both else None,
                })  # fmt: skip
        return found


def other(hour, own):
    """What stands in place of her own mark."""
    return hour.utc if hour and hour.utc != own else None


def between(first, last):
    return None if None in (first, last) else (last - first) // 1000


def lateness(planned, utc):
    """(beyond the tolerance, whole once it has passed); None without shift or hour."""
    if planned is None or not planned.works or utc is None:
        return None
    whole = utc // 1000 - planned.start
    beyond = max(0, whole - planned.tolerance)
    return beyond, whole if beyond else 0


def summary(rows):
    late = [row for row in rows if row["late_s"] is not None]
    stays = [stay for row in rows for stay in row["stays"]]
    due = [row for row in rows if row["begun"]]
    given = [row for row in rows if row["outside_s"] is not None]
    return {
        "agent_days": (len(rows), None),
        "absent": (sum(row["absent"] for row in due), len(due)),
        "late_days": (sum(row["late_s"] > 0 for row in late), len(late)),
        "late_s": (sum(row["late_s"] for row in late), len(late)),
        "late_whole_s": (sum(row["late_whole_s"] for row in late), len(late)),
        "late_unexplained_s": (
            sum(row["late_s"] for row in late if not row["explained"]), len(late)),
        "late_whole_unexplained_s": (
            sum(row["late_whole_s"] for row in late if not row["explained"]), len(late)),
        "outside_s": (sum(row["outside_s"] for row in given), len(given)),
        "no_exit": (sum(stay.state == "no_exit" for stay in stays),
                    sum(stay.entry is not None for stay in stays)),
        "no_entry": (sum(stay.state == "no_entry" for stay in stays),
                     sum(stay.exit is not None for stay in stays)),
        "orphans": (sum(row["orphans"] for row in rows), None),
        "impossible": (sum(row["impossible"] for row in rows), None),
    }  # fmt: skip
