"""What stations measured of calls by themselves: the voice, and how long a caller was on hold."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, text

from diadema.metrics.rounding import percent
from diadema.store.contact_rows import Key, key_of
from diadema.store.rows import Contact

_EVENTS = text(  # until the next call of the same station began
    """
    WITH given AS MATERIALIZED (
      SELECT value ->> 0 AS s, value ->> 1 AS e, value ->> 2 AS n FROM json_each(:keys)
    ), its AS MATERIALIZED (
      SELECT s, e, n, (SELECT min(contacts.n) FROM contacts WHERE contacts.s = given.s
                       AND contacts.e = given.e AND contacts.n > given.n) AS until
      FROM given
    )
    SELECT its.s, its.e, its.n, events.k, events.body
    FROM its
    JOIN events ON events.s = its.s AND events.e = its.e AND events.n > its.n
      AND events.n < coalesce(its.until, its.n + 1000)
    WHERE events.k IN ('voice.summary', 'contact.held', 'contact.resumed', 'contact.ended')
    ORDER BY its.s, its.e, its.n, events.n
    """
)
_ENDS = ("contact.resumed", "contact.ended")  # of a hold


class Voice(Struct, frozen=True):
    """Measured while they talked: milliseconds in which one, both or nobody spoke, and counts."""

    agent_ms: int
    caller_ms: int
    both_ms: int
    silence_ms: int
    longest_silence_ms: int
    interruptions: int
    clipping: int

    @property
    def agent_spoke_ms(self) -> int:
        return self.agent_ms + self.both_ms

    @property
    def whole_ms(self) -> int:
        return self.agent_ms + self.caller_ms + self.both_ms + self.silence_ms

    @property
    def agent_share(self) -> float | None:
        """Percent of the time in which the agent spoke."""
        return percent(self.agent_spoke_ms, self.whole_ms)


class Measured(Struct):
    """Of one call. `voice` is null where nothing was measured."""

    voice: Voice | None = None
    holds: int = 0
    longest_hold_ms: int = 0


class _Event(Struct):
    contact: str | None = msgspec.field(name="c", default=None)
    boot: int = msgspec.field(name="b", default=0)
    uptime_ms: int = msgspec.field(name="u", default=0)


_event = msgspec.json.Decoder(_Event).decode
voice_of = msgspec.json.Decoder(Voice).decode


def measured(tx: Connection, contacts: Iterable[Contact]) -> dict[Key, Measured]:
    """A hold that no end is known of is counted, and has no length."""
    names = {key_of(one): one.contact for one in contacts}
    found = {key: Measured() for key in names}
    held: dict[Key, tuple[int, int]] = {}
    keys = msgspec.json.encode(sorted(names)).decode()
    for s, e, n, kind, body in tx.execute(_EVENTS, {"keys": keys}).all():  # one by one is slow
        key = s, e, n
        if kind in _ENDS and key not in held:
            continue
        event = _event(body)
        if event.contact != names[key]:
            continue
        its = found[key]
        if kind == "voice.summary":
            its.voice = voice_of(body)
        elif kind == "contact.held":
            its.holds += 1
            held[key] = event.boot, event.uptime_ms
        elif (since := held.pop(key, None)) is not None and since[0] == event.boot:
            its.longest_hold_ms = max(its.longest_hold_ms, event.uptime_ms - since[1])
    return found
