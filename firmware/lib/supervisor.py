"""Who feeds the watchdog: one task, as long as the app's loop does its steps in time. It also says
when this start counts as one that came to work, and judges a program that runs for the first time.
Only where programs run from slots.
"""

import asyncio

from lib import updating
from micropython import const

_LOOK_MS = const(5_000)
_LATE_MS = const(15_000)
_WORKS_MS = const(60_000)
_TRIAL_MS = const(10_000)  # drivers are there by then
_TRIAL_MOST_MS = const(30_000)


async def supervise(app):
    program, now = app.program, app.clock.now
    feed = program.watchdog()
    trial = program.trial or program.fresh
    updating.tell_news(app, program.ended)
    working = False
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        u = now()
        if u < app.alive_at + _LATE_MS:
            feed()
        if trial and u >= _TRIAL_MS:
            wrong = updating.judge(app, program.before)
            if not wrong:
                trial = False
                updating.passed(app)
            elif u >= _TRIAL_MOST_MS:
                program.restart("trial " + wrong)
        if not working and u >= _WORKS_MS:
            working = True
            program.works()
