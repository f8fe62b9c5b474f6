"""`NVS` of `esp32` in two sectors of the bench's flash. A cut leaves each value old or new, as the
ESP-IDF promises; its own pages and entries are not modelled. On both interpreters.
"""

import json
import struct
from binascii import crc32

SECTOR = 4096
_HEAD = "<II"  # of a sector, written last: generation, its CRC (of a blank one it is right, too)
_BLANK = 0xFFFFFFFF
_RECORD = "<HI"  # of a value: length, CRC


class Nvs:
    """`flash` has two sectors; the values of the newer one that is whole count."""

    def __init__(self, flash):
        self._flash = flash
        self._values = {}
        self._generation, self._sector, self._at = 0, 1, SECTOR
        for sector in range(2):
            buf = bytearray(SECTOR)
            flash.readblocks(sector, buf, 0)
            generation, check = struct.unpack(_HEAD, buf[:8])
            if crc32(buf[:4]) == check and self._generation < generation < _BLANK:
                self._generation, self._sector = generation, sector
                self._values, self._at = _values(buf)

    def get_i32(self, key):
        if not isinstance(self._values.get(key), int):
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        return self._values[key]

    def set_i32(self, key, value):
        self._set(key, value)

    def get_blob(self, key, buffer):
        value = self._values.get(key)
        if not isinstance(value, str):
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        value = bytes.fromhex(value)
        if len(value) > len(buffer):
            raise OSError(-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self._set(key, bytes(value).hex())

    def erase_key(self, key):
        if self._values.get(key) is None:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        self._set(key, None)

    def commit(self):
        """What was set is there already."""

    def _set(self, key, value):
        self._values[key] = value
        record = _record(key, value)
        if self._at + len(record) <= SECTOR:
            self._flash.writeblocks(self._sector, record, self._at)
            self._at += len(record)
            return
        self._sector ^= 1
        self._flash.ioctl(6, self._sector)
        self._at = 8
        for name in self._values:
            record = _record(name, self._values[name])
            self._flash.writeblocks(self._sector, record, self._at)
            self._at += len(record)
        self._generation += 1
        head = self._generation.to_bytes(4, "little")
        self._flash.writeblocks(self._sector, head + crc32(head).to_bytes(4, "little"), 0)


def _record(key, value):
    payload = json.dumps([key, value]).encode()
    return struct.pack(_RECORD, len(payload), crc32(payload)) + payload


def _values(buf):
    """(values, where the next record goes); nothing goes behind a torn one."""
    values = {}
    at = 8
    while buf[at:] != b"\xff" * (SECTOR - at):
        length, check = struct.unpack(_RECORD, buf[at : at + 6]) if at + 6 <= SECTOR else (0, 1)
        payload = bytes(buf[at + 6 : at + 6 + length])
        if crc32(payload) != check:
            return values, SECTOR
        key, value = json.loads(payload)
        values[key] = value
        at += 6 + length
    return values, at
