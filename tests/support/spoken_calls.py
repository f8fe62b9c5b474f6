"""Recorded calls in which two voices of espeak-ng speak, on a timeline that is known: each way in
which a recorder goes wrong once. Whoever hears one may ask whether what was paused is silent.
"""

import array
from functools import cache

from msgspec import Struct

from tests.support.recorded_calls import RATE, Centre, by_sox, old, spoken, voices

GAP_S = 40  # between calls


class SpokenCall(Struct, frozen=True, kw_only=True):
    """It rang `start` ms after T0. `seconds` from then, its first event, to its end; `pauses` in
    the same seconds, in which the agent had the recording paused; `late`: seconds that the
    recorder began after it. `pauses_are`: the verdict on them, empty where there is no recording,
    and then `reason` is why.
    """

    name: str
    key: tuple[str, int, int]
    agent: str
    pbx: str | None
    start: int
    seconds: float
    pauses: tuple[tuple[float, float], ...] = ()
    late: float = 0
    pauses_are: str = "none"
    reason: str = ""


class SpokenCalls:
    """Of a centre whose files lie in `folder`; `store()` keeps what stations and switch said, and
    `scan()` looks for the files. `calls` are known by name.
    """

    def __init__(self, folder):
        self.centre = Centre(folder)
        self.calls = {}
        self._at = 60_000
        self._stations = {a: self.centre.station(a) for a in ("a001", "a002")}
        self._make()

    def __getitem__(self, name):
        return self.calls[name]

    @property
    def data(self):
        return self.centre.data

    def store(self):
        self.centre.store()
        return self

    def scan(self, **more):
        return self.centre.scan(**more)

    def _make(self):
        self._call("plain", 30, [(10, 16)])
        self._call("gsm", 30, [(10, 16)], how=("WAV", ("-t", "wav", "-e", "gsm-full-rate")))
        self._call("ogg", 30, [(10, 16)], how=("ogg", ("-t", "ogg")))
        self._call("late", 30, [(12, 18)], late=3)
        self._call("drift", 300, [(280, 288)], effects=("speed", "0.9998"))
        self._call("cut", 60, [(10, 20)], keep=0.9)
        self._call("cut_unsure", 60, [(10, 20)], keep=0.5, heeded=False, said="unknown")
        self._call("not_heeded", 40, [(15, 20)], heeded=False, said="not")
        self._call("whole", 24, [])
        self._transfer()
        self._twins()

    def _pbx(self):
        return f"{1_795_000_000 + self._at // 1000}.{len(self.calls)}"

    def _call(self, name, seconds, pauses, *, late=0, heeded=True, said="respected", how=None,
              effects=(), keep=1.0):  # fmt: skip
        start, pbx = self._at, self._pbx()
        self._ring("a001", name, start, seconds, pbx, pauses)
        self.centre.recorded(pbx, start + late * 1000, start + seconds * 1000)
        silent = [(first - late, last - late) for first, last in pauses] if heeded else []
        file = self.centre.file(
            spoken(seconds - late, conversation(), silent), start + late * 1000, pbx
        )
        if how is not None or effects:
            extension, form = how or ("wav", ())
            file = by_sox(file, extension, form, effects)
        if keep < 1:
            content = file.read_bytes()
            file.write_bytes(content[: round(len(content) * keep)])
            old(file)
        self._note(name, "a001", pbx, start, seconds, pauses, late=late,
                   pauses_are=said if pauses else "none")  # fmt: skip

    def _transfer(self):
        """One file with two agents in it, of whom each is heard in the own part alone."""
        start, pbx = self._at, self._pbx()
        self._ring("a001", "given", start, 40, pbx, [(20, 25)], end_by="transfer")
        self._ring("a002", "taken", start + 41_000, 39, pbx, [(10, 15)])
        self.centre.recorded(pbx, start, start + 80_000)
        self.centre.file(spoken(80, conversation(), [(20, 25), (51, 56)]), start, pbx)
        self._note("given", "a001", pbx, start, 40, [(20, 25)], pauses_are="respected")
        self._note("taken", "a002", pbx, start + 41_000, 39, [(10, 15)], late=-41,
                   pauses_are="respected")  # fmt: skip

    def _twins(self):
        """Two begin within 5 s of the call, and neither says of which call it is."""
        start = self._at
        self._ring("a001", "twins", start, 30, None, [])
        self.centre.file(spoken(29, conversation()), start + 1000)
        self.centre.file(spoken(28.5, conversation()), start + 4000, agent="101", pbx="0.1")
        self._note("twins", "a001", None, start, 30, [], reason="ambiguous", pauses_are="")

    def _ring(self, agent, name, start, seconds, pbx, pauses, **more):
        self.centre.call(self._stations[agent], start, seconds, pbx, pauses, c=name, **more)

    def _note(self, name, agent, pbx, start, seconds, pauses, **more):
        station = 0 if agent == "a001" else 1
        self.calls[name] = SpokenCall(
            name=name, key=self.centre.key(name, station), agent=agent, pbx=pbx, start=start,
            seconds=seconds, pauses=tuple(pauses), **more,
        )  # fmt: skip
        self._at = max(self._at, start + round(seconds * 1000) + GAP_S * 1000)


@cache
def conversation():
    """Both voices in turn, never silent."""
    return voices()


def paused_is_silent(sound, call, *, rate=RATE, sides=1, start_ms=0):
    """Whether `sound` (bytes of 16-bit samples, little end first, sides interleaved), in which the
    contact's first event lies at `start_ms`, is zero wherever the agent had it paused.
    """
    samples = array.array("h", sound)
    for first, last in call.pauses:
        begin, end = (round((start_ms / 1000 + at) * rate) * sides for at in (first, last))
        if any(samples[max(begin, 0) : max(end, 0)]):
            return False
    return True


def is_heard(sound, *, rate=RATE, sides=1, first=0.0, last=8.0):
    """Whether somebody speaks there, in seconds."""
    samples = array.array("h", sound)[round(first * rate) * sides : round(last * rate) * sides]
    return max(samples, default=0) > 1000
