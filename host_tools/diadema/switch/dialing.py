"""Which numbers may be dialled out, and how often: looked at before a station is told, and beside
what the exchange's own dialplan allows.
"""

import re
from collections.abc import Callable, Sequence

from diadema.switch.exchange import SwitchError
from diadema.switch.journal import Journal
from diadema.words import Sentence

_HOUR_MS = 3_600_000
_SPELLED = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": "[0-9]+"}
_PART = re.compile(r"\[[0-9-]+\]|[0-9XZN.]")


class LimitReached(SwitchError):
    """So many calls went out of that telephone in an hour; later there may be one again."""


class Guard:
    """`allowed`: patterns as a dialplan has them. Calls are counted in the journal, so that a
    bridge which begins anew goes on counting.
    """

    def __init__(
        self, allowed: Sequence[str], hourly: int, now_ms: Callable[[], int], journal: Journal
    ) -> None:
        self._allowed = [_expression(one) for one in allowed]
        self._hourly, self._now_ms, self._journal = hourly, now_ms, journal

    def check(self, phone: str, number: str) -> None:
        """Raises SwitchError for a call that may not go out of that telephone now."""
        if not any(one.fullmatch(number) for one in self._allowed):
            raise SwitchError(Sentence("errors.switch.not_allowed"))
        now = self._now_ms()
        if self._journal.dialled(phone, now - _HOUR_MS, now + _HOUR_MS) >= self._hourly:
            raise LimitReached(
                Sentence("errors.switch.too_many_out", phone=phone, count=self._hourly)
            )

    def take(self, phone: str, number: str) -> None:
        """It goes out. Raises SwitchError where it may not, DiademaError where it cannot be
        counted.
        """
        self.check(phone, number)
        self._journal.note_dialled(phone, self._now_ms(), _HOUR_MS)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = _PART.findall(pattern)
    try:
        if parts and "".join(parts) == pattern:
            spelled = "".join(_SPELLED.get(part, part) for part in parts)
            return re.compile(spelled, re.ASCII)
    except re.error:  # a range that runs backwards
        pass
    return re.compile(r"(?!)")  # one that no dialplan would read so matches nothing
