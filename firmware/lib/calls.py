"""What the actions about a call do, from its ring to the end of its wrap-up."""

from lib.actions import IN_CALL, Actions
from micropython import const

_JUST_ANSWERED_MS = const(1_500)  # key 1 answered a moment ago: it does not hang up yet


class Calls(Actions):
    def _offer(self, details):
        get = details.get
        self.said(
            "contact.offered", details, via="host", c=details["contact"],
            direction=details["direction"], queue=get("queue"), pbx=get("pbx"),
        )  # fmt: skip
        self.menu = self.notice = None

    def _offer_next(self, details):
        self.close_wrapup("next_contact")
        self._offer(details)

    def _dial(self, details):
        self.said("contact.dialed", via="key", c=self._new_contact(), direction="out")

    def _answer(self, details):
        self.contact("contact.answered", details, via=via(details), ring_ms=self._waited())

    def _waited(self):
        return self.u - self.desk.offered_at

    def _silence(self, details):
        self.silenced = True

    def _withdraw(self, details):
        self.missed(details["cause"], details)

    def _miss(self, details):
        self.missed("no_answer")
        self.notify("missed")

    def missed(self, cause, details=None):
        self.contact("contact.missed", details, cause=cause, ring_ms=self._waited())
        if cause == "no_answer":
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
            more["dial_result"] = "no_answer"
        waits = work == "held" or (work == "consulting" and desk.heard == "area")
        self.contact("contact.ended", details, by=by, on_hold=waits, **more)
        if work == "dialing":
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

    # ------------------------------------------------------------------ wrap-up

    def _wrap_up(self, details):
        self._closes_at = None  # a tree opened in the call stays where it is
        self.contact("wrapup.started")

    def _typify(self, details):
        self.open_tree()

    def open_tree(self):
        self.open_list("tree", self.config.tree, _code_chosen, IN_CALL + " wrapup", True)

    def typified(self, code, how):
        self.contact("contact.typified", code=code, version=self.config.tree_version, how=how)

    def _finish(self, details):
        self.end_wrapup("agent")

    def _time_out(self, details):
        if not self.desk.code:
            self.typified("SIN_TIPIFICAR", "timeout")
        self.end_wrapup("timeout")

    def end_wrapup(self, cause):
        self.close_wrapup(cause)
        self.settle()

    def close_wrapup(self, cause):
        self.menu = None
        self.contact("wrapup.ended", cause=cause)


def via(details):
    return "host" if details and "i" in details else "key"


def _code_chosen(station, node):
    station.typified(node[0], "agent")
    if station.desk.work == "wrapup":
        station.end_wrapup("typified")
