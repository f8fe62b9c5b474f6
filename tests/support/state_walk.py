"""Any day at any desk: inputs drawn one after the other, and what must hold after each and of all
the events together. For the properties under hypothesis, and for the bench's million of steps.
"""

import random
from typing import Any

import msgspec
from diadema.wire.events import ANY_EVENT

from tests.support.deskbench import NORMA, PINS, ROSA, STRANGER, WITH_PIN, DeskBench
from tests.support.scenes import CONFIG

STEPS = [["greeting", 1], ["identity", 0], ["need", 0], ["closing", 1]]
RICH = {
    "campaigns": [
        ["banca", "Banca", STEPS, None, 0],
        ["ventas", "Ventas", [["need", 0]], [480, 1200, 127], 0],
        ["cobranza", "Cobranzas", [], [480, 1200, 127], 1],
    ],
    "methods": [["dni", "DNI"]],
    "playbooks": [["1", "R-12", 3]],
    "materials": [["guia", "Guía"]],
}
KEYS = [f"key{number}" for number in range(1, 7)]
# what a key of a call causes, that and nothing else
CAUSED = {
    ("key1", "consulting"): "contact.consult_ended",
    ("key6", "consulting"): "contact.consult_ended",
    ("key4", "held"): "contact.resumed",
    ("key4", "talking"): "contact.held",
}
BOTH = (True, False)
_LINES = ((), (3,), (4,), (5,), (6,), (3, 3), (6, 3), (3, 3, 3), (6, 6, 4))
type Row = tuple[int, tuple[tuple[Any, ...], ...]]
# how often; what is done, and what may go with it
INPUTS: list[Row] = [
    (4, (tuple(KEYS),)),
    (2, (("badge",), (ROSA, ROSA, NORMA, STRANGER, (None, None)))),
    (3, (("long3", "long4", "long5", "long6", "bad_read", "tick", "limit", "reboot"),)),
    (2, (("ring",),)),
    (1, (("full",), BOTH)),
    (1, (("hangup",), BOTH, ("agent", "caller", "system"), (None, "busy", "failed"))),
    (1, (("failed",), BOTH)),
    (1, (("telephone",), ("ok", "no_phone", "no_switch"))),
    (1, (("withdraw",), BOTH, ("withdrawn", "no_answer"))),
    (1, (("answer", "hold", "resume", "consult"), BOTH)),
    (1, (("consult_end",), ("back", "dropped", "failed"))),
    (1, (("transfer",), ("blind", "consulted", "conference"), (0, 1, 1))),
    (1, (("dial",), (None, "ventas", "cobranza"), (None, 0, 1))),
    (2, (("talk", "talk", "call", "plug", "unplug", "up", "late"),)),
    (2, (("talk", "talk", "call", "next", "flagged", "undone"),)),
    (2, (("menu",), tuple(range(10)), _LINES)),
    (1, (("recording",), ("paused", "resumed"))),
    (1, (("listened",), ("on", "on", "off"), ("quality", "Nelly T."))),
    (1, (("quiet",), BOTH)),
    (1, (("presence", "selftest"),)),
    (1, (("level",), (-30, -70))),
    (1, (("session",), BOTH, ("confirm", "close"))),
    (1, (("type",), ("123455", "111111", "1111654322", "2222654322"))),
    (1, (("text",), (0, 1))),
    (1, (("help",), BOTH, ("accepted", "resolved"))),
    (1, (("fault",), BOTH, ("accepted", "resolved", "rejected"))),
    (2, (("helped", "mended"), ("key1", "key2", "key3", "key4"))),
]


class Walk(DeskBench):
    """A desk that is given drawn inputs and checks itself after each."""

    def __init__(self, pins: bool, rich: bool) -> None:
        super().__init__((WITH_PIN if pins else CONFIG) | (RICH if rich else {}))
        self.utc_at_0 = 1_770_037_200_000 if pins else None
        self.rings = self.inputs = 0
        self.gap_ms = 500
        self.keep: int | None = None  # how many of the next events reach the flash

    def take(self, events: list[dict[str, Any]]) -> list[str]:
        kept = events if self.keep is None else events[: self.keep]
        kinds: list[str] = super().take(kept)
        self.keep = None
        return kinds

    def do(self, name: str, details: Any = None, after_ms: int = 2000) -> list[str]:
        self.inputs += 1
        station = self.station
        menu, cut = station.menu, self.keep is not None
        settled = self.u + after_ms >= station._settled_at
        free = settled and not (menu or cut or station.full or station.reading)
        wanted = CAUSED.get((name, self.desk.work)) if free else None
        kinds: list[str] = super().do(name, details, after_ms)
        assert wanted is None or kinds == [wanted], (name, wanted, kinds)
        if "attendance.marked" in kinds and name != "badge":  # nobody but a tap, or code and PIN
            assert name in (*KEYS, "pin_checked"), name
            assert menu.kind == "session" or menu.details[2] == "code_pin", (name, menu.kind)
        return kinds

    def contact(self, right: bool) -> str:
        return self.desk.contact or "none" if right else "another"

    def step(self, name: str, *arguments: Any) -> None:
        match name:
            case "ring":
                self.rings += 1
                self.ring(f"c{self.rings}")
            case "talk":
                self.at_work()
                self.step("ring")
                self.do("key1")
            case "call":  # by keys alone
                self.at_work()
                for key in ("key4", "key3", "key3"):
                    self.do(key)
            case "next" | "flagged":  # the code waits; there is none
                self.step("talk")
                self.do("key1")
                self.step("ring" if name == "next" else "limit")
            case "undone":  # a code of the tree, and another
                self.step("talk")
                for key in ("key1", "key3", "key3", "key3", "key1", "key4", "key3", "key3"):
                    self.do(key, after_ms=self.gap_ms)
            case "menu":
                self.do("key6")
                menu = self.station.menu
                if menu and menu.kind == "menu" and not self.station.full:
                    rows = [row[1] for row in menu._nodes]
                    self.pick(rows[arguments[0] % len(rows)])
                    for key in arguments[1]:
                        self.do(f"key{key}")
            case "dial":
                self.rings += 1
                more = {"campaign": arguments[0], "consent": arguments[1]}
                self.command(name, contact=f"c{self.rings}", **more)
            case "plug" | "unplug":
                self.take([{"k": f"headset.{name}ged"}])
            case "up" | "late":
                self.station.link = name
            case "recording":
                self.command(name, contact=self.contact(True), state=arguments[0])
            case "listened":
                more = {"state": arguments[0], "who": arguments[1]}
                self.command(name, contact=self.contact(True), **more)
            case "quiet":
                self.do(name, self.u - 45_000 if arguments[0] else None)
            case "telephone":
                self.command(name, state=arguments[0])
            case "answer" | "hold" | "resume" | "failed":
                self.command(name, contact=self.contact(arguments[0]))
            case "hangup":
                more = {"by": arguments[1], "result": arguments[2]}
                self.command(name, contact=self.contact(arguments[0]), **more)
            case "withdraw":
                self.command(name, contact=self.contact(arguments[0]), cause=arguments[1])
            case "consult":
                self.command(name, contact=self.contact(arguments[0]), area="reclamos")
            case "consult_end":
                self.command(name, contact=self.contact(True), result=arguments[0])
            case "transfer":
                fields = {"kind": arguments[0], "completed": arguments[1]}
                self.command(name, contact=self.contact(True), target="tarjetas", **fields)
            case "session":
                agent = self.desk.agent or "a001" if arguments[0] else "a003"
                self.command(name, agent=agent, verdict=arguments[1], reason="moved")
            case "type":
                self.type(arguments[0])
            case "presence":
                self.command(name, to="not_ready", reason="reunion")
            case "text":
                self.command(name, m="m1", text="Hola", sign=arguments[0])
            case "help" | "fault":
                of = (self.desk.help if name == "help" else self.desk.ticket) or 0
                n = of if arguments[0] else of + 1
                self.command(name, of=n, state=arguments[1], by="Ana P.")
            case "helped" | "mended":  # and then it is asked, if nothing is in the way
                what = "help" if name == "helped" else "fault"
                self.do("key5" if name == "helped" else "long5")
                self.do("key1")
                of = (self.desk.help if name == "helped" else self.desk.ticket) or 1
                self.command(what, of=of, state="resolved", by="Ana P.")
                for _ in range(2):
                    self.do("tick", after_ms=3_000)
                self.do(arguments[0])
            case "selftest":
                self.command(name)
            case "level":
                self.do(name, arguments[0])
            case "full":
                self.station.full = arguments[0]
            case "reboot":
                self.reboot()
            case "limit":
                self.do("tick", after_ms=60_000)
            case "badge":
                self.do("badge", arguments[0], after_ms=self.gap_ms)
            case _:
                self.do(name, after_ms=self.gap_ms)
        self.check()

    def check(self) -> None:
        desk, station = self.desk, self.station
        assert desk.work == "idle" or (desk.presence == "ready" and desk.open)
        assert (desk.presence == "logged_out") == (desk.agent is None) == (not desk.open)
        assert (desk.contact is None) == (desk.work == "idle")
        assert desk.work != "closing"
        assert not desk.listeners or desk.work in ("talking", "held", "consulting")
        idle_ready = desk.work == "idle" and desk.presence == "ready"
        assert not (idle_ready and "telephone" in desk.faults)
        assert len(desk.pending) <= 3
        assert len(desk.snapshot()) <= 512
        due = station.deadline()
        if due is not None and due <= self.u:
            self.do("tick", after_ms=0)
            again = self.station.deadline()
            assert again is None or again > self.u, "a tick at the deadline must move it"
        for key in KEYS:
            station.action(key)
        menu = station.menu
        if menu and menu.kind in ("rate", "confirm"):  # nothing else is on
            assert desk.open and desk.work == "idle" and not (desk.foreign or station.undo)
            assert menu._row[0] in [*desk.served, *(row[0] for row in desk.reports if row[1])]
        if station.menu and not station.menu.draw:
            assert any(station.menu.lines())

    def at_work(self) -> None:
        """Logged in and ready, if nothing stands against it."""
        self.station.full = False
        for _ in range(3):
            if self.station.reading:
                self.do("key6")
        if self.station.situation == "logged_out":
            self.do("badge", ROSA)
            if self.station.menu:
                self.type("123455")
        if self.station.situation == "not_ready":
            if "telephone" in self.desk.faults:
                self.step("telephone", "ok")
            self.do("key1")
            self.do("key3")

    def leave(self) -> None:
        """Whatever the state, these get anybody out of it."""
        self.station.full = False
        for _ in range(3):
            self.do("key6")  # a message
            for _ in range(4):
                self.do("key1")  # lists, ring, call
            self.do("tick", after_ms=60_000)
        while self.desk.open:
            asked = len(self.station.texts)  # those that want her signature come first
            self.do("badge", (ROSA if self.desk.agent == "a001" else NORMA))
            self.do("key4")
            assert not self.desk.open or len(self.station.texts) < asked
        assert self.station.situation == "logged_out"


def check_stream(events: list[dict[str, Any]]) -> None:
    """The events of a whole walk, from an empty desk to an empty desk."""
    presence = "logged_out"
    session = None
    started: dict[str, str] = {}
    consulting = None
    coded: dict[str, int] = {}
    steps: set[tuple[str, str]] = set()
    by_key = set()
    listeners: set[tuple[str, str]] = set()
    resolved: dict[str, set[int]] = {"help": set(), "fault": set()}
    for n, event in enumerate(events, 1):
        whole = {"s": "DIA-0200000000a1", "e": 1, "n": n, **event}
        msgspec.json.decode(msgspec.json.encode(whole), type=ANY_EVENT)
        kind, contact = event["k"], event.get("c")
        match kind:
            case "session.opened":
                assert session is None
                session = event["a"]
                resolved["fault"].clear()
            case "session.closed":
                assert session == event["a"]
                session = None
                resolved["help"].clear()
            case "help.resolved" | "fault.resolved":
                assert events[event["of"][2] - 1]["k"] in ("help.requested", "fault.reported")
                resolved[kind.partition(".")[0]].add(event["of"][2])
            case "help.rated" | "fault.confirmed":  # once, of what the one who sits there saw
                resolved[kind.partition(".")[0]].remove(event["of"][2])
                assert event["a"] == session
                assert all(state in ("over", "wrapped") for state in started.values())
            case "presence.changed":
                assert event["from"] == presence, event
                presence = event["to"]
            case "contact.offered" | "contact.dialed":
                assert contact not in started
                assert presence == "ready" and session == event["a"]
                assert all(state in ("over", "wrapped") for state in started.values())
                started[contact] = "waiting"
                if event["via"] == "key":
                    by_key.add(contact)
            case "contact.answered":
                assert started[contact] == "waiting"
                started[contact] = "talking"
            case "contact.missed":
                assert started[contact] == "waiting"
                started[contact] = "over"
            case "contact.ended":
                assert consulting is None
                answered = started[contact] == "talking"
                assert answered != ("dial_result" in event)
                assert not event.get("estimated") or contact in by_key
                failed = event["by"] == "technical"
                started[contact] = "ended" if answered and not failed else "over"
            case "wrapup.started":
                assert started[contact] == "ended"
                started[contact] = "wrapup"
            case "wrapup.ended":
                assert started[contact] == "wrapup"
                started[contact] = "wrapped"
            case "contact.typified":
                assert contact not in coded
                assert started[contact] in ("talking", "wrapup", "wrapped")
                coded[contact] = n
            case "contact.retypified":
                assert event["of"] == ["DIA-0200000000a1", 1, coded[contact]]
                coded[contact] = n
            case "contact.step":
                assert started[contact] == "talking"
                step = (contact, event["step"])
                assert (step in steps) == ("method" in event), "a step is told once"
                steps.add(step)
            case "contact.motive" | "contact.playbook":
                assert started[contact] == "talking"
            case "contact.recording_paused" | "contact.recording_resumed":
                assert started[contact] == "talking"
            case "contact.listened":
                assert started[contact] == "talking"
                listener = contact, event["who"]
                if event["state"] == "on":
                    listeners.add(listener)
                else:
                    listeners.remove(listener)
            case "contact.disagreed":
                assert contact in started and event["station"] != event["host"]
                continue
            case "contact.consulted":
                assert started[contact] == "talking"
                consulting = contact
            case "contact.consult_ended":
                assert consulting == contact
                consulting = None
            case "contact.transferred":
                assert started[contact] == "talking"
                if event["completed"]:
                    assert consulting is None or event["kind"] != "blind"
                    consulting = None
            case "contact.held" | "contact.resumed" | "contact.muted" | "contact.unmuted":
                assert started[contact] == "talking" and (consulting is None or "mute" in kind)
        if kind.startswith(("contact.", "wrapup.")):
            assert event["a"] == session
    assert session is None and presence == "logged_out"
    told = msgspec.json.encode(events)
    assert not any(pin in told for pin in PINS.values()), "a PIN got out"
    assert all(state in ("over", "wrapped") for state in started.values())
    wrapped = {contact for contact, state in started.items() if state == "wrapped"}
    over = {contact for contact, state in started.items() if state == "over"}
    assert wrapped == set(coded) - over, "a call without a code, be it that it has none"


def day(rng: random.Random, steps: int) -> int:
    """One desk for so many inputs, and home; how many it took."""
    walk = Walk(pins=rng.random() < 0.5, rich=rng.random() < 0.5)
    walk.ready()
    weights = [row[0] for row in INPUTS]
    for _, choices in rng.choices(INPUTS, weights, k=steps):
        walk.step(*(rng.choice(options) for options in choices))
    walk.leave()
    check_stream(walk.events)
    return walk.inputs
