"""A light station that takes updates by the rules of `firmware/update.py` and `lib/updating.py`:
parts in their order, what it waits for told every 32, a trial after the last.
"""

import hashlib
import json
from base64 import b64decode

from tests.support.light_station import LightStation

_PART = 480
_TELL_EVERY = 32


class UpdatingStation(LightStation):
    """`verdict`: what becomes of the trial, None for good; `lose`: parts that never arrive;
    `cuts`: how many trials lose their power first.
    """

    def __init__(self, *arguments, verdict=None, lose=(), cuts=0, **more):
        super().__init__(*arguments, **more)
        self.verdict = verdict
        self.cuts = cuts
        self.version = "0.1.0"
        self.taken = b""
        self.parts_heard = 0
        self._lose = set(lose)
        self._digest = None
        self._told = None
        self._under_way = False

    def say(self, k, **fields):
        self.script.add(k, **fields)
        self.press()

    def _obey(self, frame):
        if frame["cmd"] != "update":
            return super()._obey(frame)
        self.parts_heard += 1
        i, part, parts = frame["i"], frame["part"], frame["parts"]
        if part in self._lose:
            self._lose.discard(part)
            return None
        if not self._under_way and i <= self._highest_i:
            return None
        self._highest_i = max(self._highest_i, i)
        self._under_way = True
        if frame["sha256"] != self._digest:
            self._digest, self.taken, self._told = frame["sha256"], b"", None
        waits_for = len(self.taken) // _PART + 1
        if part != waits_for:
            if (i, waits_for) != self._told:
                self._told = (i, waits_for)
                self.say("station.update", phase="receiving", next=waits_for, i=i)
            return None
        manifest = self._manifest()
        self.taken += b64decode(frame["data"])
        self._told = None
        if part == parts:
            return self._finish(i)
        if (manifest is None and self._manifest()) or part % _TELL_EVERY == 0:
            self.say("station.update", phase="receiving", next=part + 1, i=i)
        return None

    def _manifest(self):
        line, _, rest = self.taken.partition(b"\n")
        return json.loads(line) if b"\n" in rest else None

    def _finish(self, i):
        assert hashlib.sha256(self.taken).hexdigest() == self._digest
        version = self._manifest()["version"]
        self._under_way = False
        self.say("station.update", phase="verified", version=version, i=i)
        self.say("station.update", phase="restarting", version=version, i=i)
        verdict = self.verdict
        if self.cuts:
            self.cuts -= 1
            self._digest, verdict = None, "power"  # what failed here comes anew
        self.script.boot("update")
        if verdict is None:
            self.version = version
            event = json.loads(self.script.bodies[-1])
            self.script.bodies[-1] = json.dumps(event | {"firmware": version}).encode()
        self.press()
        self.cut()
        how = {"phase": "good"} if verdict is None else {"phase": "rolled_back"}
        if verdict is not None:
            how["reason"] = verdict
        self.say("station.update", version=version, **how)

    def _say_hello(self):
        self.script.firmware = self.version
        super()._say_hello()
