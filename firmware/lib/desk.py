"""What the station knows about its agent's work: a fold over the journal's events.

Nothing changes it but `apply(event)`, live and at boot alike, so what is shown is what is on
flash. What an event of the kind `contact.muted` changes is in `_contact_muted`. `snapshot`
carries it across a sector's start, `lib.start` takes it up again.
"""

import json

from micropython import const

UNCODED = "SIN_TIPIFICAR"
PENDING = const(3)
_RECENT = const(8)
_SHIFT_MIN = const(960)
_RECORD_LIMIT = const(512)  # bytes, of the journal's
MARKS_SINCE_S = const(1_577_836_800)  # 2020: seconds since then are small numbers
_MARKS = const(24)  # people who mark at one desk in a shift, and are remembered
_WRONG = const(4)
_TODAY = const(3)  # agents whose calls of a shift are counted at one desk
_REPORTS = const(6)
_SERVED = const(3)
_BY_HOST = ("telephone", "switch")  # parts of which only the host knows how they are

# the work an event leads to; "closing" owes the wrap-up that follows
_WORK = {
    "contact.offered": "offered",
    "contact.dialed": "dialing",
    "contact.answered": "talking",
    "contact.held": "held",
    "contact.resumed": "talking",
    "contact.consulted": "consulting",
    "contact.consult_ended": "held",  # and talking, where the agent heard the caller or goes back
    "contact.missed": "idle",
    "contact.ended": "closing",
    "wrapup.started": "wrapup",
    "wrapup.ended": "idle",
}
STORED = (  # noqa: SIM905
    "boot command agent open presence reason work contact queue code muted absent intended faults "
    "since_utc heard campaign motive coded keeper pending recent help help_by reports "
    "foreign leaving wrong marks today served"
).split()


class Desk:
    def __init__(self):
        self.boot = 0  # of the newest event
        self.command = 0  # highest command number executed
        self.agent = None
        self.open = False  # a session
        self.presence = "logged_out"
        self.reason = None
        self.work = "idle"
        self.contact = None
        self.queue = None
        self.campaign = None
        self.by_key = False  # nobody but the agent says that there is a call
        self.steps = []  # of the protocol, ticked or left out
        self.motive = None
        self.unrecorded = False  # the recording is paused
        self.listeners = []  # who hears the call, as the host says; a start ends it
        self.code = None  # the contact's tipificación
        self.coded = 0  # n of the newest code's event
        self.former = (None, None)  # the contact before, and its agent
        self.keeper = None  # the agent whose are …
        self.pending = []  # … the calls that can still get a code: [c, minute, motive, n of none]
        self.recent = []  # … and the codes that the agent gave last, newest first
        self.muted = False
        self.heard = None  # area or caller in a consult, both in a conference, nobody: handed over
        self.area = None  # that is consulted
        self.absent: "str | bool" = False  # owed is not_ready, for no answer or that reason
        self.intended = None  # [to, reason, by, who, why]
        self.faults = {}  # part: code
        self.help = 0  # n of the request that waits, or is being answered
        self.help_at = 0  # u of it
        self.help_by = None  # who accepted it
        # faults that were reported here, the newest last: [n, whether it is resolved and waits for
        # the agent's word], then area and part where they were named
        self.reports = []
        self.served = []  # n of requests that were resolved, and wait for the agent's word too
        self.foreign = None  # [n, reason, who, why]: another's change, and not yet «Visto»
        # second since 2020 of the newest mark made here, negative for out, ±1 without the time; by
        # agent, or by the hash of a badge that nobody here knows
        self.marks = {}
        self.leaving = None  # why the session ends with the call: agent (SALIDA), or the host's
        self.leaver: "tuple[str | None, str | None]" = (None, None)  # who said so, and why
        self.wrong = {}  # agent, or "" for a wrong code: wrong PINs in a row
        self.wrong_at = {}  # u of the last
        self.today = {}  # by agent: minute of a shift's first login here, calls answered since
        self.plugged = None  # the headset, once it was looked at in this boot
        self.since_utc = None
        self.since = 0  # u at which the state shown was entered
        self.presence_since = 0
        self.offered_at = 0
        self.talk_since = 0

    @property
    def ticket(self):
        """n of the newest fault that was reported here and is open, else 0."""
        for row in reversed(self.reports):
            if not row[1]:
                return row[0]
        return 0

    def report(self, n):
        """What is known of the fault of that number, None where nothing is."""
        for row in self.reports:
            if row[0] == n:
                return row
        return None

    def apply(self, event):
        """Take one event's consequences; events of an unknown kind change nothing."""
        kind = event["k"]
        self.boot = event["b"]
        number = event.get("i")
        if number is not None and number > self.command:
            self.command = number
        change = getattr(self, "_" + kind.replace(".", "_"), None)
        if change:
            change(event)
        work = _WORK.get(kind)
        if work:
            self._to(work, event)

    def _to(self, work, event):
        kind = event["k"]
        u = event["u"]
        if work == "consulting":
            self.heard = event.get("heard", "area")
            self.area = event["area"]
            if self.work == work:  # the agent only hears the other one
                return
        self.since_utc = event["t"]
        self.since = u
        if kind == "contact.offered" or kind == "contact.dialed":
            self.contact = event["c"]
            self.queue = event.get("queue")
            self.campaign = event.get("campaign")
            self.by_key = event["via"] == "key"
            self.code = self.heard = self.motive = None
            self.steps = []
            self.muted = self.unrecorded = False
            self.offered_at = u
        elif kind == "contact.answered":
            self.talk_since = u
            self.today.setdefault(self.agent, [0, 0])[1] += 1
        elif kind == "contact.resumed":
            self.since = self.talk_since
        elif kind == "contact.consult_ended":
            if event["result"] == "back" or self.heard == "caller":
                work = "talking"
                self.since = self.talk_since
            self.heard = None
        elif kind == "contact.ended":
            self.muted = False
            self.heard = None
            self.listeners = []
            failed = event["by"] == "technical"
            if failed:
                self.absent = "fault"
            if event.get("dial_result"):
                work = "idle"
            elif failed:  # so it was none of the agent's
                work = "idle"
                if self.agent in self.today:
                    self.today[self.agent][1] -= 1
        elif kind == "contact.missed":
            self.absent = event["cause"] == "no_answer"
        self.work = work
        if work == "idle":
            self.former = (self.contact, self.agent)
            self.contact = None
            self.code = None
            self.motive = None
            self.muted = False

    def _session_opened(self, event):
        self.open = True
        self.agent = event["a"]
        self.reports = [row for row in self.reports if not row[1]]
        if self.agent != self.keeper:
            self.keeper = self.agent
            self.pending = []
            self.recent = []
        now = (event["t"] or 0) // 60_000
        self.pending = [row for row in self.pending if now - (row[1] or now) < _SHIFT_MIN]
        if len(self.today) > _TODAY:
            self.today = {}
        if now - self.today.get(self.agent, [0])[0] >= _SHIFT_MIN:
            self.today[self.agent] = [now, 0]
        if event["method"][-3:] == "pin":
            self.wrong.pop(self.agent, None)

    def _session_closed(self, event):
        self.open = False
        self.leaving = None
        self.served = []

    def _session_corrected(self, event):
        if event["verdict"] == "closed":
            self.leaving = event["reason"] or "corrected"
            self.leaver = (event.get("who"), event.get("note"))

    def _attendance_marked(self, event):
        agent, utc = event["a"], event["t"]
        second = 1 if utc is None else max(utc // 1000 - MARKS_SINCE_S, 2)
        away = event["direction"] == "out"
        key = agent or event["badge"]
        self.marks[key] = -second if away else second
        if len(self.marks) > _MARKS:
            self._forget_mark()
        if agent and agent == self.agent and self.leaving in (None, "agent"):
            self.leaving = "agent" if away else None

    def _forget_mark(self):
        """Of the oldest; who then marks again does so twice, which does no harm."""
        self.marks.pop(min(self.marks, key=lambda name: abs(self.marks[name])))

    def _session_denied(self, event):
        if event["reason"] == "wrong_pin":
            wrong = self.wrong
            key = event.get("a") or ""
            if key not in wrong and len(wrong) >= _WRONG:
                wrong.pop(min(wrong, key=lambda name: wrong[name]))
            wrong[key] = wrong.get(key, 0) + 1
            self.wrong_at[key] = event["u"]

    def _presence_changed(self, event):
        self.presence = event["to"]
        self.reason = event["reason"]
        self.foreign = None
        own = event["by"] == "agent" or self.reason in ("login", "relieved", "fault")
        if self.presence != "ready" and not own:
            self.foreign = [event["n"], self.reason, event.get("who"), event.get("note")]
        self.absent = False
        self.intended = None
        self.presence_since = self.since = event["u"]
        self.since_utc = event["t"]
        if self.presence == "logged_out":
            self.agent = None

    def _presence_intended(self, event):
        wanted = [event["to"], event["reason"]]
        as_now = wanted == [self.presence, self.reason]
        # only a supervisor's is a command
        by = event.get("by") or ("supervisor" if "i" in event else "agent")
        self.intended = None if as_now else wanted + [by, event.get("who"), event.get("note")]

    def _contact_typified(self, event):
        """A code, at first or in place of another; `n` is known of an event on flash."""
        code = event["code"]
        contact = event["c"]
        self.coded = event["n"]
        if contact == self.contact:
            self.code = code
        if code != UNCODED:
            self.pending = [row for row in self.pending if row[0] != contact]
            self.recent = [code] + self.recent[: _RECENT - 1]
        for row in self.pending:
            if row[0] == contact:
                row[3] = self.coded

    _contact_retypified = _contact_typified

    def _wrapup_ended(self, event):
        """A call that has no code yet can still get one."""
        if self.code not in (None, UNCODED) or event["cause"] == "agent":
            return
        minute = (event["t"] or 0) // 60_000
        self.pending.append([event["c"], minute, self.motive, self.coded if self.code else 0])
        if len(self.pending) > PENDING:
            flagged = [row for row in self.pending if row[3]]
            self.pending.remove(flagged[0] if flagged else self.pending[0])

    def _contact_step(self, event):
        self.steps.append(event["step"])

    def _contact_motive(self, event):
        self.motive = event["motive"]

    def _contact_recording_paused(self, event):
        self.unrecorded = event["k"] == "contact.recording_paused"

    _contact_recording_resumed = _contact_recording_paused

    def _contact_listened(self, event):
        who = event["who"]
        self.listeners = [one for one in self.listeners if one != who]
        if event["state"] == "on":
            self.listeners.append(who)

    def _contact_transferred(self, event):
        if event["completed"]:
            conference = event["kind"] == "conference"
            self.heard = "both" if conference else "nobody"
            if conference:
                self.work = "talking"
                self.since = self.talk_since

    def _contact_muted(self, event):
        self.muted = event["k"] == "contact.muted"

    _contact_unmuted = _contact_muted

    def _station_fault(self, event):
        self.faults[event["part"]] = event["code"]

    def _station_fault_cleared(self, event):
        self.faults.pop(event["part"], None)

    def _headset_plugged(self, event):
        self.plugged = event["k"] == "headset.plugged"

    _headset_unplugged = _headset_plugged

    def _notice_acknowledged(self, event):
        self.foreign = None

    def _help_requested(self, event):
        kind = event["k"]
        self.help_by = None
        if kind == "help.requested":
            self.help, self.help_at = event["n"], event["u"]
        elif kind == "help.accepted":
            self.help_by = event["by"]
        else:
            self.help = 0
            if kind == "help.resolved":
                self.served = self.served[1 - _SERVED :] + [event["of"][2]]

    _help_accepted = _help_cancelled = _help_resolved = _help_requested

    def _help_rated(self, event):
        self.served = [n for n in self.served if n != event["of"][2]]

    def _fault_reported(self, event):
        row = self.report(event["of"][2]) if "of" in event else [event["n"], 0]
        if row and "area" in event:
            row[2:] = [event["area"], event.get("part")]
        if "of" not in event:
            reports = self.reports
            if len(reports) >= _REPORTS:
                resolved = [row for row in reports if row[1]]
                reports.remove(resolved[0] if resolved else reports[0])
            reports.append(row)

    def _fault_resolved(self, event):
        """Whoever sits here then can say whether it works."""
        row = self.report(event["of"][2])
        if row and self.open and event["k"] == "fault.resolved":
            row[1] = 1
        elif row:
            self.reports.remove(row)

    _fault_rejected = _fault_confirmed = _fault_resolved

    def snapshot(self):
        """The lasting part as JSON bytes; everything measured in `u` dies with the boot.

        Where no record would take it all: without the count of calls; the faults, as who still
        has one finds it again, but those that the host told; the codes used of late; what was
        reported of a fault; then the oldest marks, and what is left.
        """
        by_host = {part: self.faults[part] for part in _BY_HOST if part in self.faults}
        values = [getattr(self, name) for name in STORED]
        payload = _packed(values)
        for name, nothing in (
            ("today", {}),
            ("faults", by_host),
            ("recent", []),
            ("reports", [row[:2] for row in self.reports]),
            ("queue", None),
            ("pending", []),
        ):
            if len(payload) <= _RECORD_LIMIT:
                break
            while name == "queue" and len(payload) > _RECORD_LIMIT and self.marks:
                self._forget_mark()
                payload = _packed(values)
            if len(payload) > _RECORD_LIMIT:
                values[STORED.index(name)] = nothing
                payload = _packed(values)
        return payload


def _packed(values):
    return json.dumps(values, separators=(",", ":")).encode()
