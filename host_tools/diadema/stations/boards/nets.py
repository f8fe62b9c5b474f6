"""What a technician solders, from a board's table: every wire of every part, and the contacts of
each plug and socket as a drawing of letters.
"""

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from diadema.stations.boards.rules_parts import find_pin
from diadema.stations.boards.table import Board, BoardError, Layout

_CONTACTS = ("tip", "ring", "sleeve")
_SOCKET = re.compile(r"[XP]\d+")


class Net(msgspec.Struct, frozen=True):
    """One wire: from a pin of the board, a plug or another part to a pin of a part. `gpio` and
    `wire`: where it is one of board.py; `through`: what is soldered into it. Within one part it is
    no wire but what is soldered there, and has no colour.
    """

    begin: str
    part: str
    pin: str
    gpio: int | None
    wire: str
    colour: str
    through: str


def nets(board: Board, layout: Layout) -> Iterator[Net]:
    """Part by part. Raises BoardError where a wire begins nowhere."""
    parts = {part.ref: part for part in board.wiring.parts.values()}
    for part in board.wiring.parts.values():
        if part.only_variant not in (None, layout.number):
            continue
        for end in part.wires:
            found = find_pin(board, layout.pins, end.source)
            if found is None:
                raise BoardError(f"no header of {board.name} has {end.source}: board check")
            place, index = found
            if place in parts:
                begin = f"{place} {parts[place].pins[index]}"
            else:
                header = board.wiring.headers[place]
                number = f"-{index + 1}" if header.numbered else ""
                label = header.label(header.pins[index]).partition(",")[0]
                begin = f"{place}{number} {label}"
            gpio = layout.pins.get(end.source)
            wire = end.source if gpio is not None else ""
            colour = "—" if place == part.ref else end.colour
            yield Net(begin, part.ref, end.pin, gpio, wire, colour, end.through)


def as_csv(board: Board, layout: Layout) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(Net.__struct_fields__)
    rows.writerows(msgspec.structs.astuple(net) for net in nets(board, layout))
    return out.getvalue()


def places(board: Board) -> str:
    """What the board's own headers and pads are, as far as a wire begins there."""
    begins = {net.begin.partition(" ")[0].partition("-")[0]
              for layout in board.layouts() for net in nets(board, layout)}  # fmt: skip
    told = [f"`{name}`: {header.title}" for name, header in board.wiring.headers.items()
            if name in begins]  # fmt: skip
    return "; ".join(told) + "."


def rows(board: Board, layout: Layout) -> list[str]:
    """Of the board's page."""
    return [
        f"| {net.begin} | {net.part} {net.pin} | {net.through} | {net.colour} |"
        for net in nets(board, layout)
    ]


def sockets(board: Board) -> str:
    """Each plug and each socket that is soldered, drawn as the plug that fits: which contact goes
    where.
    """
    layout = next(iter(board.layouts()))
    ends: dict[str, dict[str, list[str]]] = {}
    titles: dict[str, str] = {}
    for name, header in board.wiring.headers.items():
        if _SOCKET.fullmatch(name):
            titles[name] = header.title
            for pin in header.pins:
                said = header.label(pin).partition(", ")[2]
                ends.setdefault(name, {})[str(pin)] = [said] if said else []
    for part in board.wiring.parts.values():
        ref = part.ref.partition("-")[0]
        if _SOCKET.fullmatch(ref):
            titles.setdefault(ref, part.title)
            for pin in part.pins:
                ends.setdefault(ref, {}).setdefault(pin, [])
    for net in nets(board, layout):
        begin, _, pin = net.begin.partition(" ")
        end = net.part.partition("-")[0]
        through = f"{net.through}, " if net.through else ""
        for ref, contact, other in ((begin, pin, f"{net.part} {net.pin}"),
                                    (end, net.pin, net.begin)):  # fmt: skip
            if ref in ends:
                ends[ref][contact].append(through + other)
    drawn = [_drawn(f"{ref}: {titles[ref]}", ends[ref]) for ref in sorted(ends)]
    return "\n\n".join(drawn) + "\n"


def _drawn(title: str, ends: dict[str, list[str]]) -> str:
    head, columns = " ◁", []
    for name in _CONTACTS:
        columns.append(len(head) + 2 + len(name) // 2)
        head += f"═[{name}]"
    lines = [title, head + "═"]
    for number in reversed(range(len(_CONTACTS))):
        row = ["│" if column in columns[:number] else " " for column in range(columns[number])]
        lines.append("".join(row) + "╰─ " + _told(ends.get(_CONTACTS[number])))
    lines += [f"   {name} ─ {_told(told)}" for name, told in ends.items() if name not in _CONTACTS]
    return "\n".join(lines)


def _told(ends: list[str] | None) -> str:
    return " · ".join(ends or ["open"])
