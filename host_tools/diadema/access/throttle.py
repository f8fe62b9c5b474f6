"""Slows down whoever guesses: after a few failures each next attempt waits longer, by account and
by address; a browser that its account was let in with before is counted by itself, so that nobody
else's guesses keep it out. An account that does not exist is treated as one that does.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from diadema.access.database import attempts
from diadema.base.sqlite import writing

FREE = {"account": 4, "address": 20, "device": 4}  # failures before the first wait
LONGEST_MS = 15 * 60 * 1000
_FIRST_MS = 2_000
_FADE_MS = 30 * 60 * 1000  # in which one failure is forgotten
_FORGET_MS = 24 * 3600 * 1000


class Throttle:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def attempt(self, **whose: str) -> int:
        """Begin one, of an `account` and an `address`, or of a known `device`: 0, or the
        milliseconds still to wait, never more than `LONGEST_MS`.

        It counts as failed until `passed`, so that many at once gain nothing.
        """
        now, keys = self._now(), _keys(whose)
        with writing(self._engine) as tx:
            tx.execute(delete(attempts).where(attempts.c.last_ms <= now - _FORGET_MS))
            counts = self._counts(tx, keys, now)
            waits = [
                last + _pause(failed, keys[key]) - now for key, (failed, last) in counts.items()
            ]
            if (wait := max(waits, default=0)) > 0:
                return wait
            for key in keys:
                failed, last = counts.get(key, (0, now))
                fields = {"failed": failed + 1, "last_ms": now, "before_ms": last}
                row = insert(attempts).values(key=key, **fields)
                tx.execute(row.on_conflict_do_update(index_elements=["key"], set_=fields))
        return 0

    def passed(self, **whose: str) -> None:
        """The attempt was right, as if it had not been; the failures of an account or a device
        are forgotten.
        """
        keys = _keys(whose)
        with writing(self._engine) as tx:
            for key, kind in keys.items():
                where = attempts.c.key == key
                if kind == "address":
                    less = {"failed": attempts.c.failed - 1, "last_ms": attempts.c.before_ms}
                    tx.execute(attempts.update().where(where).values(**less))
                else:
                    tx.execute(delete(attempts).where(where))

    def _counts(
        self, tx: Connection, keys: Mapping[str, str], now: int
    ) -> dict[str, tuple[int, int]]:
        """By key, how many failures still count, and when the last one was. One of the future is
        of a clock that was wrong: it is of now.
        """
        counts = {}
        for row in tx.execute(select(attempts).where(attempts.c.key.in_(keys))).all():
            last = min(row.last_ms, now)
            if last < row.last_ms:
                its = attempts.c.key == row.key
                tx.execute(attempts.update().where(its).values(last_ms=now, before_ms=now))
            counts[row.key] = max(row.failed - (now - last) // _FADE_MS, 0), last
        return counts


def _keys(whose: Mapping[str, str]) -> dict[str, str]:
    return {f"{kind}:{name[:64]}": kind for kind, name in whose.items()}


def _pause(count: int, kind: str) -> int:
    """Nothing at first; then two seconds, doubled with each failure, up to a quarter hour."""
    over = count - FREE[kind]
    return 0 if over < 0 else min(_FIRST_MS << min(over, 20), LONGEST_MS)
