"""Which stock MicroPython a board takes: by its chip, and by how its PSRAM is wired."""

from diadema.stations.boards.table import Board, BoardError, load_board

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


def build_for(chip: str, psram: str) -> str | None:
    """None where no stock build drives that PSRAM, or there is none."""
    return _BUILDS.get((chip, psram))


def file_for(board: Board) -> str:
    """The download as one finds it; its date stands where the dots are. Raises BoardError."""
    return file_of(_right(board))


def file_of(build: str) -> str:
    return f"{build}-…-v{TRIED[-1]}.bin"


def build_named(board: str) -> str:
    """Of a board as a station names it; simulated ones are as a LyraT."""
    try:
        return _right(load_board(board))
    except BoardError:
        return _right(load_board("lyrat_v4_3"))


def _right(board: Board) -> str:
    about = board.wiring.board
    build = build_for(about.chip, about.psram)
    if build is None:
        raise BoardError(
            f"no stock MicroPython drives {about.psram} PSRAM on an {about.chip}: "
            f"`diadema board check {board.name}` says what to do"
        )
    return build


def is_tried(version: str) -> bool:
    """Of a version as a station or a manifest has it."""
    return version in TRIED


def untried(version: str) -> str:
    """What is said of a version that was not."""
    return (
        f"MicroPython {version} was not tried with a station, {' and '.join(TRIED)} were: bring "
        "it to one station first"
    )


def needs_image(build: str, psram: int | None) -> str | None:
    """Why a station that told this needs another image; `psram` in bytes. What it never told
    counts for it.
    """
    if psram or (psram is None and not build):
        return None
    if "SPIRAM" not in build:
        return "old_image"
    return "no_psram" if psram == 0 else None
