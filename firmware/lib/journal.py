"""The journal: a ring of records on a raw flash partition (layout version 1).

Appends only program bytes; a sector is erased ahead when the desk is idle. Nothing that waits
for its acknowledgement is overwritten. The partition is anything with `readblocks`, `writeblocks`
and `ioctl` as in `esp32.Partition`. Payloads are bytes here: their JSON is the caller's.
"""

import struct
from array import array
from binascii import crc32

from lib.errors import JournalError, JournalFull
from lib.journal_start import EVENT, EXTRA, SNAPSHOT, find_head
from micropython import const

_ACK = const(0x41)

_SECTOR = const(4096)
_MAGIC = const(b"DIAJ")
_VERSION = const(1)
# magic, version, worn, sectors, epoch, sequence, first, acked, boot, crc
_HEADER = const("<4sBBHIIIIII")
_HEADER_SIZE = const(32)
_WORN = const(5)  # 0xFF, also for the CRC; cleared when a record in the sector did not read back
_RECORD = const("<HBBI")  # length, type, check, n
_RECORD_SIZE = const(8)
_PAYLOAD_LIMIT = const(512)
_ACK_EVERY = const(32)
_RESERVE = const(2)  # sectors kept to end what is running
_LOW_VALUE = const(4)  # below this many free sectors, low-value kinds stop
_TRIES = const(3)
_USUAL = const(160)  # bytes read at once: most records are shorter
_NEARLY = const(3072)  # of a sector: earlier, and each boot would erase the next one once more


class Journal:
    """Mount it before use; `snapshot` is asked for the state to open each sector with."""

    def __init__(self, partition, snapshot=lambda: b"{}"):
        self.snapshot = snapshot
        self._buffer = bytearray(_PAYLOAD_LIMIT + EXTRA)
        self._view = memoryview(self._buffer)
        self._check = bytearray(_PAYLOAD_LIMIT + EXTRA)
        self.use(partition)

    def use(self, partition):
        """Take a partition, to be mounted or formatted next."""
        self.sectors = partition.ioctl(4, 0)
        if partition.ioctl(5, 0) != _SECTOR or self.sectors < _RESERVE + 2:
            raise JournalError("partition: needs four or more sectors of 4096 bytes", "other_size")
        self.partition = self._flash = partition
        self._firsts = array("I", bytes(4 * self.sectors))  # by sector: its first event's n
        # sectors that are not opened again: the sequence that can still be read there, or 0
        self.bad: dict[int, int] = {}
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
            find_head(self, visit)
        except OSError as error:
            raise JournalError("partition: {}".format(error), "unreadable") from None

    # ------------------------------------------------------------------ reading

    def record(self, index, offset):
        """(type, n, length, whole) at `offset`, its bytes in the buffer; None for none."""
        if offset + EXTRA > _SECTOR:
            return None
        view = self._view
        got = min(_USUAL, _SECTOR - offset)
        self._flash.readblocks(index, view[:got], offset)
        length, kind, _, n = struct.unpack_from(_RECORD, view)
        end = length + _RECORD_SIZE
        if length > _PAYLOAD_LIMIT or offset + end + 4 > _SECTOR or _xor(view):
            return None
        if end + 4 > got:
            self._flash.readblocks(index, view[got : end + 4], offset + got)
        return kind, n, length, crc32(view[:end]) == struct.unpack_from("<I", view, end)[0]

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
            readable = self.bad.get(index, sequence) == sequence
            record = self.record(index, offset) if readable else None
            if record is None:
                sequence, offset = sequence + 1, _HEADER_SIZE
                continue
            kind, found, length, whole = record
            offset += length + EXTRA
            if kind == EVENT and whole and found >= n:
                self._cursor = (sequence, offset, found + 1)
                return found, bytes(self._view[8 : 8 + length])
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
            raise JournalError("an event has at most 512 bytes")
        if low_value and self.free < _LOW_VALUE:
            raise JournalFull("low-value events wait")
        n = self.last + 1
        for _ in range(_TRIES):
            # the last twelve bytes of a sector stay free for an acknowledgement
            if self._offset + len(payload) + 2 * EXTRA > _SECTOR:
                self.open()
            if self._put(EVENT, n, payload):
                self.last = n
                return n
            if self.free:  # else here again
                index = (self._sequence - 1) % self.sectors
                self.bad[index] = self._sequence
                self._offset = _SECTOR
                self._mark(index, b"\0", _WORN)
        raise JournalError("flash: no record reads back")

    def _put(self, kind, n, payload):
        """Program one record at the head, in one write, and read it back."""
        size = len(payload) + EXTRA
        buffer = self._buffer
        struct.pack_into(_RECORD, buffer, 0, len(payload), kind, 0, n)
        buffer[3] = _xor(buffer)
        buffer[8 : 8 + len(payload)] = payload
        view = self._view
        struct.pack_into("<I", buffer, size - 4, crc32(view[: size - 4]))
        index = (self._sequence - 1) % self.sectors
        right = self._program(index, view[:size], self._offset)
        if right or self.record(index, self._offset) is not None:
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

    def open(self):
        """Go on in the next sector: erase it if that was not done, snapshot, then its header."""
        right = False
        while not right:
            if self.free < 1:
                raise JournalFull("no sector is free")
            if not self._ahead:
                self._erase_next()
            self._ahead = False
            following = self._following()
            while self._sequence < following:  # one that is skipped counts as empty
                self._firsts[self._sequence % self.sectors] = self.last + 1
                self._sequence += 1
            self._offset = _HEADER_SIZE
            index = (following - 1) % self.sectors
            snapshot = self.snapshot()
            if len(snapshot) > _PAYLOAD_LIMIT:  # the events count more
                snapshot = b"{}"
            right = self._put(SNAPSHOT, self.last, snapshot) and self._put_header(index)
            if not right:
                self._skip(index)
        self._acked_on_flash = self.acked
        self.settle()

    def _put_header(self, index):
        view = self._view[:_HEADER_SIZE]
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
            self.settle()
            if self.erase((following - 1) % self.sectors):
                return
        raise JournalFull("no sector is free")

    def erase(self, index):
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
        self._skip(index)
        return False

    def _skip(self, index):
        """Nothing in a sector counts from now on; a header of zeros says so to later boots."""
        self.bad[index] = 0
        self._mark(index, bytes(_HEADER_SIZE), 0)

    def _mark(self, index, view, offset):
        try:
            self._flash.writeblocks(index, view, offset)
        except OSError:
            pass  # then the next boot finds out by itself

    def _put_ack(self):
        fits = self._sequence and self._offset + EXTRA <= _SECTOR
        if fits and self._put(_ACK, self.acked, b""):
            self._acked_on_flash = self.acked

    @property
    def wants_erase(self):
        return not self._ahead and self._offset > _NEARLY and self.free > 0

    def erase_ahead(self):
        """Erase the next sector; call it when nobody waits, as it stalls the chip."""
        if self.wants_erase:
            self._erase_next()
            self._ahead = True

    def make_ready(self):
        """Index of the next sector, which is erased and may be once more."""
        if not self._ahead:
            self._erase_next()
            self._ahead = True
        return (self._following() - 1) % self.sectors

    # ------------------------------------------------------------------ acknowledgement

    def ack(self, n):
        """Everything up to `n` is stored; going back protects what the host lost again."""
        if n > self.last:  # the host has seen more of this epoch than the flash remembers
            self.last = n
        if n < self.acked:
            self._needed = self._oldest
        self.acked = n
        self.settle()
        if abs(n - self._acked_on_flash) >= _ACK_EVERY:
            self._put_ack()

    def settle(self):
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


def _xor(header):
    """0 for a header whose check fits; over a header with check 0, the check."""
    a, b, c, d = struct.unpack_from("<HHHH", header)
    a ^= b ^ c ^ d
    return (a ^ a >> 8) & 0xFF ^ 0x5A
