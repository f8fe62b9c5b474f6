"""Each codec's model against a second source, and `hardware/codecs.md`, which names both."""

from pathlib import Path
from typing import Any

import pytest

from tests.firmware.codec_sources import SOURCES, page
from tests.support.codec_bench import CODECS, Bench, do, model

PAGE = Path(__file__).resolve().parents[2] / "hardware" / "codecs.md"
CHIPS = pytest.mark.parametrize("chip", SOURCES)


def fresh(chip: str) -> Any:
    made = getattr(model(chip), SOURCES[chip].model)
    return made(model("es7210").ES7210()) if chip == "es8311" else made()


@CHIPS
def test_the_model_comes_out_of_reset_as_its_second_source_has_it(chip: str) -> None:
    source, registers = SOURCES[chip], fresh(chip).registers
    for register, value in source.reset.items():
        if value is not None and register < len(registers):
            same = registers[register] == value
            assert same != (register in source.disputed), f"{register:#x}"


def written(chip: str) -> set[int]:
    """Registers that the drivers write, in every state and with every call."""
    seen: set[int] = set()
    codec = "es8311" if chip == "es7210" else chip
    bench = Bench(codec)
    for device in bench.bus.devices.values():
        if type(device).__name__ == SOURCES[chip].model:
            inner = device.write

            def note(data: bytes, inner: Any = inner) -> Any:
                if len(data) > 1:
                    seen.add(data[0] >> 1 if chip == "wm8960" else data[0])
                return inner(data)

            device.write = note
    for name, argument in (
        ("start", None), ("set_volume", 40), ("set_sidetone", 50), ("set_microphone_gain", 30),
        ("mute", True), ("mute", False), ("line_to_headset", True), ("microphone_to_line", True),
        ("power", "standby"), ("power", "off"), ("power", "on"),
    ):  # fmt: skip
        do(bench.codec, name, argument)
    return seen


@CHIPS
def test_what_a_driver_writes_is_known_to_two_or_marked(chip: str) -> None:
    source, seen = SOURCES[chip], written(chip)
    assert len(seen) > 15
    assert seen <= set(source.reset) | set(source.one_source)
    assert set(source.one_source) <= seen and not set(source.one_source) & set(source.reset)


def test_every_codec_has_its_sources_and_the_page_says_which() -> None:
    assert set(CODECS) | {"es7210"} == set(SOURCES)
    for source in SOURCES.values():
        assert source.first != source.second and "drivers/" not in source.first + source.second
    words, line, table = PAGE.read_text().partition(page().splitlines()[0])
    assert words and line + table == page()
