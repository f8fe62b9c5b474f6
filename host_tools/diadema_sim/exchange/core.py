"""Channels, bridges, telephones, the dialplan and the application, and who hears of them."""

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

from diadema_sim.exchange.parts import (
    CAUSES,
    Application,
    Bridge,
    Channel,
    Clock,
    Device,
    Fields,
    Speaks,
    stamp,
)

ENTITY = "02:00:00:00:00:01"
NO_ROUTE, NORMAL, BUSY, NO_ANSWER = 3, 16, 17, 19
_SPEAKS: dict[str, Speaks] = {"escucha": "", "susurro": "whisper", "junto": "joined"}
_SIP = {BUSY: 486, NO_ANSWER: 480, 1: 404}
# of what an endpoint that is subscribed to tells of its channels, once more for each subscription
_OF_ENDPOINTS = {"ChannelStateChange", "Dial", "ChannelHangupRequest", "ChannelDestroyed"}

# context, extension, application: the exchange's own, and what the bridge's include holds
DIALPLAN = [
    ("diadema", r"[a-zA-Z0-9].*", "Stasis", "{}"),
    ("diadema-areas", r"1\d\d", "Dial", "PJSIP/{}"),
    ("diadema-areas", r"cola-(.*)", "Queue", "{}"),
    ("diadema-salida", r"9\d{8}", "Dial", "PJSIP/{}@troncal"),
    ("telefonos", r"1\d\d", "Dial", "PJSIP/{}"),
    ("pruebas", "escucha", "ChanSpy", ""),
    ("diadema-escucha", "escucha|susurro|junto", "ChanSpy", ""),
]


class Core:
    """`hear` gets each event of AMI with the class that it is of."""

    def __init__(self, clock: Clock, hear: Callable[[str, Fields], None]) -> None:
        self.clock, self._hear = clock, hear
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.devices: dict[str, Device] = {}
        self.applications: dict[str, Application] = {}
        self.globals: dict[str, str] = {}
        self.custom: dict[str, str] = {}  # device states that were set
        self.has_custom_states = True  # by the module func_devstate
        self.changed: list[Callable[[str], None]] = []  # who wants to know of a device
        self.dialplan = list(DIALPLAN)
        self.join_queue: Callable[[Channel, str], None] = lambda *_: None
        self.moved = asyncio.Event()  # set at each event, for those who wait
        self.timers: set[asyncio.TimerHandle] = set()
        self.processed = 0
        self.second_s = 1.0  # how long a second is of those that ARI and the dialplan give
        self.second, self.count = 0, 0  # of the newest Uniqueid
        self.numbers = {"PJSIP": 0, "Local": 0, "Snoop": 0}

    # -- what is told

    def tell(self, kind: str, of: str, fields: Fields) -> None:
        self._hear(of, {"Event": kind, **fields})
        self.moved.set()

    def publish(
        self, kind: str, channels: list[Channel], of: Bridge | None = None, **more: Any
    ) -> None:
        """To each application that watches one of `channels`, or the bridge `of`."""
        for application in self.applications.values():
            ids = application.channels
            times = int(
                any(one.id in ids for one in channels)
                or (of is not None and of.id in application.bridges)
            )
            if kind in _OF_ENDPOINTS:
                names = {one.device.name for one in channels if one.device}
                times += sum(
                    name in names or any(one.startswith(f"{name}/") for one in names)
                    for name in application.endpoints
                )
            for _ in range(times):
                self.send(application, kind, **more)
        self.moved.set()

    def send(self, application: Application, kind: str, **more: Any) -> None:
        if application.send is None or not application.wants(kind):
            return
        application.send(
            {
                "type": kind,
                "timestamp": stamp(self.clock()),
                **more,
                "asterisk_id": ENTITY,
                "application": application.name,
            }
        )

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        def run() -> None:
            self.timers.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self.timers.add(handle)
        return handle

    def soon(self, call: Callable[[], None]) -> None:
        self.later(0, call)

    def forget(self, handle: asyncio.TimerHandle | None) -> None:
        if handle is not None:
            handle.cancel()
            self.timers.discard(handle)

    # -- devices

    def device_state(self, name: str) -> str:
        if name.startswith(("Custom:", "Stasis:")):
            return self.custom.get(name, "UNKNOWN") if self.has_custom_states else "INVALID"
        if name in self.devices:
            return self.devices[name].state
        exten, _, context = name.removeprefix("Local/").removesuffix("/n").partition("@")
        there = name.startswith("Local/") and self.extension(context, exten) is not None
        return "NOT_INUSE" if there else "INVALID"

    def update(self, device: Device | None) -> None:
        if device is not None and device.state != device.last_state:
            device.last_state = device.state
            self.device_changed(device.name)

    def device_changed(self, name: str) -> None:
        state = self.device_state(name)
        self.tell("DeviceStateChange", "call", {"Device": name, "State": state})
        for application in self.applications.values():
            if name in application.devices:
                self.send(
                    application, "DeviceStateChanged", device_state={"name": name, "state": state}
                )
        for call in self.changed:
            call(name)

    def register(self, device: Device, there: bool) -> None:
        before, device.registered = device.registered, there
        if there == before:
            return
        self._endpoint_changed(device)
        endpoint = device.endpoint()
        contact = {
            "uri": f"sip:{device.number}@192.0.2.7:5060",
            "contact_status": "NonQualified" if there else "Removed",
            "aor": device.number,
            "roundtrip_usec": "0",
        }
        peer = {"peer_status": "Reachable" if there else "Unreachable"}
        for application in self.applications.values():
            for _ in self._subscriptions(application, device):
                self.send(application, "PeerStatusChange", endpoint=endpoint, peer=peer)
                self.send(
                    application, "ContactStatusChange", endpoint=endpoint, contact_info=contact
                )
        self.update(device)

    def _endpoint_changed(self, device: Device) -> None:
        """Told of its registration, and of each call."""
        for application in self.applications.values():
            for _ in self._subscriptions(application, device):
                self.send(application, "EndpointStateChange", endpoint=device.endpoint())

    def _subscriptions(self, application: Application, device: Device) -> list[str]:
        technology = device.name.partition("/")[0]
        return [one for one in application.endpoints if one in (device.name, technology)]

    # -- channels

    def new_id(self) -> str:
        """A Uniqueid: the second, and a number that counts from the start of Asterisk."""
        self.second = int(self.clock())
        found = f"{self.second}.{self.count}"
        self.count += 1
        return found

    def new_channel(self, channel_id: str | None, name: str, linked: str | None) -> Channel:
        channel_id = channel_id or self.new_id()
        channel = Channel(channel_id, name, linked or channel_id, self.clock())
        self.channels[channel_id] = channel
        self.processed += 1
        return channel

    def numbered(self, technology: str, base: str) -> str:
        number = self.numbers[technology]
        self.numbers[technology] += 1
        return f"{base}-{number:08x}"

    def new_leg(self, device: Device, channel_id: str | None, linked: str | None) -> Channel:
        """A leg to or from a telephone or the trunk."""
        name = self.numbered("PJSIP", device.name)
        channel = self.new_channel(channel_id, name, linked)
        channel.device, channel.context = device, "telefonos"
        device.channels.append(channel)
        self._endpoint_changed(device)
        return channel

    def new_local(
        self, exten: str, context: str, one_id: str | None, two_id: str | None, linked: str | None
    ) -> tuple[Channel, Channel]:
        base = self.numbered("Local", f"Local/{exten}@{context}")
        one = self.new_channel(one_id, f"{base};1", linked)
        two = self.new_channel(two_id, f"{base};2", linked or one.id)
        one.half, two.half, two.state = two, one, "Ring"
        for half in (one, two):
            half.context, half.exten = context, exten
        return one, two

    def set_state(self, channel: Channel, state: str) -> None:
        if channel.gone or channel.state in (state, "Up"):
            return
        channel.state = state
        self.publish("ChannelStateChange", [channel], channel=channel.json())
        self.update(channel.device)
        if channel.half is not None and state == "Up" and channel.half.state != "Up":
            self.set_state(channel.half, "Up")
        if channel.owner is not None:
            (channel.owner.answered if state == "Up" else channel.owner.ringing)(channel)

    def dial_event(self, status: str, peer: Channel, caller: Channel | None, text: str) -> None:
        more: dict[str, Any] = {"dialstatus": status, "forward": "", "dialstring": text}
        if caller is not None:
            more["caller"] = caller.json()
        channels = [peer] if caller is None else [peer, caller]
        self.publish("Dial", channels, **more, peer=peer.json())

    def hang_up(self, channel: Channel, cause: int, how: str) -> None:
        if channel.gone:
            return
        channel.gone = True
        self._announce(channel, cause, how)
        self.leave(channel)
        if channel.in_stasis:
            self.end_stasis(channel)
        after = [
            watcher.ended(channel, cause, how)
            for watcher in (channel.runs, channel.owner)
            if watcher is not None
        ]
        for other in [*self.channels.values()]:
            if other.spied is channel:
                self.hang_up(other, NORMAL, "self")
        if channel.spied is not None:
            self._spy("ChanSpyStop", channel, channel.spied)
        self.channels.pop(channel.id, None)
        if channel.device is not None:
            channel.device.channels.remove(channel)
            self._endpoint_changed(channel.device)
        texts = {"Cause": str(cause), "Cause-txt": CAUSES.get(cause, "Unknown")}
        self.tell("Hangup", "call", {**channel.fields(), **texts})
        self.update(channel.device)
        more: dict[str, Any] = {"cause": cause, "cause_txt": texts["Cause-txt"]}
        if channel.device is not None and channel.state != "Up" and cause in _SIP:
            more["tech_cause"] = _SIP[cause]
        self._flood(channel)
        self.publish("ChannelDestroyed", [channel], **more, channel=channel.json())
        for application in self.applications.values():
            if channel.id in application.channels:
                application.channels.remove(channel.id)
        if channel.half is not None and not channel.half.gone:
            self.hang_up(channel.half, cause, "half")
        for call in after:
            if call is not None:
                call()

    def _announce(self, channel: Channel, cause: int, how: str) -> None:
        """That somebody wants it to end."""
        more: dict[str, Any] = {"cause": cause}
        if how in ("self", "asked") or (how == "half" and cause == 0 and channel.state == "Down"):
            return
        if how == "soft":
            more = {"cause": 32, "soft": True}
        else:
            fields = channel.fields()
            if how != "remote" or isinstance(channel.owner, Dial):
                fields["Cause"] = str(cause)
            self.tell("HangupRequest", "call", fields)
            if how == "remote":
                more = {}
            elif how == "refused":
                more["tech_cause"] = _SIP.get(cause, 603)
        self.publish("ChannelHangupRequest", [channel], **more, channel=channel.json())

    def _flood(self, channel: Channel) -> None:
        """The values of a leg's sound at its end: most of what a websocket carries."""
        if channel.device is None or channel.state != "Up":
            return
        for name in ("", "JITTER", "LOSS", "RTT", "MES"):
            self.publish(
                "ChannelVarset", [channel], None, variable=f"RTPAUDIOQOS{name}", value="0",
                channel=channel.json(),
            )  # fmt: skip

    # -- bridges

    def new_bridge(self, bridge_id: str | None = None, name: str = "", **more: Any) -> Bridge:
        bridge = Bridge(bridge_id or str(uuid.uuid4()), name, self.clock(), **more)
        self.bridges[bridge.id] = bridge
        return bridge

    def enter(self, channel: Channel, bridge: Bridge) -> None:
        if channel.bridge is bridge:
            return
        self.leave(channel)
        channel.bridge = bridge
        bridge.channels.append(channel)
        oldest = next(one for one in self.channels.values() if one in bridge.channels)
        for one in bridge.channels:
            one.linked = oldest.linked
        self.publish(
            "ChannelEnteredBridge", [channel], bridge, bridge=bridge.json(), channel=channel.json()
        )

    def leave(self, channel: Channel) -> None:
        bridge = channel.bridge
        if bridge is None:
            return
        channel.bridge = None
        bridge.channels.remove(channel)
        self.publish(
            "ChannelLeftBridge", [channel], bridge, bridge=bridge.json(), channel=channel.json()
        )
        if not bridge.stasis and not bridge.channels:
            self.bridges.pop(bridge.id, None)

    def join(self, *channels: Channel) -> None:
        """In a bridge of Asterisk's own."""
        bridge = self.new_bridge(stasis=False)
        for channel in channels:
            self.enter(channel, bridge)

    # -- the application

    def begin_stasis(self, channel: Channel, name: str, args: list[str], **more: Any) -> bool:
        """Whether it was taken: of what the dialplan sends, only while somebody is there; what
        the application itself has called waits until there is.
        """
        application = self.applications.get(name)
        if application is None or (application.send is None and not channel.originated):
            return False
        channel.in_stasis, channel.runs = True, None
        channel.app_name, channel.app_data = "Stasis", ",".join([name, *args])
        self.watch(application, channel)
        self.send(application, "StasisStart", args=args, channel=channel.json(), **more)
        self.moved.set()
        return True

    def watch(self, application: Application, channel: Channel) -> None:
        if channel.id not in application.channels:
            application.channels.append(channel.id)

    def end_stasis(self, channel: Channel) -> None:
        channel.in_stasis = False
        channel.music = channel.tone = False
        self.publish("StasisEnd", [channel], channel=channel.json())
        if not channel.originated:
            for application in self.applications.values():
                if channel.id in application.channels:
                    application.channels.remove(channel.id)

    # -- the dialplan

    def extension(self, context: str, exten: str) -> tuple[str, str] | None:
        """The application of an extension, and its argument."""
        for of, pattern, application, text in self.dialplan:
            found = re.fullmatch(pattern, exten) if of == context else None
            if found:
                return application, text.format(found[found.lastindex or 0])
        return None

    def run(self, channel: Channel, context: str, exten: str) -> None:
        """What is not there ends the channel."""
        if channel.gone:
            return
        found = self.extension(context, exten)
        if found is None:
            # a Local's half ends as if it had never been, any other as from nowhere
            self.hang_up(channel, 0 if channel.half is not None else NORMAL, "self")
            return
        channel.context, channel.exten, channel.priority = context, exten, 1
        application, text = found
        if application == "Stasis":
            if self.begin_stasis(channel, "diadema", ["oferta", exten]):
                return
            telephone = self.globals.get(f"DIADEMA_TEL_{exten}", "")
            if not telephone:
                self.hang_up(channel, NORMAL, "self")
                return
            Dial(self, channel, telephone if "/" in telephone else f"PJSIP/{telephone}", 25)
        elif application == "Dial":
            Dial(self, channel, text, 60)
        elif application == "Queue":
            self.join_queue(channel, text)
        else:
            self._listen(channel)

    def _listen(self, channel: Channel) -> None:
        """ChanSpy of the channel that a variable names."""
        name = channel.variables.get("OBJETIVO", "")
        target = self.named(name)
        if target is None:
            self.hang_up(channel, NORMAL, "self")
            return
        channel.app_name, channel.app_data = "ChanSpy", f"{name},q"
        channel.spied, channel.speaks = target, _SPEAKS[channel.exten]
        self._spy("ChanSpyStart", channel, target)

    def snoop(self, target: Channel, channel_id: str | None) -> Channel:
        name = self.numbered("Snoop", f"Snoop/{target.id}")
        channel = self.new_channel(channel_id, name, None)
        channel.state, channel.context, channel.spied = "Up", "default", target
        self._spy("ChanSpyStart", channel, target)
        return channel

    def _spy(self, kind: str, spyer: Channel, spyee: Channel) -> None:
        self.tell(kind, "call", {**spyer.fields("Spyer"), **spyee.fields("Spyee")})

    def named(self, name: str) -> Channel | None:
        return next((one for one in self.channels.values() if one.name == name), None)

    # -- telephones

    def call_device(self, channel: Channel, auto: bool) -> None:
        """The far end gets the call a moment later."""
        self.soon(lambda: self._arrive(channel, auto))

    def _arrive(self, channel: Channel, auto: bool) -> None:
        device = channel.device
        if channel.gone or device is None or device.mode == "silent":
            return
        if device.mode == "busy":
            self.hang_up(channel, BUSY, "refused")
            return
        self.set_state(channel, "Ringing")
        if device.mode == "always" or (device.mode == "auto" and auto):
            self.soon(lambda: self.set_state(channel, "Up"))

    # -- what is heard

    def heard(self, channel: Channel, seen: frozenset[Channel] = frozenset()) -> frozenset[str]:
        """Whom the far end of a channel hears: names of devices, `music`, `tone`; nothing is
        silence.
        """
        if channel in seen or "out" in channel.muted:
            return frozenset()
        seen |= {channel}
        found: set[str] = set()
        if channel.music:
            found.add("music")
        if channel.tone:
            found.add("tone")
        if channel.bridge is not None:
            for other in channel.bridge.channels:
                if other is not channel:
                    found |= self._says(other, seen)
        if channel.spied is not None:
            found |= self.heard(channel.spied, seen) | self._says(channel.spied, seen)
        for spyer in self._speaking_at(channel, seen):
            found |= self._says(spyer, seen)
        return frozenset(found)

    def _speaking_at(self, channel: Channel, seen: frozenset[Channel]) -> list[Channel]:
        """Whoever spies on it and is heard there."""
        spyers = (one for one in self.channels.values() if one.spied is channel)
        return [one for one in spyers if one.speaks and one not in seen]

    def _says(self, channel: Channel, seen: frozenset[Channel]) -> frozenset[str]:
        found = self._says_itself(channel, seen)
        for spyer in self._speaking_at(channel, seen):
            if spyer.speaks == "joined":  # so the other side hears it too
                found |= self._says_itself(spyer, seen)
        return found

    def _says_itself(self, channel: Channel, seen: frozenset[Channel]) -> frozenset[str]:
        if "in" in channel.muted:
            return frozenset()
        if channel.half is not None:
            return self.heard(channel.half, seen)
        if channel.device is not None:
            called_us = channel.owner is None and not channel.originated
            return frozenset([channel.number if called_us else channel.device.name])
        return self.heard(channel, seen)


class Dial:
    """An application of the dialplan: it calls a device, and joins whoever answers."""

    def __init__(self, core: Core, channel: Channel, target: str, seconds: float) -> None:
        self.core, self.channel = core, channel
        self.out: Channel | None = None
        self._timer: asyncio.TimerHandle | None = None
        channel.runs, channel.app_name, channel.app_data = self, "Dial", f"{target},{seconds:g}"
        number, _, trunk = target.removeprefix("PJSIP/").partition("@")
        device = core.devices.get(f"PJSIP/{trunk or number}")
        if device is None or not device.registered:
            core.soon(lambda: core.hang_up(channel, NO_ROUTE, "self"))
            return
        self.text = target.removeprefix("PJSIP/")
        self.out = out = core.new_leg(device, None, channel.linked)
        out.owner, out.app_name, out.app_data = self, "AppDial", "(Outgoing Line)"
        out.number = number
        out.connected, out.connected_name = channel.number, channel.caller_name
        core.dial_event("", out, channel, self.text)
        wait_s = seconds * core.second_s
        self._timer = core.later(wait_s, lambda: core.hang_up(channel, NO_ANSWER, "self"))
        core.call_device(out, auto=False)

    def ringing(self, channel: Channel) -> None:
        self.core.dial_event("RINGING", channel, self.channel, "")
        half = self.channel.half
        if half is not None and half.state == "Down":
            self.core.set_state(half, "Ringing")

    def answered(self, channel: Channel) -> None:
        self.core.forget(self._timer)
        self.core.dial_event("ANSWER", channel, self.channel, "")
        self.core.set_state(self.channel, "Up")
        if not self.channel.gone:
            self.core.join(self.channel, channel)

    def ended(self, channel: Channel, cause: int, how: str) -> Callable[[], None] | None:
        self.core.forget(self._timer)
        other = self.out if channel is self.channel else self.channel
        if other is None or other.gone:
            return None
        if channel is self.out and channel.state != "Up":
            status = {BUSY: "BUSY", NO_ANSWER: "NOANSWER"}.get(cause, "CHANUNAVAIL")
            self.core.dial_event(status, channel, self.channel, "")
            return lambda: self.core.hang_up(other, cause, "self")
        if self.out is not None and self.out.state != "Up":
            self.core.dial_event("CANCEL", self.out, None, self.text)
        return lambda: self.core.hang_up(other, NORMAL, "self")


class Origin:
    """ARI called it; when it answers it enters the application, or an extension."""

    def __init__(
        self,
        core: Core,
        channel: Channel,
        text: str,
        seconds: float,
        then: Callable[[Channel], None],
    ) -> None:
        self.core, self.text, self._then = core, text, then
        self._timer: asyncio.TimerHandle | None = None
        if seconds > 0:
            wait_s = seconds * core.second_s
            self._timer = core.later(wait_s, lambda: core.hang_up(channel, NO_ANSWER, "self"))

    def ringing(self, channel: Channel) -> None:
        self.core.dial_event("RINGING", channel, None, self.text)

    def answered(self, channel: Channel) -> None:
        self.core.forget(self._timer)
        self.core.dial_event("ANSWER", channel, None, self.text)
        if not channel.gone:
            self._then(channel)

    def ended(self, channel: Channel, cause: int, how: str) -> Callable[[], None] | None:
        self.core.forget(self._timer)
        if channel.state != "Up" and how != "self" and cause:
            status = {BUSY: "BUSY", NO_ROUTE: "CHANUNAVAIL"}.get(cause, "NOANSWER")
            self.core.dial_event(status, channel, None, self.text)
        return None
