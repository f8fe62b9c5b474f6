"""Serial framing: 0x1E + JSON + `*` + CRC-32 in 8 upper-case hex digits + newline.

All other bytes on the line are console text. The decoder is bounded and counts what it drops.
"""

from binascii import crc32

from micropython import const

UP_LIMIT = const(512)
DOWN_LIMIT = const(1024)
_TAIL = const(9)  # `*` and eight digits


def encode(message):
    """The frame around `message` (JSON as bytes)."""
    return b"\x1e" + message + b"*%08X\n" % crc32(message)


class Decoder:
    """Incremental: feed it what arrived, take the messages that became whole."""

    def __init__(self, limit=DOWN_LIMIT):
        self._buffer = bytearray(limit + _TAIL)
        self._length = -1  # -1: between frames
        self.bad = 0  # broken off, too long, or a check that does not fit
        self.oversize = 0  # the part of `bad` that was too long
        self.text = 0  # bytes of console text skipped

    def feed(self, data):
        """Messages (bytes of JSON) completed by `data`; data is bytes."""
        found = []
        at = 0
        while at < len(data):
            if self._length < 0:
                start = data.find(b"\x1e", at)
                if start < 0:
                    self.text += len(data) - at
                    break
                self.text += start - at
                self._length = 0
                at = start + 1
                continue
            end = data.find(b"\n", at)
            stop = len(data) if end < 0 else end
            again = data.find(b"\x1e", at, stop)
            if again >= 0:  # a new frame began inside this one
                self.bad += 1
                self._length = 0
                at = again + 1
                continue
            at = self._take(data, at, stop)
            if self._length >= 0 and end >= 0:
                message = self._close()
                if message is not None:
                    found.append(message)
                at = end + 1
        return found

    def _take(self, data, at, stop):
        length = self._length + stop - at
        if length > len(self._buffer):
            self.bad += 1
            self.oversize += 1
            self._length = -1
            return stop
        self._buffer[self._length : length] = data[at:stop]
        self._length = length
        return stop

    def _close(self):
        length = self._length - _TAIL
        self._length = -1
        if length > 0:
            message = bytes(memoryview(self._buffer)[:length])
            if self._buffer[length : length + _TAIL] == b"*%08X" % crc32(message):
                return message
        self.bad += 1
        return None
