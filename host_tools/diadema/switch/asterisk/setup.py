"""Whether an Asterisk is as the bridge needs it, and a call to one telephone, to see it answer.

Nothing is changed there. What a user may do is found out by asking for it without what it would
take to be done.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.site.directory.people import People
from diadema.switch.asterisk.ami import Ami, Message
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.calls import AREAS, HEADERS, PHONE_S
from diadema.switch.asterisk.exchange import CONTEXT
from diadema.switch.asterisk.files import is_dialled, timeout_of
from diadema.switch.asterisk.login import Login
from diadema.switch.exchange import Phone, SwitchError, SwitchRefused
from diadema.switch.names import Names
from diadema.switch.settings import Settings
from diadema.words import Later, Sentence

LEAST, TRIED = 18, 22  # versions
ECCP_PORT = 20005  # of the dialer of Issabel's Call Center
_CALL_CENTER = "DIALPLAN_EXISTS(llamada_agendada,10,1)"  # which its module writes
_VICIDIAL = (
    "AST_CONFIG(manager.conf,listencron,read)",
    "DIALPLAN_EXISTS(vicidial-auto,h,1)",
)
TRIAL = "diadema-prueba"  # our application for one call: the bridge keeps its own
_CLOCK_S = 5
_PERSON_S = 20  # in which somebody picks up a telephone that stays open
_CONNECT_S = 1.0
_NAMED = 8  # seats, queues, areas, of more
_DENIED = "Permission denied"
_FORBIDDEN = {  # what a user may not be allowed: asked for without what it needs
    "originate": "Originate", "command": "Command", "config": "UpdateConfig",
    "system": "ModuleCheck",
}  # fmt: skip
_NEEDED = {"agent": "QueueAdd", "call": "Setvar", "reporting": "CoreSettings"}
_MODULES = (
    "app_queue", "app_stasis", "res_stasis", "res_ari", "res_ari_channels", "res_ari_bridges",
    "res_ari_events", "res_ari_applications", "res_ari_endpoints", "res_ari_asterisk",
    "res_http_websocket", "bridge_simple", "bridge_softmix", "func_devstate",
    "chan_pjsip", "res_pjsip_header_funcs",
)  # fmt: skip
_MUSIC, _NAILED, _RECORDING = "res_musiconhold", "bridge_holding", "app_mixmonitor"
_SECTION = ("strategy", "retry", "musicclass", "member")  # what a queue's section has, as a rule
_DEFAULT_TIMEOUT_S = 15
_YES = ("yes", "true", "y", "t", "1", "on")
_BUSY, _RINGS_ON = 17, 19  # causes of Q.850

type Grade = Literal["forbids", "to_do", "note"]


class Finding(Struct, frozen=True):
    """`forbids`: the bridge cannot work so; `to_do`: something does not; else only to be known."""

    grade: Grade
    said: Sentence | Later


@dataclass(frozen=True)
class Place:
    """The site as it is now."""

    people: People
    ring_limit_s: int
    zone: ZoneInfo


@dataclass
class _Seen:
    """What the exchange told."""

    ami: Ami
    ari: Ari
    settings: Settings
    place: Place
    queues: set[str] = field(default_factory=set)
    members: list[Message] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    endpoints: dict[str, str] = field(default_factory=dict)  # `PJSIP/101` → its state

    async def value(self, function: str) -> str:
        """Empty also where there is no such function."""
        with suppress(SwitchRefused):
            return (await self.ami.act("Getvar", Variable=function)).get("Value", "")
        return ""


def logins(settings: Settings, passwords: Mapping[str, str]) -> tuple[Login, Login]:
    """Of AMI and ARI. Raises DiademaError."""
    tls = settings.context
    return (
        Login(settings.host, settings.ami_port, settings.user, passwords.get("ami", ""), tls),
        Login(settings.host, settings.ari_port, settings.user, passwords.get("ari", ""), tls),
    )


async def look(
    settings: Settings, passwords: Mapping[str, str], place: Place, now_ms: Callable[[], int]
) -> list[Finding]:
    """All that is found; where one interface lets nobody in, that alone. Raises DiademaError for a
    plain connection over a network, and for a CA that is none.
    """
    to_ami, to_ari = logins(settings, passwords)
    try:
        async with _logged_in(to_ami) as ami, Ari(to_ari, _unheard, _at_once, _unheard) as ari:
            seen = _Seen(ami, ari, settings, place)
            found = [*await _version(seen), *await _rights(seen), *await _ari_rights(seen)]
            if any(one.grade == "forbids" for one in found):
                return found
            await _see(seen)
            found += [*_modules(seen), *await _foreign_dialers(seen), *_queues(seen)]
            found += [*await _settings_of_queues(seen), *await _general(seen, now_ms)]
            found += [*_phones(seen), *await _dialplan(seen)]
            found.append(
                _said("note", "seen", queues=len(seen.queues), phones=len(seen.endpoints))
            )
            return found
    except SwitchRefused as error:
        if error.status or error.reason == _DENIED:
            return [Finding("forbids", Later(error.say))]
        return [_said("forbids", "ami_refused", user=settings.user, reason=error.reason)]
    except SwitchError as error:
        return [Finding("forbids", Later(error.say))]


@asynccontextmanager
async def _logged_in(login: Login) -> AsyncIterator[Ami]:
    """Raises SwitchError where that fails."""
    up = asyncio.Event()

    async def rise() -> None:
        up.set()

    ami = Ami(login, _unheard, rise, _unheard)
    connection = asyncio.create_task(ami.once())
    rising = asyncio.create_task(up.wait())
    try:
        await asyncio.wait({connection, rising}, return_when=asyncio.FIRST_COMPLETED)
        if not up.is_set():
            await connection
        yield ami
    finally:
        for task in (connection, rising):
            task.cancel()
        await asyncio.gather(connection, rising, return_exceptions=True)


def _unheard(_: object) -> None:
    """We only ask."""


async def _at_once() -> None:
    """There is nothing to be done when we are in."""


def _said(grade: Grade, name: str, /, **values: object) -> Finding:
    return Finding(grade, Sentence(f"commands.switch.{name}", **values))


def _some(names: Iterator[str] | list[str] | set[str]) -> str:
    """The first of them, and whether there are more."""
    every = sorted(names)
    return " ".join(every[:_NAMED]) + (" …" if len(every) > _NAMED else "")


# -- who we are there


async def _version(seen: _Seen) -> list[Finding]:
    try:
        text = (await seen.ami.act("CoreSettings")).get("AsteriskVersion", "")
    except SwitchRefused:  # a class is missing, which `_rights` says
        return []
    number = re.search(r"\d+", text)
    if number is None or int(number[0]) < LEAST:
        return [_said("forbids", "version_old", version=text, least=LEAST)]
    word = "version" if int(number[0]) >= TRIED else "version_untried"
    return [_said("note", word, version=text, tried=TRIED)]


async def _rights(seen: _Seen) -> list[Finding]:
    user, ami = seen.settings.user, seen.ami
    too_many = [name for name, one in _FORBIDDEN.items() if not await _is_denied(ami, one)]
    lacks = [name for name, one in _NEEDED.items() if await _is_denied(ami, one)]
    found = []
    if too_many:
        found.append(_said("forbids", "class_too_many", user=user, classes=",".join(too_many)))
    if lacks:
        found.append(_said("forbids", "class_lacks", user=user, classes=",".join(lacks)))
    return found


async def _is_denied(ami: Ami, action: str) -> bool:
    try:
        await ami.act(action)
    except SwitchRefused as error:
        return error.reason == _DENIED
    return False


async def _ari_rights(seen: _Seen) -> list[Finding]:
    try:
        await seen.ari.get("asterisk", "info")
        await seen.ari.delete("channels", f"{TRIAL}-none")
    except SwitchRefused as error:
        if error.status == 401:
            return [_said("forbids", "ari_refused", user=seen.settings.user)]
        if error.status == 403:
            return [_said("forbids", "ari_read_only", user=seen.settings.user)]
        if error.status == 404 and error.reason:  # no such channel, as it should be
            return []
        return [_said("forbids", "ari_off", port=seen.settings.ari_port)]
    except SwitchError:
        return [_said("forbids", "ari_off", port=seen.settings.ari_port)]
    return []


# -- what it has


async def _see(seen: _Seen) -> None:
    for row in await seen.ami.ask_list("QueueStatus"):
        if row.get("Event") == "QueueParams" and row.get("Queue", "default") != "default":
            seen.queues.add(row["Queue"])
        elif row.get("Event") == "QueueMember":
            seen.members.append(row)
    seen.modules = {
        str(one["name"]).removesuffix(".so")
        for one in await seen.ari.get("asterisk", "modules")
        if one.get("status") == "Running"
    }
    seen.endpoints = {
        f"{one['technology']}/{one['resource']}": str(one.get("state", "unknown"))
        for one in await seen.ari.get("endpoints")
    }


def _modules(seen: _Seen) -> Iterator[Finding]:
    if missing := [name for name in _MODULES if name not in seen.modules]:
        yield _said("forbids", "modules", modules=" ".join(missing))
    if _MUSIC not in seen.modules:
        yield _said("to_do", "no_music")
    if _RECORDING in seen.modules:
        yield _said("note", "recording")
    else:
        yield _said("to_do", "no_recording")
    nailed = [way for _, way in seen.place.people.phones.values() if way == "nailed"]
    if nailed and _NAILED not in seen.modules:
        yield _said("to_do", "no_nailed", count=len(nailed))


async def _foreign_dialers(seen: _Seen) -> list[Finding]:
    """Others who give out calls: there agents' calls never pass a queue of ours."""
    found = []
    users, dialplan = [await seen.value(one) for one in _VICIDIAL]
    if users or dialplan == "1":
        found.append(_said("forbids", "vicidial"))
    agents = {one["Queue"] for one in seen.members if one.get("Location", "").startswith("Agent/")}
    if agents:
        found.append(_said("forbids", "call_center_queues", queues=_some(agents)))
    elif (await seen.value(_CALL_CENTER)) == "1" or await _listens(seen.settings.host, ECCP_PORT):
        found.append(_said("to_do", "call_center"))
    return found


async def _listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _queues(seen: _Seen) -> Iterator[Finding]:
    names = Names(seen.place.people)
    mapped = {name: names.queue_of(name) for name in seen.queues}
    codes = seen.place.people.queues
    if lacks := codes.keys() - mapped.values():
        yield _said("to_do", "queues_lacking", queues=_some(lacks))
    if unmapped := {name for name, code in mapped.items() if code not in codes}:
        yield _said("to_do", "queues_unmapped", queues=_some(unmapped))
    fixed = [one for one in seen.members if one.get("Membership") == "static"]
    for queue in sorted({one["Queue"] for one in fixed if mapped.get(one["Queue"]) in codes}):
        its = [one.get("Name", "") for one in fixed if one["Queue"] == queue]
        yield _said("to_do", "members_fixed", queue=queue, members=_some(its))


def _ours(seen: _Seen) -> list[str]:
    """Queues there that the directory knows."""
    names = Names(seen.place.people)
    return sorted(name for name in seen.queues if names.is_mapped(name))


async def _settings_of_queues(seen: _Seen) -> list[Finding]:
    """Read from the exchange's own files, where it lets us; queues out of a database are not in
    them.
    """
    found, unknown = [], []
    needs = timeout_of(seen.place.ring_limit_s)
    for queue in _ours(seen):
        has = {
            name: await seen.value(f"AST_CONFIG(queues.conf,{queue},{name},-1)")
            for name in ("timeout", "ringinuse", "setinterfacevar", *_SECTION)
        }
        if not any(has.values()):
            unknown.append(queue)
            continue
        timeout = int(has["timeout"]) if has["timeout"].isdecimal() else _DEFAULT_TIMEOUT_S
        if 0 < timeout < needs:
            found.append(_said("to_do", "timeout", queue=queue, timeout=timeout, needs=needs))
        if (has["ringinuse"] or "yes").lower() in _YES:
            found.append(_said("to_do", "ringinuse", queue=queue))
        if has["setinterfacevar"].lower() not in _YES:
            found.append(_said("to_do", "variables", queue=queue))
    if unknown:
        found.append(_said("note", "settings_unknown", queues=_some(unknown), needs=needs))
    return found


async def _general(seen: _Seen, now_ms: Callable[[], int]) -> list[Finding]:
    found = []
    theirs = await seen.value("STRFTIME(,,%s %z)")
    if (clock := re.fullmatch(r"(\d+) ([+-]\d{4})", theirs)) is not None:
        now = now_ms()
        apart_s = abs(int(clock[1]) - now // 1000)
        if apart_s > _CLOCK_S:
            found.append(_said("to_do", "clock", seconds=apart_s))
        ours = datetime.fromtimestamp(now / 1000, UTC).astimezone(seen.place.zone)
        if f"{ours:%z}" != clock[2]:
            zone = seen.place.zone.key
            found.append(_said("to_do", "zone", theirs=clock[2], ours=f"{ours:%z}", zone=zone))
    if not await seen.value("AST_CONFIG(manager.conf,general,enabled)"):
        return found  # files cannot be read
    named = await seen.value("AST_CONFIG(queues.conf,general,log_membername_as_agent)")
    if named.lower() not in _YES:
        found.append(_said("to_do", "membername"))
    if (
        await seen.value("AST_CONFIG(logger.conf,general,queue_log)") or "yes"
    ).lower() not in _YES:
        found.append(_said("to_do", "queue_log_off"))
    return found


def _phones(seen: _Seen) -> Iterator[Finding]:
    people = seen.place.people
    without = [seat for station, seat in people.seats.items() if station not in people.phones]
    if without:
        yield _said("to_do", "seats_without", seats=_some(without))
    unknown, away = [], []
    for station, (extension, _) in people.phones.items():
        seat = f"{people.seats.get(station, station)}={extension}"
        state = seen.endpoints.get(extension)
        if state is None:
            unknown.append(seat)
        elif state == "offline":
            away.append(seat)
    if unknown:
        yield _said("to_do", "phones_unknown", seats=_some(unknown))
    if away:
        yield _said("to_do", "phones_away", seats=_some(away))
    odd = [one.id for one in people.workers.values() if one.active and not is_dialled(one.id)]
    if odd:
        yield _said("to_do", "agents_odd", agents=_some(odd))
    if no_number := [code for code, area in people.areas.items() if not area.number]:
        yield _said("to_do", "areas_without", areas=_some(no_number))


async def _dialplan(seen: _Seen) -> list[Finding]:
    """Whether our files are in force there; where the exchange cannot say, nothing."""
    there = await seen.value(f"DIALPLAN_EXISTS({CONTEXT},{TRIAL},1)")
    if there == "0":
        return [_said("to_do", "no_files")]
    areas = seen.place.people.areas
    missing = [
        f"{code}={area.number}"
        for code, area in areas.items()
        if area.number and await seen.value(f"DIALPLAN_EXISTS({AREAS},{area.number},1)") == "0"
    ]
    return [_said("to_do", "areas_unreachable", areas=_some(missing))] if missing else []


# -- one call


class Rang(Struct, frozen=True):
    """`up_ms`: from our asking to the telephone's answer; None: it did not."""

    up_ms: int | None
    said: Sentence


async def call(settings: Settings, passwords: Mapping[str, str], phone: Phone) -> Rang:
    """Ring that telephone as an agent's key does, and hang up. Raises DiademaError."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    up = asyncio.Event()

    async def rise() -> None:
        up.set()

    _, login = logins(settings, passwords)
    async with Ari(login, heard.put_nowait, rise, _unheard, TRIAL) as ari:
        events = asyncio.create_task(ari.once())
        rising = asyncio.create_task(up.wait())
        try:
            await asyncio.wait({events, rising}, return_when=asyncio.FIRST_COMPLETED)
            if not up.is_set():
                await events
            return await _ring(ari, heard, phone)
        finally:
            for task in (events, rising):
                task.cancel()
            await asyncio.gather(events, rising, return_exceptions=True)


async def _ring(ari: Ari, heard: "asyncio.Queue[dict[str, Any]]", phone: Phone) -> Rang:
    technology, _, resource = phone.extension.partition("/")
    try:
        state = (await ari.get("endpoints", technology, resource)).get("state")
    except SwitchRefused as error:
        if error.status != 404:
            raise
        return _silent("unknown", phone)
    if state == "offline":
        return _silent("away", phone)
    channel = f"{TRIAL}-{token_hex(4)}"
    began = time.monotonic()
    try:
        await ari.post(
            "channels", endpoint=phone.extension, app=TRIAL, appArgs="prueba",
            channelId=channel, timeout=str(_limit_s(phone)),
            body={"variables": HEADERS if _answers_itself(phone) else {}},
        )  # fmt: skip
    except SwitchRefused as error:
        if error.status != 500:
            raise
        return _silent("away", phone)
    try:
        async with asyncio.timeout(_limit_s(phone) + _CLOCK_S):
            return await _heard_of(channel, heard, phone, began)
    except TimeoutError:
        return _silent("rings", phone)
    finally:
        await _quietly(ari.delete("channels", channel))


async def _heard_of(
    channel: str, heard: "asyncio.Queue[dict[str, Any]]", phone: Phone, began: float
) -> Rang:
    while True:
        event = await heard.get()
        if (event.get("channel") or {}).get("id") != channel:
            continue
        if event["type"] == "StasisStart":
            up_ms = round((time.monotonic() - began) * 1000)
            said = Sentence("commands.switch.phone.up", extension=phone.extension, ms=up_ms)
            return Rang(up_ms, said)
        if event["type"] == "ChannelDestroyed":
            cause = event.get("cause")
            word = {_BUSY: "busy", _RINGS_ON: "rings"}.get(cause or 0, "failed")
            return _silent(word, phone, cause=cause if cause is not None else "—")


def _answers_itself(phone: Phone) -> bool:
    return phone.way == "auto_answer"


def _limit_s(phone: Phone) -> int:
    return PHONE_S if _answers_itself(phone) else _PERSON_S


def _silent(word: str, phone: Phone, **more: object) -> Rang:
    if word == "rings" and not _answers_itself(phone):
        word = "nobody"
    values = {"extension": phone.extension, "seconds": _limit_s(phone), **more}
    return Rang(None, Sentence(f"commands.switch.phone.{word}", **values))


async def _quietly(request: Awaitable[Any]) -> None:
    with suppress(SwitchError):
        await request
