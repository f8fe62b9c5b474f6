"""Accounts, roles, sessions, tokens and the audit trail: who may see and do what.

Written by the web, the hub and the command line; whoever opens it sees what the others changed.
Times are UTC milliseconds of the real clock, also in a simulated run.
"""

import time
from collections.abc import Callable

from diadema.access.audit import Answers, Audit
from diadema.access.book import Book
from diadema.access.codes import Codes
from diadema.access.database import open_accounts
from diadema.access.provider import Providers
from diadema.access.sessions import Sessions
from diadema.access.throttle import Throttle
from diadema.access.tokens import Tokens
from diadema.base.paths import DataDir


def real_now_ms() -> int:
    return time.time_ns() // 1_000_000


class Accounts:
    """Everything of one data directory. Raises DiademaError when the file cannot be used."""

    def __init__(self, data: DataDir, now: Callable[[], int] = real_now_ms) -> None:
        self.engine = open_accounts(data.accounts)
        self.audit = Audit(self.engine, now)
        self.sessions = Sessions(self.engine, now)
        self.book = Book(self.engine, now)
        self.tokens = Tokens(self.engine, now)
        self.codes = Codes(self.engine, now)
        self.providers = Providers(self.engine, now)
        self.answers = Answers(self.engine, now)
        self.throttle = Throttle(self.engine, now)

    def close(self) -> None:
        """What is still to be recorded is written first."""
        self.audit.close()
        self.engine.dispose()
