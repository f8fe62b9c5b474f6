"""Slows down whoever guesses: after a few failures each next attempt waits longer, by account and
by address. An account that does not exist is treated as one that does.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from diadema.web.accounts.database import writing
from diadema.web.accounts.tables import failures

FREE = {"account": 4, "address": 20}  # failures before the first wait
_FIRST_MS = 2_000
_LONGEST_MS = 15 * 60 * 1000
_FORGET_MS = 24 * 3600 * 1000


class Throttle:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def attempt(self, **whose: str) -> int:
        """Begin one, of an `account` and an `address`: 0, or the milliseconds still to wait.

        It counts as failed until `passed`, so that many at once gain nothing.
        """
        now, keys = self._now(), _keys(whose)
        with writing(self._engine) as tx:
            tx.execute(delete(failures).where(failures.c.last_ms <= now - _FORGET_MS))
            found = select(failures).where(failures.c.key.in_(keys))
            counts = {row.key: row for row in tx.execute(found)}
            wait = max(
                (row.last_ms + _pause(row.failed, keys[key]) - now for key, row in counts.items()),
                default=0,
            )
            if wait > 0:
                return wait
            for key in keys:
                row = insert(failures).values(key=key, failed=1, last_ms=now)
                more = {"failed": failures.c.failed + 1, "last_ms": now}
                tx.execute(row.on_conflict_do_update(index_elements=["key"], set_=more))
        return 0

    def passed(self, **whose: str) -> None:
        """The attempt was right: the account's failures are forgotten, the address's one is."""
        keys = _keys(whose)
        with writing(self._engine) as tx:
            for key, kind in keys.items():
                where = failures.c.key == key
                if kind == "account":
                    tx.execute(delete(failures).where(where))
                else:
                    less = failures.c.failed - 1
                    tx.execute(failures.update().where(where).values(failed=less))


def _keys(whose: Mapping[str, str]) -> dict[str, str]:
    return {f"{kind}:{name[:64]}": kind for kind, name in whose.items()}


def _pause(count: int, kind: str) -> int:
    """Nothing at first; then two seconds, doubled with each failure, up to a quarter hour."""
    over = count - FREE[kind]
    return 0 if over < 0 else min(_FIRST_MS << min(over, 20), _LONGEST_MS)
