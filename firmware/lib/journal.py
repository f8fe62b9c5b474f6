"""The journal: a ring of records on a raw flash partition (layout version 1).

Appends only program bytes; a sector is erased ahead when the desk is idle. Nothing that waits
for its acknowledgement is overwritten. The partition is anything with `readblocks`, `writeblocks`
and `ioctl` as in `esp32.Partition`. Payloads are bytes here: their JSON is the caller's.
"""

import os
import struct
from array import array
from binascii import crc32

from lib.errors import JournalError, JournalFull
from micropython import const

EVENT = const(0x45)
SNAPSHOT = const(0x53)
_ACK = const(0x41)

_SECTOR = const(4096)
_MAGIC = b"DIAJ"
_VERSION = const(1)
_HEADER = "<4sBBHIIIIII"  # magic, version, 0xFF, sectors, epoch, sequence, first, acked, boot, crc
_HEADER_SIZE = const(32)
_RECORD = "<HBBI"  # length, type, check, n
_RECORD_SIZE = const(8)
_EXTRA = const(12)  # a record's header and CRC
_PAYLOAD_LIMIT = const(512)
_ACK_EVERY = const(32)
_RESERVE = const(2)  # sectors kept to end what is running
_LOW_VALUE = const(4)  # below this many free sectors, low-value kinds stop
_TRIES = const(3)


class Journal:
    """Mount it before use; `snapshot` is asked for the state to open each sector with."""

    def __init__(self, partition, snapshot=lambda: b"{}"):
        self.snapshot = snapshot
        self._buffer = bytearray(_PAYLOAD_LIMIT + _EXTRA)
        self._check = bytearray(_PAYLOAD_LIMIT + _EXTRA)
        self.use(partition)

    def use(self, partition):
        """Take a partition, to be mounted or formatted next."""
        self.sectors = partition.ioctl(4, 0)
        if partition.ioctl(5, 0) != _SECTOR or self.sectors < _RESERVE + 2:
            raise JournalError("partition: needs four or more sectors of 4096 bytes", "other_size")
        self.partition = self._flash = partition
        self._firsts = array("I", bytes(4 * self.sectors))  # by sector: its first event's n
        self.bad: set[int] = set()  # sectors that are skipped
        self.boot = 0  # written into the sectors opened from now on
        self.epoch = 0
        self.last = 0  # n of the newest event
        self.acked = 0
        self.torn = 0  # records found torn at the boot scan
        self.rewritten = 0  # records that did not read back and were written again
        self._sequence = 0  # of the sector being written
        self._oldest = 1  # sequence of the oldest sector on flash
        self._needed = 1  # sequence of the oldest sector with an unacknowledged event
        self._offset = _SECTOR
        self._acked_on_flash = 0
        self._ahead = False  # the next sector was erased in this boot
        self._cursor = (0, 0, 0)  # reader: sequence, offset, n expected there

    # ------------------------------------------------------------------ start

    def mount(self, visit=None):
        """Find the head; `visit(type, n, payload)` sees the newest sector's records in order.

        Reads the headers, then one sector. Formats a new partition; raises JournalError, and
        changes nothing, when there is something else on it.
        """
        try:
            newest = self._scan()
            if not newest:
                self._check_new()
                self.format()
                return
        except OSError as error:
            raise JournalError("partition: {}".format(error), "unreadable") from None
        self._sequence = newest
        # a sector whose snapshot cannot be read (worn flash): start from the one before
        start = newest
        while start > self._oldest and not self._begins_well(start):
            start -= 1
        self.last = self._firsts[(start - 1) % self.sectors] - 1
        acked = self.acked
        for sequence in range(start, newest + 1):
            self.acked = acked  # of the newest header; only its own sector knows better
            if self._header_of(sequence):
                self._replay(sequence, visit)
        self._acked_on_flash = self.acked = min(self.acked, self.last)
        self._settle()

    def _scan(self):
        """Read every header; returns the newest sequence, 0 when there is none."""
        newest = 0
        for index in range(self.sectors):
            header = self._read_header(index)
            if header and header[1] > newest:
                self.epoch, newest, _, self.acked = header
        for sequence in range(newest, max(newest - self.sectors, 0), -1):
            header = self._header_of(sequence)
            if header:
                first = header[2]
                self._oldest = self._needed = sequence
            # an unreadable sector counts as empty
            self._firsts[(sequence - 1) % self.sectors] = first
        return newest

    def _header_of(self, sequence):
        """The sector's header, None when another or none stands in its place."""
        header = self._read_header((sequence - 1) % self.sectors)
        return header if header and header[:2] == (self.epoch, sequence) else None

    def _read_header(self, index):
        """(epoch, sequence, first, acked) of a sector, None when its header does not check."""
        raw = memoryview(self._buffer)[:_HEADER_SIZE]
        self._flash.readblocks(index, raw, 0)
        fields = struct.unpack(_HEADER, raw)
        right = fields[:2] == (_MAGIC, _VERSION) and fields[3] == self.sectors
        if right and crc32(raw[:28]) == fields[9] and (fields[5] - 1) % self.sectors == index:
            return fields[4:8]
        if not any(raw):
            self.bad.add(index)
        return None

    def _begins_well(self, sequence):
        record = self._record((sequence - 1) % self.sectors, _HEADER_SIZE)
        whole = record is not None and record[0] == SNAPSHOT and record[3]
        return whole and self._header_of(sequence)

    def _replay(self, sequence, visit):
        index = (sequence - 1) % self.sectors
        offset = _HEADER_SIZE
        while True:
            record = self._record(index, offset)
            if record is None:
                break
            kind, n, length, whole = record
            if not whole:
                self.torn += 1
            elif kind == _ACK:
                self.acked = n
            else:
                if kind == EVENT:
                    self.last = n
                if visit:
                    visit(kind, n, bytes(memoryview(self._buffer)[8 : 8 + length]))
            offset += length + _EXTRA
        self._offset = offset if self._free_at(index, offset) else _SECTOR

    def _free_at(self, index, offset):
        """Whether records may go on here; anything but erased bytes closes the sector."""
        if offset + _EXTRA > _SECTOR:
            return False
        raw = memoryview(self._buffer)[:_RECORD_SIZE]
        self._flash.readblocks(index, raw, offset)
        if raw == b"\xff" * _RECORD_SIZE:
            return True
        self.torn += 1
        return False

    def _check_new(self):
        from lib.journal_start import judge

        code = judge(self._flash, self.sectors)
        if code:
            raise JournalError("partition: {}; it is left as it is".format(code), code)

    def format(self):
        """Begin a new epoch on the whole partition; what it held is gone, the oldest first."""
        self.bad.clear()
        for step in range(self.sectors):  # a cut leaves the newest: no number is used again
            self._erase((self._sequence + step) % self.sectors)
        # where old bytes cannot be erased, the new sequence is the higher one
        begin = -(-self._sequence // self.sectors) * self.sectors if self.bad else 0
        self.epoch = struct.unpack("<I", os.urandom(4))[0] or 1
        self.last = self.acked = self.torn = 0
        self._sequence = begin
        self._oldest = self._needed = begin + 1
        self._cursor = (0, 0, 0)
        self._ahead = True
        self._open(True)

    # ------------------------------------------------------------------ reading

    def _record(self, index, offset):
        """(type, n, length, whole) at `offset`, its bytes in the buffer; None for none."""
        if offset + _EXTRA > _SECTOR:
            return None
        view = memoryview(self._buffer)
        head = view[:_RECORD_SIZE]
        self._flash.readblocks(index, head, offset)
        length, kind, _, n = struct.unpack(_RECORD, head)
        if length > _PAYLOAD_LIMIT or offset + length + _EXTRA > _SECTOR or _xor(head):
            return None
        size = length + _EXTRA
        self._flash.readblocks(index, view[:size], offset)
        stored = struct.unpack_from("<I", view, size - 4)[0]
        return kind, n, length, crc32(view[: size - 4]) == stored

    @property
    def first(self):
        """n of the oldest event still on flash; last + 1 when there is none."""
        return min(self._firsts[(self._oldest - 1) % self.sectors], self.last + 1)

    def read(self, n):
        """(n, payload) of the first readable event from `n` on.

        None when `n` is not written yet; (last + 1, None) when nothing more can be read.
        """
        if n > self.last:
            return None
        sequence, offset, expected = self._cursor
        if expected != n or sequence < self._oldest:
            sequence, offset = self._seek(n), _HEADER_SIZE
        while sequence <= self._sequence:
            index = (sequence - 1) % self.sectors
            record = None if index in self.bad else self._record(index, offset)
            if record is None:
                sequence, offset = sequence + 1, _HEADER_SIZE
                continue
            kind, found, length, whole = record
            offset += length + _EXTRA
            if kind == EVENT and whole and found >= n:
                self._cursor = (sequence, offset, found + 1)
                return found, bytes(memoryview(self._buffer)[8 : 8 + length])
        return self.last + 1, None

    def _seek(self, n):
        """Sequence of the newest sector that begins at or before `n`."""
        sequence = self._sequence
        while sequence > self._oldest and self._firsts[(sequence - 1) % self.sectors] > n:
            sequence -= 1
        return sequence

    # ------------------------------------------------------------------ writing

    def append(self, payload, low_value=False):
        """Write one event; returns its n. Raises JournalFull when there is no room for it."""
        if len(payload) > _PAYLOAD_LIMIT:
            raise JournalError("event: {} bytes, at most 512".format(len(payload)))
        if low_value and self.free < _LOW_VALUE:
            raise JournalFull("low-value events wait until the host has caught up")
        n = self.last + 1
        for _ in range(_TRIES):
            # the last twelve bytes of a sector stay free for an acknowledgement
            if self._offset + len(payload) + 2 * _EXTRA > _SECTOR:
                self._open()
            if self._put(EVENT, n, payload):
                self.last = n
                return n
        raise JournalError("flash: a record does not read back; replace the board")

    def _put(self, kind, n, payload):
        """Program one record at the head, in one write, and read it back."""
        size = len(payload) + _EXTRA
        buffer = self._buffer
        struct.pack_into(_RECORD, buffer, 0, len(payload), kind, 0, n)
        buffer[3] = _xor(buffer)
        buffer[8 : 8 + len(payload)] = payload
        view = memoryview(buffer)
        struct.pack_into("<I", buffer, size - 4, crc32(view[: size - 4]))
        index = (self._sequence - 1) % self.sectors
        right = self._program(index, view[:size], self._offset)
        if right or self._record(index, self._offset) is not None:
            self._offset += size
        else:
            self._offset = _SECTOR  # its length is not readable: the sector ends here
        return right

    def _program(self, index, view, offset):
        check = memoryview(self._check)[: len(view)]
        try:
            self._flash.writeblocks(index, view, offset)
            self._flash.readblocks(index, check, offset)
            if check == view:
                return True
        except OSError:
            pass  # as good as one that does not read back
        self.rewritten += 1
        return False

    def _open(self, header_first=False):
        """Go on in the next sector: erase it if that was not done, snapshot, then its header.

        A first format writes the header first, so that nothing but it can be left half done.
        """
        right = False
        while not right:
            if self.free < 1:
                raise JournalFull("every sector waits for its acknowledgement")
            if not self._ahead:
                self._erase_next()
            self._ahead = False
            following = self._following()
            while self._sequence < following:  # one that is skipped counts as empty
                self._firsts[self._sequence % self.sectors] = self.last + 1
                self._sequence += 1
            self._offset = _HEADER_SIZE
            index = (following - 1) % self.sectors
            right = not header_first or self._put_header(index)
            right = right and self._put(SNAPSHOT, self.last, self.snapshot())
            right = right and (header_first or self._put_header(index))
            if not right:
                self._mark(index)
        self._acked_on_flash = self.acked
        self._settle()

    def _put_header(self, index):
        view = memoryview(self._buffer)[:_HEADER_SIZE]
        struct.pack_into(
            _HEADER, self._buffer, 0, _MAGIC, _VERSION, 0xFF, self.sectors, self.epoch,
            self._sequence, self.last + 1, self.acked, self.boot, 0,
        )  # fmt: skip
        struct.pack_into("<I", self._buffer, 28, crc32(view[:28]))
        return self._program(index, view, 0)

    def _following(self):
        """Sequence of the next sector that is not bad."""
        following = self._sequence + 1
        while (following - 1) % self.sectors in self.bad:
            following += 1
        return following

    def _erase_next(self):
        """Erase the sector after the head; what it held is acknowledged, and flash says so."""
        if self._acked_on_flash < self.acked:
            self._put_ack()
        while self.free > 0:
            following = self._following()
            self._oldest = max(self._oldest, following - self.sectors + 1)
            self._settle()
            if self._erase((following - 1) % self.sectors):
                return
        raise JournalFull("every sector that still works waits for its acknowledgement")

    def _erase(self, index):
        """Erase a sector and look; False when that did not work: it is bad from now on."""
        check = memoryview(self._check)[:_PAYLOAD_LIMIT]
        blank = b"\xff" * _PAYLOAD_LIMIT
        try:
            self._flash.ioctl(6, index)
            for offset in range(0, _SECTOR, _PAYLOAD_LIMIT):
                self._flash.readblocks(index, check, offset)
                if check != blank:
                    break
            else:
                return True
        except OSError:
            pass  # as good as one that was not erased
        self._mark(index)
        return False

    def _mark(self, index):
        """Skip a sector from now on; a header of zeros says so to the boots that follow."""
        self.bad.add(index)
        try:
            self._flash.writeblocks(index, bytes(_HEADER_SIZE), 0)
        except OSError:
            pass  # then the next boot finds out by itself

    def _put_ack(self):
        fits = self._sequence and self._offset + _EXTRA <= _SECTOR
        if fits and self._put(_ACK, self.acked, b""):
            self._acked_on_flash = self.acked

    @property
    def wants_erase(self):
        return not self._ahead and self.free > 0

    def erase_ahead(self):
        """Erase the next sector; call it when nobody waits, as it stalls the chip."""
        if self.wants_erase:
            self._erase_next()
            self._ahead = True

    # ------------------------------------------------------------------ acknowledgement

    def ack(self, n):
        """Everything up to `n` is stored; going back protects what the host lost again."""
        if n > self.last:  # the host has seen more of this epoch than the flash remembers
            self.last = n
        self.acked = n
        self._needed = self._oldest
        self._settle()
        if abs(n - self._acked_on_flash) >= _ACK_EVERY:
            self._put_ack()

    def _settle(self):
        self._needed = max(self._needed, self._oldest)
        while (
            self._needed < self._sequence
            and self._firsts[self._needed % self.sectors] <= self.acked + 1
        ):
            self._needed += 1

    @property
    def free(self):
        """Sectors that may be opened without touching anything unacknowledged."""
        span = self._sequence - self._needed + 1
        free = self.sectors - span
        for index in self.bad:
            if (index - self._needed + 1) % self.sectors >= span:
                free -= 1
        return free

    @property
    def reserve(self):
        """True when only what ends something may still be written."""
        return self.free <= _RESERVE

    @property
    def fill(self):
        """Percent of the sectors that hold something unacknowledged."""
        return (self.sectors - self.free) * 100 // self.sectors

    def dump(self):
        return {
            "epoch": self.epoch, "first": self.first, "last": self.last, "acked": self.acked,
            "free": self.free, "torn": self.torn, "rewritten": self.rewritten,
            "bad": len(self.bad),
        }  # fmt: skip


def _xor(header):
    """0 for a header whose check fits; over a header with check 0, the check."""
    value = 0x5A
    for at in range(_RECORD_SIZE):
        value ^= header[at]
    return value
