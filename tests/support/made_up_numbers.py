"""Callers' numbers that nobody has, as a switch may spell them, and whether one is anywhere.

None begins as a moment of these years has digits (…796…), so that whatever is found was a number.
Separators, a country's code and the escapes of an address hide none; nor does a column of a
database that keeps it as a number. An extension has too few digits to be looked for among others:
only a text that is nothing else is one.
"""

import json
import re
import sqlite3
from contextlib import closing
from urllib.parse import unquote

_BETWEEN = re.compile(r"(?<=\d)[\s().+-]+(?=\d)")
_HALVES = re.compile(r"(?<!\d)(\d{3})[ -](\d{4})(?!\d)")
_RUN = re.compile(r"\d{7,}")
_HASH = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{64})(?![0-9a-f])")
_TEXT = re.compile(r'"([^"\\]{3,12})"')
_LONG, _SHORT = 9, 7


def _mobile(rng):
    digits = rng.choice(["93", "94", "97", "98"]) + f"{rng.randrange(10**7):07}"
    a, b, c = digits[:3], digits[3:6], digits[6:]
    return digits, rng.choice([
        digits, f"+51{digits}", f"+51 {a} {b} {c}", f"0051{digits}", f"{a}-{b}-{c}",
        f"51 {a}{b}{c}", f'"Rosa" <{digits}>',
    ])  # fmt: skip


def _line(rng):
    """Of Lima, with and without its prefix, or of another country."""
    digits = f"{rng.randrange(7_100_000, 7_900_000)}"
    if rng.random() < 0.5:
        return digits, rng.choice(
            [digits, f"{digits[:3]}-{digits[3:]}", f"{digits[:3]} {digits[3:]}"]
        )
    return f"01{digits}", rng.choice([f"01{digits}", f"(01) {digits}", f"+5101{digits}"])


def _extension(rng):
    digits = f"{rng.randrange(3100, 9900)}"
    return digits, digits


def make(count, rng):
    """So many numbers, each its digits and a spelling."""
    found = {}
    while len(found) < count:
        kind = rng.choices([_mobile, _line, _extension], [70, 25, 5])[0]
        digits, spelled = kind(rng)
        found.setdefault(digits, spelled)
    return found


class Search:
    def __init__(self, numbers):
        self._long = {one[-_LONG:] for one in numbers if len(one) >= _LONG}
        self._short = {one: one for one in numbers if len(one) == _SHORT}
        self._short |= {one[1:]: one for one in self._long if one[0] == "0"}  # kept as a number
        self._alone = {one for one in numbers if len(one) < _SHORT}

    def text(self, text):
        plain = _HASH.sub("", text)
        found = set()
        for one in {plain, unquote(plain)}:
            joined = _BETWEEN.sub("", one)
            for run in [*_RUN.findall(one), *_RUN.findall(joined)]:
                if run in self._short:
                    found.add(self._short[run])
                windows = {run[at : at + _LONG] for at in range(len(run) - _LONG + 1)}
                found |= windows & self._long
            halves = {"".join(pair) for pair in _HALVES.findall(one)}
            found |= {self._short[half] for half in halves & self._short.keys()}
            found |= self._alone.intersection(_TEXT.findall(one))
        return found

    def json(self, value):
        return self.text(json.dumps(value, ensure_ascii=False))

    def file(self, path):
        body = path.read_bytes()
        found = self.text(body.decode("latin-1"))
        if body.startswith(b"SQLite format 3\0"):
            found |= self._database(path)
        return found

    def _database(self, path):
        """Its values one by one: a number may be kept as one."""
        found = set()
        with closing(sqlite3.connect(path)) as tx:
            tables = [name for (name,) in tx.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            )]  # fmt: skip
            for table in tables:
                for row in tx.execute(f'SELECT * FROM "{table}"'):
                    for value in row:
                        if isinstance(value, bytes):
                            value = value.decode("latin-1")
                        if value in self._alone:
                            found.add(value)
                        elif isinstance(value, int | str):
                            found |= self.text(str(value))
        return found


def planted(path, number, how):
    """A leak, as it could be."""
    match how:
        case "a log":
            path.write_text(f"2026-11-30 06:00:00 WARNING 1796012345.7 {number} 12\n")
        case "an address":
            path.write_text(
                f"GET /ari/channels?x={number.replace('+', '%2B').replace(' ', '%20')}"
            )
        case "json":
            path.write_text(json.dumps({"t": 1796012345678, "from": number}))
        case "a row":
            with closing(sqlite3.connect(path)) as tx:
                tx.execute("CREATE TABLE x (a TEXT, b)")
                plain = re.sub(r"\D", "", number)
                tx.execute("INSERT INTO x VALUES ('1796012345.7', ?)", (int(plain),))
                tx.commit()
