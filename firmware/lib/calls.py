"""What the actions about a call do, from its ring to the end of its wrap-up."""

from lib.actions import Actions
from lib.desk import UNCODED
from lib.transitions import IN_CALL
from micropython import const

_UNDO_MS = const(5_000)
# parts without which none can answer
_NEEDED = ("codec", "audio", "keys", "headset", "screen", "telephone")
_JUST_ANSWERED_MS = const(1_500)  # key 1 answered a moment ago: it does not hang up yet


class Calls(Actions):
    undo = None  # (contact, its motive, agent, label) of a code just given
    undo_until = 0

    def _offer(self, details):
        more = {
            name: details[name]
            for name in ("campaign", "parent", "reference")
            if details.get(name) is not None
        }
        self.said(
            "contact.offered", details, via="host", c=details["contact"],
            direction=details["direction"], queue=details.get("queue"), pbx=details.get("pbx"),
            **more,
        )  # fmt: skip
        self.menu = self.notice = None

    def _offer_next(self, details):
        self.close_wrapup("next_contact")
        self._offer(details)

    def _answer(self, details):
        self.contact("contact.answered", details, via=via(details), ring_ms=self._waited())
        self._automatic("greeting")

    def _waited(self):
        return max(self.u - self.desk.offered_at, 0)  # a key has the moment of its edge

    def _silence(self, details):
        self.silenced = True

    def _withdraw(self, details):
        self.missed(details["cause"], details)

    def _miss(self, details):
        self.missed("no_answer")

    def missed(self, cause, details=None):
        desk = self.desk
        if cause == "no_answer" and (
            desk.plugged is False
            or desk.ticket
            or self.link != "up"
            or desk.faults.get("journal") == "full"  # which takes no answer
            or any(part in desk.faults for part in _NEEDED)
        ):
            cause = "technical"  # no answer was possible: overrides the host's no_answer
        self.notify("missed_" + cause)
        self.contact("contact.missed", details, cause=cause, ring_ms=self._waited())
        if cause == "no_answer" and not desk.leaving:
            self.presence("not_ready", cause, "system")
        else:
            self.settle()

    def _hold(self, details):
        self.contact("contact.held", details, via=via(details))

    def _resume(self, details):
        self.contact("contact.resumed", details, via=via(details))

    def _mute(self, details):
        self.contact("contact.unmuted" if self.desk.muted else "contact.muted", via="key")

    def _hang_up(self, details):
        desk = self.desk
        if details:
            self.end_call(details["by"], details)
        elif desk.work != "talking" or self.u - desk.talk_since >= _JUST_ANSWERED_MS:
            # the others of a conference go on
            self.end_call("transfer" if desk.heard == "both" else "agent")

    def end_call(self, by, details=None, **more):
        desk = self.desk
        work = desk.work
        if work == "consulting" and by != "transfer":
            self.contact("contact.consult_ended", via=via(details), result="dropped")
        if work == "dialing":  # nobody answered: nothing to wrap up
            result = (details and details.get("result")) or "no_answer"
            more["dial_result"] = "failed" if by == "technical" else result
        elif by == "agent" or by == "caller":
            self._automatic("closing")
        waits = work == "held" or (work == "consulting" and desk.heard == "area")
        self.contact("contact.ended", details, by=by, on_hold=waits, **more)
        if by == "technical" and not (desk.leaving or desk.intended):
            self.presence("not_ready", "fault", "system")
        elif work == "dialing" or by == "technical":
            self.settle()
        else:
            self._wrap_up(None)

    def end_consult(self, result, details=None):
        self.contact("contact.consult_ended", details, via=via(details), result=result)

    def _interrupt(self, details):
        """The power went in the middle of a call; the session goes on."""
        if self.desk.work == "offered":
            self.u = self.desk.offered_at  # how long it rang is not known
            self.missed("technical")
        else:
            self.end_call("transfer" if self.desk.heard == "nobody" else "interrupted")

    # ------------------------------------------------------------------ protocol

    def campaign(self, code):
        """The campaign's row, the first where there is no such, None where there are none."""
        rows = self.config.campaigns
        for row in rows:
            if row[0] == code:
                return row
        return rows[0] if rows else None

    def progress(self):
        """(its place, of how many, name) of the step that comes next, None where none does."""
        row = self.campaign(self.desk.campaign)
        steps = row[2] if row else ()
        for at, (step, automatic) in enumerate(steps):
            if step not in self.desk.steps and not (automatic and step == "closing"):
                return at + 1, len(steps), step
        return None

    def _automatic(self, step):
        row = self.campaign(self.desk.campaign)
        if row and [step, 1] in row[2]:
            self.contact("contact.step", step=step, result="done", how="automatic")

    def _step(self, details):
        step = self.progress()[2]
        self.contact("contact.step", step=step, result="done", how="key")
        if step == "identity" and self.config.methods:
            self.open_list("methods", self.config.methods, _method_chosen, IN_CALL)

    # ------------------------------------------------------------------ wrap-up

    def _wrap_up(self, details):
        self._closes_at = None  # a tree opened in the call stays where it is
        self.contact("wrapup.started")

    def _typify(self, details):
        self.open_tree()

    def open_tree(self):
        self.do("codes.tree", None)

    def typified(self, code, how, contact):
        version = self.config.tree_version
        self.said("contact.typified", c=contact, code=code, version=version, how=how)

    def uncoded(self):
        """Calls whose code waits under Pendientes."""
        return [row[0] for row in self.desk.pending if not row[3]]

    def flag(self):
        """The session ends: what has no code is recorded as having none; the agent may
        still give it one."""
        for contact in self.uncoded():
            self.typified(UNCODED, "timeout", contact)

    def can_undo(self, contact, motive, label):
        self.undo = (contact, motive, self.desk.agent, label)
        self.undo_until = self.u + _UNDO_MS

    def _finish(self, details):
        self.end_wrapup("agent")

    def _time_out(self, details):
        self.end_wrapup("timeout")

    def end_wrapup(self, cause, details=None):
        self.close_wrapup(cause, details)
        self.settle()

    def close_wrapup(self, cause, details=None):
        self.menu = None
        if cause in ("timeout", "session_closed", "supervisor") and not self.desk.code:
            self.typified(UNCODED, "timeout", self.desk.contact)
        self.contact("wrapup.ended", details, cause=cause)


def via(details):
    return "host" if details and "i" in details else "key"


def _method_chosen(station, node):
    step = {"step": "identity", "result": "done", "how": "key"}
    station.contact("contact.step", method=node[0], **step)
