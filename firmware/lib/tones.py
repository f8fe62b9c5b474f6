"""The station's own tones, made as they are played: 16 kHz, 16 bits, stereo, both ears alike.

Pleasant pairs of notes, each with its own rhythm, as a headset's speaker is at the ear: no tone is
louder than LOUDEST_DB below full scale, whatever is asked for, and each note swells and fades.
"""

from math import pi, sin

from lib.samples import note
from micropython import const

RATE_HZ = const(16_000)
LOUDEST_DB = const(-18)
QUIETEST_DB = const(-60)

_FADE = const(160)  # samples: 10 ms, so that no note clicks
# name → (hertz, milliseconds) in turn; 0 Hz is a rest
_TONES = {
    "ring": ((880, 160), (0, 40), (1109, 160), (0, 40), (880, 160), (0, 1440)),
    "answer": ((659, 70), (880, 110)),
    "hold": ((587, 120), (0, 60), (587, 120)),
    "wrapup": ((988, 90), (0, 60), (784, 140)),
    "error": ((220, 180), (0, 60), (196, 260)),
}
_sine = None


class Tone:
    """`while tone.fill(buffer)` gives it piece by piece. Raises KeyError for an unknown name."""

    def __init__(self, name, level_db=-24):
        global _sine
        if _sine is None:
            _sine = bytes(128 + round(127 * sin(2 * pi * at / 256)) for at in range(256))
        self._notes = _TONES[name]
        self._at = 0  # note …
        self._done = 0  # … and its samples played
        level_db = max(QUIETEST_DB, min(level_db, LOUDEST_DB))
        self._gain = int(32767 * 10 ** (level_db / 20))

    def fill(self, buffer):
        """Fill `buffer` (4 bytes a frame) with what comes next; False when nothing does."""
        view = memoryview(buffer)
        frames = len(buffer) // 4
        at = 0
        while at < frames and self._at < len(self._notes):
            hertz, ms = self._notes[self._at]
            length = ms * RATE_HZ // 1000
            count = min(frames - at, length - self._done)
            self._play(view[4 * at : 4 * (at + count)], hertz, length)
            at += count
            if self._done == length:
                self._at += 1
                self._done = 0
        for rest in range(4 * at, 4 * frames):
            view[rest] = 0
        return at > 0

    def _play(self, view, hertz, length):
        """The next samples of a note: whole in its middle, one by one where it swells or fades."""
        at = 0
        count = len(view) // 4
        step = hertz * 65_536 // RATE_HZ
        while at < count:
            done = self._done
            edge = min(done, length - done - 1)
            gain = self._gain if hertz else 0
            piece = 1
            if not hertz:
                piece = count - at
            elif edge < _FADE:
                gain = gain * edge // _FADE
            else:
                piece = min(count - at, length - _FADE - done)
            note(
                view[4 * at : 4 * (at + piece)],  # type: ignore[arg-type]
                piece,
                done * step & 0xFFFF,
                step,
                gain,
                _sine,  # type: ignore[arg-type]
            )
            self._done += piece
            at += piece
