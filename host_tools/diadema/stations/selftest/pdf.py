"""Records of bench tests as a PDF: A4, a page each."""

import io
from collections.abc import Sequence
from functools import cache

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from diadema.base import sanitize
from diadema.report.formats.as_pdf import BOLD, HEAD, INK, MISSED, PLAIN, RULE, SOFT
from diadema.site.description import Site
from diadema.stations.selftest.record import (
    Signed,
    advice,
    check,
    day_and_time,
    result,
    standing,
    standing_text,
    why,
)
from diadema.words import section

_WIDTH, _HEIGHT = A4
_MARGIN = 18 * mm
_ROOM = _WIDTH - 2 * _MARGIN
_RESULTS_AT, _ADVICE_AT = _MARGIN + 62 * mm, _MARGIN + 86 * mm


def content(records: Sequence[Signed], site: Site, language: str, public: str) -> bytes:
    """`public`: the key of the hub that should have signed them."""
    _register()
    held = io.BytesIO()
    canvas = Canvas(held, pagesize=A4, invariant=1, lang=language)
    canvas.setTitle(section("selftest", language)["title"])
    for signed in records:
        _Page(canvas, signed, site, language).draw(public)
        canvas.showPage()
    canvas.save()
    return held.getvalue()


class _Page:
    """Draws from the top down; `_y` is how far it has come."""

    def __init__(self, canvas: Canvas, signed: Signed, site: Site, language: str) -> None:
        self._canvas, self._signed, self._site, self._language = canvas, signed, site, language
        self._words = section("selftest", language)
        self._y = _HEIGHT - _MARGIN

    def draw(self, public: str) -> None:
        words = self._words
        self._line(words["title"], 18, BOLD, below=18)
        self._verdict()
        for name, value in self._facts():
            self._at(_MARGIN, words[name], 9, PLAIN, SOFT)
            self._at(_MARGIN + 42 * mm, value, 10, PLAIN, INK)
            self._y -= 15
        self._y -= 10
        self._line(words["checks"], 12, BOLD, below=18)
        for name, outcome in self._signed.checks.items():
            self._check(name, outcome)
        self._y -= 14
        self._signature(public)
        self._canvas.setStrokeColor(SOFT)
        self._canvas.line(_MARGIN, _MARGIN + 12, _MARGIN + 70 * mm, _MARGIN + 12)
        self._y = _MARGIN
        self._at(_MARGIN, words["technician"], 8, PLAIN, SOFT)

    def _verdict(self) -> None:
        fit = self._signed.record.fit
        self._canvas.setFillColor(HEAD)
        self._canvas.rect(_MARGIN, self._y - 34, _ROOM, 40, stroke=0, fill=1)
        self._y -= 20
        said = self._words["fit" if fit else "unfit"]
        self._at(_MARGIN + 10, said, 20, BOLD, INK if fit else MISSED)
        self._y -= 36

    def _facts(self) -> list[tuple[str, str]]:
        record = self._signed.record
        s, e, n = record.of
        facts = [
            ("seat", record.seat or self._words["of_no_seat"]),
            ("station", s),
            ("board", record.board),
            ("version", record.firmware),
            ("site", self._site.site),
            ("at", day_and_time(self._signed.tested_utc, self._site.tz)),
            ("by", record.by),
            ("number", f"{e}-{n}"),
        ]
        if not record.fit:
            facts.append(("why", why(self._signed, self._language)))
        return facts

    def _check(self, name: str, outcome: str) -> None:
        failed = outcome == "failed"
        self._canvas.setStrokeColor(RULE)
        self._canvas.line(_MARGIN, self._y + 11, _MARGIN + _ROOM, self._y + 11)
        self._at(_MARGIN, check(name, self._language), 9.5, PLAIN, INK)
        face, color = (BOLD, MISSED) if failed else (PLAIN, INK)
        self._at(_RESULTS_AT, result(outcome, self._language), 9.5, face, color)
        to_do = advice(name, self._language) if failed else None
        lines = simpleSplit(to_do, PLAIN, 8, _MARGIN + _ROOM - _ADVICE_AT) if to_do else []
        for line in lines:
            self._at(_ADVICE_AT, line, 8, PLAIN, SOFT)
            self._y -= 10
        self._y -= 16 - 10 * bool(lines)

    def _signature(self, public: str) -> None:
        found = standing(self._signed, public)
        self._line(self._words["signature"], 9, BOLD, below=2)
        half = len(self._signed.signature) // 2
        for part in (self._signed.signature[:half], self._signed.signature[half:]):
            self._line(part, 8, "Courier", below=1)
        meaning = standing_text(found, self._signed.key or public, self._language)
        color = SOFT if found == "right" else MISSED
        for line in simpleSplit(meaning, PLAIN, 8.5, _ROOM):
            self._line(line, 8.5, PLAIN, color, below=1)

    def _line(
        self, words: str, size: float, face: str, color: object = INK, below: float = 0
    ) -> None:
        self._y -= size
        self._at(_MARGIN, words, size, face, color)
        self._y -= below + 2

    def _at(self, x: float, words: str, size: float, face: str, color: object) -> None:
        self._canvas.setFillColor(color)
        self._canvas.setFont(face, size)
        self._canvas.drawString(x, self._y, sanitize.visible(words))


@cache
def _register() -> None:
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
