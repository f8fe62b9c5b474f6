"""A text that no event holds travels in parts, and is whole where the last SHA-256 agrees."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

_PART = 240  # bytes of JSON: what most events of the hub have room for beside other fields


def parts_of(text: str, room: int = _PART) -> list[dict[str, Any]]:
    """The fields of the event or events that carry it: `text`, and of several `part`, `parts`,
    and in the last `sha256`. `room`: bytes of JSON for each.
    """
    pieces, piece, size = [], "", 0
    for character in text:
        bytes_of = len(msgspec.json.encode(character)) - 2
        if size + bytes_of > room:
            pieces.append(piece)
            piece, size = "", 0
        piece += character
        size += bytes_of
    pieces.append(piece)
    if len(pieces) == 1:
        return [{"text": text}]
    made: list[dict[str, Any]] = [
        {"text": one, "part": at, "parts": len(pieces)} for at, one in enumerate(pieces, 1)
    ]
    made[-1]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return made


def whole_text(parts: Iterable[tuple[str, int | None, int | None, str | None]]) -> str | None:
    """Of the (text, part, parts, sha256) of one text, in order; None while a part of it lacks or
    was changed.
    """
    found = list(parts)
    text = "".join(one for one, *_ in found)
    if [(part or 1, parts or 1) for _, part, parts, _ in found] != [
        (at, len(found)) for at in range(1, len(found) + 1)
    ]:
        return None
    if len(found) == 1:
        return text
    return text if hashlib.sha256(text.encode()).hexdigest() == found[-1][3] else None
