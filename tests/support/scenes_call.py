"""Calls as a list of pictures: transfer, consult, protocol, codes. As `scenes.py` otherwise."""

from tests.support.scenes import CONFIG, Bench

RING = {"cmd": "ring", "i": 5, "contact": "c", "direction": "in", "queue": "Banca Personas"}

STEPS = [["greeting", 1]] + [
    [step, 0] for step in ("identity", "need", "information", "doubts", "closing")
]
RICH = dict(
    CONFIG,
    campaigns=[
        ["banca", "Banca Personas", STEPS, None, 0],
        ["ventas", "Ventas", [], [480, 1200, 127], 0],
        ["cobranza", "Cobranzas", [], [480, 1200, 127], 1],
    ],
    methods=[["dni", "DNI"], ["clave", "Clave telefónica"], ["preguntas", "Preguntas"]],
    playbooks=[["1", "R-12", 3]],
)


def calls(words):
    """Yields (name, picture)."""
    bench = Bench(words, CONFIG)
    do, shot = bench.do, bench.shot
    do("badge", 1000, ("00", "a001"))
    do("key3", 4000)
    do("ring", 5000, RING)
    do("key1", 9000)
    do("key6", 60_000)
    bench.pick("transfer", 60_000)
    yield "areas", shot(60_000)
    do("key3", 61_000)
    yield "blind", shot(61_000)
    do("key1", 61_500)
    do("key4", 62_000)
    yield "consulting", shot(75_000)
    do("key4", 76_000)
    yield "consulting_caller", shot(80_000)
    do("key5", 81_000)
    yield "conference", shot(130_000)
    yield from _protocol(words)
    yield from _codes(words)
    yield from _outbound(words)


def _ready(words):
    bench = Bench(words, RICH)
    bench.do("badge", 1000, ("00", "a001"))
    bench.do("tick", 5000)
    bench.do("key3", 6000)
    return bench


def _protocol(words):
    bench = _ready(words)
    do, shot = bench.do, bench.shot
    do("ring", 10_000, RING)
    do("key1", 13_000)
    yield "steps", shot(20_000)
    do("key3", 25_000)
    yield "methods", shot(25_000)
    do("key3", 26_000)
    yield "steps_on", shot(40_000)
    do("key6", 41_000)
    bench.pick("motive", 41_000)
    yield "motives", shot(41_000)
    do("key3", 42_000)
    yield "playbook", shot(60_000)
    for at in range(3):
        do("key3", 70_000 + at * 9000)
    yield "last_step", shot(100_000)
    do("key3", 101_000)
    yield "all_steps", shot(110_000)
    do("key6", 111_000)
    do("key6", 111_500)
    yield "menu_more", shot(111_500)
    do("key1", 112_000)
    do("key1", 112_500)
    yield "tree_of_motive", shot(113_000)


def _codes(words):
    bench = _ready(words)
    do, shot = bench.do, bench.shot
    do("ring", 10_000, RING)
    do("key1", 13_000)
    do("key6", 14_000)
    bench.pick("pause_recording", 14_000)
    yield "recording_paused", shot(20_000)
    word = {"cmd": "listened", "contact": "c", "state": "on", "who": "quality"}
    do("listened", 21_000, dict(word, i=50))
    yield "listened", shot(22_000)
    do("key2", 23_000)
    do("key6", 24_000)
    yield "listened_muted_menu", shot(24_000)
    do("key1", 25_000)
    do("key2", 26_000)
    do("listened", 27_000, dict(word, i=51, state="off"))
    do("key1", 30_000)
    for at in range(3):
        do("key3", 31_000 + at * 1000)
    yield "undo", shot(34_000)
    do("tick", 39_000)
    do("ring", 40_000, dict(RING, i=6, contact="d"))
    do("key1", 43_000)
    do("key1", 50_000)
    yield "tree_with_favourites", shot(51_000)
    do("ring", 60_000, dict(RING, i=7, contact="e"))
    do("withdraw", 63_000, {"cmd": "withdraw", "i": 8, "contact": "e", "cause": "caller_gave_up"})
    do("tick", 66_000)
    yield "pending_count", shot(70_000)
    do("key6", 71_000)
    bench.pick("pending", 71_000)
    yield "pending", shot(71_000)


def _outbound(words):
    bench = _ready(words)
    do, shot = bench.do, bench.shot
    do("key4", 7000)
    do("key3", 8000)
    yield "blocked_hours", shot(8000)
    bench.do("tick", 12_000)
    do("key4", 600_000)
    yield "campaigns", shot(600_000)
    do("key4", 601_000)
    yield "consent", shot(601_000)
    do("key3", 602_000)
    do("key3", 606_000)
    do("quiet", 700_000, 655_000)
    yield "quiet", shot(700_000)
