"""`select` on the simulated clock: asyncio waits here, and here the world gets its turn.

The interpreter's own poll sleeps a millisecond over anything that is not a file descriptor, even
when it is asked not to wait; so the objects of this board are asked directly.
"""

import socket

import builtin
import manners
import wire
from secure import Secure

POLLIN = builtin.select.POLLIN
POLLOUT = builtin.select.POLLOUT
POLLERR = builtin.select.POLLERR
POLLHUP = builtin.select.POLLHUP

_MP_STREAM_POLL = 3
_DATAGRAM_LIMIT_MS = 2000  # real time that a fast clock stands for a datagram, which may be lost


def _tick(ms):
    """The first at or after `ms` of the run; they count from power-on."""
    late = (ms - wire.born()) % manners.tick_ms
    return ms + manners.tick_ms - late if late else ms


def _wakes(entry):
    """Whether an interrupt of the port tells the one who polls."""
    is_file = hasattr(entry[0], "fileno") and not isinstance(entry[0], socket.socket)
    return is_file or getattr(entry[0], "wakes", False)


class poll:
    def __init__(self):
        self._files = builtin.select.poll()
        self._files_by_id = {}
        self._sockets = 0  # of those files
        self._objects = {}  # id -> [object, events], without a file descriptor
        self._secure = {}  # id -> [TLS stream, events]

    def register(self, obj, events=POLLIN | POLLOUT):
        if hasattr(obj, "fileno"):
            self._files.register(obj, events)
            self._files_by_id[id(obj)] = [obj, events]
            if isinstance(obj, socket.socket):
                self._sockets += 1
                if events == POLLIN:  # bare of TLS: a datagram is awaited
                    wire.exchange(1, _DATAGRAM_LIMIT_MS)
        else:
            self._table(obj)[id(obj)] = [obj, events]

    def modify(self, obj, events):
        if hasattr(obj, "fileno"):
            self._files.modify(obj, events)
            self._files_by_id[id(obj)][1] = events
        else:
            self._table(obj)[id(obj)][1] = events

    def unregister(self, obj):
        if hasattr(obj, "fileno"):
            self._files.unregister(obj)
            entry = self._files_by_id.pop(id(obj), None)
            if entry and isinstance(obj, socket.socket):
                self._sockets -= 1
                wire.exchange(-1 if entry[1] == POLLIN else 0)
        else:
            self._table(obj).pop(id(obj), None)

    def _table(self, obj):
        return self._secure if isinstance(obj, Secure) else self._objects

    def ready(self):
        """[(object, events)] of what is ready now."""
        found = list(self._files.ipoll(0)) if self._files_by_id else []
        for obj, events in self._objects.values():
            happened = obj.ioctl(_MP_STREAM_POLL, events)
            if happened:
                found.append((obj, happened))
        for obj, events in self._secure.values():
            happened = obj.happened(events)
            if happened:
                found.append((obj, happened))
        return found

    def has_sockets(self):
        return bool(self._secure) or self._sockets > 0

    def join(self, waiting):
        """Put what real time can make ready into `waiting`, the poll that the board sits in."""
        for obj, events in self._secure.values():
            if not obj.silent:
                waiting.register(obj.raw, events)
        for obj, events in self._files_by_id.values():
            waiting.register(obj, events)

    def poll(self, timeout=-1):
        """What has waited ends at a tick of FreeRTOS, also where a handler woke it; bytes of the
        cable alone are seen at once.
        """
        if timeout == 0:
            return wire.wait(wire.now(), self)
        began = wire.now()
        due = None if timeout < 0 else _tick(began + timeout)
        found = wire.wait(due, self)
        if found and began < wire.now() < _tick(wire.now()) and not any(map(_wakes, found)):
            wire.wait(_tick(wire.now()))
            found = self.ready()
        return found

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout))
