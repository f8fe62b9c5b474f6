"""A morning at one desk as a list of pictures: what the screen shows in each state.

Drives the real state machine and screen with a clock of its own. Runs on both interpreters.
"""

from lib.config import Config
from lib.desk import Desk
from lib.screens import Screen
from lib.states import Station
from lib.timekeeping import Clock

CONFIG = {
    "generation": 1,
    "seat": "A-01",
    "badge_key": "5a" * 32,
    "agents": [["a001", "QUISPE R.", ["00"]], ["a002", "ÑAÚPA Á. É. Í. Ó", ["01"]]],
    "reasons": [
        ["refrigerio", "Refrigerio", 0],
        ["sshh", "SS. HH.", 1],
        ["pausa", "Pausa activa", 0],
        ["capacitacion", "Capacitación", 0],
        ["retro", "Retroalimentac.", 0],
    ],
    "areas": [["tarjetas", "Tarjetas", 0], ["reclamos", "Reclamos", 1]],
    "help": [["producto", "Producto"], ["sistema", "Sistema"], ["trato", "Usuario difícil"]],
    "faults": [["pc", "Computadora", [["mouse", "Mouse"]]], ["red", "Red", []]],
    "tree": {
        "version": 1,
        "nodes": [
            ["1", "Consulta", [["11", "Saldo", [
                ["111", "Cuenta ahorro"], ["112", "Tarjeta crédito"], ["113", "¿Cuánto debo?"],
                ["114", "Préstamo vehíc."], ["115", "Ningún otro"],
            ]]]],
            ["2", "Reclamo", [["21", "Cobro", [["211", "Duplicado"]]]]],
        ],
    },
}  # fmt: skip
MESSAGE = (
    "Reunión de equipo a las 11:30 en la sala «Paracas». ¿Vienes? Trae tu informe de ayer "
    "y las dudas que tengas sobre el nuevo guion."
)
FEEDBACK = "Retroalimentación del 22/01: saludo y cierre completos; falta ofrecer la encuesta."
APART_MS = 400  # two presses of one key that are both meant
UTC = 1770037200000 - 180_000  # 07:57 in Lima


class Bench:
    """One screen; `shot` gives its 1024 bytes at a moment."""

    def __init__(self, words, config=CONFIG):
        self.desk = Desk()
        self.events = self.u = 0
        self.clock = Clock(lambda: 0)
        self.clock.anchor(UTC, 0)
        self.station = Station(self.desk, Config(config), lambda: "k1", lambda n: ["s", 1, n])
        self.station.words = words
        self.station.utc = self.clock.utc
        self.screen = Screen()
        self.screen.use(words)

    def do(self, name, u, details=None):
        self.u = u
        for event in self.station.handle(name, u, details):
            event["b"] = 1
            event["u"] = u
            event["t"] = self.clock.utc(u)
            self.events += 1
            event["n"] = self.events
            self.desk.apply(event)
        self.station.refresh()

    def pick(self, label, u):
        """Choose a line of the open list, on whichever page it is."""
        for _ in range(9):
            u += APART_MS
            lines = self.station.menu.lines()
            if label in lines:
                self.do("key" + str(3 + lines.index(label)), u)
                return
            self.do("key6", u)
        raise KeyError(label)

    def shot(self, u, link="up"):
        self.screen.draw(self.station, self.clock, u, link)
        return bytes(self.screen.canvas.buffer)


def scenes(words):
    """Yields (name, picture)."""
    bench = Bench(words)
    do, shot = bench.do, bench.shot
    yield "logged_out", shot(0, "lost")
    do("badge", 1000, ("00", "a001"))
    yield "hello", shot(1200)
    do("tick", 4000)
    yield "not_ready", shot(65_000)
    do("key4", 66_000)
    yield "reasons", shot(66_000)
    do("key6", 66_500)
    yield "reasons_more", shot(66_500)
    do("key1", 67_000)
    do("key3", 70_000)
    yield "ready", shot(80_000, "late")
    yield "ready_for_an_hour", shot(4_200_000)
    ring = {"cmd": "ring", "i": 5, "contact": "c", "direction": "in", "queue": "Banca Personas"}
    do("ring", 90_000, ring)
    yield "offered", shot(97_000)
    do("key2", 98_000)
    yield "silenced", shot(98_000)
    do("key1", 99_000)
    yield "talking", shot(99_000 + 754_000)
    do("key2", 99_000)
    yield "muted", shot(99_000 + 754_000)
    do("key6", 99_100)
    yield "muted_menu", shot(99_000 + 754_000)
    do("key1", 99_300)
    do("key2", 99_500)
    do("key4", 100_000)
    yield "held", shot(161_000)
    do("key4", 190_000)
    do("key6", 191_000)
    yield "menu", shot(200_000)
    bench.pick("after_call", 192_000)
    yield "intend", shot(200_000)
    do("key5", 194_000)
    yield "talking_for_an_hour", shot(99_000 + 3_754_000)
    do("key5", 199_000)
    yield "help", shot(199_000)
    do("key4", 199_500)
    yield "help_waits", shot(239_000)
    n = bench.desk.help
    do("help", 199_700, {"cmd": "help", "i": 6, "of": n, "state": "accepted", "by": "Ana P."})
    do("tick", 199_900 + 3000)
    yield "help_comes", shot(250_000)
    do("help", 199_800, {"cmd": "help", "i": 7, "of": n, "state": "resolved", "by": "Ana P."})
    do("tick", 199_900 + 3000)
    do("key3", 210_000)
    yield "tree_1", shot(200_000)
    do("key3", 210_500)
    do("key3", 210_500)
    yield "tree_3", shot(200_000)
    do("key6", 210_500)
    yield "tree_3_more", shot(200_000)
    do("key3", 211_000)
    yield "typified", shot(300_000)
    do("key1", 300_000)
    yield "wrapup", shot(312_000)
    do("key1", 320_000)
    yield "reason", shot(330_000)
    yield "reason_for_hours", shot(320_000 + 14_000_000)
    do("text", 340_000, {"cmd": "text", "i": 6, "m": "m1", "text": MESSAGE})
    yield "message", shot(340_000)
    do("key5", 341_000)
    yield "message_more", shot(341_000)
    do("key6", 342_000)
    do("text", 342_000, {"cmd": "text", "i": 8, "m": "m2", "text": FEEDBACK, "sign": 1})
    yield "acuse", shot(342_500)
    do("badge", 343_000, ("00", "a001"))
    yield "acuse_signed", shot(343_000)
    do("key3", 343_500)
    bench.station.notify("volume", "13")
    yield "volume", shot(342_000)
    do("badge", 350_000, ("07", None))
    yield "unknown_badge", shot(350_000)
    do("tick", 356_000)
    do("key3", 360_000)
    do("key4", 361_000)
    yield "dialing", shot(365_000)
    do("long5", 365_500)
    yield "faults", shot(365_600)
    do("tick", 373_600)
    do("key1", 373_600)
    do("key4", 377_000)
    do("key6", 377_000)
    do("key3", 378_000)
    yield "long_reason", shot(1_300_000)
    yield "long_reason_for_an_hour", shot(5_000_000)
    bench.desk.faults = {"badge_reader": "silent"}
    yield "fault", shot(5_010_000)
    bench.desk.faults = {}
    do("badge", 5_020_000, ("00", "a001"))
    do("badge", 5_021_000, ("01", "a002"))
    do("tick", 5_030_000)
    yield "accents", shot(5_040_000)
    pause = {"cmd": "presence", "i": 9, "to": "not_ready", "reason": "sshh"}
    do("presence", 5_050_000, dict(pause, who="Nelly Torres", note="cubre la cola de ventas"))
    yield "set_why", shot(5_055_000)
    close = {"cmd": "session", "i": 10, "agent": "a002", "verdict": "close", "reason": "moved"}
    do("session", 5_060_000, dict(close, who="Nelly Torres", note="Pase a B-07: silla rota"))
    yield "moved_why", shot(5_065_000)
    yield from telephone(words)
    yield from assistance(words)


def telephone(words):
    """The exchange is away; the seat's telephone is; and it did not answer when its key had."""
    bench = Bench(words)
    do, shot = bench.do, bench.shot

    def told(state, u):
        do("telephone", u, {"cmd": "telephone", "i": u, "state": state})

    do("badge", 1000, ("00", "a001"))
    do("tick", 4000)
    do("key3", 5000)
    told("no_switch", 6000)
    yield "no_switch", shot(20_000)
    told("ok", 21_000)
    do("ring", 22_000, {"cmd": "ring", "i": 5, "contact": "c", "direction": "in"})
    do("key1", 23_000)
    do("failed", 24_000, {"cmd": "failed", "i": 6, "contact": "c"})
    yield "phone_failed", shot(24_100)
    do("tick", 30_000)
    yield "phone_failed_after", shot(40_000)
    told("no_phone", 41_000)
    yield "no_phone", shot(50_000)
    do("key3", 51_000)
    yield "no_phone_asked", shot(51_100)


def unconfigured(words):
    bench = Bench(words, None)
    bench.clock = Clock(lambda: 0)
    return bench.shot(0, "lost")


def assistance(words):
    """How far a request is; what is asked once it, or a fault, is resolved; a tool that fails."""
    faults = [["pc", "Computadora", [["mouse", "Mouse"]]]]
    bench = Bench(words, dict(CONFIG, faults=faults, tools=[["crm", "CRM abre"]]))
    do, shot = bench.do, bench.shot
    do("badge", 1000, ("00", "a001"))
    do("tick", 4000)
    bench.station.do("selftest.by_host", {"cmd": "selftest", "i": 1})
    while bench.station.menu.kind == "selftest":
        bench.station.menu.expire(bench.station)
    yield "tool", shot(5000)
    do("key4", 6000)
    yield "tool_fault", shot(6500)
    do("key4", 7000)
    do("tick", 10_000)
    do("key3", 11_000)
    do("key5", 12_000)
    do("key1", 13_000)
    n = bench.desk.help
    for name, ahead, to in (("turn", 2, None), ("next", 0, None), ("to", 0, "Nelly Torres")):
        bench.station.turn = (n, ahead, to)
        yield "help_" + name, shot(25_000)
    do("ring", 30_000, {"cmd": "ring", "i": 2, "contact": "c", "direction": "in"})
    do("key1", 31_000)
    bench.station.turn = (n, 2, None)
    yield "help_turn_in_call", shot(40_000)
    do("help", 41_000, {"cmd": "help", "i": 3, "of": n, "state": "resolved", "by": "Ana P."})
    do("long5", 42_000)
    do("key3", 43_000)
    do("key3", 44_000)
    n = bench.desk.ticket
    do("fault", 45_000, {"cmd": "fault", "i": 4, "of": n, "state": "resolved", "by": "Ana P."})
    do("key1", 46_000)
    do("tick", 110_000)
    do("tick", 120_000)
    do("tick", 130_000)
    yield "works", shot(131_000)
    do("key3", 132_000)
    do("tick", 140_000)
    yield "served", shot(141_000)
