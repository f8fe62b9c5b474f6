"""`_asyncio` for the simulated clock: the scheduler's queue and task.

The interpreter's own, in C, stamps a task that may run at once with the machine's clock, past our
`time`. This one speaks the same interface (MicroPython's `asyncio/core.py` is its only caller)
and reads the time where everybody else does. A station runs about a dozen tasks, so the queue is
a sorted list.
"""

import sys
from time import ticks_add, ticks_diff, ticks_ms


def jump(ms):
    """So much has passed, and who sleeps sleeps on."""
    core = sys.modules.get("asyncio.core")
    for task in core._task_queue._tasks if core else ():
        task.ph_key = ticks_add(task.ph_key, ms)


class TaskQueue:
    def __init__(self):
        self._tasks = []  # the one to run first at the end

    def peek(self):
        return self._tasks[-1] if self._tasks else None

    def push(self, task, key=None):
        """`key`: ticks_ms at which it may run; behind those that may run at the same time."""
        task.data = None
        task.ph_key = ticks_ms() if key is None else key
        tasks = self._tasks
        index = len(tasks)
        while index and ticks_diff(tasks[index - 1].ph_key, task.ph_key) <= 0:
            index -= 1
        tasks.insert(index, task)

    def pop(self):
        return self._tasks.pop()

    def remove(self, task):
        self._tasks.remove(task)


class Task:
    """`state`: True while it runs alone, a queue of those who wait for it, False or None after.

    `data`: what it waits on, or the exception to be thrown into it, or its result when it is done.
    """

    def __init__(self, coro, scheduler=None):
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self._scheduler = scheduler  # the globals of asyncio.core

    def __iter__(self):
        if not self.state:
            self.state = False  # its result is asked for: no «exception was never retrieved»
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiting = self._scheduler["cur_task"]
        self.state.push(waiting)
        waiting.data = self

    def done(self):
        return not self.state

    def cancel(self):
        if not self.state:
            return False
        core = self._scheduler
        if self is core["cur_task"]:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):  # waits for another: that one is cancelled
            task = task.data
        ready = core["_task_queue"]
        if hasattr(task.data, "remove"):  # waits in an event's queue or for a stream
            task.data.remove(task)
            ready.push(task)
        elif ticks_diff(task.ph_key, ticks_ms()) > 0:  # sleeps
            ready.remove(task)
            ready.push(task)
        task.data = core["CancelledError"]
        return True
