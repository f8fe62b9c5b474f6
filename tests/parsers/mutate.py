"""Changes a sample as a writer of JSON would get it wrong: one value another, gone or there twice.

A fuzzer that changes bytes mostly breaks the JSON, and never sees what is checked behind it.
"""

import json
import random
from typing import Any

_VALUES: list[Any] = [
    *(0, 1, -1, 2**30, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**64, 10**30, 1.0, 1.5, -0.0),
    *(True, False, None, "", " ", "\n", "\x00", "x", "é" * 40, "x" * 65, "x" * 600, '"' * 64),
    *("\\" * 48, "\U0001f600" * 48, "DIA-0200000000a1", "a001\n", "1795000000000", "ready", "in"),
    *([], {}, [[]], [7, 2], ["x", "y", []], {"k": "x"}, {"": ""}),
]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One line of `data` with one change, if that line is JSON; else `data` with a line moved."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    prefix = lines[at][:1] if lines[at][:1] in (b"1", b"2", b"3", b"4") else b""
    try:
        tree = json.loads(lines[at][len(prefix) :])
    except (ValueError, RecursionError):
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
        return b"\n".join(lines)
    text = json.dumps(
        _change(tree, rng), ensure_ascii=rng.random() < 0.5, separators=(",", ":")
    )  # fmt: skip
    if rng.random() < 0.1 and text[:1] == "{" and len(text) > 2:
        first = json.dumps({rng.choice("seknhi"): rng.choice(_VALUES)})
        text = f"{first[:-1]},{text[1:]}"
    lines[at] = prefix + text.encode(errors="replace")
    return b"\n".join(lines)


def _change(value: Any, rng: random.Random) -> Any:
    """Goes down to some place and changes what stands there."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        rest = dict(value)
        match rng.randrange(12):
            case 0:
                del rest[key]
            case 1:
                rest[rng.choice(["x", "k", "i", "c", key + "\n"])] = rest[key]
            case 2:
                rest[key] = rest[rng.choice(list(value))]
            case _:
                rest[key] = _change(rest[key], rng)
        return rest
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        match rng.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case _:
                return [*value[:at], _change(value[at], rng), *value[at + 1 :]]
    if isinstance(value, int) and not isinstance(value, bool) and rng.random() < 0.4:
        return value + rng.choice([-1, 1, 2, 1000])
    if isinstance(value, str) and value and rng.random() < 0.3:
        return value + rng.choice(["\n", "x", "é", '"', value])
    return rng.choice(_VALUES)
