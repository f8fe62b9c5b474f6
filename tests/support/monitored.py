"""What a monitor does, as the hub's journal says it: each kind of event once or more, and each at
its longest.
"""

import json

from diadema.ingest.messages import Message, subject_of
from diadema.wire.events import ANSWERS, NOTE_PART
from diadema.wire.long_texts import parts_of

from tests.support.scripted_station import T0, S

CALL, OTHER = (S, 7, 4), (S, 7, 20)
DRAW, EVALUATION, HEARD = "3f9a01c2d4e5", "4f9a01c2d4e5", "5f9a01c2d4e5"
CASE = "6f9a01c2d4e5"
LEARNT = "Cierra sin preguntar si queda alguna duda. " * 9 + "Volver a oír juntos."
WEEK_MS = 7 * 86_400_000


class Monitor:
    """Says event after event to `take`; each gives its own key. `call` is one of a001's, `other`
    one of a002's.
    """

    def __init__(self, take, s="HUB-main", e=1, call=CALL, other=OTHER):
        self._take, self.s, self.e, self.n = take, s, e, 0
        self._call, self._other = call, other

    def say(self, kind, **fields):
        self.n += 1
        at = {"s": self.s, "e": self.e, "n": self.n, "b": 0, "u": 0, "t": T0 + self.n, "k": kind}
        given = {"by": "ana"} | fields
        event = at | {name: value for name, value in given.items() if value is not None}
        for name in ("score", "raw"):
            if name in given:
                event[name] = given[name]
        body = json.dumps(event, ensure_ascii=False).encode()
        self._take([Message(0, subject_of(self.s), body)])
        return self.s, self.e, self.n

    def planned(self, **fields):
        told = {"plan": "semanal", "version": 3, "start": T0 - WEEK_MS, "end": T0,
                "by": "rule:sample", "commit": "0c" * 32}  # fmt: skip
        return self.say("sample.planned", **told | fields)

    def drawn(self, of, **fields):
        told = {"draw": DRAW, "of": of, "frame": 310, "frame_hash": "0f" * 32, "by": "rule:sample",
                "secret": "05" * 32, "chosen": 40, "strata": 12, "cut": T0 + 9,
                "excluded": [5, 2, 1, 30, 0, 4, 0, 12]}  # fmt: skip
        return self.say("sample.drawn", **told | fields)

    def annulled(self, of, **fields):
        return self.say("sample.annulled", of=of, **fields)

    def assigned(self, call, agent="a001", **fields):
        told = {"a": agent, "draw": DRAW, "call": call, "stratum": "1", "rank": 1, "pool": 25,
                "to": "ana", "form": "atencion", "version": 7, "due": T0 + WEEK_MS,
                "by": "rule:sample"}  # fmt: skip
        return self.say("sample.assigned", **told | fields)

    def noted(self, text, **fields):
        for part in parts_of(text, NOTE_PART):
            self.say("evaluation.noted", **{"evaluation": EVALUATION} | fields | part)

    def submitted(self, of, call=CALL, agent="a001", **fields):
        told = {"evaluation": EVALUATION, "a": agent, "call": call, "of": of, "version": 7,
                "basis": "random", "answers": "011-2", "score": 0, "raw": 864,
                "failed": "section", "critical": [1, None, 0], "notes": 2}  # fmt: skip
        return self.say("evaluation.submitted", **told | fields)

    def revised(self, of, **fields):
        told = {"answers": "111-2", "score": 900, "raw": 900, "failed": "none", "by": "luz",
                "critical": [0, None, 0], "cause": "pair",
                "reason": "el audio lo muestra"}  # fmt: skip
        return self.say("evaluation.revised", of=of, **told | fields)

    def released(self, of):
        return self.say("evaluation.released", of=of, by="rule:sample")

    def step(self, kind, of, **fields):
        return self.say(f"evaluation.{kind}", of=of, **fields)

    def linked(self, call, agent="a001", **fields):
        told = {"how": "pbx", "hash": "0e" * 32, "ms": 61_000, "rate": 8000, "channels": 2,
                "format": "gsm", "offset_ms": 0, "pauses": "respected",
                "by": "rule:link"}  # fmt: skip
        return self.say("recording.linked", a=agent, call=call, **told | fields)

    def released_copy(self, call):
        return self.say("recording.released", call=call, purpose="arco", receiver="Ana Ríos",
                        hash="0b" * 32, reason="pidió su copia")  # fmt: skip

    def signed(self, how, agent="a001", **fields):
        return self.say("notice.signed", a=agent, notice="aviso", how=how, **fields)

    def heard(self, call, agent="a001", **fields):
        told = {"listening": HEARD, "source": "recording", "purpose": "evaluation",
                "via": "browser", "announced": False}  # fmt: skip
        return self.say("listening.started", a=agent, call=call, **told | fields)

    def opened(self, call, agent="a001", **fields):
        told = {"case": CASE, "number": "RH-12", "reason": "queja de Sol", "until": T0 + WEEK_MS,
                "by": "luz"}  # fmt: skip
        return self.say("case.opened", a=agent, call=call, **told | fields)

    def whole(self):
        """One call of a001's, all the way, and one of another's."""
        drawn = self.drawn(self.planned())
        first, other = self.assigned(self._call), self.assigned(self._other, agent="a002", rank=2)
        self.say("notice.published", notice="aviso", side="agent", version=1, hash="0d" * 32)
        self.signed("paper", date="2026-11-02", document="RH-9")
        self.signed("refused", agent="a002", date="2026-11-02", document="RH-8",
                    witnesses=["Teo Paz", "Sol Vera"])  # fmt: skip
        self.linked(self._call)
        self.say("recording.held", call=self._call, reason="reclamo de Teo", until=T0 + WEEK_MS)
        self.released_copy(self._call)
        self.say(
            "recording.missing", a="a002", call=self._other, reason="not_found", by="rule:sample"
        )
        self.say("listening.ended", of=self.heard(self._call), heard_ms=71_000, cause="done")
        self.say("listening.refused", a="a002", call=self._other, source="recording",
                 purpose="evaluation", reason="no_recording")  # fmt: skip
        self.noted(item="cierre", from_ms=1000, to_ms=4000, about="improve", text=LEARNT)
        submitted = self.submitted(first)
        self.revised(submitted)
        self.released(submitted)
        theirs = {"agent": "a002", "evaluation": "0" * 12, "notes": 0}
        second = self.submitted(other, self._other, **theirs)
        self.step("annulled", second, reason="no era de Teo")
        self.annulled(drawn, reason="la pidió Teo")
        self.say("case.closed", of=self.opened(self._call, of=submitted), reason="ya la oyó Teo")
        self.opened(self._other, agent="a002", case="0" * 12, number="RH-13")


_N, _X, _U, _D = "\u00f1", "f" * 64, 2**45, 86_400_000
_AGENT, _ID, _MANY = "a" * 24, "z" * 12, 9_999_999
_CALL, _OF = ("DIA-" + "f" * 12, 2**32 - 1, 2**53 - 1), ("HUB-main", 2**32 - 1, 2**53 - 1)
_HEARD = {"a": _AGENT, "call": _CALL, "source": "recording*", "mode": "whisper***",
          "purpose": "p" * 16}  # fmt: skip
_RATED = {"of": _OF, "answers": "-" * ANSWERS, "score": 1000, "raw": 1000,
          "failed": "evaluation", "critical": [ANSWERS] * 3}  # fmt: skip
LONGEST = (
    {"k": "sample.planned", "plan": "p" * 24, "version": _MANY, "start": _U, "end": _U,
     "commit": _X},
    {"k": "sample.drawn", "draw": _ID, "of": _OF, "frame": _MANY, "frame_hash": _X,
     "secret": _X, "chosen": 999_999, "strata": 999_999, "excluded": [_MANY] * 8, "cut": _U},
    {"k": "sample.assigned", "a": _AGENT, "draw": _ID, "call": _CALL, "stratum": "s" * 30,
     "rank": _MANY, "pool": _MANY, "to": "t" * 32, "form": "f" * 14, "version": _MANY,
     "second": True, "due": _U, "of": _OF, "reason": "r" * 10},
    {"k": "sample.annulled", "of": _OF, "reason": _N * 64},
    {"k": "recording.linked", "a": _AGENT, "call": _CALL, "how": "h" * 10, "hash": _X, "ms": _D,
     "rate": 768_000, "channels": 16, "format": "f" * 12, "offset_ms": -_D, "pauses": "p" * 10},
    {"k": "recording.missing", "a": _AGENT, "call": _CALL, "reason": "r" * 16},
    {"k": "recording.released", "call": _CALL, "purpose": "p" * 10, "receiver": _N * 40,
     "hash": _X, "reason": _N * 40},
    {"k": "recording.held", "call": _CALL, "reason": _N * 64, "until": _U},
    {"k": "notice.published", "notice": "n" * 16, "side": "s" * 10, "version": _MANY, "hash": _X},
    {"k": "notice.signed", "notice": "n" * 16, "a": _AGENT, "how": "h" * 10, "of": _CALL,
     "date": "2026-11-30", "document": "d" * 32, "witnesses": [_N * 32] * 2},
    {"k": "listening.started", "listening": _ID, **_HEARD, "via": "v" * 10, "announced": False},
    {"k": "listening.ended", "of": _OF, "heard_ms": _D, "cause": "c" * 24},
    {"k": "listening.refused", **_HEARD, "reason": "r" * 24},
    {"k": "evaluation.submitted", "evaluation": _ID, "a": _AGENT, "call": _CALL, **_RATED,
     "version": _MANY, "basis": "calibration*", "notes": 999},
    {"k": "evaluation.noted", "evaluation": _ID, "item": "i" * 16, "from_ms": _D, "to_ms": _D,
     "about": "a" * 10, "text": "x" * NOTE_PART, "part": 99, "parts": 99, "sha256": _X},
    {"k": "evaluation.revised", **_RATED, "cause": "c" * 12, "reason": _N * 64},
    {"k": "evaluation.annulled", "of": _OF, "reason": _N * 64},
    {"k": "evaluation.released", "of": _OF},
    {"k": "case.opened", "case": _ID, "a": _AGENT, "call": _CALL, "of": _OF,
     "number": _N * 32, "reason": _N * 40, "until": _U},
    {"k": "case.closed", "of": _OF, "reason": _N * 64},
)  # fmt: skip
