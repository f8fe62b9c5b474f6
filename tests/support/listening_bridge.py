"""The bridge to an exchange as live listening at the hub sees it."""

from diadema.hub.own_journal import Refused
from diadema.wire.switching import ListenerState

from tests.support.scripted_station import T0


class Bridge:
    """What it has, and what it was asked; it answers `answer` where a test says so."""

    def __init__(self):
        self.listeners, self.asked, self.answer = {}, [], {}
        self.is_up = True

    async def ask(self, wanted):
        self.asked.append((wanted.listening, wanted.mode))
        if self.answer is None:
            raise Refused("no_bridge", "it does not answer", 503)
        if wanted.mode is None:
            self.over(wanted.listening)
        elif not self.answer:
            self.rings(wanted.listening, wanted.call)
        return self.answer

    def rings(self, listening, call, **more):
        self.listeners[listening] = ListenerState(
            spyer=f"esc-{listening}", listening=listening, call=call, by="PJSIP/900", **more
        )

    def over(self, listening, at=T0 + 9000):
        one = self.listeners.get(listening)
        if one is not None and one.until_utc_ms is None:
            one.until_utc_ms = at
