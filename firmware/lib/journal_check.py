"""Whether everything in a journal can be read, for the technician's test.

A cut of power may tear the record that it met: the one after it then tells of a boot. The sector
that is erased next may be half erased. What is torn anywhere else, the flash has lost.
"""

import asyncio

from lib.journal import EVENT, EXTRA
from lib.journal_start import header_of
from micropython import const

_SECTOR = const(4096)
_HEADER_SIZE = const(32)
_RECORD_SIZE = const(8)
_BOOTED = const(b'"k":"station.booted"')


async def sound(journal):
    """Sector by sector, from the oldest on; others get their turn in between."""
    torn = False
    sequence = journal._oldest
    while sequence <= journal._sequence:  # it may go on meanwhile
        if sequence > journal._sequence + 1 - journal.sectors:
            if journal.bad or not header_of(journal, sequence):
                return False
            torn = _sector(journal, (sequence - 1) % journal.sectors, torn)
            if torn is None:
                return False
        sequence += 1
        await asyncio.sleep_ms(0)
    return not torn


def _sector(journal, index, torn):
    """Whether what comes next must be a boot; None when something else was lost. `torn`: a boot
    must come in this one.
    """
    offset = _HEADER_SIZE
    while True:
        record = journal.record(index, offset)
        if record is None:
            break
        kind, _, length, whole = record
        if not whole:
            torn = True
        elif kind == EVENT and torn:
            if _BOOTED not in bytes(journal._view[_RECORD_SIZE : _RECORD_SIZE + length]):
                return None
            torn = False
        offset += length + EXTRA
    if offset + EXTRA <= _SECTOR:
        rest = bytearray(_RECORD_SIZE)
        journal.partition.readblocks(index, rest, offset)
        torn = torn or rest != b"\xff" * _RECORD_SIZE
    return torn
