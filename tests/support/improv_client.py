"""A browser's end of Improv Wi-Fi over serial, written from improv-wifi.com/serial; it reads lines
as the published client does: a packet counts only at the beginning of one.
"""

import asyncio
import os
import tty

HEADER = b"IMPROV\x01"
STATE, ERROR, COMMAND, RESULT = 1, 2, 3, 4
WIFI, TELL, ABOUT, SCAN = 1, 2, 3, 4
READY, JOINING, JOINED = 2, 3, 4
UNABLE, NOT_AUTHORIZED = 3, 4


def packet(kind: int, data: bytes) -> bytes:
    text = HEADER + bytes([kind, len(data)]) + data
    return text + bytes([sum(text) % 256])


def command(number: int, data: bytes = b"") -> bytes:
    return packet(COMMAND, bytes([number, len(data)]) + data)


def wifi(ssid: str, password: str) -> bytes:
    told = b"".join(bytes([len(one)]) + one for one in (ssid.encode(), password.encode()))
    return command(WIFI, told)


def strings(data: bytes) -> list[str]:
    """Of a result, without its command and length."""
    found = []
    while data:
        found.append(data[1 : data[0] + 1].decode())
        data = data[data[0] + 1 :]
    return found


class ImprovClient:
    """`states`, `errors` and `results` (command, strings) as they came; all else in `lines`."""

    def __init__(self, port: str) -> None:
        self.states: list[int] = []
        self.errors: list[int] = []
        self.results: list[tuple[int, list[str]]] = []
        self.lines = bytearray()
        self._rest = b""
        self._port = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._port)
        asyncio.get_running_loop().add_reader(self._port, self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._port)
        os.close(self._port)

    def send(self, data: bytes) -> None:
        os.write(self._port, data)

    def _readable(self) -> None:
        try:
            self._rest += os.read(self._port, 65536)
        except OSError:
            return
        while self._rest:
            if HEADER.startswith(self._rest[: len(HEADER)]):
                size = 10 + self._rest[8] if len(self._rest) > 8 else 9
                if len(self._rest) < max(size, 10):
                    return
                whole, self._rest = self._rest[:size], self._rest[size:].removeprefix(b"\n")
                self._packet(whole)
                continue
            line, end, rest = self._rest.partition(b"\n")
            if not end:
                return
            self.lines += line + end
            self._rest = rest

    def _packet(self, whole: bytes) -> None:
        assert sum(whole[:-1]) % 256 == whole[-1]
        kind, data = whole[7], whole[9:-1]
        if kind == STATE:
            self.states += data
        elif kind == ERROR:
            self.errors += data
        elif kind == RESULT:
            assert data[1] == len(data) - 2
            self.results.append((data[0], strings(data[2:])))
