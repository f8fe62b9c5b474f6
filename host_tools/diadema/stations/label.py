"""The label on a station's back, of 62 × 29 mm: where it stands, its id as a code to scan, its MAC
address. One layout, in dots of 300 to the inch from the top left, serves the PDF and the PNG.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
import segno
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from diadema.site.description import Site

DPI = 300
WIDTH, HEIGHT = 732, 343
FONTS = {
    name: Path(reportlab.__file__).parent / "fonts" / f"{name}.ttf" for name in ("Vera", "VeraBd")
}
_MODULE = 8  # dots
_MARGIN = 24
_QUIET = 4  # modules about the code that stay white: ISO/IEC 18004
_TEXT_AT = 300
_LEAST = 12
_POINT = 72 / DPI  # of a dot
_WHITE, _BLACK = 255, 0

type Dark = tuple[int, int, int]  # left, top, side of a square


@dataclass(frozen=True)
class Label:
    station: str
    seat: str
    site: str

    @property
    def mac(self) -> str:
        digits = self.station.removeprefix("DIA-")
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2)).upper()


@dataclass(frozen=True)
class Text:
    """`base`: its base line; `size` in dots."""

    x: int
    base: int
    size: int
    font: str
    text: str


def label_of(site: Site, name: str) -> Label | None:
    """The label of the station of that id or seat; None when the site has neither."""
    found = next((one for one in site.stations if name in (one.id, one.seat)), None)
    return Label(found.id, found.seat, site.site) if found else None


def texts(label: Label) -> list[Text]:
    return [
        _fitted(118, 104, "VeraBd", label.seat),
        _fitted(180, 40, "Vera", label.site),
        _fitted(248, 40, "VeraBd", label.station),
        _fitted(300, 34, "Vera", f"MAC {label.mac}"),
    ]


def code(label: Label) -> Iterator[Dark]:
    """The station's id as a QR code."""
    rows = segno.make(label.station, error="m", mode="byte", version=2).matrix
    top = (HEIGHT - (len(rows) + 2 * _QUIET) * _MODULE) // 2
    for row, modules in enumerate(rows):
        for column, dark in enumerate(modules):
            if dark:
                yield (
                    (column + _QUIET) * _MODULE,
                    top + (row + _QUIET) * _MODULE,
                    _MODULE,
                )


def _fitted(base: int, size: int, font: str, text: str) -> Text:
    """As large as that, or as its length leaves room for."""
    _register()
    width = WIDTH - _TEXT_AT - _MARGIN
    while size > _LEAST and pdfmetrics.stringWidth(text, font, size) > width:
        size -= 1
    return Text(_TEXT_AT, base, size, font, text)


@cache
def _register() -> None:
    for name, path in FONTS.items():
        pdfmetrics.registerFont(TTFont(name, str(path)))


def as_pdf(labels: Sequence[Label]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH * _POINT, HEIGHT * _POINT), invariant=1)
    canvas.setTitle("Diadema: " + ", ".join(label.seat for label in labels))
    for label in labels:
        canvas.scale(_POINT, _POINT)
        for x, y, side in code(label):
            canvas.rect(x, HEIGHT - y - side, side, side, stroke=0, fill=1)
        for one in texts(label):
            canvas.setFont(one.font, one.size)
            canvas.drawString(one.x, HEIGHT - one.base, one.text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def as_png(label: Label) -> bytes:
    picture = Image.new("L", (WIDTH, HEIGHT), _WHITE)
    draw = ImageDraw.Draw(picture)
    for x, y, side in code(label):
        draw.rectangle((x, y, x + side - 1, y + side - 1), fill=_BLACK)
    for one in texts(label):
        font = ImageFont.truetype(str(FONTS[one.font]), one.size)
        draw.text((one.x, one.base), one.text, fill=_BLACK, font=font, anchor="ls")
    out = io.BytesIO()
    picture.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()
