"""What `diadema prove` would measure on a chip as it is simulated: counted, and of the manners.

`python -m tests.bench.prove` writes it where the command reads it (`simulated.json`).
"""

import asyncio
import json
import tempfile
from pathlib import Path

import diadema.stations.prove
from diadema.stations.boards.table import load_board
from diadema.stations.prove.figures import figures as found_of
from diadema_sim.build import SimBoard, board_heap, build_firmware

from tests.bench.chip import manner, passed, until
from tests.bench.chip_model import MEASURED, Model, kept
from tests.bench.counted import BOARDS, VALGRIND, Count, Counted, counted, total
from tests.bench.figure import Figure
from tests.support.firmware_weight import chip_bytes, mpy_bytes
from tests.support.proving import desk

NEEDS = (VALGRIND,)
_KEPT = Path(diadema.stations.prove.__file__).with_name("simulated.json")
_PLAIN = Path(__file__).with_name("chip_board.py")
_WHOLE = BOARDS / "devkitc_wm8960" / "board.py"
_OF_CHIP = {"esp32": "lyrat_v4_3", "esp32s3": "s3_korvo2"}
_SAID = ("psram", "heap", "idf", "idf_largest", "lost", "starts")  # as the simulated board says
_IDLE_MS = 300
_TAP_MS = 60
_TURN_S = 0.2  # of real time
# 1 024 bytes of nine bits over I2C at 400 kHz: the whole picture, which the counts leave out
_PICTURE_MS = 23.0


async def asked(one: Counted, **step: object) -> None:
    """The clock stands until the station has it."""
    one.host.command("prove", **step)
    await asyncio.sleep(_TURN_S)


async def proof(one: Counted) -> None:
    """The steps in which somebody does something, as the command asks for them."""
    await asked(one, step="key", key=1)
    await one.world.sleep(_IDLE_MS)
    await one.step("press", one.station.press(1))
    await asked(one, step="badge")
    await one.world.sleep(_IDLE_MS)
    await one.step("badge", one.station.tap(one.badge, _TAP_MS))
    await one.step("pin", asked(one, step="pin"), "rounds")


def starts(parts: list[Count], model: Model) -> dict[str, float]:
    """Milliseconds until each stage; a start collects before it loads, after that, and at last."""
    begun = next(at for at, part in enumerate(parts) if part.name == "boot.py") + 1
    own = parts[begun:]
    at = [at for at, part in enumerate(own) if part.name == "collect"]

    def ms(count: Count) -> float:
        return round(passed(count, model), 1)

    names = {"begun": at[0], "loaded_at": at[1], "started": at[-1]}
    found = {name: ms(total(own[: last + 1])) for name, last in names.items()}
    return found | {name: ms(until(own, name)) for name in ("ready", "hello")}


async def modelled() -> dict[str, float]:
    """What is the same for all chips."""
    model = kept().model
    async with counted(_PLAIN) as one:
        await proof(one)
        rows = one.rows
    async with counted(_WHOLE) as one:
        await one.again()
        start = one.rows["start"]
    waited = manner("tick_ms")  # before an edge is looked at
    after = next(at for at, part in enumerate(rows["pin"]) if part.name == "PBKDF2") + 1
    drawn = {
        "key_light": model.ms(until(rows["press"], "light")) + waited,
        "key_screen": model.ms(until(rows["press"], "drawn")) + waited + _PICTURE_MS,
        "badge": model.ms(until(rows["badge"], "drawn")) + _PICTURE_MS,
        "pin": model.ms(until(rows["pin"][after:], "drawn")) + _PICTURE_MS,
    }
    return {name: round(ms, 1) for name, ms in drawn.items()} | {
        "erase": manner("erase_ms"),
        "read": manner("read_us"),
        **starts(start, model),
        "pbkdf2": MEASURED["PBKDF2"].most_ms,
        "connection": manner("handshake_ms"),
        "dips": 0,
    }


async def said(board: SimBoard) -> dict[str, float]:
    """What the simulated board says of itself, and how much the program is on a chip."""
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as name:
        folder = Path(name)
        image = folder / "image"
        image.mkdir()
        build_firmware(image)
        async with desk(folder, image, board) as bench:
            told, _ = await bench.measured()
            dump = await bench.station.dump()
    values = {one.name: one.value for one in found_of(told) if one.name in _SAID}
    used = dump["heap"]["used"] - board_heap(board)
    return values | {"loaded": round(chip_bytes(used, mpy_bytes(board, dump["modules"])))}


async def measured() -> dict[str, dict[str, float]]:
    found = {chip: await said(SimBoard(name)) for chip, name in _OF_CHIP.items()}
    same = await modelled()
    return {chip: {**values, **same} for chip, values in found.items()}


async def figures() -> list[Figure]:
    before = json.loads(_KEPT.read_text())
    return [
        Figure(f"{chip}: {name}", value, "", before.get(chip, {}).get(name), "as it is kept")
        for chip, values in (await measured()).items()
        for name, value in values.items()
    ]


def main() -> None:
    assert {load_board(name).wiring.board.chip for name in _OF_CHIP.values()} == {*_OF_CHIP}
    _KEPT.write_text(json.dumps(asyncio.run(measured()), indent=1) + "\n")


if __name__ == "__main__":
    main()
