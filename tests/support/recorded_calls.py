"""Calls that a switch recorded: the stations' journals, the switch's, and the files. Two voices of
espeak-ng speak in turn; sox makes files of other formats, at other speeds.
"""

import array
import os
import shutil
import struct
import subprocess
import wave
from datetime import datetime
from functools import cache

import pytest
from diadema.recordings import playing
from diadema.recordings.decoding import Decoders
from diadema.recordings.index import Index
from diadema.recordings.scan import Scan
from diadema.recordings.settings import Settings
from diadema.site.directory.people import People, Worker
from diadema.store import open_reader

from tests.support.reported_day import stored
from tests.support.scripted_station import T0, Script

RATE = 8000
NOW = T0 + 86_400_000
PATTERN = "*-{agent}-{date}-{time}-{pbx}"
CALLER = "987654321"  # a number that no page, event or log may have
SPOKEN = (
    ("es", "Buenos días, le saluda Rosa, ¿en qué le puedo ayudar?"),
    ("es+f3", "Buenos días, quiero saber por qué me cobraron dos veces este mes."),
)
needs_voices = pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("sox")),
    reason="needs espeak-ng and sox (apt install espeak-ng sox)",
)


@cache
def voices():
    """Both, one after the other, without a silent moment: samples of 8 kHz."""
    samples = array.array("h")
    for voice, text in SPOKEN:
        spoken = subprocess.run(
            ["espeak-ng", "-v", voice, "--stdout", text], capture_output=True, check=True
        ).stdout
        raw = subprocess.run(
            ["sox", "-D", "-t", "wav", "-", *f"-r {RATE} -b 16 -c 1 -t raw -".split()],
            input=spoken, capture_output=True, check=True,
        ).stdout  # fmt: skip
        samples.frombytes(raw)
    return array.array("h", (one or 3 for one in samples))


def hum():
    """A second of a sound that is never zero, where no voice is needed."""
    return array.array("h", ((400 + 7 * (at % 90)) * (1 if at % 2 else -1) for at in range(RATE)))


def spoken(seconds, of, silent=()):
    """So long, and zeros in each of the stretches, in seconds."""
    whole = array.array("h", bytes(2 * round(seconds * RATE)))
    for at in range(0, len(whole), len(of)):
        whole[at : at + len(of)] = of[: len(whole) - at]
    for first, last in silent:
        begin, end = round(first * RATE), min(round(last * RATE), len(whole))
        whole[begin:end] = array.array("h", bytes(2 * max(end - begin, 0)))
    return whole


def wav(path, samples, rate=RATE, sides=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sides)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def by_sox(path, extension, how=(), effects=()):
    """The same by sox, in its place, and with its name but for the extension."""
    made = path.with_name(f"made.{extension}")
    subprocess.run(["sox", "-D", str(path), *how, str(made), *effects], check=True)
    path.unlink()
    return old(made.rename(path.with_suffix(f".{extension}")))


def old(path, at=NOW - 3_600_000):
    """Nobody writes there any more."""
    os.utime(path, ns=(at * 1_000_000, at * 1_000_000))
    return path


def header_of(rate):
    """Of a WAV file with a second of sound, at that rate."""
    sound = bytes(range(1, 251)) * 64
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(sound))
    return b"RIFF" + struct.pack("<I", len(body) + len(sound)) + body + sound


class Centre:
    """Two agents and a switch. Times are milliseconds since T0, by the host's clock."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "monitor"
        self.root.mkdir(parents=True)
        self.stations = []
        self.switch = Script(s="PBX-central", e=1)
        self.switch.offset = 0
        self.settings = Settings(folders=[str(self.root)], pattern=PATTERN)
        self.people = People(
            workers={
                a: Worker(id=a, name=name) for a, name in (("a001", "Rosa"), ("a002", "Luis"))
            },
            aliases={"101": [(0, "a001")], "102": [(0, "a002")]},
        )
        self.data = None

    def station(self, agent="a001", doubt_ms=50):
        script = Script(s=f"DIA-0123456789a{'b' if agent == 'a001' else 'c'}", agent=agent)
        self.stations.append(script.boot())
        script.clock(T0 + script.u + 10)
        script.bodies[-1] = script.bodies[-1].replace(
            b'"uncertainty_ms":50', b'"uncertainty_ms":%d' % doubt_ms
        )
        return script.login().ready()

    def call(
        self, script, start, seconds, pbx=None, pauses=(), c="c1", end_by="caller", wrap=5000
    ):
        """It rings at `start` ms and is answered 2 s later; `pauses` in seconds since it rang."""

        def until(at):
            return start + round(at * 1000) - script.u

        script.offer(c, until(0), pbx=pbx).contact("answered", c, 2000, via="key", ring_ms=2000)
        for first, last in pauses:
            script.contact("recording_paused", c, until(first), via="key")
            if last is not None:
                script.contact("recording_resumed", c, until(last), via="key")
        script.contact("ended", c, until(seconds), by=end_by, on_hold=False)
        script.wrapup("started", c, 0)
        script.contact("typified", c, wrap, code="111", version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified")
        return script.ready(1000)

    def recorded(self, pbx, start, end, linked=None):
        """What the switch says of it."""
        for kind, at in (("started", start), ("stopped", end)):
            self.switch.u = T0 + at
            self.switch.add(f"recording.{kind}", 0, pbx=pbx, linked=linked or pbx)
        return self

    def name(self, start, pbx="0.0", agent="101", extension="wav"):
        """As the recorder calls it: with the caller's number."""
        at = datetime.fromtimestamp((T0 + start) // 1000, self.settings.tz)
        return f"q-{CALLER}-{agent}-{at:%Y%m%d-%H%M%S}-{pbx}.{extension}"

    def file(self, samples, start, pbx="0.0", agent="101", folder="2026/11"):
        return old(wav(self.root / folder / self.name(start, pbx, agent), samples))

    def store(self):
        """What they all said is in the store."""
        scripts = [one for one in (*self.stations, self.switch) if one.bodies]
        self.data = stored(self.folder / "data", *scripts, now=NOW)
        return self

    def scan(self, now=NOW):
        if self.data is None:
            self.store()
        with (
            open_reader(self.data.store) as reader,
            self.index() as index,
            Decoders() as decoders,
        ):
            return Scan(self.settings, index, reader, self.people, decoders, now).run()

    def index(self):
        return Index(self.data.recordings_index)

    def key(self, c="c1", station=0):
        script = self.stations[station]
        at = next(
            at for at, body in enumerate(script.bodies, 1)
            if b'"contact.offered"' in body and f'"c":"{c}"'.encode() in body
        )  # fmt: skip
        return (script.s, script.e, at)


def part(decoders, plan, wanted):
    """Where it begins, and the bytes, of the range that an HTTP header wants."""
    begin, end = playing.range_of(plan.size, wanted)
    frame = plan.sides * 2
    first = begin // frame
    sound = playing.frames(decoders, plan, first, -(-end // frame))
    return begin, sound[begin - first * frame : end - first * frame]


def samples_of(path):
    with wave.open(str(path), "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))
