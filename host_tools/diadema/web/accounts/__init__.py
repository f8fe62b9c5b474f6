"""Who may look, how he is known again, and what he did: `accounts.sqlite3` of a data directory.

Written by the web, the hub and the command line; whoever opens it sees what the others changed.
Times are UTC milliseconds of the real clock, also in a simulated run.
"""

import time
from collections.abc import Callable

from diadema.paths import DataDir
from diadema.web.accounts.answers import Answers
from diadema.web.accounts.audit import Audit
from diadema.web.accounts.book import Book
from diadema.web.accounts.codes import Codes
from diadema.web.accounts.database import open_accounts
from diadema.web.accounts.sessions import Sessions
from diadema.web.accounts.throttle import Throttle
from diadema.web.accounts.tokens import Tokens


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
        self.answers = Answers(self.engine, now)
        self.throttle = Throttle(self.engine, now)

    def close(self) -> None:
        """What is still to be recorded is written first."""
        self.audit.close()
        self.engine.dispose()
