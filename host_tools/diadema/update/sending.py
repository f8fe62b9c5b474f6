"""One bundle on its way to one station: which parts are to be sent now. No clock and no wire here;
times are seconds of one that only goes forward.
"""

from diadema.update.bundle import Bundle

WINDOW = 32  # parts ahead of what the station has said; it says so every 32
_FIRST = 5  # parts that hold the manifest for certain: after it the station says where it is
_AGAIN_S = 5.0
_LONGEST_S = 60.0


class Sending:
    """`i`: the number of the command that began it."""

    def __init__(self, bundle: Bundle, i: int, now: float) -> None:
        self.bundle = bundle
        self.i = i
        self.next = 1  # what the station waits for, as it said
        self.sent_bytes = 0  # of parts, those sent twice counted twice
        self._heard = False
        self._sent = 0  # the highest part that was sent
        self._wait_s = _AGAIN_S
        self._again_at = now + _AGAIN_S

    def begin(self) -> range:
        return self._send(1, _FIRST)

    def heard(self, part: int, now: float) -> range:
        """The station waits for that part."""
        lost = self._heard and (part == self.next or (part - 1) % WINDOW)
        if part > self.next:
            self._wait_s = _AGAIN_S
        self.next, self._again_at = part, now + self._wait_s
        first = part if lost or not self._heard or part > self._sent else self._sent + 1
        self._heard = True
        return self._send(first, part + WINDOW - 1)

    def due(self, now: float) -> range:
        """The same again, where nothing was heard for long: what was sent may be lost."""
        if now < self._again_at:
            return range(0)
        self._wait_s = min(self._wait_s * 2, _LONGEST_S)
        self._again_at = now + self._wait_s
        self._heard = False
        return self._send(self.next, self.next + _FIRST - 1)

    def _send(self, first: int, last: int) -> range:
        parts = range(first, min(last, self.bundle.parts) + 1)
        self._sent = max(self._sent, last) if parts else self._sent
        return parts
