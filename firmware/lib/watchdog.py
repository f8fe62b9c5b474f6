"""Who feeds the watchdog: one task, as long as the app's loop does its steps in time. It also says
when this start counts as one that came to work, judges a program that runs for the first time, and
brings a good one's start files to where they start. Only where programs run from slots.

Whatever fails in it, it goes on: without it the watchdog would bite.
"""

import asyncio

from lib import updating
from lib.start_files import renew
from micropython import const

_LOOK_MS = const(5_000)
_LATE_MS = const(15_000)
_WORKS_MS = const(60_000)
_TRIAL_MS = const(10_000)  # drivers are there by then
_TRIAL_MOST_MS = const(30_000)
_TRIAL_END_MS = const(45_000)  # it cannot even be judged


async def run(app):
    feed, work, failed = app.program.watchdog(), Work(app), None
    while True:
        try:
            if failed:
                error, failed = failed, None
                app.crash(error)
            work.step(app.clock.now())
        except Exception as error:
            failed = error
        await asyncio.sleep_ms(_LOOK_MS)
        if app.clock.now() < app.alive_at + _LATE_MS:
            feed()


class Work:
    """What it does beside; a step that failed is done again."""

    def __init__(self, app):
        self._app = app
        self._reported = False
        self._trial = app.program.trial or app.program.fresh
        self._works = False
        self._renews = True

    def step(self, u):
        app, program = self._app, self._app.program
        if not self._reported:
            updating.tell_news(app, program.ended)
            self._reported = True
        if self._trial and u >= _TRIAL_MS:
            if u >= _TRIAL_END_MS:
                program.restart("trial crash")
            wrong = updating.judge(app, program.before)
            if not wrong:
                updating.passed(app)
                self._trial = False
            elif u >= _TRIAL_MOST_MS:
                program.restart("trial " + wrong)
        if not self._works and u >= _WORKS_MS:
            program.works()
            self._works = True
        idle = u >= _TRIAL_MS and not app.desk.open and app.desk.work == "idle"
        if self._renews and idle and not self._trial:
            self._renews = renew(program, app.serial.log)
