"""A station on a pty that answers `diadema prove` as a real one does, and lies as it is told."""

import asyncio
import copy
import json
import os
import re
import tty
from collections.abc import Callable
from typing import Any, Self

from diadema.site.station_keys import seal
from diadema.stations.prove.run import TWO_S
from diadema.wire.frames import Decoder, encode

S = "DIA-0200000000a1"
KEY = bytes(range(32))
_PIECE = re.compile(rb"(\d+),(\d+),(\d+):")

MEMORY = {
    "heap": 4_006_944, "gc_free": 3_900_000, "idf": 136_303, "idf_largest": 110_592,
    "idf_least": 130_767,
}  # fmt: skip
# as a LyraT would say it, within all budgets
TRUE: dict[str, dict[str, Any]] = {
    "about": {
        "board": "lyrat_v4_3", "build": "ESP32_GENERIC-SPIRAM", "psram": 4 << 20, "start": 1,
        "firmware": "0.1.0", "micropython": "1.28.0", "loaded": 149_216,
    },
    "start": {
        "stages": {
            "begun": 780, "loaded": 1_085, "started": 1_480, "ready": 1_485, "hello": 1_490,
        },
    },
    "flash": {"read_us": 85, "erase_us": [44_000, 46_000, 45_000]},
    "key": {"light_ms": 10, "drawn_ms": 30},
    "badge": {"light_ms": 20, "drawn_ms": 50},
    "pin": {"light_ms": 20, "drawn_ms": 40, "pbkdf2_ms": 400},
    "radio": {"wifi": "joined", "opened_ms": 1_300},
    "dips": {"dips": 0, "dips_ms": 10_000},
    "hear": {"heard": 1},
    "noise": {"microphone": -620, "line": -700},
    "badges": {"taps": 1, "unread": 0},
    "pulled": {"gone_ms": 14_000, "back_ms": 14_000},
}  # fmt: skip

type Answer = dict[str, Any]


class LyingStation:
    """`lie(step, answer)` gives what it says in place of an answer; None: nothing. `boots`: what
    its hellos say, the last one again and again. `key`: what it seals with.
    """

    def __init__(self, lie: Callable[[str, Answer], Answer | None] = lambda _, told: told) -> None:
        self.lie = lie
        self.boots = [7]
        self.key: bytes | None = KEY
        self.safe = False
        self.asked: list[dict[str, Any]] = []  # that were sealed for it
        self.foreign = 0
        self.lost = 0  # of the bytes between frames
        self.sent: list[bytes] = []
        self._decoder = Decoder(1024)
        self._text = 0
        self._pieces: dict[int, bytes] = {}

    async def __aenter__(self) -> Self:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.port = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._readable)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    def says(self, body: bytes) -> None:
        self.sent.append(body)
        os.write(self._ours, encode(body))

    def _readable(self) -> None:
        bodies = [*self._decoder.feed(os.read(self._ours, 65536))]
        self._text += len(self._decoder.take_console())  # what came before the question, too
        for body in bodies:
            if body[:1] != b"{":
                whole = self._joined(body)
                if whole is None:
                    continue
                body = whole
            self._hears(body)

    def _joined(self, body: bytes) -> bytes | None:
        head = _PIECE.match(body)
        assert head
        number, piece, count = (int(one) for one in head.groups())
        self._pieces[piece] = body[head.end() :]
        os.write(self._ours, encode(b'{"got":[%d,%d]}' % (number, piece)))
        if piece < count:
            return None
        whole = b"".join(self._pieces[one] for one in range(1, count + 1))
        self._pieces.clear()
        return whole

    def _hears(self, body: bytes) -> None:
        message = json.loads(body)
        if "hello" in message:
            self._greets()
            return
        if seal(KEY, S, self.boots[0], body[:-24] + b"}") != body:
            self.foreign += 1
            return
        self.asked.append(message)
        step = message["step"]
        answer = {"i": message["i"], "step": step, **copy.deepcopy(TRUE.get(step, {}))}
        if message.get("seconds") == TWO_S:
            answer |= {"taps": 0, "unread": 1}
        answer |= {"memory": dict(MEMORY), "text": self._text - self.lost}
        told = self.lie(step, answer)
        if told is not None:
            self.says(self.sealed(told))

    def sealed(self, told: Answer) -> bytes:
        body = json.dumps({"proof": told}).encode()
        return body if self.key is None else seal(self.key, S, self.boots[0], body)

    def _greets(self) -> None:
        hello = {"up": True, "s": S, "e": 1, "first": 1, "last": 1, "acked": 1,
                 "b": self.boots[0], "board": "lyrat_v4_3", "firmware": "0.1.0"}  # fmt: skip
        if self.safe:
            hello = {"up": False, "s": S, "safe": True, "cause": "crashes", "board": "lyrat_v4_3"}
        if len(self.boots) > 1:
            self.boots.pop(0)
        self.says(json.dumps({"hello": hello}).encode())
