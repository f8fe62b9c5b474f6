"""One bundle on its way to one station: which parts are to be sent now. No clock and no wire here;
times are seconds of one that only goes forward.

A station tells what it waits for once it has the manifest, after every 32nd part, and once when a
part comes that is not the next. So it is sent as far as it will tell, and no further: what it then
waits for was lost or was not sent yet, and either way goes out next.
"""

from diadema.stations.update.bundle import PART, Bundle

GROUP = 32
_AGAIN_S = 4.0
_LONGEST_S = 60.0
_REST_S, _LONGEST_REST_S = 30.0, 600.0


class Rests:
    """Who refused because it is busy, and is left alone for a while: longer each time."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, float]] = {}  # by station, and how long that was

    def heard(self, s: str, busy: bool, now: float) -> None:
        """It told of an update, or refused one."""
        _, before = self._until.pop(s, (now, _REST_S / 2))
        if busy:
            rest = min(before * 2, _LONGEST_REST_S)
            self._until[s] = (now + rest, rest)

    def rests(self, s: str, now: float) -> bool:
        return s in self._until and now < self._until[s][0]


class Sending:
    """`i`: the number of the command that began it."""

    def __init__(self, bundle: Bundle, i: int, now: float) -> None:
        self.bundle = bundle
        self.i = i
        self.next = 1  # what the station waits for, as it said
        self._manifest = -(-(len(bundle.data) - bundle.manifest.length) // PART)  # parts of it
        self._wait_s = _AGAIN_S
        self._again_at = now + _AGAIN_S

    def begin(self) -> range:
        return self._group(1)

    def heard(self, part: int, now: float) -> range:
        """The station waits for that part. Told twice it is about something sent twice."""
        if part <= self.next:
            return range(0)
        self.next, self._wait_s = part, _AGAIN_S
        self._again_at = now + _AGAIN_S
        return self._group(part)

    def due(self, now: float) -> range:
        """The same again, where nothing was heard for long: what was sent may be lost."""
        if now < self._again_at:
            return range(0)
        self._wait_s = min(self._wait_s * 2, _LONGEST_S)
        self._again_at = now + self._wait_s
        return self._group(self.next)

    def _group(self, first: int) -> range:
        last = self._manifest if first <= self._manifest else -(-first // GROUP) * GROUP
        return range(first, min(last, self.bundle.parts) + 1)
