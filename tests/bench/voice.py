"""Voice meter: two Spanish speakers of espeak-ng on a known timeline, heard by the real meter.

The truth is taken from the clean voices: a frame is speech when it lies within 40 dB of the
voice's loudest frame, and gaps of up to 240 ms belong to it, as in the meter's own definition.
White noise makes the SNR, and the line comes back in the microphone 25 dB down and 10 ms late.
"""

import json
import math
import random
import subprocess
import tempfile
import wave
from array import array
from itertools import pairwise
from pathlib import Path

from diadema_sim.build import build_firmware, interpreter

from tests.bench.figure import Figure

NEEDS = ("espeak-ng",)
_RATE = 16_000
_FRAME = 320
_GAP_FRAMES = 12
_LEVEL = 0.1  # rms of both voices: −20 dBFS
_ECHO = 10 ** (-25 / 20)
_ECHO_LATE = _RATE // 100
_SNRS = (30, 20, 10)
_VOICES = {"agent": "es-419+f3", "caller": "es-419+m3"}
# seconds of silence before it (negative: before the other has ended), who, what
_TALK = (
    (0.8, "agent", "Buenos días, le saluda Rosa, ¿en qué le puedo ayudar?"),
    (0.7, "caller", "Buenos días, señorita. Quisiera saber el saldo de mi cuenta de ahorros."),
    (0.5, "agent", "Con mucho gusto. ¿Me indica su número de documento, por favor?"),
    (1.6, "caller", "Sí, es cuarenta, veintidós, trece, ochenta y cinco."),
    (2.5, "agent", "Gracias por la espera, señor. Ya tengo sus datos en pantalla."),
    (0.4, "caller", "Pero además me cobraron una comisión que no reconozco, y eso fue ayer."),
    (-1.2, "agent", "Entiendo, señor, permítame revisar ese movimiento ahora mismo."),
    (0.6, "caller", "Está bien, la espero."),
    (4.0, "agent", "La comisión corresponde al mantenimiento de la tarjeta. Voy a registrarlo."),
    (-0.8, "caller", "No, espere, yo ya había cancelado esa tarjeta el mes pasado."),
    (0.9, "agent", "Comprendo. Generaré el reclamo y le daré el número de atención."),
    (0.7, "caller", "Muchas gracias, señorita. Hasta luego."),
    (0.5, "agent", "Gracias a usted por llamar. Que tenga un buen día."),
)


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as name:
        folder = Path(name)
        sides = _conversation(folder)
        truth = _truth(sides)
        files = [_mixed(folder / f"{snr}.pcm", sides, snr) for snr in _SNRS]
        *summaries, costs = _in_vm(folder, files)
    board_ns, plain_ns = (float(part) for part in costs.split())
    found = []
    for snr, line in zip(_SNRS, summaries, strict=True):
        said = json.loads(line)
        for what, key in (("talk of both", "talk"), ("silence", "silence")):
            heard = _talk_ms(said) if key == "talk" else said["silence_ms"]
            true = _talk_ms(truth) if key == "talk" else truth["silence_ms"]
            budget = "truth, within 5 %" if snr == 20 else "truth"
            found.append(Figure(f"voice meter, {what}, SNR {snr} dB", heard, "ms", true, budget))
    found.append(
        Figure("voice meter, plain Python", plain_ns, "ns/frame", board_ns, "viper; 20 or more")
    )
    return found


def _talk_ms(summary: dict[str, int]) -> int:
    """Speaking time of the two, summed."""
    return summary["agent_ms"] + summary["caller_ms"] + 2 * summary["both_ms"]


def _conversation(folder: Path) -> dict[str, list[float]]:
    """Each side's clean voice, −1 … 1, on one timeline; a second of silence ends it."""
    placed = []
    at = 0
    for before_s, who, text in _TALK:
        voice = _spoken(folder, _VOICES[who], text)
        at = max(0, at + int(before_s * _RATE))
        placed.append((at, who, voice))
        at += len(voice)
    length = (at + _RATE) // _FRAME * _FRAME
    sides = {who: [0.0] * length for who in _VOICES}
    for start, who, voice in placed:
        sides[who][start : start + len(voice)] = voice
    return sides


def _spoken(folder: Path, voice: str, text: str) -> list[float]:
    """One sentence at 16 kHz, without the silence around it, at the common level."""
    path = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", path, text], check=True)
    with wave.open(str(path)) as sound:
        rate = sound.getframerate()
        samples = array("h", sound.readframes(sound.getnframes()))
    loudest = max(abs(sample) for sample in samples)
    heard = [index for index, sample in enumerate(samples) if abs(sample) > loudest / 100]
    samples = samples[heard[0] : heard[-1] + 1]
    step = rate / _RATE
    resampled = []
    for index in range(int((len(samples) - 1) / step)):
        whole, part = divmod(index * step, 1)
        left, right = samples[int(whole)], samples[int(whole) + 1]
        resampled.append(left + (right - left) * part)
    scale = _LEVEL / math.sqrt(sum(sample * sample for sample in resampled) / len(resampled))
    return [sample * scale for sample in resampled]


def _truth(sides: dict[str, list[float]]) -> dict[str, int]:
    agent, caller = (_speaks(sides[who]) for who in ("agent", "caller"))
    pairs = list(zip(agent, caller, strict=True))
    ms = 20
    return {
        "agent_ms": pairs.count((True, False)) * ms,
        "caller_ms": pairs.count((False, True)) * ms,
        "both_ms": pairs.count((True, True)) * ms,
        "silence_ms": pairs.count((False, False)) * ms,
    }


def _speaks(voice: list[float]) -> list[bool]:
    powers = [
        sum(sample * sample for sample in voice[at : at + _FRAME])
        for at in range(0, len(voice), _FRAME)
    ]
    flags = [power > max(powers) / 10_000 for power in powers]
    spoken = [index for index, flag in enumerate(flags) if flag]
    for before, after in pairwise(spoken):
        if after - before - 1 <= _GAP_FRAMES:
            flags[before:after] = [True] * (after - before)
    return flags


def _mixed(path: Path, sides: dict[str, list[float]], snr_db: int) -> Path:
    """The two channels as the codec would give them, interleaved."""
    chance = random.Random(snr_db)
    noise = _LEVEL * 10 ** (-snr_db / 20)
    samples = array("h")
    line = [said + chance.gauss(0, noise) for said in sides["caller"]]
    for index, said in enumerate(sides["agent"]):
        echo = _ECHO * line[index - _ECHO_LATE] if index >= _ECHO_LATE else 0.0
        for value in (said + echo + chance.gauss(0, noise), line[index]):
            samples.append(max(-32768, min(32767, round(value * 32768))))
    path.write_bytes(samples.tobytes())
    return path


def _in_vm(folder: Path, files: list[Path]) -> list[str]:
    image = folder / "image"
    build_firmware(image)
    script = Path(__file__).with_name("vm_voice.py")
    done = subprocess.run(
        [*interpreter(), str(script), str(image), *map(str, files)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()
