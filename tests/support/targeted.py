"""A centre as the tests of targets have it: a switch's log and a directory beside it."""

import json

from diadema.base.paths import DataDir
from diadema.exchange.queue_log_import import import_queue_log
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.store import open_writer

from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0


class Clock:
    def now_ms(self):
        return T0 + 2 * 86_400_000


def centre(folder, log=None):
    data = DataDir(folder / "data")
    data.make()
    data.site.write_text(json.dumps(SITE))
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), 1)
    if log is not None:
        bring(data, log)
    return data


def bring(data, log):
    path = log.write(data.root / "queue_log")
    return import_queue_log([path], data, Clock())


def bring_stations(data, *scripts):
    writer = open_writer(data.store)
    ingest = Ingest(writer, sites.load(data.site), Clock())
    for script in scripts:
        ingest.take(script.messages(), "stream", "server")
    writer.close()


def put(data, kind, /, **given):
    body = KINDS[kind].read(given)
    one = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    with Directory(data.directory) as book:
        book.apply([one], by="Ana", reason="prueba", at_ms=2)


def a_day(queue="IT"):
    """61 callers: 20 served within 20 s, 19 more within 60, 14 later; 7 hang up (2 within 5 s,
    1 more within 20), one is thrown out after 300 s.
    """
    log, number = QueueLog(), 0
    for wait, calls in ((10, 20), (45, 19), (90, 14)):
        for _ in range(calls):
            log.call(100 * number, f"1.{number}", wait=wait, queue=queue, talk=30)
            number += 1
    for wait in (3, 5, 15, 70, 80, 90, 95):
        log.abandon(100 * number, f"1.{number}", wait, queue=queue)
        number += 1
    log.enter(100 * number, f"1.{number}", queue)
    return log.line(100 * number + 300, f"1.{number}", queue, "NONE", "EXITWITHTIMEOUT", 1, 1, 300)
