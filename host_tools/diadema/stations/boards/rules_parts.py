"""Rules about parts, buses and what a technician connects. Each yields what is wrong, if
anything, and what to do about it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diadema.stations.boards.chips import MODULE_PSRAM
from diadema.stations.boards.table import Board, build_for

ROLES = frozenset(
    ("audio", "badge_reader", "codec", "headset", "keys", "lights", "screen", "wifi")
)
_BUSES = ("I2C", "SoftI2C", "SPI", "SoftSPI", "UART", "I2S")


def names_agree(board: Board) -> Iterator[str]:
    """The folder's name goes into images and drawings, NAME into events: they are one."""
    if board.name != board.folder.name:
        yield f"NAME is {board.name} in the folder {board.folder.name}: rename one"


def psram_driven(board: Board) -> Iterator[str]:
    """Python lives in PSRAM, or no memory is left for Wi-Fi; MicroPython must be the build that
    drives the kind which the module has, so wiring.toml has to name the right one.
    """
    about = board.wiring.board
    kinds = [kind for name, kind in MODULE_PSRAM.items() if re.search(name, about.module)]
    if about.psram not in board.chip.psram:
        yield f"no {about.chip} has {about.psram} PSRAM: correct psram in wiring.toml"
    elif build_for(about.chip, about.psram) is None:
        yield f"psram is {about.psram}, and a station needs it: take a module that has PSRAM"
    if not kinds:
        yield f"which PSRAM {about.module} has is not known: add its module to MODULE_PSRAM"
    elif about.psram not in kinds:
        yield (
            f"{about.module} has {kinds[0]} PSRAM, and wiring.toml says {about.psram}: correct "
            "one of them"
        )


def parts_wired(board: Board) -> Iterator[str]:
    """Roles, buses and wires that a part or a bus names must be there (boards/sim/board.py)."""
    for name, (kind, _, keywords, _) in board.buses.items():
        if kind not in _BUSES:
            yield f"bus {name}: machine has no {kind}: take one of {', '.join(_BUSES)}"
        for wire in keywords.values():
            if wire not in board.pins:
                yield f"bus {name}: no wire {wire} in PINS: add or correct it"
    for name in sorted(board.buses.keys() & board.parts.keys()):
        yield f"bus {name} has the name of a part, which parts may hang on too: name it otherwise"
    expanders = {bus for _, _, bus, _, _ in board.parts.values() if bus in board.parts}
    for role, (_, _, bus, wires, _) in board.parts.items():
        if role not in ROLES | expanders:
            yield f"{role} is no role; there are: {', '.join(sorted(ROLES))}"
        if bus is not None and bus not in board.buses.keys() | expanders:
            yield f"{role}: no bus {bus}: add it to BUSES or correct it"
        if not isinstance(wires, tuple):
            yield f'{role}: its wires are no tuple; one wire is written ("{wires}",)'
            continue
        for wire in wires:
            if wire not in board.pins:
                yield f"{role}: no wire {wire} in PINS: add or correct it"


def drivers_fit(board: Board) -> Iterator[str]:
    """Each part's driver exists and takes the bus, wires and options that the table gives it."""
    for role, (module, name, bus, wires, options) in board.parts.items():
        if not (board.firmware / "drivers" / f"{module}.py").exists():
            yield f"{role}: no driver {module}: firmware/drivers has no {module}.py"
            continue
        arguments = constructor(board.firmware, f"drivers.{module}", name)
        if arguments is None:
            yield f"{role}: drivers/{module}.py has no class {name}: correct the name"
        elif not fits(arguments, len(wires) + (bus is not None), options):
            yield (
                f"{role}: {name}({ast.unparse(arguments)}) does not take "
                f"{len(wires) + (bus is not None)} arguments and "
                f"{', '.join(options) or 'no options'}: correct the table"
            )


def wiegand_by_itself(board: Board) -> Iterator[str]:
    """A Wiegand reader sends a bit each 1 to 2 ms and never again, and the chip keeps eight of
    them while it does something else: a screen takes 25 ms to draw, and a card is read wrongly.
    """
    for role, (module, _, _, _, _) in board.parts.items():
        if module == "wiegand" and "screen" in board.parts:
            yield (
                f"{role}: a Wiegand reader does not work beside a screen: take a reader with a "
                "PN532 or an RDM6300, or take the screen out of the table"
            )


def addresses_distinct(board: Board) -> Iterator[str]:
    """Two chips that answer to one I2C address on one bus spoil each other's answers."""
    taken: dict[tuple[str, int], str] = {}
    on_bus = [
        (bus, value, f"{role} ({option})")
        for role, (_, _, bus, _, options) in board.parts.items()
        for option, value in options.items()
        if bus and option.endswith("address")
    ]
    on_bus += [
        (bus, address, name)
        for name, (_, bus, addresses) in board.others.items()
        for address in addresses
    ]
    for bus, address, who in on_bus:
        first = taken.setdefault((bus, address), who)
        if first is not who:
            yield (
                f"{who} and {first} are both 0x{address:02X} on bus {bus}: "
                "set another address, or use another bus"
            )


def variants_probed(board: Board) -> Iterator[str]:
    """Variants are told apart by a chip that answers on their wires, so there must be one."""
    if board.variants and (board.probe is None or board.probe[0] not in board.buses):
        yield "VARIANTS without PROBE = (bus, address): the station could not tell them apart"
    if len(board.variants) != len(board.wiring.variants):
        yield (
            f"VARIANTS has {len(board.variants)} entries, wiring.toml describes "
            f"{len(board.wiring.variants)}: describe each once, in the same order"
        )
    for number, pins in enumerate(board.variants):
        for wire in sorted(pins.keys() - board.pins.keys()):
            yield f"VARIANTS[{number}] moves {wire}, which PINS has not: correct the name"
    if board.variants and board.probe:
        codecs = [
            options.get("address")
            for _, _, bus, _, options in board.parts.values()
            if bus == board.probe[0]
        ]
        if board.probe[1] not in codecs:
            yield f"PROBE asks for 0x{board.probe[1]:02X}, which no part on that bus has"


def master_clock_wired(board: Board) -> Iterator[str]:
    """The `mclk` option is a GPIO, not the name of a wire: it must be that of `i2s_mclk`."""
    for role, (_, _, _, _, options) in board.parts.items():
        if "mclk" in options:
            for layout in board.layouts():
                if layout.pins.get("i2s_mclk") != options["mclk"]:
                    yield (
                        f"{layout.where()}{role}: mclk is GPIO {options['mclk']} and the wire "
                        f"i2s_mclk {layout.pins.get('i2s_mclk')}: make them equal"
                    )


def cables_end(board: Board) -> Iterator[str]:
    """Every wire is soldered on the board already or goes to a part over a header that has it."""
    for layout in board.layouts():
        drawn = set()
        for name, part in board.wiring.parts.items():
            if part.only_variant not in (None, layout.number):
                continue
            for end in part.wires:
                drawn.add(end.source)
                if find_pin(board, layout.pins, end.source) is None:
                    yield (
                        f"{layout.where()}{name}: no header has {end.source}"
                        f"{_gpio(layout.pins, end.source)}: move it to a pin that is brought out"
                    )
        for wire, described in layout.wires.items():
            if wire not in drawn and not described.at:
                yield (
                    f"{layout.where()}{wire} goes nowhere: name a part that takes it in "
                    "wiring.toml, or where it is on the board (at)"
                )


def find_pin(board: Board, pins: dict[str, int], source: str) -> tuple[str, int] | None:
    """(header or part, index of its pin) where a cable's wire begins: `source` is a wire of
    board.py, a supply as `3V3` or `JP2.3V3`, or a pin of a part as `codec.HPL`.
    """
    only, dot, supply = source.partition(".")
    if dot and only in board.wiring.parts:
        part = board.wiring.parts[only]
        return (part.ref, part.pins.index(supply)) if supply in part.pins else None
    wanted: int | str = pins.get(source, supply if dot else source)
    for name, header in board.wiring.headers.items():
        if wanted in header.pins and (not dot or name == only):
            return name, header.pins.index(wanted)
    return None


def _gpio(pins: dict[str, int], source: str) -> str:
    return f" (GPIO {pins[source]})" if source in pins else ""


def constructor(firmware: Path, module: str, name: str) -> ast.arguments | None:
    """The arguments of a driver's constructor, `self` first, or of that which it inherits; read,
    as it needs a chip to run. None when there is no such class.
    """
    path = firmware / f"{module.replace('.', '/')}.py"
    if not path.exists():
        return None
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    for statement in statements:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            for method in statement.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    return method.args
            for base in statement.bases:
                if isinstance(base, ast.Name):
                    return constructor(firmware, module, base.id)
            return ast.arguments([], [ast.arg("self")], None, [], [], None, [])
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return constructor(firmware, statement.module, alias.name)
    return None


def fits(arguments: ast.arguments, positional: int, options: dict[str, Any]) -> bool:
    """Whether a call with so many positional arguments and these keywords is possible."""
    names = [argument.arg for argument in arguments.args[1:]]
    if positional > len(names) and not arguments.vararg:
        return False
    optional = len(arguments.defaults)
    required = names[: len(names) - optional] if optional else names
    keywords = names[positional:] + [argument.arg for argument in arguments.kwonlyargs]
    needed = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    given = set(options)
    return given <= set(keywords) and {*required[positional:], *needed} <= given
