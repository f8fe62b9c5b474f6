"""Alerts to other programs: each is sent to every webhook when it begins, without anybody's name
or id in it. What a receiver does not take is sent a few times more; one that takes nothing for a
day is turned off, and that is said: on «Cuentas», by `diadema webhook list`, in the log and in the
record of access. Out of what was put back from a backup none goes until it is in force.
"""

import asyncio
import hmac
import logging
from collections import deque
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.base import credentials, webhooks
from diadema.base.errors import HookError
from diadema.base.paths import DataDir
from diadema.base.standing import read_standing
from diadema.base.webhooks import Hook
from diadema.site.context import language_of, site_of
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Pace
from diadema.web.floor.queue_alerts import Alert, Key

MOST_WAITING = 500  # of one webhook; the oldest go first
AGAIN_S = (5, 60, 300)  # after each sending that failed
_LOOK_S = 1.0
# whose `what` is a number
_COUNTS = ("missed", "queue_waiting", "queue_level_s", "recording_pauses")

log = logging.getLogger(__name__)


class _Message(Struct, kw_only=True):
    id: str
    body: bytes
    failed: int = 0
    due_ms: int = 0


def body_of(alert: Alert, now_ms: int) -> bytes:
    """What is said of it outside. `at`: since when; `value`: how many, what percent, or for how
    many seconds so far. A reason's name or a shift's is nobody's business there.
    """
    value: float | None = (now_ms - alert.since) // 1000
    if alert.rule in _COUNTS:
        value = None if alert.what is None else msgspec.json.decode(alert.what)
    fields = {
        "seat": alert.seat,
        "queue": alert.what if alert.rule == "call" else alert.queue,
        "rule": alert.rule,
        "value": value,
        "at": _iso(alert.since),
    }
    return msgspec.json.encode({"type": "alert.began", "timestamp": _iso(now_ms), "data": fields})


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="seconds")


class AlertHooks:
    """`run` is its task."""

    def __init__(self, data: DataDir, watch: Watch, pace: Pace, accounts: Accounts) -> None:
        self._data = data
        self._watch = watch
        self._pace = pace
        self._accounts = accounts
        self._known: set[Key] = set()
        self._fresh: deque[Alert] = deque(maxlen=MOST_WAITING)
        self._waiting: dict[str, deque[_Message]] = {}
        watch.on_change.append(self._note)

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Send what is due now. Raises DiademaError when the lists cannot be read or written."""
        if not self._fresh and not any(self._waiting.values()):
            return
        known = {hook.name: hook for hook in webhooks.hooks(self._data) if not hook.off_ms}
        if not known or read_standing(self._data).trial:
            self._fresh.clear()
            self._waiting.clear()
            return
        secrets = credentials.load(self._data)
        self._waiting = {
            name: self._waiting.get(name) or deque(maxlen=MOST_WAITING) for name in known
        }
        while self._fresh:
            alert = self._fresh.popleft()
            one = _Message(id=_id_of(alert, secrets.api), body=body_of(alert, self._pace.now_ms()))
            for waiting in self._waiting.values():
                waiting.append(msgspec.structs.replace(one))
        await asyncio.gather(
            *(
                self._send(hook, secrets.webhooks.get(hook.name, ""), self._waiting[hook.name])
                for hook in known.values()
            )
        )

    def _note(self) -> None:
        """Alerts that have begun. Those that hold when this process begins are sent once more,
        and by their id a receiver knows them.
        """
        self._fresh.extend(one for one in self._watch.alerts if one.key not in self._known)
        self._known = {one.key for one in self._watch.alerts}

    async def _send(self, hook: Hook, secret: str, waiting: deque[_Message]) -> None:
        """In their order, until one fails, for which the others wait."""
        now_ms = self._accounts.audit.now
        while waiting and waiting[0].due_ms <= now_ms():
            one, reason = waiting[0], ""
            try:
                await webhooks.post(hook, secret, one.id, now_ms() // 1000, one.body)
            except HookError as error:
                reason = error.say(language_of(site_of(self._data)))
            if reason or hook.failing_ms:
                await self._mark(hook, reason, now_ms())
            if not reason:
                waiting.popleft()
            elif one.failed < len(AGAIN_S):
                one.due_ms = now_ms() + 1000 * AGAIN_S[one.failed]
                one.failed += 1
            else:
                waiting.popleft()
                log.warning("webhook %s: an alert is given up, %d wait", hook.name, len(waiting))

    async def _mark(self, hook: Hook, reason: str, now_ms: int) -> None:
        hook.failing_ms = (hook.failing_ms or now_ms) if reason else 0
        if await asyncio.to_thread(webhooks.note, self._data, hook.name, reason, now_ms):
            log.error("webhook %s takes nothing for a day and is off: %s", hook.name, reason)
            self._accounts.audit.record(THE_HUB, "webhook.off", webhook=hook.name, reason=reason)


def _id_of(alert: Alert, key: str) -> str:
    """The same each time that this alert is sent, and nobody can tell from it whom it is of."""
    named = msgspec.json.encode(alert.key)
    return f"msg_{hmac.digest(key.encode(), named, 'sha256').hex()[:32]}"
