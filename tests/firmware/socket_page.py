"""Writes `hardware/NAME_sockets.md`, what each socket of a board carries and how loud, from what
its codec's registers say after the real driver has set them: `python
tests/firmware/socket_page.py`. A test keeps the pages up to date.
"""

import math
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from diadema.stations.boards.sound import loudness
from diadema.stations.boards.table import (
    Board,
    Socket,
    board_names,
    load_board,
)

HERE = Path(__file__).resolve().parent
HARDWARE = HERE.parents[1] / "hardware"
type Outputs = dict[str, dict[str, float | None]]

SIGNALS = {"line": "caller", "dac": "tones", "microphone": "own voice"}
# what the station does with its codec: state → calls; what a codec has not is left out
STATES: dict[str, list[tuple[str, Any]]] = {
    "idle, ring, talk, self-test": [("selftest", None)],
    "mute": [("mute", True)],
    "volume 0 %": [("set_volume", 0)],
    "sidetone 100 %": [("set_sidetone", 100)],
    "both 100 %": [("set_volume", 100), ("set_sidetone", 100)],
}

_HEAD = """# {title}: qué lleva cada conector · what its sockets carry

`python tests/firmware/socket_page.py` escribe esta página desde los registros del modelo del
códec, como el driver los pone, y desde `boards/{name}/wiring.toml`.
*That command writes this page from the registers of the codec's model.*

Son dB desde la plena escala de una señal hasta la salida del códec; «—» es silencio. La estación
empieza con un volumen de {volume} %, sin retorno de voz y con {microphone_gain_db:g} dB para el
micrófono. «sum» es todo lo que un contacto lleva a la vez: queda bajo {limit:g} dB en cualquier
orden de los comandos.
*dB from full scale of a signal to the codec's output; «—» is silence. «sum» is all that a contact
carries at once, and stays below {limit:g} dB in any order of commands.*
"""
_LOUD = """
## Qué tan fuerte · how loud

En el tímpano, con la diadema `{headset}` de [headsets.csv](headsets.csv) en el conector: lo más
fuerte que puede salir, y un usuario a volumen pleno. Cómo se calcula está en
[límites acústicos](acoustics.md).
*At the ear drum, with that headset: the worst that can come out, and a caller at full volume.*

| conector · socket | a lo más, dB SPL · at most | usuario, dB SPL · caller |
|---|---|---|
"""


class Sounding:
    """A board's codec, set up as the firmware does it, and its sockets. `moved` is called after
    each write to a register.
    """

    def __init__(self, board: Board, moved: Callable[["Sounding"], None] | None = None) -> None:
        bench = import_module("tests.support.codec_bench")
        module, name, _, _, options = board.parts["codec"]
        devices: dict[int, Any] = {}
        extra = []
        if "adc_address" in options:
            devices[options["adc_address"]] = adc = bench.model("es7210").ES7210()
            extra.append(adc)
        self.model = getattr(bench.model(module), name)(*extra)
        devices[options["address"]] = self.model
        bus = bench.Bus(devices)
        if moved:
            bus.moved = lambda: moved(self)
        driver = getattr(import_module(f"drivers.{module}"), name)
        self.codec = driver(bus, **options)

    def outputs(self) -> Outputs:
        found: Outputs = self.model.outputs()
        return found


def in_state(board: Board, state: str) -> Sounding:
    """A codec in one of STATES."""
    sounding = Sounding(board)
    for call, argument in STATES[state]:
        if call not in getattr(sounding.codec, "absent", ()):
            getattr(sounding.codec, call)(*([] if argument is None else [argument]))
    return sounding


def carried(outputs: Outputs, pins: list[str]) -> dict[str, float]:
    """{signal: linear gain} of a contact that these pins lead to, together."""
    found = dict.fromkeys(SIGNALS, 0.0)
    for pin in pins:
        for source, db in outputs[pin].items():
            found[source] += 0.0 if db is None else 10 ** (db / 20)
    return found


def page(board: Board) -> str:
    states = {state: in_state(board, state) for state in STATES}
    codec = next(iter(states.values())).codec
    text = _HEAD.format(
        title=board.wiring.board.title, name=board.name, volume=codec.volume,
        microphone_gain_db=codec.microphone_gain_db, limit=codec.limit_db,
    )  # fmt: skip
    text += f"\n| socket | contact | signal | {' | '.join(states)} |\n|---|---|---|"
    text += "---|" * len(states) + "\n"
    outputs = {state: sounding.outputs() for state, sounding in states.items()}
    for socket in board.wiring.sockets:
        for row in _rows(socket, outputs):
            text += f"| {' | '.join(row)} |\n"
    text += "\n## En cuál puede haber una cabeza · which sockets a head can be in\n\n"
    text += "| conector · socket | qué es · what it is | una cabeza · a head in it |\n"
    text += "|---|---|---|\n"
    for socket in board.wiring.sockets:
        text += f"| {socket.ref} | {socket.title} | {_head(socket)} |\n"
    text += _LOUD.format(headset=board.wiring.audio.headset)
    for level in loudness(board):
        if level.head:
            caller = "" if level.caller is None else f"{level.caller:.0f}"
            text += f"| {level.socket} | {level.loudest:.0f} | {caller} |\n"
    return text


def _rows(socket: Socket, outputs: dict[str, Outputs]) -> Iterator[list[str]]:
    for contact, pins in socket.contacts.items():
        here = [carried(each, pins) for each in outputs.values()]
        name = f"{contact}: {' and '.join(pins)}"
        for source, signal in SIGNALS.items():
            if any(levels[source] for levels in here):
                yield [socket.ref, name, signal, *(_db(levels[source]) for levels in here)]
        if socket.limited:
            yield [socket.ref, name, "sum", *(_db(sum(levels.values())) for levels in here)]
        elif not any(sum(levels.values()) for levels in here):
            yield [socket.ref, name, "nothing", *("—" for _ in here)]


def _db(level: float) -> str:
    return f"{20 * math.log10(level):.1f}".replace("-", "−") if level else "—"


def _head(socket: Socket) -> str:
    if not socket.contacts:
        return "sí; no sale nada · *yes; nothing comes out of it*"
    return "sí · *yes*" if socket.head else f"no: {socket.why}"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    import_module("tests.support")
    for each in board_names():
        (HARDWARE / f"{each}_sockets.md").write_text(page(load_board(each)))
