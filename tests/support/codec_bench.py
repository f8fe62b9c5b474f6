"""Codecs' drivers over their models, on CPython, for the tests of codecs: a bus, a bench with what
every write let through, and any sequence of the interface's calls.
"""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from drivers.es8311 import ES8311
from drivers.es8388 import ES8388
from drivers.wm8960 import WM8960
from hypothesis import strategies as st
from lib.errors import PartError

from tests.support import micropython_names

PARTS = Path(__file__).resolve().parents[2] / "boards" / "sim" / "parts"
SOURCES = {"microphone", "line", "dac"}


def model(name: str) -> ModuleType:
    """A module of the simulated board's parts, which is no package for CPython."""
    if "parts" not in sys.modules:
        package = ModuleType("parts")
        package.__path__ = [str(PARTS)]
        sys.modules["parts"] = package
        clock = ModuleType("wire")
        vars(clock)["now"] = lambda: micropython_names.slept_ms
        sys.modules["wire"] = clock
    return importlib.import_module(f"parts.{name}")


def es8311_and_es7210() -> tuple[Any, dict[int, Any]]:
    adc = model("es7210").ES7210()
    return partial(ES8311, line_in=True), {0x18: model("es8311").ES8311(adc), 0x40: adc}


# driver, {address: model}: made anew for each test; the first model has `paths()`
CODECS: dict[str, Callable[[], tuple[Any, dict[int, Any]]]] = {
    "es8388": lambda: (ES8388, {0x10: model("es8388").ES8388()}),
    "wm8960": lambda: (WM8960, {0x1A: model("wm8960").WM8960()}),
    "es8311": es8311_and_es7210,
}


class Bus:
    """I2C as the simulated board has it; `moved()` is called after each write."""

    def __init__(self, devices: dict[int, Any]) -> None:
        self.devices = devices
        self.moved: Callable[[], None] = lambda: None

    def writeto(self, address: int, data: bytes) -> None:
        if self.devices[address].write(bytes(data)) is None:
            raise OSError(19)
        self.moved()

    def readfrom(self, address: int, count: int) -> bytes:
        data: bytes | None = self.devices[address].read(count)
        if data is None:
            raise OSError(19)
        return data

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        self.writeto(address, bytes([register]) + bytes(data))

    def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
        if self.devices[address].write(bytes([register])) is None:
            raise OSError(19)
        return self.readfrom(address, count)


class Bench:
    """A codec that is set up, its model (the one with `paths()`), and the limit it was given."""

    def __init__(self, chip: str, limit_db: float = 0) -> None:
        driver, devices = CODECS[chip]()
        self.model = next(iter(devices.values()))
        self.bus = Bus(devices)
        self.highest = 0.0
        self.limit = 10 ** (limit_db / 20)
        self.bus.moved = self.listen
        self.codec = driver(self.bus, limit_db=limit_db)

    def listen(self) -> None:
        self.highest = max(self.highest, sum(self.paths("headset").values()))

    def paths(self, sink: str) -> dict[str, float]:
        sources: dict[str, float] = self.model.paths()[sink]
        assert set(sources) == SOURCES
        return sources


def calls(*names: str) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """Any sequence of the interface's calls, with arguments beyond what makes sense."""
    arguments: dict[str, st.SearchStrategy[Any]] = {
        "set_volume": st.integers(-50, 200),
        "set_sidetone": st.integers(-50, 200),
        "set_microphone_gain": st.floats(-20, 80),
        "mute": st.booleans(),
        "line_to_headset": st.booleans(),
        "microphone_to_line": st.booleans(),
        "power": st.sampled_from(["on", "standby", "off"]),
        "start": st.none(),
    }
    chosen = names or tuple(arguments)
    call = st.one_of(*(st.tuples(st.just(name), arguments[name]) for name in chosen))
    return st.lists(call, max_size=12)


def has(codec: Any, name: str) -> bool:
    return name not in getattr(codec, "absent", ())


def do(codec: Any, name: str, argument: Any) -> None:
    if has(codec, name) or argument <= 0:
        getattr(codec, name)(*([] if name == "start" else [argument]))
    else:
        with pytest.raises(PartError) as caught:
            getattr(codec, name)(argument)
        assert (caught.value.part, caught.value.code) == ("codec", "absent")
