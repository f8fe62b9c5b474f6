"""What is heard at a simulated station: WAV files into its microphone and its line, and what the
headset and the line-out carry out of it, as the codec's registers have it at each moment.
"""

import shutil
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from diadema_sim.station import Station

RATE_HZ = 16_000


class Recording:
    """The recordings, whole after `listen` has ended."""

    def __init__(self, folder: Path) -> None:
        self.headset_path = folder / "headset.wav"
        self.line_out_path = folder / "line_out.wav"

    @property
    def headset(self) -> "array[int]":
        return read(self.headset_path)

    @property
    def line_out(self) -> "array[int]":
        return read(self.line_out_path)


@asynccontextmanager
async def listen(
    station: Station,
    *,
    microphone: Path | None = None,
    line: Path | None = None,
    held_db: float | None = None,
) -> AsyncIterator[Recording]:
    """Sound while inside: from these files (16 kHz, 16 bits, mono), silence where there is none.

    `held_db`: the earphone is held to the microphone, which takes it up with that gain.
    While nobody listens a station's I2S stands still and costs nothing. Raises DiademaError for
    another kind of file, or without power.
    """
    command: dict[str, str | float | None] = {"do": "listen", "held": held_db}
    for name, path in (("microphone", microphone), ("line", line)):
        if path:
            shutil.copyfile(path, station.folder / f"{name}.wav")
            command[name] = f"/{name}.wav"
    await station.ask(command)
    try:
        yield Recording(station.folder)
    finally:
        if station.powered:
            await station.ask({"do": "hush"})


def write(path: Path, samples: "array[int]") -> Path:
    """Signed 16-bit samples as a WAV file that `listen` takes."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def spoken_word(path: Path, seconds: float) -> Path:
    """A voice of 200 Hz at −18 dBFS that begins after half a second, as a file for `listen`."""
    half = RATE_HZ // 2
    wave_ = [4096 if at // 40 % 2 else -4096 for at in range(int(RATE_HZ * seconds) - half)]
    return write(path, array("h", [0] * half + wave_))


def read(path: Path) -> "array[int]":
    """The samples of a recording."""
    with wave.open(str(path), "rb") as file:
        return array("h", file.readframes(file.getnframes()))
