"""`diadema board check`: every rule against a board, in the order in which one would mend."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diadema.stations.boards import rules_flash as flash
from diadema.stations.boards import rules_parts as parts
from diadema.stations.boards import rules_pins as pins
from diadema.stations.boards import rules_sound as sound
from diadema.stations.boards.table import Board

type Rule = Callable[[Board], Iterator[str]]

RULES: tuple[Rule, ...] = (
    parts.names_agree,
    pins.wires_described,
    parts.parts_wired,
    parts.drivers_fit,
    parts.wiegand_by_itself,
    parts.variants_probed,
    pins.no_pin_twice,
    pins.pins_exist,
    parts.psram_driven,
    pins.no_memory_pins,
    pins.no_console_pins,
    pins.input_only_not_driven,
    pins.input_only_pulled,
    pins.strapping_pins_safe,
    pins.straps_without_plugs,
    pins.switches_set,
    pins.no_adc2,
    pins.edges_that_are_none,
    pins.touch_on_touch_pins,
    pins.directions_agree,
    parts.addresses_distinct,
    parts.master_clock_wired,
    sound.output_limited,
    sound.caller_heard,
    sound.sockets_wired,
    parts.cables_end,
    flash.partitions_aligned,
    flash.partitions_apart,
    flash.partitions_inside,
    flash.app_slots_equal,
    flash.otadata_there,
    flash.journal_there,
    flash.program_slots_there,
    flash.files_there,
)

# of what works, and not as well as it could
WARNINGS: tuple[Rule, ...] = (pins.levels_that_dip, pins.straps_near_plugs)


@dataclass(frozen=True)
class Finding:
    """`why` is the reason that the rule's own docstring gives."""

    board: str
    rule: str
    problem: str
    why: str


def check_board(board: Board) -> list[Finding]:
    """What is wrong with it; nothing, when every rule holds."""
    return _found(board, RULES)


def warn_of(board: Board) -> list[Finding]:
    """What is to be known of it before it is built."""
    return _found(board, WARNINGS)


def _found(board: Board, rules: tuple[Rule, ...]) -> list[Finding]:
    return [
        Finding(board.folder.name, rule.__name__, problem, reason(rule))
        for rule in rules
        for problem in dict.fromkeys(rule(board))
    ]


def reason(rule: Rule) -> str:
    return " ".join((inspect.getdoc(rule) or "").split())
