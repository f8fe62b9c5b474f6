"""How the parts of the hub write their logs: the same line once a second at most, so that whoever
can bring a line about cannot fill the disk with it.
"""

import logging
import re
import time

_EVERY_S = 1.0
_LINES = 1000  # of which is known when they were said
_LONGEST = 300  # characters of a line by which it is known
_NUMBER = re.compile(r"\d+")


def begin_log(level: int, form: str) -> None:
    """To standard error, as `logging.basicConfig` does it."""
    handler = logging.StreamHandler()
    handler.addFilter(OnceASecond())
    logging.basicConfig(level=level, format=form, handlers=[handler])


class OnceASecond(logging.Filter):
    """Lets a line through once a second; lines that differ by numbers alone are the same. The
    next one says how many were left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if record.exc_info:
            line = f"{line} {record.exc_info[1]!r}"
        key = _NUMBER.sub("0", line[:_LONGEST])
        now = time.monotonic()
        at, left_out = self._said.get(key, (now - _EVERY_S, 0))
        if now - at < _EVERY_S:
            self._said[key] = (at, left_out + 1)
            return False
        if len(self._said) >= _LINES:
            self._said = {k: one for k, one in self._said.items() if now - one[0] < _EVERY_S}
        if len(self._said) >= _LINES:  # as many others within a second: enough for that second
            return False
        self._said[key] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} like it)", ()
        return True
