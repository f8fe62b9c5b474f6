"""One field of an entry: what may stand in it, and how it is read from what people and
spreadsheets write. From these come the checks, the forms, the columns and the API's models.

Peruvian documents: what a DNI, a carné de extranjería, a passport and a RUC look like.

What the items of a list look like; each function gives the one way to write it, or raises
ValueError.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from msgspec import Struct

from diadema.base.sanitize import hidden, mail_address
from diadema.site.badges import STORED, is_id
from diadema.site.directory.labels import choice_label, choice_of, item_label, item_of
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.sheets import read_date
from diadema.site.work import DAYS

DOCUMENTS = ("DNI", "CE", "PASAPORTE")
_SHAPES = {
    "DNI": re.compile(r"\d{8}\Z"),
    "CE": re.compile(r"[A-Z0-9]{9,12}\Z"),  # carné de extranjería: nine digits, older ones longer
    "PASAPORTE": re.compile(r"[A-Z0-9]{5,12}\Z"),
}
_RUC_STARTS = ("10", "15", "16", "17", "20")
_RUC_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def plain(text: str) -> str:
    """Without the blanks, dots and hyphens that people write between digits."""
    return re.sub(r"[\s.\-]", "", text).upper()


def wrong_document(kind: str, number: str) -> str | None:
    """The word of what is wrong, if anything is."""
    if kind == "DNI" and re.fullmatch(r"\d{5,7}", number):
        return "dni_short"  # as when a spreadsheet took the zeros in front
    return None if _SHAPES[kind].match(number) else f"document_{kind.lower()}"


def wrong_ruc(number: str) -> str | None:
    """Eleven digits; the last one checks the others (modulo 11, as SUNAT does)."""
    if not re.fullmatch(r"\d{11}", number):
        return "ruc_length"
    if not number.startswith(_RUC_STARTS):
        return "ruc_start"
    total = sum(int(digit) * weight for digit, weight in zip(number, _RUC_WEIGHTS, strict=False))
    return None if (11 - total % 11) % 10 == int(number[10]) else "ruc_digit"


STEPS = ("greeting", "identity", "need", "information", "doubts", "closing")
_PAUSE = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s+([A-Za-z0-9_.-]{1,24})\Z")
_PART = re.compile(r"([A-Za-z0-9_.-]{1,24})\s*=\s*(\S.{0,15})\Z")


def badge(text: str) -> str:
    """`iso14443a:04A1B2C3`, or as it is kept"""
    if STORED.match(text):
        return text
    kind, colon, uid = text.partition(":")
    if not is_id(text_id := f"{kind}{colon}{uid.upper()}"):
        raise ValueError(text)
    return text_id


def day_badge(text: str) -> str:
    """A badge and the day it is lent for: `iso14443a:04A1B2C3 2026-12-01`."""
    card, _, day = text.rpartition(" ")
    return f"{badge(card.strip())} {date.fromisoformat(day).isoformat()}"


def pause(text: str) -> str:
    """`10:00-10:15 break`"""
    found = _match(_PAUSE, text)
    times = [f"{_below(found[at], 24)}:{_below(found[at + 1], 60)}" for at in (1, 3)]
    if times[0] == times[1]:
        raise ValueError(text)
    return f"{times[0]}-{times[1]} {found[5]}"


def part(text: str) -> str:
    """`no_oigo=No oigo`"""
    found = _match(_PART, text)
    return f"{found[1]}={found[2].strip()}"


def step(text: str) -> str:
    """`greeting`, or its word in any language; with a `*` it ticks itself."""
    name, star = text.rstrip("* "), "*" if text.endswith("*") else ""
    return item_of("step", STEPS, name) + star


def weekday(text: str) -> str:
    """`mon`, or its word in any language."""
    return item_of("weekday", DAYS, text)


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.match(text)
    if found is None:
        raise ValueError(text)
    return found


def _below(text: str, limit: int) -> str:
    if int(text) >= limit:
        raise ValueError(text)
    return f"{int(text):02}"


SHAPES: dict[str, Callable[[str], str]] = {
    "badge": badge,
    "day_badge": day_badge,
    "pause": pause,
    "part": part,
    "step": step,
    "weekday": weekday,
    "mail": mail_address,
}


ITEMS = {"step": STEPS, "weekday": DAYS}  # of the shapes whose items have words


type Type = Literal[
    "text", "code", "int", "decimal", "bool", "date", "time", "choice", "ref", "document", "ruc"
]
type Value = str | int | float | bool | list[str] | None

SEPARATOR = " | "  # between the items of a list in one cell
_CELL = 32_767  # characters of a list in one cell, as a spreadsheet takes them
_YES = frozenset({"sí", "si", "s", "yes", "y", "true", "verdadero", "1", "x"})
_NO = frozenset({"no", "n", "false", "falso", "0", "-"})
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,24}\Z")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?\Z")
_EXPONENT = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+\Z")


class Field(Struct, frozen=True, kw_only=True):
    """`of`: the kind that a `ref` names. `many`: a list; `shape`: what each item looks like, of
    `shapes.SHAPES`. `unique`: no two entries of a kind have the same. `most`: characters.
    """

    name: str
    type: Type = "text"
    required: bool = False
    many: bool = False
    most: int = 64
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    of: str = ""
    shape: str = ""
    pattern: str = ""
    unique: bool = False

    def read(self, raw: Any) -> Value:
        """The value in what a cell, a form or a program gave. Raises Wrong."""
        if isinstance(raw, str):
            raw = raw.strip()
        if raw is None or raw == "" or raw == []:
            return self._nothing()
        if self.many:
            return self._items(raw)
        return self._one(raw)

    def show(self, value: Value, language: str) -> str | int | float | bool | None:
        """As it stands in a cell of a table in that language; a list as one text."""
        if not isinstance(value, list):
            return value
        if self.choices:
            return SEPARATOR.join(choice_label(one, language, self.name) for one in value)
        return SEPARATOR.join(item_label(self.shape, one, language) for one in value)

    def _nothing(self) -> Value:
        if self.required:
            raise self.wrong("missing", "")
        return None

    def _items(self, raw: Any) -> list[str] | None:
        given = raw if isinstance(raw, list | tuple) else self._split(_text(self, raw, _CELL))
        items = [str(self._one(one)) for one in given if not (isinstance(one, str) and not one)]
        if len(set(items)) < len(items):
            twice = next(one for one in items if items.count(one) > 1)
            raise self.wrong("item_twice", twice)
        return items or None

    def _split(self, text: str) -> list[str]:
        free = self.of == "teams" or (self.type == "text" and not self.shape)
        cuts = r"[|\n]" if free else r"[|\n,;]"
        return [part for one in re.split(cuts, text) if (part := one.strip())]

    def _one(self, raw: Any) -> Value:
        return _READERS[self.type](self, raw)

    def wrong(self, word: str, raw: Any, **values: Any) -> Wrong:
        return Wrong(Problem(word=word, column=self.name, value=_given(raw), values=values))


def _given(raw: Any) -> str:
    return raw if isinstance(raw, str) else "" if raw is None else str(raw)


def _text(field: Field, raw: Any, most: int = 0) -> str:
    """A text of `most` characters, by default the field's; numbers that a spreadsheet made of one
    are text again where nothing was lost.
    """
    if isinstance(raw, bool):
        raise field.wrong("not_text", raw)
    if isinstance(raw, int | float):
        return _digits(field, raw)
    if isinstance(raw, datetime | date | time | timedelta):
        raise field.wrong("date_for_text", raw)
    if not isinstance(raw, str):
        raise field.wrong("not_text", raw)
    text = raw.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # one way to write each letter
    if strange := hidden(text):
        raise field.wrong("hidden", raw, characters=", ".join(strange))
    if not text.isascii() and _is_mojibake(text):
        raise field.wrong("mojibake", raw)
    most = most or field.most
    if len(text) > most:
        raise field.wrong("too_long", raw, most=most, length=len(text))
    return text


def _is_mojibake(text: str) -> bool:
    """`Ã±` for `ñ`: UTF-8 that was read as something else and saved so."""
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def _digits(field: Field, raw: float) -> str:
    if isinstance(raw, float):
        if not math.isfinite(raw) or not raw.is_integer():
            raise field.wrong("number_for_text", raw)
        if abs(raw) >= 1e15:
            raise field.wrong("digits_lost", raw)
        raw = int(raw)
    return str(raw)


def _read_text(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    if field.shape:
        try:
            return SHAPES[field.shape](text)
        except ValueError as error:
            raise field.wrong(f"shape_{field.shape}", raw) from error
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise field.wrong("pattern", raw)
    return text


def _read_code(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    if not _CODE.match(text):
        raise field.wrong("code", raw)
    return text


def _number(field: Field, raw: Any) -> float:
    if isinstance(raw, bool | datetime | date | time | timedelta):
        raise field.wrong("number", raw)
    if isinstance(raw, str):
        try:
            raw = float(raw.replace(",", ".") if raw.count(",") == 1 else raw)
        except ValueError as error:
            raise field.wrong("number", raw) from error
    if not isinstance(raw, int | float) or abs(raw) > 1e15 or math.isnan(raw):
        raise field.wrong("number", raw)
    low, high = field.low, field.high
    if (low is not None and raw < low) or (high is not None and raw > high):
        raise field.wrong("range", raw, low=f"{low:g}", high=f"{high:g}")
    return raw


def _read_int(field: Field, raw: Any) -> int:
    number = _number(field, raw)
    if number != int(number):
        raise field.wrong("whole", raw)
    return int(number)


def _read_decimal(field: Field, raw: Any) -> float:
    number = _number(field, raw)
    return int(number) if number == int(number) else round(float(number), 3)


def _read_bool(field: Field, raw: Any) -> bool | None:
    """No is nothing: so a column that is empty changes nothing."""
    if isinstance(raw, bool):
        return raw or None
    text = _given(raw).strip().casefold()
    if isinstance(raw, float) and raw.is_integer():
        text = str(int(raw))
    if text in _YES:
        return True
    if text in _NO:
        return None
    raise field.wrong("bool", raw)


def _read_date(field: Field, raw: Any) -> str:
    return read_date(field.name, raw).isoformat()


def _read_time(field: Field, raw: Any) -> str:
    if isinstance(raw, datetime):
        raw = raw.time()
    if isinstance(raw, timedelta):
        raw = raw.total_seconds() / 86_400
    if isinstance(raw, float) and 0 <= raw < 1:  # a day's part, as spreadsheets keep it
        minutes = round(raw * 1440)
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}"
    if isinstance(raw, time):
        return raw.strftime("%H:%M")
    found = _TIME.match(_given(raw))
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise field.wrong("time", raw)
    return f"{int(found[1]):02}:{found[2]}"


def _read_choice(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    found = choice_of(field, text)
    if found is None:
        raise field.wrong("choice", raw, choices=", ".join(field.choices))
    return found


def _read_ref(field: Field, raw: Any) -> str:
    return _text(field, raw)


def _read_document(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    if _EXPONENT.search(text):
        raise field.wrong("digits_lost", raw)
    return plain(text)


def _read_ruc(field: Field, raw: Any) -> str:
    text = _read_document(field, raw)
    if (word := wrong_ruc(text)) is not None:
        raise field.wrong(word, raw)
    return text


_READERS: dict[str, Callable[[Field, Any], Value]] = {
    "text": _read_text,
    "code": _read_code,
    "int": _read_int,
    "decimal": _read_decimal,
    "bool": _read_bool,
    "date": _read_date,
    "time": _read_time,
    "choice": _read_choice,
    "ref": _read_ref,
    "document": _read_document,
    "ruc": _read_ruc,
}
