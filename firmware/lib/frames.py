"""Serial framing: 0x1E + JSON + `*` + CRC-32 in 8 upper-case hex digits + newline.

All other bytes on the line are console text. The decoder is bounded and counts what it drops.
Messages to a station come in pieces, for the chip keeps 259 bytes that were not read: a frame of
at most 200 bytes around `NUMBER,PIECE,COUNT:` and a slice of the JSON. `{"got":[NUMBER,PIECE]}`
answers it, and then the next one comes.
"""

from binascii import crc32

from micropython import const

DOWN_LIMIT = const(1024)
_TAIL = const(9)  # `*` and eight digits
_NUMBERS = const(65535)


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


class Pieces:
    """Puts messages together again, one at a time and in one buffer."""

    def __init__(self):
        self._buffer = bytearray(DOWN_LIMIT)
        self._length = 0
        self._number = self._piece = self._count = -1  # of the piece that was taken last
        self.got = None  # the answer to be given now, if there is one

    def take(self, text):
        """What a frame brought. The message (bytes of JSON), when it is whole by that."""
        if text[:1] == b"{":
            self.got = None
            return text
        try:
            head, part = text.split(b":", 1)
            number, piece, count = [int(word) for word in head.split(b",")]
            if not (0 < number <= _NUMBERS and 0 < piece <= count):
                raise ValueError
        except ValueError:
            self.got = None
            return None
        self.got = encode(b'{"got":[%d,%d]}' % (number, piece))
        if number == self._number and (self._piece == self._count or 1 < piece <= self._piece):
            return None  # our answer was lost
        if piece == 1:
            self._number, self._piece, self._count, self._length = number, 0, count, 0
        end = self._length + len(part)
        if end > DOWN_LIMIT or (number, piece, count) != (
            self._number, self._piece + 1, self._count
        ):  # fmt: skip
            self.got = None
            return None
        self._buffer[self._length : end] = part
        self._piece, self._length = piece, end
        return bytes(memoryview(self._buffer)[:end]) if piece == count else None
