"""What the chip says of itself: which MicroPython runs, whether it has PSRAM, and how full its two
memories are, Python's and the one that radio, TLS and drivers take theirs from.
"""

import gc
import sys

from micropython import const

try:
    from esp32 import idf_heap_info
except ImportError:  # no chip: CPython, or a MicroPython of a desk

    def idf_heap_info(capabilities):  # type: ignore[misc]
        return []


# esp_heap_caps.h: MALLOC_CAP_…
_8BIT = const(1 << 2)
_SPIRAM = const(1 << 10)
_INTERNAL = const(1 << 11)
_DEFAULT = const(1 << 12)
# a TLS connection at its peak, and its largest block: a record of 16 KiB
_TLS_BYTES = const(30_000)
_TLS_BLOCK = const(16_800)


def about():
    """Of the start: MicroPython's build, bytes of PSRAM, number of the start files."""
    return {
        "build": getattr(sys.implementation, "_build", ""),
        "psram": sum(region[0] for region in idf_heap_info(_SPIRAM)),
        "start": getattr(sys.modules.get("slots"), "START", 0),
    }


def memory():
    """Free bytes. `heap` is what Python can still get, of which the largest block of the chip's
    own is no part of its heap yet: MicroPython counts it in (py/modgc.c). `idf…`: internal RAM.
    """
    heap = gc.mem_free()
    internal = idf_heap_info(_INTERNAL | _8BIT)
    return {
        "heap": heap,
        "gc_free": max(heap - _largest(idf_heap_info(_DEFAULT)), 0),
        "idf": sum(region[1] for region in internal),
        "idf_largest": _largest(internal),
        "idf_least": sum(region[3] for region in internal),
    }


def scarce(count=_TLS_BYTES, block=_TLS_BLOCK):
    """Whether the chip's own memory has no room for so much: a TLS connection, of whose want
    MicroPython says the same as of a wrong certificate.
    """
    internal = idf_heap_info(_INTERNAL | _8BIT)
    free = sum(region[1] for region in internal)
    return bool(internal) and (free < count or _largest(internal) < block)


def _largest(regions):
    return max([region[2] for region in regions] or [0])
