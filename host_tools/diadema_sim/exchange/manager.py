"""The side that speaks AMI: one session a connection."""

import asyncio
import hashlib
import random
from collections.abc import Callable
from datetime import UTC, datetime

from diadema_sim.exchange.core import Core
from diadema_sim.exchange.parts import DEVICE_STATES, Fields, User, message
from diadema_sim.exchange.queues import Queues, Refused, Waiting

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
_LONGEST = 1024  # bytes of a line
_MOST = 128  # lines of an action
_SHUT = ("DB(", "FILE(", "SHELL(")  # functions that nobody may use from outside


class Session:
    """`user` is None before the login."""

    def __init__(self, manager: "Manager", writer: asyncio.StreamWriter) -> None:
        self._manager, self.writer = manager, writer
        self.user: User | None = None
        self.wants_events = True
        self.challenge = ""

    def say(self, fields: Fields) -> None:
        if not self.writer.is_closing():
            self.writer.write(message(fields))

    def hear(self, of: str, event: Fields) -> None:
        user = self.user
        if user is None or not self.wants_events or not user.classes & {of, "all"}:
            return
        if user.hears(event):
            more = {"Privilege": f"{of},all", "Timestamp": f"{self._manager.core.clock():.6f}"}
            kind = {"Event": event["Event"]}
            self._manager.out(self, message({**kind, **more, **event}))


class Manager:
    """`silent_s`: how long somebody who does not log in may be there; `refused_s`: how long a
    wrong login is left without answer.
    """

    def __init__(self, core: Core, queues: Queues, rng: random.Random) -> None:
        self.core, self.queues, self._rng = core, queues, rng
        self.users: dict[str, User] = {}
        self.sessions: list[Session] = []
        self.lag: Callable[[], float] = lambda: 0.0
        self.silent_s, self.refused_s = 30.0, 1.0
        self.started = core.clock()
        self._held: dict[Session, bytearray] = {}

    def hear(self, of: str, event: Fields) -> None:
        for session in self.sessions:
            session.hear(of, event)

    def out(self, session: Session, data: bytes) -> None:
        """Events may come some ms later than what the other interface tells of the same."""
        held = self._held.get(session)
        if held is None:
            held = self._held[session] = bytearray()
            self.core.later(self.lag(), lambda: self.flush(session))
        held += data

    def flush(self, session: Session) -> None:
        held = self._held.pop(session, None)
        if held and not session.writer.is_closing():
            session.writer.write(bytes(held))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, writer)
        self.sessions.append(session)
        writer.write(BANNER)
        try:
            async with asyncio.timeout(self.silent_s) as limit:
                while (action := await self._read(reader, session)) is not None:
                    if action:
                        await self._take(session, action)
                    if session.user is not None:
                        limit.reschedule(None)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, EOFError):
            pass
        finally:
            self.sessions.remove(session)
            self._held.pop(session, None)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, session: Session) -> Fields | None:
        """An action; an empty one was refused already. A line ends at LF, with or without CR."""
        found: Fields = {}
        lines, wrong = 0, ""
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await reader.readexactly(error.consumed)
                wrong = "Failed to parse message: line too long"
                continue
            except asyncio.IncompleteReadError:
                return None
            text = line.rstrip(b"\r\n")
            if not text:
                if found or lines:
                    break
                continue
            lines += 1
            if len(text) > _LONGEST:
                wrong = "Failed to parse message: line too long"
            elif lines > _MOST:
                wrong = "Too many lines in message or allocation failure"
            name, colon, value = text.decode(errors="surrogateescape").partition(":")
            if colon:
                found.setdefault(name, value.lstrip())
        if wrong:
            session.say(self._answer(found, "Error", Message=wrong))
            return {}
        return found

    def _answer(self, action: Fields, response: str, **more: str) -> Fields:
        number = action.get("ActionID")
        named = {} if number is None else {"ActionID": number}
        return {"Response": response, **named, **more}

    async def _take(self, session: Session, action: Fields) -> None:
        name = action.get("Action", "").lower()

        def say(response: str, **more: str) -> None:
            session.say(self._answer(action, response, **more))

        if name == "logoff":
            say("Goodbye", Message="Thanks for all the fish.")
            raise EOFError
        if name == "challenge":
            session.challenge = str(self._rng.randrange(10**8, 10**9))
            say("Success", Challenge=session.challenge)
        elif name == "login":
            await self._log_in(session, action, say)
        elif session.user is None:
            say("Error", Message="Permission denied")
        elif name not in _ACTIONS:
            text = f"Invalid/unknown command: {action.get('Action', '')}. Use Action: "
            say("Error", Message=f"{text}ListCommands to show available commands.")
        else:
            classes, act = _ACTIONS[name]
            if classes and not session.user.classes & {*classes.split(","), "all"}:
                say("Error", Message="Permission denied")
                return
            try:
                act(self, session, action, say)
            except Refused as error:
                say("Error", Message=str(error))

    async def _log_in(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        user = self.users.get(action.get("Username", ""))
        right = False
        if user is not None and action.get("AuthType", "").upper() == "MD5":
            text = f"{session.challenge}{user.secret}".encode()
            key = hashlib.md5(text, usedforsecurity=False).hexdigest()
            right = bool(session.challenge) and key == action.get("Key")
        elif user is not None:
            right = user.secret == action.get("Secret")
        if user is None or not right:
            await asyncio.sleep(self.refused_s)
            say("Error", Message="Authentication failed")
            raise EOFError
        session.wants_events = action.get("Events", "on") != "off"
        say("Success", Message="Authentication accepted")
        session.user = user

    # -- actions

    def _list(self, session: Session, action: Fields, text: str, rows: list[Fields]) -> None:
        """`text` may name nothing: then the last event is named by the action."""
        session.say(self._answer(action, "Success", EventList="start", Message=text))
        number = action.get("ActionID")
        named = {} if number is None else {"ActionID": number}
        for row in rows:
            session.say({**row, **named})
        end = {"EventList": "Complete", "ListItems": str(len(rows))}
        session.say({"Event": f"{action['Action']}Complete", **named, **end})

    def _ping(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        say("Success", Ping="Pong", Timestamp=f"{self.core.clock():.6f}")

    def _events(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        session.wants_events = action.get("EventMask", "off") != "off"
        say("Success", Events="On" if session.wants_events else "Off")

    def _settings(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        say(
            "Success", AMIversion="11.0.0", AsteriskVersion="22.11.0-rc1", SystemName="",
            CoreMaxCalls="0", CoreMaxLoadAvg="0.000000", CoreRunUser="", CoreRunGroup="",
            CoreMaxFilehandles="0", CoreRealTimeEnabled="No", CoreCDRenabled="No",
            CoreHTTPenabled="No", SoundsSearchCustomDir="No",
        )  # fmt: skip

    def _status(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        began = datetime.fromtimestamp(self.started, UTC)
        day, moment = f"{began:%Y-%m-%d}", f"{began:%H:%M:%S}"
        say(
            "Success", CoreStartupDate=day, CoreStartupTime=moment, CoreReloadDate=day,
            CoreReloadTime=moment, CoreCurrentCalls=str(len(self.queues_calls())),
            CoreProcessedCalls=str(self.core.processed),
        )  # fmt: skip

    def queues_calls(self) -> list[Waiting]:
        return [one.runs for one in self.core.channels.values() if isinstance(one.runs, Waiting)]

    def _channels(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        rows = []
        for channel in self.core.channels.values():
            seconds = int(self.core.clock() - channel.created)
            duration = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            rows.append(
                {
                    "Event": "CoreShowChannel",
                    **channel.fields(),
                    "Application": channel.app_name,
                    "ApplicationData": channel.app_data,
                    "Duration": duration,
                    "BridgeId": channel.bridge.id if channel.bridge else "",
                }
            )
        self._list(session, action, "Channels will follow", rows)

    def _devices(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        names = [*self.core.custom, *self.core.devices]
        rows = [
            {"Event": "DeviceStateChange", "Device": name, "State": self.core.device_state(name)}
            for name in names
        ]
        self._list(session, action, "Device State Changes will follow", rows)

    def _queue_status(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        rows = self.queues.listed(action.get("Queue", ""), action.get("Member", ""))
        self._list(session, action, "Queue status will follow", rows)

    def _queue_summary(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        self._list(session, action, "Queue summary will follow", self.queues.summary())

    def _queue_add(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        self.queues.add(
            _needed(action, "Queue"), _needed(action, "Interface"), action.get("MemberName", ""),
            action.get("StateInterface", ""), _whole(action.get("Penalty", "")), _true(action),
            action.get("Reason", "") if _true(action) else "",
        )  # fmt: skip
        say("Success", Message="Added interface to queue")

    def _queue_remove(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        self.queues.remove(_needed(action, "Queue"), _needed(action, "Interface"))
        say("Success", Message="Removed interface from queue")

    def _queue_pause(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        interface = _needed(action, "Interface")
        if "Paused" not in action:
            raise Refused("Need 'Interface' and 'Paused' parameters.")
        paused = _true(action)
        queue, reason = action.get("Queue", ""), action.get("Reason", "")
        self.queues.pause(interface, paused, queue, reason)
        text = "paused" if paused else "unpaused"
        say("Success", Message=f"Interface {text} successfully")

    def _queue_penalty(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        penalty = _whole(_needed(action, "Penalty"))
        self.queues.set_penalty(_needed(action, "Interface"), penalty, action.get("Queue", ""))
        say("Success", Message="Interface penalty set successfully")

    def _ringinuse(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        on = _true(action, "RingInUse")
        self.queues.set_ringinuse(_needed(action, "Interface"), on, action.get("Queue", ""))
        say("Success", Message="Interface ringinuse set successfully")

    def _set(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        name, value = action.get("Variable", ""), action.get("Value", "")
        if not name:
            raise Refused("No variable specified")
        if action.get("Channel"):
            channel = self.core.named(action["Channel"])
            if channel is None:
                raise Refused("No such channel")
            channel.variables[name] = value
        elif not self.set_variable(name, value):
            raise Refused("Variable not set")
        say("Success", Message="Variable Set")

    def set_variable(self, name: str, value: str) -> bool:
        if name.startswith("DEVICE_STATE(") and name.endswith(")"):
            device = name.removeprefix("DEVICE_STATE(").removesuffix(")")
            known = device.startswith("Custom:") and value in DEVICE_STATES[1:]
            if not known or not self.core.has_custom_states:
                return False
            if self.core.device_state(device) != value:
                self.set_custom(device, value)
            return True
        if "(" in name:
            return False
        self.core.globals[name] = value
        return True

    def set_custom(self, device: str, value: str) -> None:
        self.core.custom[device] = value
        self.core.device_changed(device)

    def _get(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        name = action.get("Variable", "")
        if name.startswith(_SHUT):
            raise Refused("GetVar Access Forbidden: Variable")
        if name.startswith("DEVICE_STATE(") and name.endswith(")"):
            value = self.core.device_state(name.removeprefix("DEVICE_STATE(").removesuffix(")"))
        else:
            value = self.core.globals.get(name, "")
        say("Success", Variable=name, Value=value)

    def _transfer(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        name = _needed(action, "Channel", "No channel specified")
        exten = _needed(action, "Exten", "No exten specified")
        channel = self.core.named(name)
        if channel is None:
            raise Refused("Channel specified does not exist")
        call = channel.owner
        if not isinstance(call, Waiting) or call.connected is None:
            raise Refused("Transfer not permitted")
        context = action.get("Context") or channel.context
        say("Success", Message="Transfer succeeded")
        call.transfer(context, exten)

    def _hang_up(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        channel = self.core.named(_needed(action, "Channel", "No such channel"))
        if channel is None:
            raise Refused("No such channel")
        say("Success", Message="Channel Hungup")
        self.core.hang_up(channel, _whole(action.get("Cause", "16")), "asked")

    def _mute_monitor(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        channel = self.core.named(_needed(action, "Channel", "Channel not specified"))
        if channel is None:
            raise Refused("No such channel")
        direction, state = action.get("Direction", ""), action.get("State", "")
        if not state:
            raise Refused("No state specified")
        if direction not in ("read", "write", "both"):
            raise Refused("Invalid direction specified. Must be read, write or both")
        if channel.monitor is None:
            raise Refused("Cannot set mute flag")
        on = state in ("1", "true", "yes")
        channel.monitor = max(channel.monitor + (1 if on else -1), 0)
        say("Success")
        fields = {**channel.fields(), "Direction": direction, "State": str(int(on))}
        self.core.tell("MixMonitorMute", "call", fields)

    def _stop_monitor(self, session: Session, action: Fields, say: Callable[..., None]) -> None:
        channel = self.core.named(_needed(action, "Channel", "No channel specified."))
        if channel is None:
            raise Refused("No such channel")
        if channel.monitor is None:
            raise Refused("Could not stop monitoring channel")
        channel.monitor = None
        say("Success")
        self.core.tell("MixMonitorStop", "call", channel.fields())


type Act = Callable[[Manager, Session, Fields, Callable[..., None]], None]


def _needed(action: Fields, name: str, text: str = "") -> str:
    value = action.get(name, "")
    if not value:
        raise Refused(text or f"'{name}' not specified.")
    return value


def _whole(text: str) -> int:
    """As it reads a number: what is none is 0."""
    return int(text) if text.isdecimal() else 0


def _true(action: Fields, name: str = "Paused") -> bool:
    return action.get(name, "").lower() in ("true", "yes", "on", "1", "y", "t")


def _lacking(text: str) -> Act:
    """Of an action that nobody needs here but to know whether he may."""

    def act(manager: Manager, session: Session, action: Fields, say: Callable[..., None]) -> None:
        raise Refused(text)

    return act


_ACTIONS: dict[str, tuple[str, Act]] = {
    "ping": ("", Manager._ping),
    "events": ("", Manager._events),
    "coresettings": ("system,reporting", Manager._settings),
    "corestatus": ("system,reporting", Manager._status),
    "coreshowchannels": ("system,reporting", Manager._channels),
    "devicestatelist": ("call,reporting", Manager._devices),
    "queuestatus": ("", Manager._queue_status),
    "queuesummary": ("", Manager._queue_summary),
    "queueadd": ("agent", Manager._queue_add),
    "queueremove": ("agent", Manager._queue_remove),
    "queuepause": ("agent", Manager._queue_pause),
    "queuepenalty": ("agent", Manager._queue_penalty),
    "queuememberringinuse": ("agent", Manager._ringinuse),
    "setvar": ("call", Manager._set),
    "getvar": ("call,reporting", Manager._get),
    "blindtransfer": ("call", Manager._transfer),
    "hangup": ("system,call", Manager._hang_up),
    "mixmonitormute": ("system,call", Manager._mute_monitor),
    "stopmixmonitor": ("system,call", Manager._stop_monitor),
    "originate": ("originate", _lacking("Channel not specified")),
    "command": ("command", _lacking("No command provided")),
    "getconfig": ("system,config", _lacking("Filename not specified")),
    "modulecheck": ("system", _lacking("Module not specified")),
    "mixmonitor": ("system", _lacking("No channel specified.")),
    "pjsipnotify": ("system", _lacking("Channel not found")),
    "dbput": ("system", _lacking("No family specified.")),
    "updateconfig": ("config", _lacking("Filename not specified")),
    "userevent": ("user", _lacking("Missing UserEvent")),
}
