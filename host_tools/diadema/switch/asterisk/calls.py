"""Calls of queues that ring at stations, in Asterisk's hands: legs, telephones, areas, bridges.

A queue offers a call by a Local channel, whose far half (`;2`) waits in our Stasis application:
the leg. A key has the telephone called with a header that makes it answer, and joined to the leg
in a bridge of ours. The queue itself goes on to believe that it talks to its member, so
that its log is right; it must be ended by the leg, else the log says that the caller hung up. Ids
are made of the leg's, so that a bridge process that begins anew knows whose they are.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from diadema.switch.asterisk.ami import Ami, Message
from diadema.switch.asterisk.ari import APPLICATION, Ari
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Ended,
    Hear,
    Joined,
    Offered,
    Phone,
    PhoneFailed,
    Side,
    Standing,
    SwitchError,
    SwitchRefused,
    Withdrawn,
    remember,
)
from diadema.words import Sentence

OFFER, PHONE, AREA, FAR = "oferta", "telefono", "area", "llamado"  # what a channel of ours is
OUT = "out-"  # before the call's id: the far end of a call out
JOINED = "DIADEMA_UNIDO"  # a variable of it, once it was heard
AREAS, OUTSIDE = "diadema-areas", "diadema-salida"  # contexts
PHONE_S = 4  # in which a telephone that answers by itself has done so
_DIAL_S = 60
_SETTLES_S = 0.1  # in which AMI says why a leg went
_PAIRS = 1000  # halves of offers that wait for the other one
_GONE = (400, 404, 409, 422)  # what ARI says of a channel that has just gone
_RESULTS: dict[int, Literal["busy", "no_answer"]] = {  # by Q.850 causes of the far end
    16: "no_answer", 17: "busy", 18: "no_answer", 19: "no_answer", 21: "busy",
}  # fmt: skip
_CAUSES: dict[str, Literal["caller_gave_up", "no_answer"]] = {
    "caller": "caller_gave_up",
    "no_answer": "no_answer",
}
HEADERS = {
    "PJSIP_HEADER(add,Call-Info)": "<sip:diadema>;answer-after=0",
    "PJSIP_HEADER(add,Alert-Info)": "<http://diadema>;info=alert-autoanswer;delay=0",
}

log = logging.getLogger("diadema.switch")


@dataclass
class Leg:
    """One call at one agent. `call` is its id for stations, `leg` the channel in our application;
    `offer` and `caller` are names of the queue's half and of its caller. `hears`: whom the agent
    does. `why` it ended, as AMI has it.
    """

    call: str
    leg: str
    member: str
    pbx: str = ""
    linked: str = ""
    queue: str = ""
    offer: str = ""
    caller: str = ""
    ringing: bool = True
    over: bool = False
    joined: bool = False
    phone: str = ""  # its channel, once it was called
    nailed: str = ""  # the extension whose channel outlives the call
    area: str = ""
    area_up: bool = False
    consults: int = 0
    hears: Side = "caller"
    handed_over: bool = False
    far: bool = False  # a call out: its leg is the far end
    extension: str = ""  # of the telephone that calls
    number: str = ""  # to be dialled once the telephone is up
    dialling: bool = False  # it is up, and the number was dialled
    cause: int = 0  # of the far end's going
    why: str = ""
    explained: asyncio.Event = field(default_factory=asyncio.Event)
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while that is asked for

    @property
    def bridge(self) -> str:
        return f"b-{self.leg}"

    @property
    def is_yet_to_be_called(self) -> bool:
        return self.far and not self.dialling


class Calls:
    """`busy` makes a member one that no queue calls, before its call goes back."""

    def __init__(
        self,
        ari: Ari,
        ami: Ami,
        hear: Hear,
        reference: Callable[[str], str | None],
        busy: Callable[[str, bool], Coroutine[Any, Any, None]],
    ) -> None:
        self._ari, self._ami, self._hear = ari, ami, hear
        self._reference, self._busy = reference, busy
        self.legs: dict[str, Leg] = {}
        self._by_channel: dict[str, Leg] = {}
        self._called: dict[str, Message] = {}  # AgentCalled, by the name of the offer
        self._waiting: dict[str, str] = {}  # legs without it
        self._unclaimed: dict[str, str] = {}  # far ends that answered before we knew of them
        self._nailed: dict[str, str] = {}  # channels of telephones that stay up, by extension
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what the exchange says

    def on_ami(self, event: Message) -> None:
        match event.get("Event"):
            case "AgentCalled":
                remember(self._called, _stem(event.get("DestChannel", "")), event, _PAIRS)
                self._pair(_stem(event.get("DestChannel", "")))
            case "AgentConnect":
                for leg in self._of_caller(event):
                    if leg.member != event.get("MemberName") and leg.ringing:
                        self._because(leg, "withdrawn")
            case "AgentRingNoAnswer":
                for leg in self._of_caller(event):
                    if leg.call == event.get("DestUniqueid"):
                        self._because(leg, "no_answer")
            case "HangupRequest":
                for leg in [one for one in self.legs.values() if one.pbx == event.get("Uniqueid")]:
                    self._because(leg, "caller")
            case "AgentComplete":
                member = event.get("MemberName")
                for leg in [one for one in self.legs.values() if one.member == member]:
                    if leg.joined and event.get("Uniqueid") in (None, leg.pbx):
                        self._because(leg, event.get("Reason", "caller"))

    def on_ari(self, event: dict[str, Any]) -> None:
        match event:
            case {"type": "StasisStart", "args": [*args], "channel": {"id": str(id_), **channel}}:
                self._started([str(one) for one in args], id_, str(channel.get("name", "")))
            case {"type": "StasisEnd" | "ChannelDestroyed", "channel": {"id": str(id_)}}:
                if (leg := self._by_channel.get(id_)) is not None and id_ == leg.leg:
                    cause = event.get("cause")
                    leg.cause = cause if isinstance(cause, int) else 0
                self._went(id_)

    def _started(self, args: list[str], id_: str, name: str) -> None:
        match args:
            case [what, _] if what == OFFER:
                remember(self._waiting, _stem(name), id_, _PAIRS)
                self._pair(_stem(name))
            case [what, call] if what == PHONE:
                if (leg := self._of(call)) is not None:
                    self._start(self._phone_is_up(leg))
                elif not self.stays_up(id_):  # nobody is in the call any more
                    self._start(self._quietly("DELETE", "channels", id_))
            case [what, call] if what == AREA and (leg := self._of(call)) is not None:
                self._start(self._area_is_up(leg, id_))
            case [what, call] if what == FAR:
                self._far_answered(call, id_, name)

    def _far_answered(self, call: str, id_: str, name: str) -> None:
        leg = self._of(call)
        if leg is None:
            remember(self._unclaimed, call, id_, _PAIRS)
            return
        leg.caller = recorded(name)
        self._start(self._far_is_up(leg))

    def _pair(self, stem: str) -> None:
        """Both halves of an offer come by ways of their own, either first."""
        called, leg_id = self._called.get(stem), self._waiting.get(stem)
        if called is None or leg_id is None:
            return
        del self._called[stem], self._waiting[stem]
        leg = Leg(
            call=called.get("DestUniqueid", ""),
            leg=leg_id,
            member=_member_of(called.get("Interface", "")),
            pbx=called.get("Uniqueid", ""),
            linked=called.get("Linkedid", ""),
            queue=called.get("Queue", ""),
            offer=called.get("DestChannel", ""),
            caller=called.get("Channel", ""),
        )
        self.take(leg)
        self._hear(
            Offered(
                leg.call, leg.pbx, leg.linked, leg.queue, leg.member,
                self._reference(called.get("CallerIDNum", "")),
            )
        )  # fmt: skip

    def take(self, leg: Leg) -> None:
        self.legs[leg.call] = self._by_channel[leg.leg] = leg
        for channel in (leg.phone, leg.area):
            if channel:
                self._by_channel[channel] = leg

    def standing(self, call: str) -> Standing | None:
        leg = self.legs.get(call)
        if leg is None or leg.over or leg.handed_over:
            return None
        return Standing(leg.ringing, leg.hears, bool(leg.area))

    def stays_up(self, phone: str) -> bool:
        """A telephone's channel that outlives its calls."""
        return phone in self._nailed.values()

    async def look_at(self, leg: Leg, channels: dict[str, Any], bridges: dict[str, Any]) -> None:
        """What has become of a leg that is there, while nobody told us."""
        if leg.over or leg.far:
            return
        inside = (bridges.get(leg.bridge) or {}).get("channels", [])
        for channel in (leg.phone, leg.area):
            self._by_channel.pop(channel, None)
        phones = (
            one for one in inside if one.startswith("tel-")
        )  # one that stays up is another's
        own = f"tel-{leg.leg}"
        leg.phone = next(phones, own if own in channels else "")
        areas = [one for one in channels if one.startswith(f"area-{leg.leg}-")]
        leg.area = next((one for one in areas if not one.endswith("-2")), "")
        leg.area_up = bool(leg.area) and channels[leg.area].get("state") == "Up"
        number = f"area-{leg.leg}-"
        used = (int(one.removeprefix(number).partition("-")[0]) for one in areas)
        leg.consults = max(used, default=leg.consults)
        if leg.phone not in ("", own):
            leg.nailed = str(channels[leg.phone]["name"]).rpartition("-")[0]
            self._nailed[leg.nailed] = leg.phone
        answered = channels.get(leg.leg, {}).get("state") == "Up"
        leg.ringing = not (answered or leg.phone)
        leg.joined = leg.joined or answered
        caller, area = leg.leg in inside, bool(leg.area) and leg.area in inside
        leg.hears = "both" if caller and area else "area" if area else "caller"
        if not caller and not area and answered:
            leg.hears = "area" if leg.area else "nobody"
        self.take(leg)
        if answered and not leg.phone:
            if caller and area:
                leg.handed_over = True
            elif not leg.handed_over:
                await self._phone_went(leg)
            else:
                await self._area_went(leg)
        elif leg.phone and not answered and channels[leg.phone].get("state") == "Up":
            await self._phone_is_up(leg)

    def _went(self, channel: str) -> None:
        leg = self._by_channel.pop(channel, None)
        if leg is None:
            return
        if channel == leg.leg:
            self._start(self._leg_went(leg))
        elif channel == leg.phone:
            self._start(self._phone_went(leg))
        elif channel == leg.area:
            self._start(self._area_went(leg))

    async def _leg_went(self, leg: Leg) -> None:
        ours, leg.over = leg.over, True
        if not ours and not leg.far:
            try:
                async with asyncio.timeout(_SETTLES_S):
                    await leg.explained.wait()
            except TimeoutError:
                pass
        if not ours:
            async with leg.joining:  # a caller can go before we hear that the call was taken
                self._say_why(leg)
        await self._clear(leg)

    def _say_why(self, leg: Leg) -> None:
        why = leg.why
        if leg.handed_over:
            return  # its station has ended it long ago
        if leg.ringing:
            self._hear(Withdrawn(leg.call, _CAUSES.get(why, "withdrawn")))
        elif leg.far and not leg.joined:
            self._hear(Dialed(leg.call, _RESULTS.get(leg.cause, "failed")))
        elif not leg.joined:
            self._hear(PhoneFailed(leg.call))
        else:
            self._hear(Ended(leg.call, "transfer" if why == "transfer" else "caller"))

    async def _phone_went(self, leg: Leg) -> None:
        """Before it was joined it did not answer; after, the agent has laid it down."""
        self._nailed.pop(leg.nailed, None)
        leg.phone = ""
        async with leg.joining:
            if leg.over or leg.handed_over:
                return
            if not (leg.joined or leg.dialling):
                await self._give_back(leg)
                self._hear(PhoneFailed(leg.call))
                return
        self._hear(Ended(leg.call, "agent"))
        await self.hang_up(leg.call)

    async def _area_went(self, leg: Leg) -> None:
        was_up, leg.area, leg.area_up = leg.area_up, "", False
        if leg.over:
            return
        if leg.handed_over:
            await self.hang_up(leg.call)
            return
        leg.hears = "nobody" if leg.hears == "area" else "caller"  # who waits waits on
        self._hear(Consulted(leg.call, "dropped" if was_up else "failed"))

    async def _phone_is_up(self, leg: Leg) -> None:
        if leg.over:
            await self._quietly("DELETE", "channels", leg.phone)
            return
        if leg.far:
            await self._dial_far(leg)
            return
        async with leg.joining:
            await self._join(leg)

    async def _join(self, leg: Leg) -> None:
        query = {"bridgeId": leg.bridge, "name": leg.bridge, "type": "mixing"}
        await self._quietly("POST", "bridges", **query)
        try:
            await self._into(leg.bridge, f"{leg.leg},{leg.phone}")
            await self._ari.post("channels", leg.leg, "answer")
        except SwitchError as error:
            log.debug("%s", error)
            if not leg.over:
                await self._give_back(leg)
                self._hear(PhoneFailed(leg.call))
            await self._clear(leg)
            return
        leg.joined = True
        self._hear(Joined(leg.call))

    # -- verbs

    async def answer(self, call: str, phone: Phone) -> None:
        leg = self._known(call)
        leg.ringing = False
        try:
            await self._call_phone(leg, phone)
        except SwitchError:
            await self._give_back(leg)
            raise

    async def _call_phone(self, leg: Leg, phone: Phone) -> None:
        if phone.way == "nailed":
            leg.nailed = phone.extension
            if (there := self._nailed.get(phone.extension)) is not None:
                leg.phone = there
                self._by_channel[there] = leg
                self._start(self._phone_is_up(leg))
                return
            self._nailed[phone.extension] = f"tel-{leg.leg}"
        leg.phone = f"tel-{leg.leg}"
        self._by_channel[leg.phone] = leg
        more = {} if leg.far else {"originator": leg.leg}
        try:
            await self._ari.post(
                "channels",
                endpoint=phone.extension,
                app=APPLICATION,
                appArgs=f"{PHONE},{leg.call}",
                channelId=leg.phone,
                timeout=str(PHONE_S if phone.way == "auto_answer" else _DIAL_S),
                callerId="Diadema",
                body={"variables": HEADERS if phone.way == "auto_answer" else {}},
                **more,
            )
        except SwitchError:
            self._by_channel.pop(leg.phone, None)
            self._nailed.pop(leg.nailed, None)
            leg.phone = ""
            raise

    async def _give_back(self, leg: Leg) -> None:
        """The caller keeps the place, and another agent is called: so this one is busy before."""
        leg.over = True
        if not leg.far:
            await self._busy(leg.member, True)
            await self._quietly("DELETE", "channels", leg.leg, reason="no_answer")
        self._forget(leg)

    async def reject(self, call: str) -> None:
        leg = self.legs.get(call)
        if leg is not None and not leg.over:
            leg.over = True
            await self._quietly("DELETE", "channels", leg.leg, reason="no_answer")
            await self._clear(leg)

    async def hold(self, call: str) -> None:
        leg = self._known(call)
        leg.hears = "nobody"
        await self._with_music(leg.leg, leg.bridge, joined=False)

    async def resume(self, call: str) -> None:
        leg = self._known(call)
        leg.hears = "caller"
        await self._with_music(leg.leg, leg.bridge, joined=True)

    async def hang_up(self, call: str) -> None:
        """By the leg: of a hang-up of the agent's own channel the log says that the caller did.
        After a conference the agent only leaves.
        """
        leg = self.legs.get(call)
        if leg is None or leg.over:
            return
        if leg.hears == "both" and leg.area_up:
            await self.hand_over(call)
            return
        leg.over = True
        await self._quietly("DELETE", "channels", leg.leg)
        await self._clear(leg)

    async def consult(self, call: str, number: str) -> None:
        leg = self._known(call)
        if leg.hears != "nobody":
            await self._with_music(leg.leg, leg.bridge, joined=False)
        leg.hears, leg.consults = "area", leg.consults + 1
        leg.area = f"area-{leg.leg}-{leg.consults}"
        self._by_channel[leg.area] = leg
        try:
            await self._ari.post(
                "channels",
                endpoint=f"Local/{number}@{AREAS}/n",
                app=APPLICATION,
                appArgs=f"{AREA},{leg.call}",
                channelId=leg.area,
                otherChannelId=f"{leg.area}-2",
                originator=leg.leg,
                timeout=str(_DIAL_S),
            )
        except SwitchError:
            self._by_channel.pop(leg.area, None)
            leg.area, leg.hears = "", "nobody"
            raise

    async def _area_is_up(self, leg: Leg, channel: str) -> None:
        if leg.over or channel != leg.area:
            await self._quietly("DELETE", "channels", channel)
            return
        leg.area_up = True
        if leg.hears == "area":
            await self._into(leg.bridge, channel)
        self._hear(Consulted(leg.call, "answered"))

    async def swap(self, call: str) -> None:
        leg = self._known(call)
        away, here = (leg.area, leg.leg) if leg.hears == "area" else (leg.leg, leg.area)
        leg.hears = "caller" if leg.hears == "area" else "area"
        if away != leg.area or leg.area_up:
            await self._with_music(away, leg.bridge, joined=False)
        if here != leg.area or leg.area_up:
            await self._with_music(here, leg.bridge, joined=True)

    async def confer(self, call: str) -> None:
        leg = self._known(call)
        leg.hears = "both"
        for channel in (leg.leg, leg.area):
            await self._with_music(channel, leg.bridge, joined=True)

    async def hand_over(self, call: str) -> None:
        """Caller and area stay in the bridge, the agent leaves it; whoever goes next ends it."""
        leg = self._known(call)
        if not leg.area:  # it has gone already
            leg.hears = "caller"
            await self.hang_up(call)
            return
        leg.handed_over = True
        if leg.hears != "both":
            for channel in (leg.leg, leg.area):
                await self._with_music(channel, leg.bridge, joined=True)
        leg.hears = "both"
        await self._free_phone(leg)

    async def drop(self, call: str) -> None:
        leg = self._known(call)
        area, leg.area, leg.area_up = leg.area, "", False
        if area:
            self._by_channel.pop(area, None)
            await self._quietly("DELETE", "channels", area)
        leg.hears = "nobody" if leg.hears == "area" else "caller"

    async def transfer(self, call: str, number: str) -> None:
        """By the queue's own half, so that the log tells of a transfer. It says that it worked
        also where it drops the caller, so the number is looked at before.
        """
        leg = self._known(call)
        leg.over, far, leg.far = True, leg.far, False  # the far end of a call out is not ours now
        try:
            if far:
                await self._ari.post(
                    "channels", leg.leg, "continue", context=AREAS, extension=number, priority="1"
                )
            else:
                await self._ami.act(
                    "BlindTransfer", Channel=leg.offer, Context=AREAS, Exten=number
                )
        except SwitchError:
            leg.over, leg.far = False, far
            raise
        await self._clear(leg)

    async def mute(self, call: str, on: bool) -> None:
        leg = self._known(call)
        ask = self._ari.post if on else self._ari.delete
        if leg.phone:
            await self._tolerant(ask("channels", leg.phone, "mute", direction="in"), leg)

    async def record(self, call: str, on: bool) -> None:
        """What the exchange records is silent from one to the other; its length stays."""
        leg = self._known(call)
        await self._ami.act(
            "MixMonitorMute", Channel=leg.caller, Direction="both", State="0" if on else "1"
        )

    async def dial(self, call: str, phone: Phone, number: str) -> None:
        leg = Leg(call=call, leg=f"{OUT}{call}", member="", ringing=False, far=True)
        leg.number, leg.extension = number, phone.extension
        self.take(leg)
        try:
            await self._call_phone(leg, phone)
        except SwitchError:
            self._forget(leg)
            raise

    async def _dial_far(self, leg: Leg) -> None:
        """As the telephone itself would: its number is the caller's, and the caller's name too,
        else that of our call to the telephone would be.
        """
        number, leg.number, leg.dialling = leg.number, "", True
        caller = leg.extension.partition("/")[2]
        try:
            await self._ari.post("bridges", bridgeId=leg.bridge, name=leg.bridge, type="mixing")
            await self._into(leg.bridge, leg.phone)
            await self._quietly("POST", "channels", leg.phone, "ring")
            await self._ari.post(
                "channels",
                endpoint=f"Local/{number}@{OUTSIDE}/n",
                app=APPLICATION,
                appArgs=f"{FAR},{leg.call}",
                channelId=leg.leg,
                otherChannelId=f"{leg.leg}-2",
                originator=leg.phone,
                callerId=f"{caller} <{caller}>",
                timeout=str(_DIAL_S),
            )
        except SwitchError as error:
            log.debug("%s", error)
            if not leg.over:
                leg.over = True
                self._hear(Dialed(leg.call, "failed"))
            await self._clear(leg)
            return
        if leg.over:  # somebody hung up meanwhile
            await self._quietly("DELETE", "channels", leg.leg)

    async def _far_is_up(self, leg: Leg) -> None:
        """It has answered, even if it has gone again by now."""
        async with leg.joining:
            await self._quietly("DELETE", "channels", leg.phone, "ring")
            await self._tolerant(self._into(leg.bridge, leg.leg), None)
            leg.joined = True
            await self._quietly(
                "POST", "channels", leg.leg, "variable", variable=JOINED, value="1"
            )
            self._hear(Dialed(leg.call, "answered"))

    def go_on(self, leg: Leg, phone: str, far: str) -> None:
        """A call out, where it was left: the states of its channels, empty for one that is gone.
        What they did meanwhile nobody repeats.
        """
        if leg.is_yet_to_be_called:
            if phone == "Up":
                self._start(self._phone_is_up(leg))
        elif not phone:
            self._start(self._phone_went(leg))
        elif not leg.joined and (far == "Up" or self._unclaimed.pop(leg.call, None) == leg.leg):
            self._start(self._far_is_up(leg))

    # -- inside

    async def _with_music(self, channel: str, bridge: str, *, joined: bool) -> None:
        """Into the bridge without its music, or out of it and into music: else it would go on
        over the voices.
        """
        if not channel:
            return
        if joined:
            await self._quietly("DELETE", "channels", channel, "moh")
            await self._tolerant(self._into(bridge, channel), None)
        else:
            await self._tolerant(
                self._ari.post("bridges", bridge, "removeChannel", channel=channel), None
            )
            await self._quietly("POST", "channels", channel, "moh")

    async def _into(self, bridge: str, channels: str) -> None:
        await self._ari.post("bridges", bridge, "addChannel", channel=channels)

    async def _free_phone(self, leg: Leg) -> None:
        phone, leg.phone = leg.phone, ""
        if not phone:
            return
        self._by_channel.pop(phone, None)
        if leg.nailed:
            await self._quietly("POST", "bridges", leg.bridge, "removeChannel", channel=phone)
        else:
            await self._quietly("DELETE", "channels", phone)

    async def _clear(self, leg: Leg) -> None:
        """What of ours is left of it."""
        await self._free_phone(leg)
        if leg.area:
            self._by_channel.pop(leg.area, None)
            await self._quietly("DELETE", "channels", leg.area)
        if leg.far:
            await self._quietly("DELETE", "channels", leg.leg)
        await self._quietly("DELETE", "bridges", leg.bridge)
        self._forget(leg)

    async def forget(self, leg: Leg) -> None:
        """It went while we were away."""
        await self._clear(leg)

    def _forget(self, leg: Leg) -> None:
        self.legs.pop(leg.call, None)
        for channel in (leg.leg, leg.phone, leg.area):
            self._by_channel.pop(channel, None)

    async def _quietly(self, method: str, *path: str, **query: str) -> None:
        """What may be so already."""
        ask = {"GET": self._ari.get, "POST": self._ari.post, "DELETE": self._ari.delete}[method]
        try:
            await ask(*path, **query)
        except SwitchRefused as error:
            log.debug("%s", error)

    async def _tolerant(self, request: Coroutine[Any, Any, Any], leg: Leg | None) -> None:
        """A channel that has just gone is no reason to tell anybody: its end is on its way."""
        try:
            await request
        except SwitchRefused as error:
            if error.status not in _GONE or (leg is not None and not leg.over):
                raise

    def _known(self, call: str) -> Leg:
        leg = self.legs.get(call)
        if leg is None or leg.over:
            raise SwitchError(Sentence("errors.switch.call_gone", call=call))
        return leg

    def _of(self, call: str) -> Leg | None:
        return self.legs.get(call)

    def _of_caller(self, event: Message) -> list[Leg]:
        pbx = event.get("Uniqueid")
        return [one for one in self.legs.values() if one.pbx == pbx]

    def _because(self, leg: Leg, why: str) -> None:
        if not leg.why or why == "no_answer":
            leg.why = why
        leg.explained.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._safely(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SwitchError as error:
            log.warning("%s", error)
        except Exception:  # a fault of ours in one call must not stop the others
            log.exception("a fault of ours in a call")


def recorded(name: str) -> str:
    """Of a far end's channel the half that the exchange records."""
    return f"{_stem(name)}2"


def _stem(name: str) -> str:
    """Of both halves of a Local channel: all but which of them it is."""
    return name[:-1]


def _member_of(interface: str) -> str:
    """`Local/AGENT@diadema/n` → AGENT."""
    return interface.removeprefix("Local/").partition("@")[0]
