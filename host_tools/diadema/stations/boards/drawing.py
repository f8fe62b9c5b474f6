"""The wiring of a board as a technician solders it, from the board's table: every wire of every
part, the contacts of each plug and socket as a drawing of letters, and a WireViz harness.

WireViz and Graphviz draw the harness; they are tools of whoever builds stations, so `diadema` runs
without them.
"""

import csv
import importlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from diadema.stations.boards.rules_parts import find_pin
from diadema.stations.boards.table import Board, BoardError, End, Harness, Header, Layout
from diadema.words import Sentence

_CONTACTS = ("tip", "ring", "sleeve")
_SOCKET = re.compile(r"[XP]\d+")
_FORMATS = ("svg", "png", "bom.tsv")
# a picture is as sharp as its dots an inch; the drawing's inches are Graphviz's
_DPI = "110"
# where a wire begins and ends, in WireViz's table of a cable: its text touches the cable's border
_WIRE_END = re.compile(r"<td>([^<&\n]+)</td>")


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
                raise BoardError(
                    Sentence(
                        "errors.stations.no_header_name_has_source_2",
                        name=board.name,
                        source=end.source,
                    )
                )
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


def rows(board: Board, layout: Layout) -> list[str]:
    """The rows of the table on the board's page."""
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
        for ref, contact, other in (
            (begin, pin, f"{net.part} {net.pin}"),
            (end, net.pin, net.begin),
        ):
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
        lines.append("".join(row) + "╰─ " + _ends_text(ends.get(_CONTACTS[number])))
    lines += [
        f"   {name} ─ {_ends_text(contacts)}"
        for name, contacts in ends.items()
        if name not in _CONTACTS
    ]
    return "\n".join(lines)


def _ends_text(ends: list[str] | None) -> str:
    return " · ".join(ends or ["open"])


def harness(board: Board, layout: Layout) -> dict[str, Any]:
    """What WireViz reads: connectors, cables and which pin goes to which."""
    drawing: dict[str, Any] = {
        "metadata": {"title": ", ".join(filter(None, (board.wiring.board.title, layout.title)))},
        "options": {"bgcolor": "WH", "color_mode": "full", "fontname": "DejaVu Sans"},
        "connectors": {},
        "cables": {},
        "connections": [],
    }
    for part in _parts(board, layout):
        _add_part(drawing, board, layout, part)
    _add_board_side(drawing, board)
    return drawing


def drawings(board: Board) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file name without ending, harness) of each variant of the board."""
    for layout in board.layouts():
        yield _file(board, layout), harness(board, layout)


def _file(board: Board, layout: Layout) -> str:
    return board.name + (f"-variant{layout.number}" if layout.number else "")


def draw(board: Board, folder: Path) -> list[Path]:
    """Write the nets, YAML, SVG, PNG and a list of cables for each variant. Raises BoardError;
    the nets are there without Graphviz too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for layout in board.layouts():
        written.append(folder / f"{_file(board, layout)}.nets.csv")
        written[-1].write_text(as_csv(board, layout), encoding="utf-8")
    wireviz = _wireviz()
    yaml = importlib.import_module("yaml")
    for name, drawing in drawings(board):
        text = yaml.safe_dump(drawing, allow_unicode=True, sort_keys=False)
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        made = wireviz.parse(drawing, return_types=("harness",))
        made.graph.attr(dpi=_DPI, ranksep="2.2", labelloc="t", fontsize="18")
        made.graph.attr(label=drawing["metadata"]["title"])
        made.graph.body[:] = [
            _WIRE_END.sub(r"<td>&nbsp;\1&nbsp;</td>", text) for text in made.graph.body
        ]
        made.output(filename=folder / name, fmt=("svg", "png", "tsv"), view=False)
        (folder / f"{name}.gv").unlink(missing_ok=True)
        written += [folder / f"{name}.{ending}" for ending in ("yml", *_FORMATS)]
    return written


def _wireviz() -> Any:
    if shutil.which("dot") is None:
        raise BoardError(Sentence("errors.stations.drawing_needs_graphviz_s_dot"))
    try:
        return importlib.import_module("wireviz.wireviz")
    except ImportError:
        raise BoardError(Sentence("errors.stations.drawing_needs_wireviz_make_setup")) from None


def _parts(board: Board, layout: Layout) -> Iterator[Harness]:
    for part in board.wiring.parts.values():
        if part.only_variant in (None, layout.number):
            yield part


def _add_part(drawing: dict[str, Any], board: Board, layout: Layout, part: Harness) -> None:
    ends: list[tuple[End, str, int]] = []
    notes = [part.note] if part.note else []
    for end in part.wires:
        found = find_pin(board, layout.pins, end.source)
        if found is None:
            raise BoardError(
                Sentence(
                    "errors.stations.no_header_name_has_source", name=board.name, source=end.source
                )
            )
        if found[0] == part.ref:  # soldered there, and no wire of its cable
            notes.append(f"{part.pins[found[1]]} to {end.pin}: {end.through}")
        else:
            ends.append((end, *found))
    # a part's pins have names only: numbers would be ours, not those printed on it
    connector: dict[str, Any] = {
        "type": part.title,
        "pins": [_name_of(pin) for pin in part.pins],
        "show_pincount": False,
    }
    if notes:
        connector["notes"] = "\n".join(notes)
    drawing["connectors"][part.ref] = connector
    cable = f"W-{part.ref}"
    drawing["cables"][cable] = {
        "category": "bundle",
        "wirecount": len(ends),
        "colors": [end.colour for end, *_ in ends],
        "wirelabels": [],
        "show_wirecount": False,
    }
    names = {each.ref: each for each in board.wiring.parts.values()}
    for number, (end, begin, index) in enumerate(ends, 1):
        pin = (
            _name_of(names[begin].pins[index])
            if begin in names
            else _pin(board.wiring.headers[begin], index)
        )
        drawing["connections"].append(
            [{begin: [pin]}, {cable: [number]}, {part.ref: [_name_of(end.pin)]}]
        )
        label = end.source if end.source in layout.pins else _name(board, begin, index)
        drawing["cables"][cable]["wirelabels"].append(
            f"{label}, {end.through}" if end.through else label
        )


def _name_of(pin: str) -> int | str:
    """WireViz makes numbers of digits in a connection, but not of the pins of a connector."""
    return int(pin) if pin.isdigit() else pin


def _pin(header: Header, index: int) -> int | str:
    """How WireViz names a header's pin: by its number, or where it has none by its name."""
    return index + 1 if header.numbered else header.label(header.pins[index])


def _name(board: Board, connector: str, index: int) -> str:
    if connector in board.wiring.headers:
        header = board.wiring.headers[connector]
        return header.label(header.pins[index])
    return next(p.pins[index] for p in board.wiring.parts.values() if p.ref == connector)


def _add_board_side(drawing: dict[str, Any], board: Board) -> None:
    """The headers that a cable uses, with those pins only."""
    used = {name for ends in drawing["connections"] for name in ends[0]}
    for name, header in board.wiring.headers.items():
        if name not in used:
            continue
        labels = [header.label(pin) for pin in header.pins]
        drawing["connectors"][name] = {
            "type": header.title,
            **({"pinlabels": labels} if header.numbered else {"pins": labels}),
            "hide_disconnected_pins": True,
            "show_pincount": False,
            "bgcolor_title": "GY",
        }
