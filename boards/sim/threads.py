"""`_thread` of the simulated board. One thread runs at a time, as with MicroPython's lock on the
chip; a C call that lets go of the lock there (a look-up, a scan) gives way here, and its thread
goes on when the clock has reached the call's end.
"""

import sys

import builtin
import memory
import wire
from pins import stall

_own = builtin._thread
allocate_lock = _own.allocate_lock
get_ident = _own.get_ident
_main = allocate_lock()  # open while the main thread may go on
_main.acquire()
_turn = None  # of the thread that runs, None for the main one
_size = 0
stood_ms = 0  # that calls which let go of the lock were made where nobody could take it


def stack_size(size=0):
    """Bytes of the next ones' stacks; 0: what the port gives. Returns what it was."""
    global _size
    before, _size = _size, size
    return before


def start_new_thread(function, arguments, keywords=None):
    taken = memory.stack(_size)
    if taken is None:
        raise OSError("can't create thread")
    turn = allocate_lock()
    turn.acquire()

    def run():
        turn.acquire()
        try:
            function(*arguments, **(keywords or {}))
        except Exception as error:
            sys.print_exception(error)
        memory.give(taken)
        _give_way()

    number = _own.start_new_thread(run, ())
    _go_on(turn)
    return number


def _go_on(turn):
    """Let a thread run until it gives way or ends."""
    global _turn
    _turn = turn
    turn.release()
    _main.acquire()


def _give_way():
    global _turn
    _turn = None
    _main.release()


def let_go(ms):
    """A C call that takes so long and lets go of the lock: on the main thread all stands still."""
    global stood_ms
    turn = _turn
    if turn is None:
        stood_ms += ms
        stall(ms)
        return
    wire.alarm(wire.now() + ms, lambda: _go_on(turn))
    _give_way()
    turn.acquire()
