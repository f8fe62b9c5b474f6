"""Asterisk as an exchange: calls by ARI, queues, members and telephones by AMI.

Our application is there only while both interfaces are and the hub is: without it the dialplan
calls the telephones by itself, as it did before there was a bridge.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from diadema.base.clock import Clock
from diadema.base.credentials import Secrets
from diadema.base.errors import DiademaError, first_of
from diadema.switch.asterisk.ami import Ami, Message
from diadema.switch.asterisk.ari import APPLICATION, Ari
from diadema.switch.asterisk.calls import JOINED, OFFER, OUT, Calls, Leg, recorded
from diadema.switch.asterisk.listening import OURS as LISTENERS
from diadema.switch.asterisk.listening import Spies
from diadema.switch.asterisk.login import Login
from diadema.switch.asterisk.queue_events import QueueEvents, number_of
from diadema.switch.exchange import (
    Down,
    Ended,
    Hear,
    Known,
    Listener,
    Member,
    MemberElsewhere,
    MemberSeen,
    Offered,
    Phone,
    PhoneSeen,
    Standing,
    SwitchError,
    SwitchRefused,
    Up,
    Withdrawn,
    remember,
)
from diadema.switch.settings import Settings
from diadema.wire.switching import Mode
from diadema.words import Sentence

CONTEXT = "diadema"
STATE = "Custom:diadema-{}"  # of a member: whether a queue may call it
_INTERFACE = re.compile(r"Local/([A-Za-z0-9_-]{1,24})@diadema/n\Z")
_MUTED = ("ChannelVarset", "ChannelConnectedLine", "ChannelDialplan", "ChannelCallerId")
_THERE = {"UNAVAILABLE": False, "INVALID": None, "UNKNOWN": None}
_HELD = "diadema"  # the reason of a pause by which we keep a member busy
_REASON = 79  # bytes of a pause's reason that come back

log = logging.getLogger("diadema.switch")


class Asterisk:
    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        hear: Hear,
        clock: Clock,
        known: Known,
    ) -> None:
        """`known`: what a former bridge left of it."""
        given, tls = secrets.exchange, settings.context
        ami = Login(settings.host, settings.ami_port, settings.user, given.get("ami", ""), tls)
        ari = Login(settings.host, settings.ari_port, settings.user, given.get("ari", ""), tls)
        self._hear = hear
        self._ami = Ami(ami, _heard_by(self._on_ami), self._ami_is_up, self._ami_is_down)
        self._ari = Ari(ari, _heard_by(self._on_ari), self._ari_is_up, self._is_down)
        self._queues = QueueEvents(hear, clock, secrets.badge_key, known)
        self._calls = Calls(self._ari, self._ami, hear, self._queues.reference, self.set_busy)
        self._spies = Spies(self._ari, self._calls, hear, clock)
        self._members: dict[tuple[str, str], Member] = {}
        self._has_states = True  # a member's own device state; else a pause keeps it busy
        self._held: set[str] = set()  # members whom such a pause keeps busy
        self._wanted = self._there = False  # by the hub's side; AMI is
        self._changed = asyncio.Event()
        self._replaced: asyncio.Future[None] | None = None

    @property
    def version(self) -> str:
        return self._ami.version

    async def run(self) -> None:
        """Raises DiademaError once another bridge has taken our application."""
        self._replaced = asyncio.get_running_loop().create_future()
        try:
            async with self._ari, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ami.run())
                tasks.create_task(self._keep_application())
                tasks.create_task(_raised(self._replaced))
        except* DiademaError as errors:
            raise first_of(errors) from None
        finally:
            await self._calls.close()

    async def take_calls(self, on: bool) -> None:
        if self._wanted != on:
            self._wanted = on
            self._changed.set()

    async def _keep_application(self) -> None:
        while True:
            self._changed.clear()
            running = None
            if self._wanted and self._there:
                running = asyncio.create_task(self._ari.run())
                running.add_done_callback(self._application_ended)
            try:
                await self._changed.wait()
            finally:
                if running is not None:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)

    def _application_ended(self, running: "asyncio.Task[None]") -> None:
        """By a fault, else it would not end: we begin anew, rather than be without calls."""
        if not running.cancelled() and (fault := running.exception()) is not None:
            self._end_by(fault)

    def _end_by(self, fault: BaseException) -> None:
        if self._replaced is not None and not self._replaced.done():
            self._replaced.set_exception(fault)

    # -- up and down

    async def _ami_is_up(self) -> None:
        self._members.clear()
        self._there = True
        self._changed.set()

    async def _ari_is_up(self) -> None:
        """All that there is, in place of what we knew. What happened meanwhile nobody repeats."""
        try:
            await self._learn()
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            log.warning("the exchange answers what is not of ARI: %r", error)
            raise SwitchError(Sentence("errors.switch.no_ari")) from error

    async def _learn(self) -> None:
        await self._ari.put_body(
            {"disallowed": [{"type": one} for one in _MUTED]},
            "applications", APPLICATION, "eventFilter",
        )  # fmt: skip
        try:
            await self._ari.get("asterisk", "modules", "func_devstate.so")
            self._has_states = True
        except SwitchRefused:
            self._has_states = False
        await self._learn_queues()
        began = await self._ami.act("CoreStatus")
        start = f"{began.get('CoreStartupDate', '')} {began.get('CoreStartupTime', '')}"
        await self._learn_calls(start)
        for one in await self._ami.ask_list("DeviceStateList"):
            self._see_device(one)
        there = {call for call in self._calls.legs if self._calls.standing(call) is not None}
        self._hear(Up(frozenset(there), start))

    def _is_down(self, error: DiademaError) -> None:
        self._hear(Down(error))

    def _ami_is_down(self, error: DiademaError) -> None:
        self._there = False
        self._changed.set()
        self._hear(Down(error))

    async def _learn_queues(self) -> None:
        self._held.clear()
        for one in await self._ami.ask_list("QueueStatus"):
            if one.get("Event") == "QueueMember":
                member = self._see_member(one, there=True)
                if member is not None and one.get("PausedReason") == _HELD:
                    self._held.add(member.name)
            elif one.get("Event") == "QueueEntry":
                queue, pbx = one.get("Queue", ""), one.get("Uniqueid", "")
                wait, position = _whole(one.get("Wait")), _whole(one.get("Position"))
                self._queues.found(queue, pbx, wait, one.get("CallerIDNum", ""), position)

    async def _learn_calls(self, start: str) -> None:
        before = self._queues.callers
        channels = {str(one["id"]): one for one in await self._ari.get("channels")}
        queued = {id_ for id_, one in channels.items() if _app_of(one) == "Queue"}
        came = self._queues.callers - before  # while it answered
        self._queues.lost(start, channels.keys(), queued | came)
        bridges = {str(one["id"]): one for one in await self._ari.get("bridges")}
        names = {str(one["name"]): id_ for id_, one in channels.items()}
        for leg in [*self._calls.legs.values()]:
            if leg.over:  # what ended it did not come through
                await self._try_delete("channels", leg.leg)
                await self._calls.forget(leg)
                channels.pop(leg.leg, None)
                continue
            if leg.leg in channels:
                await self._calls.look_at(leg, channels, bridges)
                continue
            if leg.is_yet_to_be_called and leg.phone in channels:
                continue
            leg.over = True
            gone: Withdrawn | Ended = Ended(leg.call, "system")
            if leg.ringing:
                gone = Withdrawn(leg.call, "withdrawn")
            await self._calls.forget(leg)
            self._hear(gone)
        known = {leg.leg for leg in self._calls.legs.values()}
        for id_, one in channels.items():
            agent = _offered_to(one)
            half = names.get(f"{one['name'][:-1]}1")
            if agent is None or half is None or id_ in known:
                continue
            with suppress(SwitchRefused):  # it has just gone
                await self._find(id_, agent, half, channels, bridges)
        for id_, one in channels.items():
            if _is_called(id_, one) and id_ not in known:
                await self._find_out(id_, channels, bridges)
        for leg in [*self._calls.legs.values()]:
            if leg.far and not leg.handed_over:
                self._calls.go_on(leg, _state(channels, leg.phone), _state(channels, leg.leg))
        await self._sweep(channels, bridges)
        self._spies.find(channels)

    async def _find(
        self,
        id_: str,
        agent: str,
        half: str,
        channels: dict[str, Any],
        bridges: dict[str, Any],
    ) -> None:
        """A leg that a former process of ours has left."""
        value = await self._ari.get("channels", id_, "variable", variable="CHANNEL(linkedid)")
        pbx = str(value.get("value", "")) if isinstance(value, dict) else ""
        caller = channels.get(pbx, {})
        leg = Leg(
            call=half, leg=id_, member=agent, pbx=pbx, linked=pbx,
            queue=str((caller.get("dialplan") or {}).get("app_data", "")).partition(",")[0],
            offer=str(channels[half]["name"]), caller=str(caller.get("name", "")),
        )  # fmt: skip
        self._calls.take(leg)
        await self._calls.look_at(leg, channels, bridges)
        if leg.ringing:
            number = str((caller.get("caller") or {}).get("number", ""))
            self._hear(
                Offered(leg.call, pbx, pbx, leg.queue, agent, self._queues.reference(number))
            )

    async def _find_out(self, id_: str, channels: dict[str, Any], bridges: dict[str, Any]) -> None:
        """A call out that a former process of ours has left: with its telephone, or handed over
        to an area.
        """
        leg = Leg(call=id_.removeprefix(OUT), leg=id_, member="", ringing=False, far=True)
        leg.caller = recorded(str(channels[id_].get("name", "")))
        inside = (bridges.get(leg.bridge) or {}).get("channels", [])
        phone, area = f"tel-{id_}", next((one for one in inside if one.startswith("area-")), "")
        leg.phone, leg.area, leg.area_up = phone if phone in channels else "", area, bool(area)
        leg.dialling, leg.joined = True, await self._was_joined(id_)
        leg.handed_over = not leg.phone and id_ in inside and bool(area)
        if not (leg.phone or leg.handed_over):
            return
        there = id_ in inside
        leg.hears = "both" if there and area else "area" if area else "caller"
        if leg.joined and not (there or area):
            leg.hears = "nobody"
        self._calls.take(leg)

    async def _was_joined(self, id_: str) -> bool:
        try:
            await self._ari.get("channels", id_, "variable", variable=JOINED)
        except SwitchRefused:
            return False
        return True

    async def _sweep(self, channels: dict[str, Any], bridges: dict[str, Any]) -> None:
        """Telephones, areas and bridges of ours whose call is gone."""
        areas = tuple(f"area-{leg.leg}-" for leg in self._calls.legs.values())
        used = {leg.phone for leg in self._calls.legs.values()}
        legs = {leg.leg for leg in self._calls.legs.values()}
        for id_, one in channels.items():
            phone = id_.startswith("tel-") and id_ not in used and not self._calls.stays_up(id_)
            area = id_.startswith("area-") and not id_.startswith(areas)
            listens = id_.startswith(LISTENERS)  # its register has ended meanwhile
            if phone or area or listens or (_is_called(id_, one) and id_ not in legs):
                await self._try_delete("channels", id_)
        ours = {leg.bridge for leg in self._calls.legs.values()}
        for id_ in bridges:
            if id_.startswith("b-") and id_ not in ours:
                await self._try_delete("bridges", id_)

    async def _try_delete(self, *path: str) -> None:
        with suppress(SwitchRefused):
            await self._ari.delete(*path)

    # -- events

    def _on_ami(self, event: Message) -> None:
        match event.get("Event", ""):
            case "QueueMemberAdded" | "QueueMemberPause" | "QueueMemberPenalty":
                self._see_member(event, there=True)
            case "QueueMemberRemoved":
                self._see_member(event, there=False)
            case "DeviceStateChange":
                self._see_device(event)
            case _:
                self._calls.on_ami(event)
                self._spies.on_ami(event)
                self._queues.take(event)

    def _on_ari(self, event: dict[str, Any]) -> None:
        if event.get("type") == "ApplicationReplaced":
            self._end_by(SwitchError(Sentence("errors.switch.replaced", application=APPLICATION)))
            return
        self._calls.on_ari(event)

    def _see_member(self, event: Message, *, there: bool) -> Member | None:
        interface = event.get("Interface") or event.get("Location", "")
        found = _INTERFACE.match(interface)
        if found is None:
            name = event.get("MemberName") or event.get("Name", "")
            if there:
                self._hear(MemberElsewhere(name, event.get("Queue", ""), interface))
            return None
        paused = event.get("Paused") == "1"
        if paused and event.get("PausedReason") == _HELD:
            paused = False  # but busy
        member = Member(
            found[1],
            event.get("Queue", ""),
            paused,
            event.get("PausedReason", "") if paused else "",
            _whole(event.get("Penalty")),
        )
        key = member.name, member.queue
        if there:
            remember(self._members, key, member)
        else:
            self._members.pop(key, None)
        self._hear(MemberSeen(member, there))
        return member

    def _see_device(self, event: Message) -> None:
        device = event.get("Device", "")
        if "/" in device and not device.startswith(("Queue:", "Local/", "Custom:")):
            self._hear(PhoneSeen(device, _THERE.get(event.get("State", ""), True)))

    # -- verbs

    async def set_member(self, member: Member, there: bool) -> None:
        interface = f"Local/{member.name}@{CONTEXT}/n"
        known = self._members.get((member.name, member.queue))
        if not there:
            if known is not None:
                await self._remove(member, interface)
            return
        if "|" in member.reason:  # it stands between the log's fields
            await self.set_member(replace(member, reason=""), there)
            raise SwitchError(Sentence("errors.switch.bar", reason=member.reason))
        if known is None:
            await self._add(member, interface)
            known = self._members.get((member.name, member.queue), member)
        if (known.paused, known.reason) != (member.paused, member.reason[:_REASON]):
            held = not member.paused and member.name in self._held
            await self._pause(member, member.paused or held, _HELD if held else member.reason)
        if known.penalty != member.penalty:
            await self._ami.act(
                "QueuePenalty", Queue=member.queue, Interface=interface,
                Penalty=str(member.penalty),
            )  # fmt: skip

    async def _add(self, member: Member, interface: str) -> None:
        more = {"Reason": member.reason} if member.paused and member.reason else {}
        if self._has_states:
            more["StateInterface"] = STATE.format(member.name)
        try:
            await self._ami.act(
                "QueueAdd", Queue=member.queue, Interface=interface, MemberName=member.name,
                Penalty=str(member.penalty), Paused="true" if member.paused else "false", **more,
            )  # fmt: skip
        except SwitchRefused as error:
            if "No such queue" in error.reason:
                say = Sentence("errors.switch.no_queue", queue=member.queue)
                raise SwitchRefused("QueueAdd", error.reason, say=say) from None
            if "Already there" not in error.reason:
                raise
            return
        self._members[member.name, member.queue] = member

    async def _remove(self, member: Member, interface: str) -> None:
        try:
            await self._ami.act("QueueRemove", Queue=member.queue, Interface=interface)
        except SwitchRefused as error:
            if "not dynamic" in error.reason:  # given by a file; it can only be paused
                await self._ami.act(
                    "QueuePause", Queue=member.queue, Interface=interface, Paused="true"
                )
            elif "Not there" not in error.reason:
                raise

    async def set_busy(self, name: str, busy: bool) -> None:
        if not self._has_states:
            await self._hold_back(name, busy)
            return
        await self._ami.act(
            "Setvar",
            Variable=f"DEVICE_STATE({STATE.format(name)})",
            Value="INUSE" if busy else "NOT_INUSE",
        )

    async def _hold_back(self, name: str, busy: bool) -> None:
        """By a pause in each queue where it is not paused anyway, and the end of that pause."""
        if busy == (name in self._held):
            return
        (self._held.add if busy else self._held.discard)(name)
        for member in [one for one in self._members.values() if one.name == name]:
            if not member.paused:
                await self._pause(member, busy, _HELD if busy else "")

    async def _pause(self, member: Member, paused: bool, reason: str) -> None:
        more = {"Reason": reason} if reason else {}
        await self._ami.act(
            "QueuePause", Queue=member.queue, Interface=f"Local/{member.name}@{CONTEXT}/n",
            Paused="true" if paused else "false", **more,
        )  # fmt: skip

    async def set_phone(self, name: str, phone: Phone | None) -> None:
        """Which telephone the dialplan calls for that member while we are not there."""
        await self._ami.act(
            "Setvar",
            Variable=f"DIADEMA_TEL_{name}",
            Value=phone.extension if phone is not None else "",
        )

    def standing(self, call: str) -> Standing | None:
        return self._calls.standing(call)

    async def answer(self, call: str, phone: Phone) -> None:
        await self._calls.answer(call, phone)

    async def reject(self, call: str) -> None:
        await self._calls.reject(call)

    async def hold(self, call: str) -> None:
        await self._calls.hold(call)

    async def resume(self, call: str) -> None:
        await self._calls.resume(call)

    async def hang_up(self, call: str) -> None:
        await self._calls.hang_up(call)

    async def consult(self, call: str, number: str) -> None:
        await self._calls.consult(call, number)

    async def swap(self, call: str) -> None:
        await self._calls.swap(call)

    async def confer(self, call: str) -> None:
        await self._calls.confer(call)

    async def hand_over(self, call: str) -> None:
        await self._calls.hand_over(call)

    async def drop(self, call: str) -> None:
        await self._calls.drop(call)

    async def transfer(self, call: str, number: str) -> None:
        await self._calls.transfer(call, number)

    async def mute(self, call: str, on: bool) -> None:
        await self._calls.mute(call, on)

    async def record(self, call: str, on: bool) -> None:
        await self._calls.record(call, on)

    async def dial(self, call: str, phone: Phone, number: str) -> None:
        await self._calls.dial(call, phone, number)

    async def listen(self, listening: str, call: str, extension: str, mode: Mode) -> None:
        await self._spies.listen(listening, call, extension, mode)

    async def end_listening(self, listening: str) -> None:
        await self._spies.end(listening)

    def listeners(self) -> list[Listener]:
        return self._spies.listeners()


def _heard_by[E](take: Callable[[E], None]) -> Callable[[E], None]:
    """What is wrong in one event, there or here, is no end of the others."""

    def hear(event: E) -> None:
        try:
            take(event)
        except Exception:
            log.exception("a fault at an event of the exchange")

    return hear


def _app_of(channel: dict[str, Any]) -> str:
    return str((channel.get("dialplan") or {}).get("app_name", ""))


def _offered_to(channel: dict[str, Any]) -> str | None:
    """The member of a leg in our application, as its dialplan has it."""
    plan = channel.get("dialplan") or {}
    words = str(plan.get("app_data", "")).split(",")
    ours = _app_of(channel) == "Stasis" and words[:2] == [APPLICATION, OFFER]
    return words[2] if ours and len(words) > 2 else None


def _is_called(id_: str, channel: dict[str, Any]) -> bool:
    """Whether it is the far end of a call out, and still ours."""
    app = (channel.get("dialplan") or {}).get("app_name")
    return id_.startswith(OUT) and not id_.endswith("-2") and app in ("Stasis", "AppDial2")


def _state(channels: dict[str, Any], id_: str) -> str:
    return str((channels.get(id_) or {}).get("state", ""))


def _whole(text: str | None) -> int:
    return number_of(text) or 0


async def _raised(failure: "asyncio.Future[None]") -> None:
    await failure
