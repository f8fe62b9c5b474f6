"""Labels as a PDF, a page each, or one as a PNG."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from diadema.stations.label.layout import (
    DPI,
    FONTS,
    HEIGHT,
    WIDTH,
    Label,
    code,
    texts,
)

_POINT = 72 / DPI  # of a dot
_WHITE, _BLACK = 255, 0


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
