"""A station's journal as a test writes it: event bytes with right identities, and whole calls."""

import json

from diadema.ingest.messages import PREFIX, Message, subject_of

S = "DIA-0123456789ab"
T0 = 1_795_000_000_000  # a day in November 2026, 13:06 in Lima


class Script:
    """Appends events; `u` moves by `after` milliseconds before each."""

    def __init__(self, s=S, e=7, agent="a001"):
        self.s, self.e, self.agent = s, e, agent
        self.b, self.u, self.n = 1, 0, 0
        self.offset = None
        self.firmware = "0.1.0"
        self.bodies = []

    def add(self, k, after=1000, **fields):
        self.u += after
        self.n += 1
        event = {"s": self.s, "e": self.e, "n": self.n, "b": self.b, "u": self.u}
        event["t"] = None if self.offset is None else self.u + self.offset
        event |= {"k": k, **fields}
        self.bodies.append(json.dumps(event, separators=(",", ":")).encode())
        return self

    def boot(self, cause="power_on", **more):
        self.b += bool(self.n)
        self.u, self.offset = 0, None
        told = {"cause": cause, "firmware": "0.1.0", "board": "sim", "torn": 0, **more}
        return self.add("station.booted", 5, **told)

    def clock(self, utc=T0, i=1, after=10):
        self.offset = utc - (self.u + after)
        return self.add("station.clock", after, utc=utc, source="host", uncertainty_ms=50, i=i)

    def mark(self, direction, after=1000, method="badge", **more):
        fields = {"a": self.agent, "direction": direction, "method": method, "badge": None}
        return self.add("attendance.marked", after, **fields | more)

    def login(self, after=1000, method="badge", provisional=False, mark=False):
        """`mark`: by the tap that made the mark just before."""
        of = {"of": [self.s, self.e, self.n]} if mark else {}
        fields = {"a": self.agent, "method": method, "provisional": provisional}
        self.add("session.opened", after, **fields, **of)
        return self.presence("logged_out", "not_ready", "login", by="system", after=0)

    def logout(self):
        self.add("session.closed", a=self.agent, reason="agent", by="agent")
        return self.presence("not_ready", "logged_out", "logout", after=0)

    def presence(self, was, to, reason=None, by="agent", after=1000, **more):
        fields = {"a": self.agent, "from": was, "to": to, "reason": reason, "by": by}
        return self.add("presence.changed", after, **fields, **more)

    def ready(self, after=1000):
        return self.presence("not_ready", "ready", after=after)

    def contact(self, what, c, after=1000, **fields):
        return self.add(f"contact.{what}", after, a=self.agent, c=c, **fields)

    def offer(self, c, after=1000, queue="ventas", **more):
        fields = {"via": "host", "direction": "in", "queue": queue, "pbx": None}
        return self.contact("offered", c, after, **fields | more)

    def wrapup(self, what, c, after=1000, **fields):
        return self.add(f"wrapup.{what}", after, a=self.agent, c=c, **fields)

    def call(self, c, talk=60_000, hold=0, wrap=10_000, code="111", ring=3000):
        """A whole inbound call, typified in its wrap-up."""
        self.offer(c).contact("answered", c, ring, via="key", ring_ms=ring)
        if hold:
            self.contact("held", c, talk // 2, via="key").contact("resumed", c, hold, via="key")
        rest = talk - talk // 2 if hold else talk
        self.contact("ended", c, rest, by="caller", on_hold=False)
        self.wrapup("started", c, 0)
        self.contact("typified", c, wrap, code=code, version=1, how="agent")
        return self.wrapup("ended", c, 0, cause="typified")

    @property
    def topic(self):
        return subject_of(self.s)

    def messages(self, first=1, last=None):
        """The events first…last as messages of the stream; the stream's numbers are theirs."""
        return [
            Message(n, self.topic, body)
            for n, body in enumerate(self.bodies, 1)
            if first <= n <= (last or self.n)
        ]

    def hello(self, first=1, generation=0, acked=0, **more):
        greeting = {"s": self.s, "up": True, "e": self.e, "first": first, "last": self.n}
        greeting |= {"acked": acked, "b": self.b, "firmware": self.firmware, "board": "sim"}
        return greeting | {"generation": generation, "gw": "test", "keyed": 1, **more}

    def hello_message(self, sequence=0, **more):
        body = json.dumps(self.hello(**more)).encode()
        return Message(sequence, f"{PREFIX}gw-{more.get('gw', 'test')}.{self.s}.st", body)


SITE = {
    "site": "Centro",
    "zone": "America/Lima",
    "language": "es",
    "ring_limit_s": 20,
    "wrapup_limit_s": 60,
    "stations": [
        {"id": "DIA-0123456789ab", "seat": "A-01"},
        {"id": "DIA-0123456789ac", "seat": "A-02"},
    ],
    "agents": [
        {
            "id": "a001",
            "name": "Rosa Quispe Huamán",
            "short": "QUISPE R.",
            "alias": "RQ",
            "team": "Mañana",
            "badges": ["iso14443a:04A1B2C3D4E5F6"],
        },
        {"id": "a002", "name": "Luis Pari", "short": "PARI L.", "alias": "LP", "badges": []},
    ],
    "reasons": [
        {"code": "refrigerio", "label": "Refrigerio", "private": False},
        {"code": "sshh", "label": "SS. HH.", "private": True},
    ],
    "tree": {
        "version": 1,
        "nodes": [["1", "Consulta", [["11", "Saldo", [["111", "Ahorro"], ["112", "CTS"]]]]]],
    },
}


class FixedClock:
    """A clock that the test moves."""

    def __init__(self, now=T0):
        self.now = now

    def now_ms(self):
        return self.now
