"""While a hub runs: where the chains of the store and of the accounts end is kept in the other
file, some moments after they grow.
"""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError

from diadema.access import Accounts, real_now_ms
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.maintenance.records_keeping import keep_ledger, new_audit_head
from diadema.store import Reader, tables
from diadema.store.record_heads import Head, keep_heads, key_of

EVERY_S = 2.0
log = logging.getLogger("diadema.ingest")


class RecordsKeeper:
    """`broken`: chains that do not go on from where they were; nothing is kept of them any more
    until that is entered.
    """

    def __init__(self, data: DataDir, ingest: Ingest, reader: Reader, clock: Clock) -> None:
        self._data = data
        self._ingest = ingest
        self._reader = reader
        self._clock = clock
        self._accounts: Accounts | None = None
        self._next = 0.0
        self.broken: set[str] = set()

    async def look(self) -> None:
        """Raises StoreUnavailable or StoreStale."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_S
        if not self._data.accounts.exists():
            return
        try:
            heads = await asyncio.to_thread(self._keep)
        except (SQLAlchemyError, DiademaError) as error:
            log.warning("where the records end is not kept just now: %s", error)
            return
        if heads:
            key, now = key_of(self._data.root), self._clock.now_ms()
            with self._ingest.changing([]) as tx:
                keep_heads(tx, tables.record_heads, key, heads, now)

    def close(self) -> None:
        if self._accounts is not None:
            self._accounts.close()

    def _keep(self) -> list[Head]:
        """What is new of the audit, which the store has to keep."""
        if self._accounts is None:
            self._accounts = Accounts(self._data)
        key = key_of(self._data.root)
        with self._reader.engine.connect() as store:
            broken = keep_ledger(self._accounts, key, store, real_now_ms())
            heads, more = new_audit_head(self._accounts, key, store, real_now_ms())
        for name in {*broken, *more} - self.broken:
            log.error("the record %s does not go on from where it was: look at it with `diadema "
                      "ledger check` and `diadema account audit --check`; if it was restored from "
                      "a backup, enter that with `diadema ledger restored`", name)  # fmt: skip
        self.broken = {*broken, *more}
        return heads
