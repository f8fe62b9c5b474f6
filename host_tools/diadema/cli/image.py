"""`diadema image`: build a board's whole flash, and look at what an image or a flash holds."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.base.errors import DiademaError, why
from diadema.cli.run import AsJson, console, group, print_json, read_file
from diadema.cli.speech import language, say
from diadema.words import Sentence

if TYPE_CHECKING:
    from diadema.stations.image.build import Image
    from diadema.stations.image.read import ImageContents

app = group("Images of a station's flash.")
_KIB = 1024


@app.command()
def build(
    board: Annotated[str, typer.Option("--board", help="As `diadema board list` prints it.")],
    micropython: Annotated[
        Path,
        typer.Option(
            "--micropython", help="A stock image that uses the board's PSRAM, 1.27 or newer."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The image to write.")],
    flash: Annotated[
        str | None,
        typer.Option("--flash", help="Size of the flash, as 4MB. Default: the board's."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="What the stock image must have.")
    ] = None,
    web: Annotated[
        Path | None,
        typer.Option("--web-manifest", help="Write this, for ESP Web Tools, and its parts too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make one image of a board's whole flash. The same input gives the same bytes.

    Example: diadema image build --board lyrat_v4_3 --micropython stock.bin -o station.bin
    """
    from diadema.stations.boards.table import load_board
    from diadema.stations.image import build as make
    from diadema.stations.image.files import program_version

    made = make.build(
        load_board(board),
        read_file(micropython),
        program_version(),
        flash_bytes=_size(flash),
        sha256=sha256,
    )
    if made.untried:
        print(f"diadema: {made.untried.say(language())}", file=sys.stderr)
    whole = made.whole()
    try:
        out.write_bytes(whole)
        if web is not None:
            _for_browsers(web, whole, f"{out.stem}-")
    except OSError as error:
        raise DiademaError(
            Sentence(
                "errors.cli.cannot_write_output_reason",
                output=error.filename,
                reason=why(error),
            )
        ) from error
    if as_json:
        print_json(_as_json(made, whole, out))
    else:
        _show_made(made, whole, out)


@app.command("inspect")
def look_at(
    file: Annotated[Path, typer.Argument(help="An image, or a dump of a whole flash.")],
    files: Annotated[bool, typer.Option("--files", help="Name each file too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read an image or a dump of a live flash. Exit code 1 when something in it is wrong.

    Example: diadema image inspect station.bin --files
    """
    from diadema.stations.image.read import read_image

    found = read_image(read_file(file))
    if as_json:
        print_json(found.as_json())
    else:
        _show(found, files)
    if found.wrong:
        sys.exit(1)


def _for_browsers(manifest: Path, whole: bytes, prefix: str) -> None:
    from diadema.stations.flash.plan import MANIFEST, read_plan, web_files

    for name, data in web_files(read_plan(whole), prefix).items():
        (manifest if name == MANIFEST else manifest.with_name(name)).write_bytes(data)


def _size(written: str | None) -> int | None:
    """Bytes of «4MB». Raises DiademaError."""

    if written is None:
        return None
    found = re.fullmatch(r"(\d+)MB", written)
    if found is None:
        raise DiademaError(Sentence("errors.cli.written_no_size_flash_write", written=written))
    return int(found[1]) * _KIB * _KIB


def _as_json(made: "Image", whole: bytes, out: Path) -> dict[str, object]:
    import hashlib

    return {
        "file": str(out),
        "board": made.board,
        "chip": made.chip,
        "version": made.version,
        "micropython": made.micropython,
        "build": made.build,
        "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "pieces": [
            {
                "name": one.name, "offset": one.offset, "bytes": len(one.data),
                "room": one.room, "free": one.free, "sha256": one.sha256,
            }
            for one in made.pieces
        ],
    }  # fmt: skip


def _show_made(made: "Image", whole: bytes, out: Path) -> None:
    import hashlib

    from rich.table import Table

    screen = console(soft_wrap=True)
    table = Table(*say("image.made_columns").split(", "), "SHA-256")
    for one in made.pieces:
        table.add_row(
            one.name, f"0x{one.offset:06x}", f"{len(one.data)}", f"{one.free}", one.sha256[:16]
        )
    screen.print(table)
    (app,) = (one for one in made.pieces if one.name == "ota_0")
    left = say("image.left", kilobytes=app.free // 1000)
    screen.print(f"MicroPython {made.micropython} ({made.build}): {left}")
    screen.print(f"{made.board} ({made.chip}), Diadema {made.version}: {out}, {len(whole)} bytes")
    screen.print(f"SHA-256 {hashlib.sha256(whole).hexdigest()}")


def _show(found: "ImageContents", files: bool) -> None:
    from rich.table import Table

    screen = console(soft_wrap=True)
    table = Table(*say("image.read_columns").split(", "))
    for one in found.partitions:
        content = say("image.wrong", what=one.wrong) if one.wrong else one.about
        table.add_row(one.name, f"0x{one.offset:06x}", f"{one.size}", content)
        if files:
            for name, size in sorted(one.files.items()):
                table.add_row("", "", f"{size}", f"  {name}")
    screen.print(table)
    screen.print(f"{found.chip}, {found.bytes} bytes, SHA-256 {found.sha256}")
