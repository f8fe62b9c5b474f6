"""What is written for an Asterisk: a user of each interface with the least rights, the contexts
that calls pass through, and a template for queues. Nothing of the exchange's own is touched: each
file is one that its own includes.

Names come from people. What goes into a line is checked against what may stand there, and refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diadema.base.errors import DiademaError
from diadema.site.directory.kinds import EXTENSION
from diadema.site.directory.people import People
from diadema.switch.asterisk.ari import APPLICATION
from diadema.switch.asterisk.calls import AREAS, OFFER, OUTSIDE
from diadema.switch.asterisk.exchange import CONTEXT, STATE
from diadema.switch.asterisk.listening import LISTENING, MODES
from diadema.switch.settings import Settings
from diadema.words import Sentence

NATIONAL = ("9XXXXXXXX", "[2-7]XXXXXX", "01[2-7]XXXXXX", "0[4-7][1-7]XXXXXX", "08[2-4]XXXXXX")
"""Mobile, Lima, and the other departments of Peru; neither 0800 and 0808 nor anything abroad."""

PHONES, HINTS = "diadema-telefonos", "diadema-estados"
TEMPLATE = "diadema-cola"
NAMED_FILTERS = 21  # from this version on filters name an event; older ones are expressions
SPARE_S = 2  # that a queue waits longer than a station rings
_FALLBACK_S = 5  # that the dialplan lets a telephone ring longer than a station
_MEMBERS = "_[a-zA-Z0-9]."  # not h, i or t, which the dialplan calls itself
_EVENTS = (
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect",
    "AgentComplete", "AgentRingNoAnswer", "QueueMemberAdded", "QueueMemberRemoved",
    "QueueMemberPause", "QueueMemberPenalty", "QueueMemberRinginuse", "HangupRequest", "Hangup",
    "BlindTransfer", "AttendedTransfer", "MixMonitorStart", "MixMonitorStop", "MixMonitorMute",
    "ChanSpyStart", "ChanSpyStop",
)  # fmt: skip
_OLD_FILTERS = (
    "Event: (QueueCaller|Agent|QueueMember(Added|Removed|Pause|Penalty|Ringinuse)|HangupRequest"
    "|Hangup|BlindTransfer|AttendedTransfer|MixMonitor|ChanSpy)",
    "Device: ({devices})",
    "!Event: Hangup.*Channel: Local/",
)
_SHAPES = {
    "context": r"[A-Za-z0-9_-]{1,79}",
    "user": r"[A-Za-z0-9_-]{1,32}",
    "password": r"[A-Za-z0-9_.~+/=@%^*!-]{8,128}",
    "address": r"[0-9A-Fa-f.:]{2,45}",
    "number": r"[0-9*#]{1,20}",
    "extension": EXTENSION,
    "pattern": r"(?:[0-9XZN]|\[[0-9][0-9-]{0,18}\])+\.?",
}
_NO_COMMENT = re.compile(r"[^\w .,()/-]")


@dataclass(frozen=True)
class Writing:
    """All that goes into the files. `context`: where the exchange's own dialplan knows extensions
    and ways out; `address`: ours, as the exchange sees it; `version`: of Asterisk; `phones`: by
    agent, the telephone that rings where the exchange knows no other.
    """

    settings: Settings
    passwords: Mapping[str, str]
    people: People
    ring_limit_s: int
    context: str
    address: str
    version: int
    phones: Mapping[str, str]


def written(its: Writing) -> dict[str, str]:
    """The text of each file, by its name. Raises DiademaError for what cannot stand in one."""
    parts = {
        "manager_diadema.conf": _manager(its),
        "ari_diadema.conf": _ari(its),
        "extensions_diadema.conf": _extensions(its),
        "queues_diadema.conf": _queues(its),
    }
    head = "; Written by `diadema switch config asterisk`, which writes it anew.\n"
    return {name: head + "".join(f"{line}\n" for line in lines) for name, lines in parts.items()}


def checked(what: str, value: str) -> str:
    """`value`, where it may stand in a file as a `what`. Raises DiademaError."""
    if re.fullmatch(_SHAPES[what], value, re.ASCII) is None:
        raise DiademaError(Sentence("errors.switch.file_value", what=what, value=ascii(value)))
    return value


def _comment(text: str) -> str:
    """A `;` would end it, and `;--` begin one of many lines."""
    return f"; {_NO_COMMENT.sub('?', text)}"


def _manager(its: Writing) -> Iterator[str]:
    yield f"[{checked('user', its.settings.user)}]"
    yield f"secret = {checked('password', its.passwords['ami'])}"
    address = checked("address", its.address)
    if ":" not in address:
        yield "deny = 0.0.0.0/0.0.0.0"
        yield f"permit = {address}/255.255.255.255"
    else:
        yield "deny = ::/0"
        yield f"permit = {address}/128"
    yield "read = agent,call,reporting"
    yield "write = agent,call,reporting"
    yield "writetimeout = 5000"
    named, expressions = [*_named(its)], [*_expressions(its)]
    newer = its.version >= NAMED_FILTERS
    yield from named if newer else expressions
    yield f"; Asterisk {'18 to 20' if newer else '21 and newer'}, in place of the lines above:"
    yield from (f"; {line}" for line in (expressions if newer else named))


def _technologies(its: Writing) -> list[str]:
    """Of the site's telephones, as `PJSIP/`."""
    known = (*(phone for phone, _ in its.people.phones.values()), *its.settings.listeners.values())
    phones = [checked("extension", phone) for phone in known]
    return sorted({f"{phone.partition('/')[0]}/" for phone in phones} or {"PJSIP/"})


def _named(its: Writing) -> Iterator[str]:
    for event in _EVENTS:
        yield f"eventfilter(action(include),name({event})) ="
    state = "eventfilter(action(include),name(DeviceStateChange),header(Device)"
    for start in (*_technologies(its), STATE.format("")):
        yield f"{state},method(starts_with)) = {start}"
    yield "eventfilter(action(exclude),name(Hangup),header(Channel),method(starts_with)) = Local/"


def _expressions(its: Writing) -> Iterator[str]:
    for one in _OLD_FILTERS:
        devices = "|".join([*_technologies(its), STATE.format("")])
        yield f"eventfilter = {one.replace('{devices}', devices)}"


def _ari(its: Writing) -> Iterator[str]:
    yield f"[{checked('user', its.settings.user)}]"
    yield "type = user"
    yield "read_only = no"
    yield f"password = {checked('password', its.passwords['ari'])}"


def _extensions(its: Writing) -> Iterator[str]:
    limit = its.ring_limit_s + _FALLBACK_S
    context = checked("context", its.context)
    yield f"[{CONTEXT}]"
    yield "; the bridge takes the call; while it is away its agent's telephone rings"
    yield f"exten => {_MEMBERS},1,Stasis({APPLICATION},{OFFER},${{EXTEN}})"
    yield ' same => n,GotoIf($["${STASISSTATUS}" = "SUCCESS"]?fin)'
    yield " same => n,Set(TEL=${DIADEMA_TEL_${EXTEN}})"
    yield f' same => n,GotoIf($["${{TEL}}" = ""]?{PHONES},${{EXTEN}},1)'
    yield f" same => n(suena),Dial(${{TEL}},{limit})"
    yield " same => n(fin),Hangup()"
    yield f"[{PHONES}]"
    yield "; where each was last logged in: of use only until the bridge says it anew"
    for agent, phone in sorted(its.phones.items()):
        if not is_dialled(agent):
            continue
        yield f"exten => {agent},1,Set(TEL={checked('extension', phone)})"
        yield f" same => n,Goto({CONTEXT},${{EXTEN}},suena)"
    yield f"exten => {_MEMBERS},1,Hangup()"
    yield f"[{AREAS}]"
    yield "; the areas of the directory, and nothing else"
    for number, label in sorted(_numbers(its).items()):
        yield _comment(label)
        yield f"exten => {number},1,Goto({context},{number},1)"
    yield f"[{OUTSIDE}]"
    yield "; what agents may dial; how many in an hour the bridge counts"
    for pattern in its.settings.allowed:
        allowed = checked("pattern", pattern)
        yield f"exten => _{allowed},1,Goto({context},${{FILTER(0-9,${{EXTEN}})}},1)"
    yield f"[{LISTENING}]"
    yield "; no `d`: a key of the listener's telephone does not make it whisper"
    for exten, options in MODES.values():
        yield f"exten => {exten},1,ChanSpy(${{OBJETIVO}},{options})"
    yield f"[{HINTS}]"
    for phone in sorted({phone for phone, _ in its.people.phones.values()}):
        yield f"exten => {phone.partition('/')[2]},hint,{checked('extension', phone)}"
    yield f"exten => {_MEMBERS},hint,{STATE.format('${EXTEN}')}"


def _numbers(its: Writing) -> dict[str, str]:
    return {
        checked("number", one.number): one.label for one in its.people.areas.values() if one.number
    }


def _queues(its: Writing) -> Iterator[str]:
    yield f"; after [general] of queues.conf; then [ventas]({TEMPLATE}) for each queue."
    yield "; No `member`: agents come in when they log in at a station, and go when they log out."
    yield f"[{TEMPLATE}](!)"
    yield "ringinuse = no"
    yield f"timeout = {timeout_of(its.ring_limit_s)}"
    yield "retry = 1"
    yield "timeoutrestart = no"
    yield "autopause = no"
    yield "wrapuptime = 0"
    yield "setinterfacevar = yes"
    yield "setqueuevar = yes"


def is_dialled(agent: str) -> bool:
    """Whether the dialplan knows an agent's code from what it calls itself, and from a pattern."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{1,23}", agent, re.ASCII) is not None


def timeout_of(ring_limit_s: int) -> int:
    """The least time-out of a queue: the station gives up first, and says so."""
    return ring_limit_s + SPARE_S
