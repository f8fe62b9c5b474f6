"""Serial frames between a station and the gateway, cut out of a stream of console text.

A frame is 0x1E + JSON + `*` + CRC-32 of the JSON in 8 upper-case hex digits + newline (RFC 7464
framing with a check). Every other byte is console text. Bounded; what is dropped is counted.
"""

from binascii import crc32
from dataclasses import asdict, dataclass

START = b"\x1e"
UP_LIMIT = 512  # JSON bytes, station to host
DOWN_LIMIT = 1024  # JSON bytes, host to station
_TRAILER = 9  # `*` and the check
_CONSOLE_LIMIT = 64 * 1024


def encode(body: bytes) -> bytes:
    """The frame of one JSON text, ready for the wire."""
    return b"%b%b*%08X\n" % (START, body, crc32(body))


@dataclass
class FrameCounts:
    """What a decoder has seen since it was made."""

    frames: int = 0
    corrupt: int = 0  # ended, but its check does not fit
    truncated: int = 0  # another frame began before this one ended
    oversized: int = 0
    console_bytes: int = 0
    console_dropped: int = 0  # nobody took the text in time


class Decoder:
    """Incremental and bounded: feed it any pieces of the stream, it hands back whole frames.

    Not for more than one stream; make one a port, and a new one after a reconnect.
    """

    def __init__(self, limit: int = UP_LIMIT) -> None:
        self.counts = FrameCounts()
        self._limit = limit
        self._body: bytearray | None = None  # None: between frames
        self._skipping = False  # inside a frame that is already too long
        self._console = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The JSON texts whose frames ended within `data`, in order."""
        found: list[bytes] = []
        at = 0
        while at < len(data):
            at = self._between(data, at) if self._body is None else self._inside(data, at, found)
        return found

    def take_console(self) -> bytes:
        """The console text since the last call, with spoilt frames: they may hold a log line."""
        text = bytes(self._console)
        self._console.clear()
        return text

    def dump(self) -> dict[str, int]:
        return asdict(self.counts)

    def _between(self, data: bytes, at: int) -> int:
        start = data.find(START, at)
        self._print(data[at : start if start >= 0 else len(data)])
        if start < 0:
            return len(data)
        self._body, self._skipping = bytearray(), False
        return start + 1

    def _inside(self, data: bytes, at: int, found: list[bytes]) -> int:
        assert self._body is not None
        newline = data.find(b"\n", at)
        end = newline if newline >= 0 else len(data)
        again = data.find(START, at, end)
        if again >= 0:  # JSON has no bare control characters, so this is a new frame
            self.counts.truncated += not self._skipping
            self._grow(data[at:again])
            self._print(bytes(self._body))
            self._body, self._skipping = bytearray(), False
            return again + 1
        self._grow(data[at:end])
        if newline < 0:
            return end
        body, self._body = bytes(self._body), None
        text = None if self._skipping else _checked(body)
        if text is not None and len(text) <= self._limit:
            self.counts.frames += 1
            found.append(text)
            return newline + 1
        if text is not None:
            self.counts.oversized += 1
        elif not self._skipping:
            self.counts.corrupt += 1
        self._print(body + b"\n")
        return newline + 1

    def _grow(self, piece: bytes) -> None:
        assert self._body is not None
        if self._skipping:
            self._print(piece)
        elif len(self._body) + len(piece) > self._limit + _TRAILER + len(b"\r"):
            self.counts.oversized += 1
            self._skipping = True
            self._print(bytes(self._body) + piece)
            self._body.clear()
        else:
            self._body += piece

    def _print(self, text: bytes) -> None:
        self.counts.console_bytes += len(text)
        self._console += text
        excess = len(self._console) - _CONSOLE_LIMIT
        if excess > 0:
            self.counts.console_dropped += excess
            del self._console[:excess]


def _checked(body: bytes) -> bytes | None:
    """The JSON of a frame without its start and newline, or None when the check does not fit."""
    body = body.removesuffix(b"\r")
    text, check = body[:-_TRAILER], body[-_TRAILER:]
    return text if text and check == b"*%08X" % crc32(text) else None
