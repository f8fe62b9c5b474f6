"""One board as its folder describes it: `board.py` (read, never run), `wiring.toml` and the
partition table that it names; and which stock MicroPython it takes, by its chip and how its PSRAM
is wired.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from diadema.base.errors import DiademaError, why
from diadema.base.paths import tree
from diadema.stations.boards.chips import CHIPS, Chip
from diadema.stations.boards.partitions import Partition, read_partitions
from diadema.words import Sentence

BOARDS = tree() / "boards"
DOWNLOADS = "micropython.org/download"
OLDEST = (1, 27)
TRIED = ("1.27.0", "1.28.0")
_BUILDS = {
    ("esp32", "quad"): "ESP32_GENERIC-SPIRAM",
    ("esp32s3", "quad"): "ESP32_GENERIC_S3",
    ("esp32s3", "octal"): "ESP32_GENERIC_S3-SPIRAM_OCT",
}
# why a station is in safe mode: its MicroPython is no build that uses PSRAM, or it finds none
NEEDS_IMAGE = ("old_image", "no_psram")
# module of firmware/drivers, class, bus, wires, options
type Part = tuple[str, str, str | None, tuple[str, ...], dict[str, Any]]
# class of machine, id, {keyword: wire}, options
type Bus = tuple[str, int, dict[str, str], dict[str, Any]]


class BoardError(DiademaError):
    """A board's folder cannot be read at all."""


class About(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`loader`: what makes its boot loader answer, where the cable alone does not."""

    title: str
    module: str
    chip: str
    flash_mb: int
    psram: Literal["none", "quad", "octal"]
    console: str
    loader: str
    partitions: str
    sources: list[str]


class Audio(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`full_scale_v_rms`: what a sine of digital full scale puts on an output of the codec, and
    `rail_v_peak`: what its supply lets out at the most · `caller_db`: gain from the line to that
    output at full volume, as the registers say · `headset`: a row of hardware/headsets.csv.
    """

    full_scale_v_rms: float
    rail_v_peak: float
    caller_db: float
    headset: str
    note: str = ""


class Socket(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where sound may come out. `contacts`: outputs of the codec that lead to each, none where
    nothing comes out · `head`: whether somebody can have it at the ear, `why` not · `limited`:
    `limit_db` holds for the sum of these outputs.

    Each output has `each_ohms` to where they meet; there `shunt_ohms` lie across, and the clipper;
    behind it follow `pad_ohms`.
    """

    ref: str
    title: str
    head: bool
    contacts: dict[str, list[str]] = {}
    why: str = ""
    limited: bool = True
    each_ohms: float = 0
    shunt_ohms: float = 0
    clipper_v_peak: float = 0
    pad_ohms: float = 0


class Wire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`pull`: none, internal, board: …, external: … · `boot`: its level in reset, where it matters
    · `at`: where it is soldered already.
    """

    direction: Literal["in", "out", "both", "analog", "touch"]
    pull: str
    boot: Literal["high", "low"] | None = None
    at: str = ""
    note: str = ""


class Variant(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    title: str
    mark: str
    parts: list[str] = []
    wires: dict[str, Wire] = {}


class Header(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Pins of a connector in their order: a GPIO, or the name of something else. `numbered` when
    the board's own documents number them so.
    """

    title: str
    pins: list[int | str]
    labels: dict[str, str] = {}
    numbered: bool = True

    def label(self, pin: int | str) -> str:
        if isinstance(pin, str):
            return self.labels.get(pin, pin)
        return f"{self.labels[str(pin)]} IO{pin}" if str(pin) in self.labels else f"IO{pin}"


class End(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"source": "from"}):
    """One wire of a part's cable. `source` is a wire of board.py, a supply of a header, or
    `part.PIN`; `through` is soldered into it; `colour` is none within one part.
    """

    pin: str
    source: str
    colour: str = ""
    through: str = ""


class Harness(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A part with its own cable. Two wires may end at one pin."""

    ref: str
    title: str
    wires: list[End]
    note: str = ""
    more: list[str] = []  # pins where other parts' cables begin, or that stay open
    only_variant: int | None = None

    @property
    def pins(self) -> list[str]:
        return list(dict.fromkeys([end.pin for end in self.wires] + self.more))


class Switch(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A DIP switch by the number printed beside it: ON joins these GPIOs to a header or to a place
    on the board (`at` of a wire).
    """

    number: int
    gpios: list[int]
    to: str
    position: Literal["ON", "OFF"]
    delivered: Literal["ON", "OFF"]


class Contact(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A GPIO that a socket of the board itself pulls when something is plugged; `switch`: the DIP
    switch that keeps it away.
    """

    gpio: int
    of: str
    switch: int | None = None


class Wiring(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    board: About
    audio: Audio
    wires: dict[str, Wire]
    headers: dict[str, Header]
    parts: dict[str, Harness]
    sockets: list[Socket]
    variants: list[Variant] = []
    switches: list[Switch] = []
    contacts: list[Contact] = []


@dataclass(frozen=True)
class Layout:
    """The wires of one variant. `title` is empty when the board has no variants."""

    title: str
    number: int
    pins: dict[str, int]
    wires: dict[str, Wire]

    def where(self) -> str:
        return f"{self.title}: " if self.title else ""


@dataclass(frozen=True)
class Board:
    folder: Path
    name: str
    pins: dict[str, int]
    buses: dict[str, Bus]
    parts: dict[str, Part]
    variants: tuple[dict[str, int], ...]
    probe: tuple[str, int] | None
    others: dict[str, tuple[str, str, tuple[int, ...]]]  # name → chip, bus, addresses
    wiring: Wiring
    partitions: list[Partition]

    @property
    def chip(self) -> Chip:
        return CHIPS[self.wiring.board.chip]

    @property
    def firmware(self) -> Path:
        return self.folder.parents[1] / "firmware"

    def layouts(self) -> Iterator[Layout]:
        """Each way in which the board is sold; the first is PINS with VARIANTS[0]."""
        if not self.variants:
            yield Layout("", 0, self.pins, self.wiring.wires)
            return
        for number, pins in enumerate(self.variants):
            about = self.wiring.variants[number] if number < len(self.wiring.variants) else None
            yield Layout(
                about.title if about else f"VARIANTS[{number}]",
                number,
                self.pins | pins,
                self.wiring.wires | (about.wires if about else {}),
            )


def board_names(boards: Path = BOARDS) -> list[str]:
    """Boards that one can buy; the simulated one has no wiring."""
    return sorted(path.parent.name for path in boards.glob("*/wiring.toml"))


def load_board(name: str, boards: Path = BOARDS) -> Board:
    """The board of that name. Raises BoardError, which says which file is wrong and how."""
    folder = boards / name
    if not (folder / "wiring.toml").exists():
        known = ", ".join(board_names(boards)) or f"none in {boards}"
        if (folder / "board.py").exists():
            raise BoardError(
                Sentence("errors.stations.name_has_no_wiring_toml", name=name, known=known)
            )
        raise BoardError(
            Sentence("errors.stations.no_board_name_there_are", name=name, known=known)
        )
    table = _read_table(folder / "board.py")
    wiring = _read_wiring(folder / "wiring.toml")
    try:
        return Board(
            folder=folder,
            name=table["NAME"],
            pins=table["PINS"],
            buses=table["BUSES"],
            parts=table["PARTS"],
            variants=tuple(table.get("VARIANTS", ())),
            probe=table.get("PROBE"),
            others=table.get("OTHERS", {}),
            wiring=wiring,
            partitions=read_partitions(_read(boards / wiring.board.partitions)),
        )
    except KeyError as missing:
        raise BoardError(
            Sentence(
                "errors.stations.folder_has_no_args",
                folder=folder / "board.py",
                args=missing.args[0],
            )
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BoardError(
            Sentence("errors.stations.path_reason", path=path, reason=why(error))
        ) from None


def _read_table(path: Path) -> dict[str, Any]:
    """The literals that a board.py assigns at its top."""
    table = {}
    try:
        for statement in ast.parse(_read(path)).body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                table[statement.targets[0].id] = ast.literal_eval(statement.value)
    except (SyntaxError, ValueError) as error:
        raise BoardError(
            Sentence("errors.stations.path_error_board_s_table", path=path, error=error)
        ) from None
    return table


def _read_wiring(path: Path) -> Wiring:
    try:
        wiring = msgspec.convert(tomllib.loads(_read(path)), Wiring)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BoardError(
            Sentence("errors.stations.path_reason", path=path, reason=error)
        ) from None
    if wiring.board.chip not in CHIPS:
        raise BoardError(
            Sentence(
                "errors.stations.path_no_chip_chip_there",
                path=path,
                chip=wiring.board.chip,
                chips=", ".join(CHIPS),
            )
        )
    return wiring


def build_for(chip: str, psram: str) -> str | None:
    """The stock build for a chip and its PSRAM; None where none drives that PSRAM, or there is
    none.
    """
    return _BUILDS.get((chip, psram))


def file_for(board: Board) -> str:
    """The download as one finds it; its date stands where the dots are. Raises BoardError."""
    return file_of(_build_of(board))


def file_of(build: str) -> str:
    return f"{build}-…-v{TRIED[-1]}.bin"


def build_named(board: str) -> str:
    """The stock build for a board as a station names it; simulated boards are as a LyraT."""
    try:
        return _build_of(load_board(board))
    except BoardError:
        return _build_of(load_board("lyrat_v4_3"))


def _build_of(board: Board) -> str:
    about = board.wiring.board
    build = build_for(about.chip, about.psram)
    if build is None:
        raise BoardError(
            Sentence(
                "errors.stations.no_stock_micropython_drives_psram",
                psram=about.psram,
                chip=about.chip,
                name=board.name,
            )
        )
    return build


def is_tried(version: str) -> bool:
    """Whether a version, as a station or a manifest has it, was tried with a station."""
    return version in TRIED


def untried(version: str) -> Sentence:
    """The warning for a version that was not tried."""
    return Sentence("errors.stations.untried", version=version, tried=", ".join(TRIED))


def needs_image(build: str, psram: int | None) -> str | None:
    """Why a station with that build and `psram` (bytes) needs another image; None when it does
    not. What it never reported counts for it.
    """
    if psram or (psram is None and not build):
        return None
    if "SPIRAM" not in build:
        return "old_image"
    return "no_psram" if psram == 0 else None
