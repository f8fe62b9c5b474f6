"""Rules about GPIOs, checked for every variant of a board. Each yields what is wrong, if anything,
and what to do about it.
"""

from collections.abc import Iterator

from diadema.stations.boards.table import Board, Layout
from diadema.words import Sentence

_BUS_DIRECTIONS = {
    "scl": "both",
    "sda": "both",
    "sck": "out",
    "mosi": "out",
    "miso": "in",
    "tx": "out",
    "rx": "in",
    "ws": "out",
}
# module of drivers → direction of its wires; the last one is that of all further wires
_DRIVER_DIRECTIONS = {
    "keys": ("in",),
    "encoder": ("in",),
    "keys_touch": ("touch",),
    "keys_ladder": ("analog",),
    "headset": ("in",),
    "lights": ("out",),
    "lights_neopixel": ("out",),
    "pn532": ("in",),
    "pn532_spi": ("out", "in"),
    "mfrc522": ("out",),
    "wiegand": ("in",),
    "i2s_audio": ("out", "out", "in", "out"),
}
# module of drivers → its wires whose every edge counts, by number
_EDGES = {"wiegand": (0, 1), "encoder": (0, 1), "pn532": (0,), "pn532_spi": (1,)}


def no_pin_twice(board: Board) -> Iterator[str]:
    """Two wires on one GPIO short whatever hangs on them."""
    for layout in board.layouts():
        taken: dict[int, str] = {}
        for wire, gpio in layout.pins.items():
            if gpio in taken:
                yield (
                    f"{layout.where()}{wire} and {taken[gpio]} are both on GPIO {gpio}: "
                    "give one of them another"
                )
            taken[gpio] = wire


def pins_exist(board: Board) -> Iterator[str]:
    """A GPIO that the chip lacks, or no module brings out, raises ValueError at boot."""
    for layout, wire, gpio in _wires(board):
        if gpio not in board.chip.pins:
            yield (
                f"{layout.where()}{wire}: the {board.wiring.board.chip} has no GPIO {gpio}: "
                "take one that its data sheet lists"
            )


def no_memory_pins(board: Board) -> Iterator[str]:
    """The module's flash and PSRAM hang on these; touching one stops the chip at once."""
    psram = board.chip.psram.get(board.wiring.board.psram, frozenset())
    for layout, wire, gpio in _wires(board):
        for memory, pins in (("flash", board.chip.flash), ("PSRAM", psram)):
            if gpio in pins:
                yield f"{layout.where()}{wire}: GPIO {gpio} is the {memory}'s: take another"


def no_console_pins(board: Board) -> Iterator[str]:
    """Frames to the host and the technician's console go over these."""
    for layout, wire, gpio in _wires(board):
        if gpio in board.chip.console:
            use = board.chip.console[gpio]
            yield f"{layout.where()}{wire}: GPIO {gpio} is {use}: take another"


def input_only_not_driven(board: Board) -> Iterator[str]:
    """ESP32 GPIO 34-39 have no output stage (datasheet §2.2): such a wire would stay dead."""
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        if described and gpio in board.chip.input_only:
            if described.direction in ("out", "both"):
                yield (
                    f"{layout.where()}{wire}: GPIO {gpio} can only be read, not driven: "
                    "take another"
                )
            elif described.direction == "touch":
                yield f"{layout.where()}{wire}: GPIO {gpio} feels no touch: take another"


def input_only_pulled(board: Board) -> Iterator[str]:
    """ESP32 GPIO 34-39 have no pull resistors either (datasheet §2.2): without one outside, an
    open contact reads as anything.
    """
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        if (
            described
            and gpio in board.chip.input_only
            and described.direction == "in"
            and not described.pull.startswith(("board: ", "external: "))
        ):
            yield (
                f"{layout.where()}{wire}: GPIO {gpio} has no pull of its own: name the resistor "
                "in wiring.toml as «board: …» or «external: …»"
            )


def strapping_pins_safe(board: Board) -> Iterator[str]:
    """The chip reads these in reset to learn how to start (ESP32 datasheet §2.4, S3 §3)."""
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        if described and gpio in board.chip.straps:
            level, otherwise = board.chip.straps[gpio]
            if described.boot is None:
                yield (
                    f"{layout.where()}{wire}: GPIO {gpio} tells the chip how to start: say in "
                    f"wiring.toml that boot is {level}, having made sure of it"
                )
            elif described.boot != level:
                yield (
                    f"{layout.where()}{wire}: GPIO {gpio} must be {level} in reset, or "
                    f"{otherwise}: change the circuit or take another"
                )


def straps_without_plugs(board: Board) -> Iterator[str]:
    """A socket's contact on a pin that tells the chip how to start: whether it starts would hang
    on what is plugged when the power comes.
    """
    _, _, _, contacts, options = board.parts.get("headset", ("", "", None, (), {}))
    for layout, wire, gpio in _wires(board):
        if wire not in contacts or gpio not in board.chip.straps:
            continue
        # to ground, and pulled up by the program only: low in reset either way
        harmless = layout.wires[wire].pull == "internal" and not options.get("plugged", 0)
        if board.chip.straps[gpio][0] != "low" or not harmless:
            yield (
                f"{layout.where()}{wire}: a plug would decide how the chip starts, as GPIO {gpio} "
                "is read in reset: take another, or a contact to ground without a resistor where "
                "low is wanted"
            )
    for contact in board.wiring.contacts:
        switch = next((one for one in board.wiring.switches if one.number == contact.switch), None)
        if contact.gpio in board.chip.straps and switch and switch.position == "ON":
            yield (
                f"GPIO {contact.gpio} tells the chip how to start, and hangs on the {contact.of}: "
                f"put DIP switch {switch.number} OFF"
            )


def straps_near_plugs(board: Board) -> Iterator[Sentence]:
    for contact in board.wiring.contacts:
        if contact.gpio in board.chip.straps and contact.switch is None:
            level, otherwise = board.chip.straps[contact.gpio]
            yield Sentence(
                "commands.board.strap", gpio=contact.gpio, of=contact.of, level=level,
                otherwise=otherwise,
            )  # fmt: skip


def switches_set(board: Board) -> Iterator[str]:
    """A DIP switch in the wrong position leaves a wire dead, or joins it to something else."""
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        place = described.at if described else ""
        for switch in board.wiring.switches:
            if gpio not in switch.gpios:
                continue
            header = board.wiring.headers.get(switch.to)
            here = switch.to == place if place else header is not None and gpio in header.pins
            wanted = "ON" if here else "OFF"
            if switch.position != wanted:
                yield (
                    f"{layout.where()}{wire}: DIP switch {switch.number} joins GPIO {gpio} to "
                    f"{switch.to}: put it {wanted}"
                )


def no_adc2(board: Board) -> Iterator[str]:
    """Wi-Fi owns ADC2 while it is on (ESP-IDF, ADC oneshot): a reading then fails."""
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        if described and described.direction == "analog" and gpio not in board.chip.adc1:
            what = (
                "is on ADC2, which Wi-Fi takes away" if gpio in board.chip.adc2 else "has no ADC"
            )
            yield f"{layout.where()}{wire}: GPIO {gpio} {what}: take one of ADC1"


def edges_that_are_none(board: Board) -> Iterator[str]:
    """GPIO 36 and 39 of an ESP32 dip for 80 ns with Wi-Fi on (errata 3.11), and an interrupt takes
    that for an edge: bits, turns or answers that nobody sent.
    """
    for layout, role, wire, gpio in _dipping(board):
        module, _, _, wires, _ = board.parts[role]
        if wires.index(wire) in _EDGES.get(module, ()):
            yield (
                f"{layout.where()}{wire}: {module} needs an interrupt, and GPIO {gpio} dips with "
                "Wi-Fi on: take another"
            )


def levels_that_dip(board: Board) -> Iterator[Sentence]:
    for layout, role, wire, gpio in _dipping(board):
        if role in ("keys", "headset"):
            yield Sentence("commands.board.dip", wire=layout.where() + wire, gpio=gpio)


def touch_on_touch_pins(board: Board) -> Iterator[str]:
    """Only some GPIOs have a touch sensor."""
    for layout, wire, gpio in _wires(board):
        described = layout.wires.get(wire)
        if described and described.direction == "touch" and gpio not in board.chip.touch:
            fit = ", ".join(map(str, sorted(board.chip.touch)))
            yield f"{layout.where()}{wire}: GPIO {gpio} has no touch sensor: take one of {fit}"


def wires_described(board: Board) -> Iterator[str]:
    """Every wire of board.py has its line in wiring.toml, and no other."""
    for layout in board.layouts():
        for wire in sorted(layout.pins.keys() ^ layout.wires.keys()):
            where = "wiring.toml" if wire in layout.pins else "PINS of board.py"
            yield f"{layout.where()}{wire} is missing in {where}: add or remove it"


def directions_agree(board: Board) -> Iterator[str]:
    """What wiring.toml says of a wire is what its bus or its driver does with it."""
    for layout in board.layouts():
        for wire, direction in _known_directions(board):
            described = layout.wires.get(wire)
            if described and described.direction != direction:
                yield (
                    f"{layout.where()}{wire} is «{described.direction}» in wiring.toml, but its "
                    f"driver takes it as «{direction}»: correct one of them"
                )


def _wires(board: Board) -> Iterator[tuple[Layout, str, int]]:
    for layout in board.layouts():
        for wire, gpio in layout.pins.items():
            yield layout, wire, gpio


def _dipping(board: Board) -> Iterator[tuple[Layout, str, str, int]]:
    """(layout, role, wire, GPIO) of parts whose wire lies on a pin that dips."""
    for layout in board.layouts():
        for role, (_, _, _, wires, _) in board.parts.items():
            for wire in wires:
                gpio = layout.pins.get(wire)
                if gpio in board.chip.dips:
                    yield layout, role, wire, gpio


def _known_directions(board: Board) -> Iterator[tuple[str, str]]:
    for _, _, keywords, _ in board.buses.values():
        for keyword, wire in keywords.items():
            if keyword in _BUS_DIRECTIONS:
                yield wire, _BUS_DIRECTIONS[keyword]
    for module, _, _, wires, options in board.parts.values():
        directions = _DRIVER_DIRECTIONS.get(module, ())
        for number, wire in enumerate(wires):
            if module == "keys_touch" and number < options.get("buttons", 0):
                yield wire, "in"
            elif directions:
                yield wire, directions[min(number, len(directions) - 1)]
