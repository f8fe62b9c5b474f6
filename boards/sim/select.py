"""`select` on the simulated clock: asyncio waits here, and here the world gets its turn."""

import builtin
import wire

POLLIN = builtin.select.POLLIN
POLLOUT = builtin.select.POLLOUT
POLLERR = builtin.select.POLLERR
POLLHUP = builtin.select.POLLHUP


class poll:
    def __init__(self):
        self._poll = builtin.select.poll()
        self.register = self._poll.register
        self.unregister = self._poll.unregister
        self.modify = self._poll.modify

    def ipoll(self, timeout=-1, flags=0):
        wire.wait(None if timeout < 0 else wire.now() + timeout, self._poll)
        return self._poll.ipoll(0, flags)

    def poll(self, timeout=-1):
        return list(self.ipoll(timeout))
