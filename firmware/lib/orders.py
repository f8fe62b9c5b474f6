"""What is done on an explicit order only: the journal formatted, the configuration forgotten.

A command must name the station in `confirm`; two keys held at power-on ask the same.
"""

from lib import journal_start
from lib.errors import JournalError
from lib.ramflash import use_memory


def at_start(app, order):
    """Do what keys asked for; True when the journal was formatted."""
    if order == "factory_reset":
        app.open_store().erase()
        return False
    return _format(app)


def obey(app, u, details):
    """Do what a command asks for."""
    number = details["i"]
    if details.get("confirm") != app.station_id:
        app.host.refuse(u, details, "bad_command", "confirm: the station's id")
    elif details["cmd"] == "format_journal":
        app.host.format_due = number
        format_when_acked(app)
    else:
        store = app.open_store()
        store.erase()
        app.adopt(store.load())
        app.record({"k": "station.config", "generation": 0, "hash": "", "i": number}, u)
        app.machine.refresh()


def format_when_acked(app):
    """What the host can still get of the old journal, it gets first."""
    if app.journal.acked < app.journal.last:
        return
    number, app.host.format_due = app.host.format_due, None
    desk = app.desk
    desk.command = max(desk.command, number)  # goes into the first snapshot
    code = desk.faults.get("journal", "formatted")
    kind = "station.fault_cleared"
    if not _format(app):
        kind, code = "station.fault", "unreadable"
    app.record({"k": kind, "part": "journal", "code": code, "i": number}, app.clock.now())


def _format(app):
    """Begin a new journal on the flash; False when it fails, and memory has to do."""
    journal = app.journal
    flash = app.left_alone or journal.partition
    try:
        journal.use(flash)
        journal_start.begin(journal)
        app.left_alone = None
    except (JournalError, OSError) as error:
        app.serial.log(str(error))
        app.left_alone = flash
        use_memory(journal)
    app.uplink.restart()
    return app.left_alone is None
