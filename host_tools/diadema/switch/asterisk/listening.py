"""Who hears calls in Asterisk's hands: telephones that we have ring for it, and whoever does so by
other ways, of whom AMI tells too.

What is spied on is the exchange's own half of a call, not the agent's telephone: so a listener has
what the caller has, and nothing of an agent who is muted, holds, or asks an area.
"""

from dataclasses import replace
from typing import Any

from diadema.base.clock import Clock
from diadema.switch.asterisk.ami import Message
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.calls import Calls, Leg
from diadema.switch.exchange import (
    Hear,
    Listener,
    Listening,
    SwitchError,
    SwitchRefused,
    remember,
)
from diadema.wire.switching import MOST, NAMED, Mode
from diadema.words import Sentence

LISTENING = "diadema-escucha"  # context
OURS = "esc-"  # before the name of a listening: the channel of its telephone
MODES: dict[Mode, tuple[str, str]] = {  # extension of that context, and what ChanSpy is told there
    "silent": ("escucha", "qES"),
    "whisper": ("susurro", "qwES"),
    "joined": ("junto", "qBES"),
}
_NAMES = ("SpyerUniqueid", "SpyerChannel", "SpyeeUniqueid", "SpyeeChannel", "SpyeeLinkedid")
_RINGS_S = 25
_SHOWN_MS = 60_000  # of one that is over
_GONE = 404


class Spies:
    def __init__(self, ari: Ari, calls: Calls, hear: Hear, clock: Clock) -> None:
        self._ari, self._calls, self._hear, self._clock = ari, calls, hear, clock
        self._known: dict[str, Listener] = {}  # by the channel that spies
        self._of: dict[str, tuple[str, str]] = {}  # and the channel that it hears: id and name

    # -- what the exchange says

    def on_ami(self, event: Message) -> None:
        match event.get("Event"):
            case "ChanSpyStart":
                self._begun(*(event.get(name, "")[:NAMED] for name in _NAMES))
            case "ChanSpyStop":
                self._over(event.get("SpyerUniqueid", "")[:NAMED])
            case "Hangup":
                self._over(event.get("Uniqueid", "")[:NAMED])

    def _begun(self, spyer: str, channel: str, id_: str, name: str, linked: str) -> None:
        now = self._clock.now_ms()
        one = self._known.get(spyer)
        if one is None or one.until_ms is not None:
            listening = spyer.removeprefix(OURS) if spyer.startswith(OURS) else ""
            one = Listener(spyer, listening, "", linked, channel.rpartition("-")[0])
        elif one.since_ms is not None:
            return
        one = replace(one, since_ms=now, linked=linked or one.linked)
        self._keep(one)
        remember(self._of, spyer, (id_, name), MOST["listeners"])
        self._hear(Listening(one.linked, one.by, True, now, one.listening != ""))

    def _over(self, spyer: str) -> None:
        one = self._known.get(spyer)
        if one is not None and one.until_ms is None:
            now = self._clock.now_ms()
            self._keep(replace(self._placed(one), until_ms=now))
            self._hear(Listening(one.linked, one.by, False, now, one.listening != ""))

    def find(self, channels: dict[str, Any]) -> None:
        """Of all channels that there are: who began or ended while we were away. What was ours
        does not go on.
        """
        for spyer in [*self._known]:
            if spyer not in channels or spyer.startswith(OURS):
                self._over(spyer)
        names = {str(one.get("name")): one for one in channels.values()}
        for id_, one in channels.items():
            plan = one.get("dialplan") or {}
            if plan.get("app_name") != "ChanSpy" or id_.startswith(OURS) or id_ in self._known:
                continue
            name = str(plan.get("app_data", "")).rpartition(",")[0]
            spied = str((names.get(name) or {}).get("id", ""))
            its = (str(text)[:NAMED] for text in (id_, one.get("name", ""), spied, name, spied))
            self._begun(*its)

    def listeners(self) -> list[Listener]:
        late = self._clock.now_ms() - _SHOWN_MS
        for spyer, one in [*self._known.items()]:
            if one.until_ms is not None and one.until_ms < late:
                del self._known[spyer]
                self._of.pop(spyer, None)
        return [self._placed(one) for one in self._known.values()]

    # -- verbs

    async def listen(self, listening: str, call: str, extension: str, mode: Mode) -> None:
        leg = self._calls.legs.get(call)
        if leg is None or leg.over or leg.handed_over or not leg.joined:
            raise SwitchError(Sentence("errors.switch.call_gone", call=call))
        spyer, (exten, _) = f"{OURS}{listening}", MODES[mode]
        self._keep(Listener(spyer, listening, call, leg.linked, extension))
        try:
            await self._ari.post(
                "channels",
                endpoint=extension,
                context=LISTENING,
                extension=exten,
                priority="1",
                channelId=spyer,
                timeout=str(_RINGS_S),
                callerId="Diadema",
                body={"variables": {"OBJETIVO": _half_of(leg)}},
            )
        except SwitchError:
            self._known.pop(spyer, None)
            raise

    async def end(self, listening: str) -> None:
        try:
            await self._ari.delete("channels", f"{OURS}{listening}")
        except SwitchRefused as error:
            if error.status != _GONE:
                raise
            self._over(f"{OURS}{listening}")

    # -- inside

    def _keep(self, one: Listener) -> None:
        remember(self._known, one.spyer, one, MOST["listeners"])

    def _placed(self, one: Listener) -> Listener:
        """With the call that it hears now: a caller who waits comes to an agent later."""
        if one.call or one.spyer not in self._of:
            return one
        id_, name = self._of[one.spyer]
        for leg in self._calls.legs.values():
            ids = {leg.call, leg.leg, leg.phone, leg.area, leg.pbx}
            if leg.joined and ({id_} & ids or {name} & {leg.offer, leg.caller}):
                one = replace(one, call=leg.call)
                self._keep(one)
                break
        return one


def _half_of(leg: Leg) -> str:
    """Of a call out the far end's."""
    return leg.caller if leg.far else leg.offer
