"""Which encoding a text file is in, where that can be known."""

import re

from diadema.site.directory.problems import Problem, Wrong

# beyond ASCII, what Spanish has and Office adds; other signs betray another encoding
_SPANISH = re.compile("[\x00-\x7fÀ-ÖØ-öø-ÿªº°¿¡«»“”‘’–—…•·€´\u00a0]*\\Z")
_INSIDE = re.compile(r"[A-Za-zÀ-ÿ][¡¿ªº°«»\u00a0´–—][A-Za-zÀ-ÿ]")
_SAMPLE = 4096


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Raises Wrong when it cannot be told for sure."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _as(data, "utf-16"), "UTF-16"
    if (guess := _utf_16(data[:_SAMPLE])) is not None:
        return _as(data, guess), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        text = _as(data, "cp1252")
    if not _SPANISH.match(text) or _INSIDE.search(text):
        raise _unknown()
    return text, "Windows-1252"


def _utf_16(sample: bytes) -> str | None:
    """Without a mark in front: every second byte of plain text is zero."""
    if len(sample) < 4:
        return None
    zeros = [sample[start::2].count(0) / len(sample[start::2]) for start in (0, 1)]
    if zeros[1] > 0.6 and zeros[0] < 0.1:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.6 and zeros[1] < 0.1 else None


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _unknown() from error


def _unknown() -> Wrong:
    return Wrong(Problem(word="file_encoding"))
