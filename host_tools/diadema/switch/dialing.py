"""Which numbers may be dialled out, and how often: looked at before the exchange is asked, and
beside what its own dialplan allows.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence

from diadema.switch.exchange import SwitchError
from diadema.words import Sentence

_HOUR_MS = 3_600_000
_SPELLED = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": "[0-9]+"}
_PART = re.compile(r"\[[0-9-]+\]|[0-9XZN.]")


class Guard:
    """`allowed`: patterns as a dialplan has them. Counts stand in memory: a bridge that begins
    anew counts anew.
    """

    def __init__(self, allowed: Sequence[str], hourly: int, now_ms: Callable[[], int]) -> None:
        self._allowed = [_expression(one) for one in allowed]
        self._hourly, self._now_ms = hourly, now_ms
        self._dialled: dict[str, deque[int]] = {}

    def take(self, phone: str, number: str) -> None:
        """One call out of that telephone. Raises SwitchError for one that may not be."""
        if not any(one.fullmatch(number) for one in self._allowed):
            raise SwitchError(Sentence("errors.switch.not_allowed"))
        now = self._now_ms()
        dialled = self._dialled.setdefault(phone, deque())
        while dialled and dialled[0] <= now - _HOUR_MS:
            dialled.popleft()
        if len(dialled) >= self._hourly:
            raise SwitchError(
                Sentence("errors.switch.too_many_out", phone=phone, count=self._hourly)
            )
        dialled.append(now)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = _PART.findall(pattern)
    if (
        not parts or "".join(parts) != pattern
    ):  # one that no dialplan would read so matches nothing
        return re.compile(r"(?!)")
    return re.compile("".join(_SPELLED.get(part, part) for part in parts), re.ASCII)
