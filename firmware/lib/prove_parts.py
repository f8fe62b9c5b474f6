"""Questions of `diadema prove` about what hangs on the station, put to the person in front of it:
what is heard where, how quiet the microphone is, what the reader makes of badges, and whether it
is seen that a plug is pulled and comes back.

Each takes the `Proof` that runs; what the board lacks is answered with `lacks`.
"""

import asyncio
from array import array

from lib import memory
from lib.timekeeping import wait
from lib.tones import Tone
from lib.voice import measure
from micropython import const

_PERSON_MS = const(20_000)
_PLUG_MS = const(45_000)  # a PN532 that says nothing is asked after 30 s
_LOOK_MS = const(50)
_FRAME_MS = const(1_000)
_SETTLING = const(25)  # frames of 20 ms
_FRAMES = const(50)
_NEEDS = {"voice": "set_sidetone", "line_out": "microphone_to_line"}


async def hear(proof):
    """A tone, one's own voice, the line: 3 means that it is heard, 4 that it is not."""
    parts, what = proof.app.parts, proof.job["what"]
    codec = parts.get("codec")
    if not codec or not parts.has("audio") or _NEEDS.get(what) in getattr(codec, "absent", ()):
        return {"lacks": 1}
    if what == "line" and not codec.line_in:
        return {"lacks": 1}
    sidetone = codec.sidetone
    sounds = asyncio.create_task(_tones(proof.app)) if what == "tone" else None
    try:
        if what == "voice":
            codec.set_sidetone(100)
        proof.show("answer", "hear")
        await wait(proof.came, _PERSON_MS)
    finally:
        if sounds:
            sounds.cancel()
            try:
                await sounds  # it lets go of the port
            except asyncio.CancelledError:
                pass
        if what == "voice":
            codec.set_sidetone(sidetone)
    return {"heard": int(proof.key == "key3")} if proof.came.is_set() else {}


async def _tones(app):
    while True:
        while app.sound:  # a tone of before
            await asyncio.sleep_ms(_LOOK_MS)
        await _audio(app).play(Tone("ring"))


def _audio(app):
    return app.parts.get("audio") or app.parts.make("audio")


async def noise(proof):
    """Mean level of microphone and line in tenths of a dB below full scale, nobody speaking."""
    app = proof.app
    if not app.parts.has("audio"):
        return {"lacks": 1}
    audio, sums, levels = _audio(app), array("i", [0] * 4), [0, 0]
    audio.listen()
    try:
        for at in range(_SETTLING + _FRAMES):
            frame = await asyncio.wait_for_ms(audio.frame(), _FRAME_MS)  # or the clocks stand
            for side in (0, 1):
                if at >= _SETTLING:
                    levels[side] += measure(frame, side, sums)
            memory.look()
    finally:
        audio.close()
    return {"microphone": levels[0] // _FRAMES, "line": levels[1] // _FRAMES}


async def badges(proof):
    """What the reader tells within so many seconds: badges, and what it could not read."""
    if not proof.app.parts.has("badge_reader"):
        return {"lacks": 1}
    proof.taps = proof.unread = 0
    proof.show("", "wait")
    await asyncio.sleep(proof.job["seconds"])
    return {"taps": proof.taps, "unread": proof.unread}


async def pulled(proof):
    """After how long it was seen that a part is gone, and after how long that it is back."""
    app, role = proof.app, proof.job["part"]
    part = app.parts.get(role)
    if not app.parts.has(role) or getattr(part, "only_sends", False):  # nobody sees it go
        return {"lacks": 1}
    found = {}  # type: ignore[var-annotated]
    for name, wanted, page in (("gone_ms", False, "headset_out"), ("back_ms", True, "headset_in")):
        proof.show("", page)
        since = app.clock.now()
        while _there(app, role) != wanted:
            if app.clock.now() - since > _PLUG_MS:
                return found
            await asyncio.sleep_ms(_LOOK_MS)
        found[name] = app.clock.now() - since
    return found


def _there(app, role):
    return bool(app.desk.plugged) if role == "headset" else role not in app.desk.faults
