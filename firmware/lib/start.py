"""How a station starts: the journal is mounted, the session taken up where it was, and the boot
told.
"""

import json
import sys

from lib import chip, orders
from lib.desk import STORED
from lib.errors import JournalError
from lib.journal import EVENT, SNAPSHOT
from lib.ramflash import use_memory
from micropython import const

# bytes of a boot's event: below what `App.record` takes by the keys that it adds, `b`, `u`, `t`
_BOOTED_LIMIT = const(400)


def start(app, cause, faults, order, text):
    """`faults`: what went wrong before (part: code); `order`: what keys asked for, or None;
    `text`: more of the cause.
    """
    journal, desk = app.journal, app.desk
    journal.snapshot = desk.snapshot
    _mount(app, faults)
    if app.program:
        app.program.before = set(desk.faults)
    rebase(desk)
    app.boot = journal.boot = desk.boot + 1
    if order and orders.at_start(app, order):
        faults.pop("journal", None)
    store = app.open_store()
    config = store.load()
    if store.broken:
        faults["config"] = "damaged" if config.generation else "unreadable"
    app.adopt(config)
    firmware = app.machine.firmware
    app.serial.log(
        "Diadema {} on {}, {}, boot {}".format(firmware, app.board, app.station_id, app.boot)
    )
    u = app.clock.now()
    booted = {"k": "station.booted", "cause": cause, "firmware": firmware, "board": app.board,
              "micropython": "%d.%d.%d" % sys.implementation.version[:3],
              "torn": journal.torn}  # fmt: skip
    booted.update(chip.about())
    if config.ca:
        booted["ca"] = config.ca
    if text:
        excess = len(json.dumps(booted)) + len(json.dumps(text).encode()) - _BOOTED_LIMIT
        booted["text"] = text[max(excess, 0) :]
    app.record(booted, u)
    if order == "factory_reset":
        app.record({"k": "station.config", "generation": 0, "hash": ""}, u)
    for part in ("journal", "config"):
        app.fault(part, faults.get(part))
    app.take(app.machine.start(u), u)


def _mount(app, faults):
    desk = app.desk

    def recall(kind, n, payload):
        try:
            if kind == SNAPSHOT:
                restore(desk, payload)
            elif kind == EVENT:
                event = json.loads(payload)
                event["n"] = n
                desk.apply(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # another firmware's: the host reads it, we go on without

    try:
        app.journal.mount(recall)
    except JournalError as error:
        faults["journal"] = error.code
        app.left_alone = app.journal.partition
        use_memory(app.journal)


def restore(desk, payload):
    """Take a snapshot; one of another firmware's shape is left alone."""
    values = json.loads(payload)
    if isinstance(values, list) and len(values) <= len(STORED):  # the newest are the last
        for name, value in zip(STORED, values):  # noqa: B905
            setattr(desk, name, value)
        if not isinstance(desk.reports, list):  # a firmware that knew the newest open one alone
            desk.reports = [[desk.reports, 0]] if desk.reports else []


def rebase(desk):
    """A new boot: times of the former one mean nothing now."""
    desk.marks = {key: second for key, second in desk.marks.items() if abs(second) > 1}
    desk.wrong_at = {}  # a lock-out begins anew
    desk.listeners = []
    desk.since = desk.presence_since = desk.offered_at = desk.talk_since = desk.help_at = 0
