"""`select` on the simulated clock: asyncio waits here, and here the world gets its turn.

The interpreter's own poll sleeps a millisecond over anything that is not a file descriptor, even
when it is asked not to wait; so the objects of this board are asked directly.
"""

import builtin
import wire

POLLIN = builtin.select.POLLIN
POLLOUT = builtin.select.POLLOUT
POLLERR = builtin.select.POLLERR
POLLHUP = builtin.select.POLLHUP

_MP_STREAM_POLL = 3


class poll:
    def __init__(self):
        self._files = builtin.select.poll()
        self._file_count = 0
        self._objects = {}  # id -> [object, events], without a file descriptor

    def register(self, obj, events=POLLIN | POLLOUT):
        if hasattr(obj, "fileno"):
            self._files.register(obj, events)
            self._file_count += 1
        else:
            self._objects[id(obj)] = [obj, events]

    def modify(self, obj, events):
        if hasattr(obj, "fileno"):
            self._files.modify(obj, events)
        else:
            self._objects[id(obj)][1] = events

    def unregister(self, obj):
        if hasattr(obj, "fileno"):
            self._files.unregister(obj)
            self._file_count -= 1
        else:
            self._objects.pop(id(obj), None)

    def ready(self):
        """[(object, events)] of what is ready now."""
        found = list(self._files.ipoll(0)) if self._file_count else []
        for obj, events in self._objects.values():
            happened = obj.ioctl(_MP_STREAM_POLL, events)
            if happened:
                found.append((obj, happened))
        return found

    def poll(self, timeout=-1):
        return wire.wait(None if timeout < 0 else wire.now() + timeout, self)

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout))
