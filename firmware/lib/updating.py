"""The command that brings an update, and how an update ended. The intake itself is `update.py`,
kept in memory while parts come.
"""


def take(app, u, details):
    """A part. Only where nobody sits; what came before stays on flash."""
    program, desk = app.program, app.desk
    under_way = program and program.intake
    if not under_way and details["i"] <= desk.command:
        return  # refused, and that was said
    if not program:
        _refuse(app, u, details, "no_slots", "this image has no slots for programs")
        return
    if desk.open or desk.work != "idle" or app.bench:
        _refuse(app, u, details, "busy", "somebody works here")
        return
    if program.trial or program.fresh:  # the other slot is what one goes back to
        _refuse(app, u, details, "busy", "a new program has to prove itself first")
        return
    import update

    try:
        intake = program.intake = under_way or _begin(app, update)
        answer = intake.add(details)
    except update.UpdateError as error:
        _refuse(app, u, details, error.reason, error.detail)
        return
    version, what = intake.manifest.get("version"), intake.manifest.get("what")
    if answer:
        _tell(app, u, details, phase="receiving", what=what, version=version, next=answer)
    elif answer == 0:
        _tell(app, u, details, phase="verified", what=what, version=version)
        _tell(app, u, details, phase="restarting", what=what, version=version)
        program.restart("update")


def _begin(app, update):
    running = app.program.chosen
    other = [slot for slot in app.program.find() if slot.label != running.label]
    if not other:
        raise update.UpdateError("flash", "there is one slot only")
    targets = {None: (other[0], running.sequence + 1, None)}
    if found := app.program.of_interpreter("target"):
        targets["micropython"] = found  # type: ignore
    return update.Intake(targets, app.board, update.kept_key())


def _refuse(app, u, details, reason, detail):
    if app.program:
        app.program.intake = None
    _tell(app, u, details, phase="refused", reason=reason, detail=detail[:80])


def _tell(app, u, details, **fields):
    event = {"k": "station.update"}
    for name, value in fields.items():
        if value is not None:
            event[name] = value
    if details:
        event["i"] = details["i"]
    return app.record(event, u)


def tell_news(app, why):
    """How the last update ended, if nobody was told yet; `why` is what ended its trial."""
    program = app.program
    for slot in program.find():
        _tell_slot(app, slot, None, why)
    for slot in program.of_interpreter("pair") or ():
        # one that hung until somebody took the power away looks as one whose power went
        early = "power" if program.powered() else "no_start"
        _tell_slot(app, slot, "micropython", why if slot.has(program.STARTED) else early)


def _tell_slot(app, slot, what, why):
    if slot.news:
        phase, reason = "good", None
        if not slot.has(app.program.GOOD):
            phase, reason = "rolled_back", why or "power"
        if _tell(app, app.clock.now(), None, phase=phase, what=what, version=slot.version,
                 reason=reason):  # fmt: skip
            slot.mark(app.program.TOLD)


def passed(app):
    """What ran for the first time is good."""
    program = app.program
    if program.fresh:
        program.of_interpreter("passed", program.fresh)
        program.fresh = None
    if program.trial:
        program.chosen.mark(program.GOOD)
        program.trial = False
    tell_news(app, None)


# how these are says nothing of a program
_BEYOND = ("uplink", "wifi", "config", "headset", "telephone", "switch")


def judge(app, before):
    """What keeps a new program from being good, or None: a part that has no driver or a fault that
    it had not `before`. The radio and all that lies beyond it never does.
    """
    parts, faults = app.parts, app.desk.faults
    for role in ("screen", "keys", "badge_reader", "codec", "lights"):
        if parts.has(role) and not parts.get(role) and role not in before:
            return role
    for part in faults:
        if part not in before and part not in _BEYOND:
            return part
    return "crash" if app.crashes else None
