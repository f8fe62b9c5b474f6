"""Scheduled reports by mail: what was made goes to the addresses of its schedule.

A schedule has the rights and teams of its author at each sending: in the name of an account that
is disabled, or may not have that report any more, nothing is sent, and the schedule stops. What a
server does not take is tried again, later each time. Who was sent what is in the record of access.
What was put back from a backup sends nothing until it is in force, and then nothing of before: the
hub that it was made of may have sent it, and nobody wants weeks of it at once.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from diadema.access import Accounts
from diadema.access.book import AccountError
from diadema.access.roles import THE_HUB, Person
from diadema.base import mail
from diadema.base.errors import MailError
from diadema.base.paths import DataDir
from diadema.base.sanitize import visible
from diadema.base.standing import read_standing
from diadema.report.context import may_have, whose
from diadema.report.formats import MEDIA
from diadema.report.kinds import KINDS
from diadema.report.schedule import (
    TRIES,
    Run,
    Schedule,
    Why,
    is_time_again,
    runs,
    schedules,
    stop,
    write_runs,
)
from diadema.site.context import language_of, site_of
from diadema.site.directory.people import People
from diadema.words import Sentence, text

MOST_BYTES = 10 << 20  # of one file
MOST_TO = 20  # addresses of one schedule

log = logging.getLogger(__name__)


def author_of(accounts: Accounts, people: People, one: Schedule) -> Person | Why:
    """Whoever ordered it, as of now; or why nothing may be sent in that name."""
    try:
        account = accounts.book.get(one.by)
    except AccountError:
        return "disabled"
    if account.disabled:
        return "disabled"
    return account.person if may_have(account.person, people, one.kind, one.scope) else "right"


def check(data: DataDir, accounts: Accounts, people: People, one: Schedule) -> None:
    """Whether it may be sent to all that it names. Raises MailError."""
    known = mail.load(data)
    mail.server_of(known)
    if len(one.to) > MOST_TO:
        raise MailError(Sentence("errors.report.mail.too_many", most=MOST_TO))
    for address in one.to:
        mail.listed(data, address)
        if address not in _allowed(known, one.kind):
            raise MailError(Sentence("errors.report.mail.not_hr", address=address))
    if not isinstance(author := author_of(accounts, people, one), Person):
        raise MailError(Sentence(f"errors.report.mail.{author}", by=one.by or "—"))


def addresses_for(data: DataDir, kind: str) -> list[str]:
    """To which a report of that kind may be sent; none while there is no server. Raises
    DiademaError.
    """
    known = mail.load(data)
    return sorted(_allowed(known, kind)) if known.server else []


def _allowed(known: mail.Mail, kind: str) -> set[str]:
    """Attendance goes to human resources alone."""
    of_hr = KINDS[kind].right == "attendance"
    return {to for to, is_hr in known.addresses.items() if is_hr or not of_hr}


async def deliver(
    data: DataDir, accounts: Accounts, people: Callable[[], People], now_ms: int
) -> None:
    """Send what was made and waits, the oldest first; all of it waits where a sending fails, for
    it fails for all. Raises DiademaError when the lists cannot be read or written.
    """
    standing = read_standing(data)
    if standing.trial:
        return
    ordered = {one.name: one for one in schedules(data) if one.to and not one.stopped}
    made = runs(data) if ordered else []
    for run in reversed(made):
        one = ordered.get(run.name)
        if one is None or not _waits(run, one, now_ms):
            continue
        if run.due_ms <= standing.in_force_ms:
            run.unsent = text("reports.held", _language(data))
            write_runs(data, made)
            continue
        author = author_of(accounts, people(), one)
        if isinstance(author, Person):
            await _send(data, accounts, people(), one, run, author, now_ms)
        else:
            run.unsent = text(f"reports.stopped.{author}", _language(data), by=visible(one.by))
            stop(data, one.name, author)
            del ordered[one.name]
            accounts.audit.record(THE_HUB, "report.stopped", schedule=one.name, reason=run.unsent)
            log.error("scheduled report %s stopped: %s", one.name, author)
        write_runs(data, made)
        if isinstance(author, Person) and not run.sent_ms:
            break


def _waits(run: Run, one: Schedule, now_ms: int) -> bool:
    """Whether it is to be sent now; not what another schedule of that name made."""
    if run.file is None or run.sent_ms or run.due_ms < one.since_ms:
        return False
    if not run.sendings:
        return not run.unsent
    return is_time_again(run.sendings, run.sending_ms, now_ms)


async def _send(
    data: DataDir,
    accounts: Accounts,
    people: People,
    one: Schedule,
    run: Run,
    author: Person,
    now_ms: int,
) -> None:
    language = _language(data)
    run.sendings += 1
    run.sending_ms = now_ms
    try:
        known = mail.load(data)
        server = mail.server_of(known)
        allowed = _allowed(known, one.kind)
        to = [address for address in one.to if address in allowed]
        if not to:
            raise MailError(Sentence("errors.report.mail.nobody"))
        content = await asyncio.to_thread((data.reports / (run.file or "")).read_bytes)
        if len(content) > MOST_BYTES:
            run.sendings = TRIES  # it gets no smaller
            raise MailError(Sentence("errors.report.mail.too_large", most=MOST_BYTES >> 20))
        digest = hashlib.sha256(content).hexdigest()
        letter = await asyncio.to_thread(
            _letter, data, server, to, one, run, author, content, digest
        )
        refused = await mail.send(data, server, to, letter)
    except (MailError, OSError) as error:
        run.unsent = error.say(language) if isinstance(error, MailError) else str(error)
        log.warning("scheduled report %s of %s was not sent: %s", run.name, run.span, error)
        return
    reached = [address for address in to if address not in refused]
    run.sent_ms, run.sent_to = now_ms, len(reached)
    left_out = [address for address in one.to if address not in reached]
    run.unsent = ", ".join(left_out)
    accounts.audit.record(
        author, "report.sent", whose(run.scope, people), kind=run.kind, span=run.span,
        hash=digest, to=reached,
    )  # fmt: skip
    log.info("scheduled report %s of %s was sent to %d", run.name, run.span, len(reached))


def _letter(
    data: DataDir,
    server: mail.Server,
    to: list[str],
    one: Schedule,
    run: Run,
    author: Person,
    content: bytes,
    digest: str,
) -> bytes:
    """In the language of the report. It is known by the same name when it is sent again, as after
    a cut between the sending and its note.
    """
    described, language = site_of(data), _language(data)
    file = Path(run.file or "")
    site = described.site if described else "Diadema"
    kind = text(f"reports.kind.{run.kind}", language)
    values = {
        "kind": kind, "span": run.span, "site": site, "schedule": one.name,
        "author": visible(author.name), "file": file.name,
        "hash": digest,
    }  # fmt: skip
    made = mail.message(
        server, to, text("reports.mail.subject", language, **values),
        text("reports.mail.body", language, **values),
    )  # fmt: skip
    made["Message-ID"] = f"<{run.name}.{run.due_ms}@{server.sender.partition('@')[2]}>"
    maintype, _, subtype = MEDIA[file.suffix[1:]].partition(";")[0].partition("/")
    made.add_attachment(content, maintype=maintype, subtype=subtype, filename=file.name)
    return made.as_bytes()


def _language(data: DataDir) -> str:
    return language_of(site_of(data))
