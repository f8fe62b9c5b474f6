"""The simulated board's line to its world: a stream of text lines, and the clock it carries.

The world (a host process) owns the time and the flash. This module is all that the other modules
here know of it. Lines from the world: `T now until` (the clock stands there, in whole ms of the
run; up to `until` the station may move it by itself, as long as nobody sees anything of it),
`S now speed` (it runs on from there), `J ms` (so much passed in which each did what it does
without end, and nothing else happened), `F ok` or `F why` (answer to a flash operation), `P hex`
(the host's end of the cable sends these bytes), or a JSON command. Lines to the world: `I due
heard now` (nothing to do before `due`, after `heard` lines from the world), `Z due heard now`
(likewise, in a call that does not return before, or with bytes of the cable on their way: it gets
its time whoever holds the clock), `N now` (what is seen next is of then), `B` (the
network woke us), `W`/`E` (program, erase), `R cause` (the chip restarts), `A 1`/`A 0` (the broker
let us in, is gone), `U`/`D message` (published, heard over the air), or a JSON answer.
"""

import gc
import json
import sys

import builtin

_time = builtin.time
_select = builtin.select

EXCHANGE_LIMIT_MS = 30000
_TIDY = 256  # turns of one wait

_line = None  # the stream itself
_poll = None
_now = 0  # ms of the run when the world last told, or as far as we went since
_known = 0  # of it to the world
_until = 0  # we may go so far
_real = 0  # ticks_us at that moment
_speed = 0  # 0: the world moves the clock; else simulated ms a real ms
_born = 0  # ms of the run when this chip got power
_heard = 0  # lines from the world so far, answers to flash operations apart
_waiting = []  # lines that came while an answer was awaited
_open = 0  # connects, pings and PUBACKs that the network still owes
_answer_by = 0  # real ticks_ms up to which the clock stands for them
interrupting = False  # a byte 3 on the console ends the program
typed = None  # function(bytes), for what comes over the cable …
coming = None  # … and function(): whether some of that is still on its way
_handlers = {}  # command -> function(dict) -> dict or None
_alarms = []  # [due ms of the run, function], unordered and few


def open_line(descriptor):
    """Take over the inherited socket and wait for the first word of the clock, and for what this
    chip's manners are.
    """
    global _line, _poll, _born
    _line = open(descriptor, "r+b")
    _poll = _select.poll()
    _poll.register(_line, _select.POLLIN)
    _obey(_read())
    _born = _now
    _obey(_read())


def now():
    """Milliseconds of the run."""
    if _speed:
        return _now + int(_time.ticks_diff(_time.ticks_us(), _real) * _speed) // 1000
    return _now


def born():
    """When power came."""
    return _born


def uptime():
    """Milliseconds since power came, as the chip's own counter has them."""
    return now() - _born


def micros():
    """Microseconds since power came; whole milliseconds while the world moves the clock."""
    if _speed:
        extra = int(_time.ticks_diff(_time.ticks_us(), _real) * _speed)
        return (_now - _born) * 1000 + extra
    return (_now - _born) * 1000


def on(command, function):
    """Let `function(dict)` answer a command of the world."""
    _handlers[command] = function


def alarm(due, function):
    """Call `function()` once when the run's clock has reached `due`. Returns a handle."""
    entry = [due, function]
    _alarms.append(entry)
    return entry


def cancel(entry):
    if entry in _alarms:
        _alarms.remove(entry)


def land():
    """Something of this station is seen next: let the world know when."""
    global _known, _until
    if not _speed:
        if _now > _known:
            _line.write("N %d\n" % _now)
        _known = _until = _now  # and what follows from it may come first


def say(text, more=None):
    land()
    _line.write(text)  # a long one has no second place in a full heap
    if more is not None:
        _line.write(" ")
        _line.write(more)
    _line.write("\n")


def flash(text, data=None):
    """One flash operation, done when the world says so. Raises OSError as the ESP-IDF would."""
    global _heard
    land()
    _line.write(text + "\n")
    if data is not None:
        _line.write(data)
    while True:
        line = _read()
        if line[0:1] == b"F":
            _heard -= 1
            if line != b"F ok":
                raise OSError(line[2:].decode())
            return
        _waiting.append(line)


def real_us():
    """Real time, which the run's clock does not govern."""
    return _time.ticks_us()


def restart(cause):
    """The chip resets: this process ends, the world starts the next one."""
    say("R " + cause)
    sys.exit(0)


def _read():
    global _heard
    line = _line.readline()
    _heard += 1
    if not line:
        sys.exit(0)  # the world is gone, so is the power
    return line[:-1]


def _obey(line):
    global _now, _known, _until, _real, _speed
    kind = line[0]
    if kind == 84:  # T
        _, now_ms, until = line.split()
        _known, _until = int(now_ms), int(until)
        _now = max(now(), _known)
        _speed = 0
    elif kind == 83:  # S
        _, now_ms, speed = line.split()
        land()
        _now = max(now(), int(now_ms))
        _speed = float(speed)
        _real = _time.ticks_us()
    elif kind == 74:  # J
        _jump(int(line[2:]))
    elif kind == 80:  # P
        typed(bytes.fromhex(line[2:].decode()))
    else:
        command = json.loads(line)
        function = _handlers.get(command["do"])
        answer = None
        if function is None:
            answer = {"error": "this board has no " + command["do"]}
        else:
            try:
                answer = function(command)
            except Exception as why:
                answer = {"error": repr(why)}
        answer = answer or {}
        answer["id"] = command["id"]
        say(json.dumps(answer))


def _jump(ms):
    """What waits for a moment waits for as much as before."""
    global _now
    _now += ms
    for entry in _alarms:
        entry[0] += ms
    tasks = sys.modules.get("_asyncio")
    if tasks:
        tasks.jump(ms)


def _ring():
    """Fire what is due; returns the next due time or None."""
    soonest = None
    if _alarms:
        present = now()
        for entry in list(_alarms):
            if entry[0] <= present and entry in _alarms:
                _alarms.remove(entry)
                entry[1]()
        for entry in _alarms:
            if soonest is None or entry[0] < soonest:
                soonest = entry[0]
    return soonest


def _pump():
    while _waiting:
        _obey(_waiting.pop(0))
    for _ in _poll.ipoll(0):
        _obey(_read())
        return True
    return False


def wait(due, poller=None):
    """Sit until the clock reaches `due` (ms of the run; None: for ever) or `poller` has something.

    Returns what the poller found ready.
    """
    global _now, _known
    turns = 0
    while True:
        turns += 1
        if turns % _TIDY == 0:  # what this line to the world leaves is no chip's
            gc.collect()
        while _pump():
            pass
        soonest = _ring()
        if poller is not None:
            found = poller.ready()
            if found:
                return found
        if due is not None and now() >= due:
            return ()
        if due is not None and (soonest is None or due < soonest):
            soonest = due
        answers = poller and _open and _patience() > 0  # the network has not answered yet
        if not _speed and not answers and soonest is not None and soonest <= _until:
            _now = soonest
            continue
        waiting, sockets = _poll, False
        if poller is not None and poller.has_sockets():
            waiting, sockets = builtin.select.poll(), True
            waiting.register(_line, _select.POLLIN)
            poller.join(waiting)
        if _speed:
            pause = -1 if soonest is None else max(0, int((soonest - now()) / _speed + 0.999))
            _sit(waiting, pause)
        elif answers:
            _sit(waiting, _patience())
        else:
            if not _poll.poll(0):
                waits = poller or due is None
                kind = "I" if waits and not (coming and coming()) else "Z"
                fields = (kind, -1 if soonest is None else soonest, _heard, _now)
                _line.write("%s %d %d %d\n" % fields)
                _known = _now
            if not sockets:
                _obey(_read())
            elif not _sit(waiting, -1):
                say("B")  # a socket woke us, not the world


def _sit(waiting, pause):
    """Wait in real time; True when the world has said something."""
    return any(stream is _line for stream, _ in waiting.ipoll(pause))


def exchange(count, limit_ms=EXCHANGE_LIMIT_MS):
    """`count` more (or fewer) questions to the network are open; how long an answer may take."""
    global _open, _answer_by
    if count > 0:
        land()
    if count > 0 and (not _open or _patience() < limit_ms):
        _answer_by = _time.ticks_add(_time.ticks_ms(), limit_ms)
    _open += count


def _patience():
    """Real milliseconds that the clock still stands for the newest open question."""
    return _time.ticks_diff(_answer_by, _time.ticks_ms())
