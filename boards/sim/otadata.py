"""The boot loader's choice between the app partitions, by the rules of the ESP-IDF: `otadata` and
what an app image must be. On both interpreters; the flash is any block device of 4096.

Each of the two sectors of otadata begins with 32 bytes (esp_ota_select_entry_t): sequence, a label
that nobody uses (20), state, and the CRC-32 of the sequence alone. The valid one with the higher
sequence counts: app partition (sequence − 1) modulo their number.
"""

import struct
from binascii import crc32
from hashlib import sha256

_SECTOR = 4096
NEW, PENDING, VALID, INVALID, ABORTED = range(5)  # ESP_OTA_IMG_…
_BLANK = 0xFFFFFFFF
_ENTRY = "<I20sII"
_BUILD = b"\0ESP32_GENERIC"
_OVERLAP = 64  # bytes, longer than a mark with what it tells


class OtaData:
    """`count`: app partitions. `rolls_back`: CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE, as stock
    MicroPython has it.
    """

    def __init__(self, flash, count=2, rolls_back=True):
        self._flash = flash
        self._count = count
        self._rolls_back = rolls_back

    def start(self, whole):
        """What the boot loader does at a reset: the app to run, or None when none is `whole`."""
        entries = self._read()
        for at, (sequence, state, _) in enumerate(entries):
            if self._rolls_back and state == PENDING:
                self._write(at, sequence, ABORTED)
        entries = self._read()
        at = self._active(entries)
        first = 0 if at is None else (entries[at][0] - 1) % self._count
        if at is not None and self._rolls_back and entries[at][1] == NEW:
            self._write(at, entries[at][0], PENDING)
        for app in list(range(first, -1, -1)) + list(range(first + 1, self._count)):
            if whole(app):
                if all(_blank(*entry) for entry in entries):
                    self._write(0, app + 1, VALID)
                return app
        return None

    def select(self, app):
        """`esp_ota_set_boot_partition`: the entry that does not count now is written anew."""
        entries = self._read()
        at = self._active(entries)
        sequence = app + 1
        if at is not None:
            while sequence < entries[at][0]:
                sequence += self._count
        self._write(1 - at if at is not None else 0, sequence, NEW if self._rolls_back else _BLANK)

    def confirm(self):
        """`esp_ota_mark_app_valid_cancel_rollback`."""
        entries = self._read()
        at = self._active(entries)
        if at is not None and entries[at][1] != VALID:
            self._write(at, entries[at][0], VALID)

    @property
    def app(self):
        """What a reset would start, if it is whole."""
        entries = self._read()
        at = self._active(entries)
        return 0 if at is None else (entries[at][0] - 1) % self._count

    def _read(self):
        """(sequence, state, whether its CRC is right) of both."""
        found = []
        for at in (0, 1):
            entry = bytearray(32)
            self._flash.readblocks(at, entry, 0)
            sequence, _, state, check = struct.unpack(_ENTRY, entry)
            found.append((sequence, state, sequence != _BLANK and check == _check(sequence)))
        return found

    def _active(self, entries):
        counts = [
            (sequence, -at)
            for at, (sequence, state, right) in enumerate(entries)
            if right and state not in (INVALID, ABORTED)
        ]
        return -max(counts)[1] if counts else None

    def _write(self, at, sequence, state):
        self._flash.ioctl(6, at)
        entry = struct.pack(_ENTRY, sequence, b"\xff" * 20, state, _check(sequence))
        self._flash.writeblocks(at, entry, 0)


def _blank(sequence, state, right):
    return not right and (sequence == _BLANK or state in (INVALID, ABORTED))


def _check(sequence):
    return crc32(struct.pack("<I", sequence), _BLANK)


def look(flash):
    """(chip's number, MicroPython's version or None, its build name or None, the PSRAM that it
    drives: "quad", "octal" or "") of the app image in `flash`; None when the boot loader would not
    start it. Its segments' places are not looked at, its SHA-256 is.
    """
    head = bytearray(24)
    flash.readblocks(0, head, 0)
    if head[0] != 0xE9 or head[23] != 1:
        return None
    size, end = flash.ioctl(4, 0) * _SECTOR, 24
    for _ in range(head[1]):
        segment = bytearray(8)
        if end + 8 > size:
            return None
        flash.readblocks(end // _SECTOR, segment, end % _SECTOR)
        end += 8 + int.from_bytes(segment[4:], "little")
    end += 16 - end % 16  # and the checksum, in the last of them
    if end + 32 > size:
        return None
    found, chunk = sha256(), bytearray(_OVERLAP + 1024)
    version = build = None
    psram, filled = "", 0
    for at in range(0, end, 1024):
        piece = memoryview(chunk)[filled : filled + min(1024, end - at)]
        flash.readblocks(at // _SECTOR, piece, at % _SECTOR)
        found.update(piece)
        filled += len(piece)
        text = bytes(chunk[:filled])
        if version is None:
            version = _after(text, b"MicroPython v", b" ")
        if build is None:
            build = _after(text, _BUILD, b"\0")
        for mark, name in ((b"quad_psram", "quad"), (b"octal_psram", "octal")):
            if mark in text:
                psram = name
        # what a mark needs may come with the next piece
        overlap = min(filled, _OVERLAP)
        chunk[:overlap] = text[filled - overlap :]
        filled = overlap
    digest = bytearray(32)
    flash.readblocks(end // _SECTOR, digest, end % _SECTOR)
    if digest != found.digest():
        return None
    if build is not None:
        build = _BUILD[1:].decode() + build
    return int.from_bytes(head[12:14], "little"), version, build, psram


def _after(text, mark, end):
    """What stands between `mark` and `end`, when both are here."""
    _, found, rest = text.partition(mark)
    content, ended, _ = rest[:_OVERLAP].partition(end)
    return content.decode() if found and ended else None
