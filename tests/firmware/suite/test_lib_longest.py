"""Every text of both languages, filled with the longest that it may hold, on 128 × 64: no word is
cut, and none is lost but of what is free to be longer than a line.
"""

from lib.canvas import Canvas
from lib.menus import Menu
from lib.message import Message, wrap
from lib.words_en import WORDS as ENGLISH
from lib.words_es import WORDS as SPANISH

from tests.support.scenes import Bench
from tests.support.scenes_call import RICH

LABEL = "Reclamo por mora"  # sixteen letters, as many as a label may have
SHORTENED = ["mora"]  # beside what a key does
NAME = "CHUMPITAZ Q. M."
WIDEST = "M" * 16
WHO, NOTE = "Supervisora de la noche Mogollón", "cubra la cola de ventas mayorista"
QUEUE = "Banca Personas Premium Nacional e Internacional de Lima"
PLAYBOOK, VERSION = "INSTRUCTIVO-RECLAMOS-012", "2026.11.29-rev.1"
PARTS = (
    "badge_reader", "codec", "keys", "headset", "screen", "journal", "uplink", "wifi", "config",
    "microphone", "lights", "link", "clock", "firmware", "materials", "tools",
)  # fmt: skip
NUMBERS = {
    "wait": "900", "wrong_left": "4", "limit_left": "0:59", "limit_over": "99:59:59",
    "help_waits": "99:59:59", "pending_count": "3", "today": "999", "volume": "100",
    "marked_unknown": "15:17", "step_at": "6/6 Información", "mark_pin": "15:17",
    "turn_ahead": "99", "set_tones": "off", "set_brightness": "medium", "set_language": "español",
}  # fmt: skip
FREE = " ".join((WHO, NOTE, QUEUE, PLAYBOOK, "v" + VERSION)).split()
FREE += ["otro_motivo_del_servidor"]
TIMES_MS = (0, 3_599_000, 35_999_000, 359_000_000)
WORST = ("v100", "late")
HELD = ("talking", "held", "consulting")
IDLE = ("consent_list", "campaigns_list", "materials_list", "selftest_list", "skip_list")


def site(label, name):
    """Every label and every name of it is this one."""
    rows = [[str(at), label, 1] for at in range(5)]
    leaves = [["a" + str(at), label] for at in range(5)]
    return dict(
        RICH,
        seat="A-0000000012",
        agents=[["a001", name, ["00"]], ["a002", name, ["01"]]],
        reasons=[["sshh", label, 1]] + rows,  # noqa: RUF005
        areas=rows,
        help=rows,
        faults=[["pc", label, rows]],
        methods=rows,
        materials=rows,
        campaigns=[[row[0], label, RICH["campaigns"][0][2], [0, 1440, 127], 1] for row in rows],
        playbooks=[["1", PLAYBOOK, VERSION]],
        tree={"version": 1, "nodes": [["1", label, [["11", label, leaves]]], ["2", label, [
            ["21", label, [["211", label]]]]]]},
    )  # fmt: skip


class Nothing:
    """Takes what is drawn."""

    def blit(self, *drawn):
        pass

    fill_rect = pixel = blit


class Spy(Canvas):
    """Notes what had no room, and draws nothing: it is asked about much."""

    def __init__(self):
        super().__init__()
        self._frame = Nothing()
        self.lost = []

    def fit(self, text, room):
        fitted = super().fit(text, room)
        assert text[: len(fitted)] == fitted
        left = text[len(fitted) :]
        assert not fitted or not left or left[0] == " ", fitted + "|" + left
        self.lost += [word for word in left.split() if word != "·"]
        return fitted


def filled(key, words):
    """The longest with which a text is shown."""
    longest = ""
    if key in ("broken", "unfit"):
        for part in PARTS:
            if len(words[part]) > len(longest):
                longest = words[part]
    elif key == "ended":
        longest = "otro_motivo_del_servidor"
    elif key == "guide":
        longest = PLAYBOOK + " v" + VERSION
    elif key in (
        "help_comes", "help_accepted", "turn_to", "fault_accepted", "set_by", "closed_by",
        "listened",
    ):  # fmt: skip
        longest = WHO
    elif key in ("marked_in", "marked_out"):
        longest = "15:17\n" + NAME
    elif key in NUMBERS or key[:4] == "set_":
        longest = NUMBERS.get(key, "100")
    else:
        longest = NAME if key in ("hello", "relief") else LABEL
    return longest


def desks(words, label=LABEL, name=NAME):
    """A desk in each situation: (which, bench)."""
    ring = {"cmd": "ring", "i": 5, "contact": "c", "direction": "in", "queue": QUEUE[:31]}
    consult = {"cmd": "consult", "i": 6, "contact": "c", "area": "1"}
    over = {"cmd": "hangup", "i": 7, "contact": "c", "by": "caller"}
    yield "logged_out", _desk(words, label, name, (), "logged_out")
    steps: list = []
    for situation, what, details in (
        ("not_ready", "badge", ("00", "a001")), ("ready", "key3", None), ("offered", "ring", ring),
        ("talking", "key1", None), ("held", "key4", None), ("consulting", "consult", consult),
        ("wrapup", "hangup", over),
    ):  # fmt: skip
        steps.append((what, details))
        yield situation, _desk(words, label, name, steps, situation)
    steps[2:] = [("key4", None), ("key3", None), ("key3", None)]
    yield "dialing", _desk(words, label, name, steps, "dialing")


def _desk(words, label, name, steps, situation):
    bench = Bench(words, site(label, name))
    bench.screen.canvas = Spy()
    bench.station.levels = (100, 24, 0)
    bench.station.hears = True
    bench.u = 1000
    for what, details in steps:
        bench.u += 2000
        bench.do(what, bench.u, details)
    bench.do("tick", bench.u + 3_000)
    bench.station.menu = bench.station.notice = None
    assert bench.station.situation == situation
    return bench


def lost(bench, u=None):
    """What had no room of all that is drawn now, but for what is free to be long."""
    bench.screen.canvas.lost = []
    bench.shot(bench.u + 3_000 if u is None else u, WORST[1])
    return [word for word in bench.screen.canvas.lost if word not in FREE]


def each(labels=(LABEL,)):
    for words in (SPANISH, ENGLISH):
        for label in labels:
            for situation, bench in desks(words, label, label if label == WIDEST else NAME):
                yield words, situation, bench


def test_no_word_is_drawn_in_part():
    for draw in (Canvas.text, Canvas.title):
        drawn = []
        for room in range(1, 127):
            canvas = Canvas()
            if draw is Canvas.text:
                canvas.text("Uno · dos tres", 0, 0, room)
            else:
                canvas.title("Uno · dos tres", 0, room)
            fitted = canvas.fit("Uno · dos tres", room)
            assert fitted in ("", "Uno", "Uno ·", "Uno · dos", "Uno · dos tres")
            if fitted not in drawn:
                drawn.append(fitted)
            alone = Canvas()
            if draw is Canvas.text:
                alone.text(fitted, 0, 0)
                assert alone.buffer == canvas.buffer, room
            lit = [at % 128 for at, byte in enumerate(canvas.buffer) if byte]
            assert not lit or max(lit) < room
        assert drawn == ["", "Uno", "Uno ·", "Uno · dos", "Uno · dos tres"]


def test_each_state_at_any_time():
    for _, situation, bench in each((LABEL, WIDEST)):
        for ms in TIMES_MS:
            assert lost(bench, bench.u + ms) == [], (situation, ms)


def test_each_word_as_a_notice_in_each_state():
    for words, situation, bench in each():
        for key, word in words.items():
            if "%d" in word or key[:6] == "bench_" or key[:6] == "prove_":
                continue
            bench.station.notify(key, filled(key, words) if "%s" in word else "")
            gone = lost(bench)
            assert gone == [] or (key == "undo_hint" and gone == SHORTENED), (situation, key)


def test_each_part_that_fails_and_each_state_of_the_call():
    for words, situation, bench in each():
        desk = bench.desk
        for key in words:
            part, _, code = key.partition(".")
            if code or part in PARTS:
                desk.faults = {part: code}
                assert lost(bench) == [], (situation, part)
        desk.faults = {}
        for reason in ("supervisor", "sshh", "moved", "no_answer", "otro_motivo_del_servidor"):
            desk.foreign = [1, reason, WHO, NOTE]
            assert lost(bench) == [], (situation, reason)
            desk.foreign = [1, reason, None, None]
            assert lost(bench) == [], (situation, reason)
        desk.foreign = None
        desk.pending = [["c", 1, "1", 0]] * 3
        desk.today = {"a001": [1, 999]}
        assert lost(bench) == [], situation
        desk.leaving, desk.leaver = "moved", (WHO, NOTE)
        assert lost(bench) == [], situation
        desk.leaving = None
        desk.intended = ["not_ready", "sshh", "agent"]
        gone = lost(bench)
        assert gone == [] or (situation == "wrapup" and gone == SHORTENED), situation
        desk.intended = None
        desk.motive = "1"
        for steps in ([], ["greeting"], ["greeting", "identity", "need"]):
            desk.steps = steps
            for desk.help, desk.help_by, bench.station.turn in (
                (0, None, None), (1, None, None), (1, WHO, None), (1, None, (1, 99, None)),
                (1, None, (1, 0, None)), (1, None, (1, 99, WHO)), (1, WHO, (1, 99, WHO)),
            ):  # fmt: skip
                assert lost(bench, bench.u + 36_000_000) == [], (situation, steps)
                if situation in ("talking", "held"):
                    step = words[bench.station.progress()[2]]
                    assert step in bench.screen._shown["detail"]
        if situation in HELD:
            for desk.listeners in (["quality"], [WHO], [WHO, "quality"]):
                for desk.help, desk.unrecorded, desk.muted, desk.plugged in (
                    (0, False, False, None), (1, False, False, None), (0, True, False, None),
                    (0, False, True, None), (0, False, False, False),
                ):  # fmt: skip
                    gone = lost(bench, bench.u + 36_000_000)
                    assert gone == [] or (gone, desk.listeners[0]) == ([words["quality"]], WHO)
                    sign = words["listened"].partition("%s")[0]
                    assert sign in bench.screen._shown["detail"]


def test_each_list_in_each_state():
    for words, situation, bench in each((LABEL, WIDEST)):
        for key in words:
            if key.endswith("_list") and key != "prove_list":
                bench.desk.muted = situation in HELD and key not in IDLE
                bench.desk.listeners = ["quality"] if bench.desk.muted else []
                bench.station.menu = Menu(key[:-5], bench.station.config.reasons, None)
                assert lost(bench) == [], (situation, key)
        for name in (LABEL, NAME, WIDEST):
            bench.station.menu.title = name
            bench.station.menu.closes_ms = None
            gone = lost(bench)
            assert gone == ([] if name != WIDEST or situation not in HELD else [WIDEST]), name


def test_each_line_of_the_lists_of_words():
    for _, situation, bench in each():
        for opens in ("key6", "long5", "long6", "badge"):
            bench.u += 10_000
            bench.do(opens, bench.u, ("00", "a001") if opens == "badge" else None)
            menu = bench.station.menu
            for key in ("key6", "key6", "key3", "key3", "key4"):
                if bench.station.menu and not (menu and menu.all_keys):
                    assert lost(bench) == [], (situation, opens)
                    bench.u += 1_000
                    bench.do(key, bench.u)
            bench.station.menu = None
            if bench.station.situation != situation:
                break


def test_each_page_that_takes_all_keys():
    for words in (SPANISH, ENGLISH):
        bench = dict(desks(words))["not_ready"]
        station = bench.station
        for level in ("volume", "microphone", "sidetone"):
            station.do("settings.show", None)
            station.menu._then(station, [level, ""])
            assert lost(bench) == [], level
        station.menu = None
        station.do("selftest.by_host", {"cmd": "selftest", "i": 9})
        while station.menu.kind == "selftest":
            assert lost(bench) == []
            station.menu.expire(station)
        assert lost(bench) == []
        station.menu = None
        for details in ((None, None, "code_pin", None), ("00", "a002", "badge", True)):
            station.notify("marked_in", "15:17\n" + NAME)
            station.do("pin.ask", details)
            page = station.menu
            assert lost(bench) == [], details
            for page.left in (4, None):
                for page.hint in (None, "weak_pin", "other_pin"):
                    for page.stage in (None, "new", "again"):
                        page.mark = ""
                        assert lost(bench) == [], (page.left, page.hint, page.stage)
            page.whole = True
            assert lost(bench) == []
        station.do("pin.code", None)
        assert lost(bench) == []


def test_what_is_asked_by_the_name_of_a_tool_or_a_part():
    for words in (SPANISH, ENGLISH):
        for label in (LABEL, NAME, "Microauricular"):
            bench = dict(desks(words, label))["not_ready"]
            station, desk = bench.station, bench.desk
            station.config.tools = [["crm", label]]
            station.do("selftest.by_host", {"cmd": "selftest", "i": 9})
            while station.menu.kind == "selftest":
                station.menu.expire(station)
            assert station.menu.kind == "tools" and lost(bench) == []
            bench.do("key4", bench.u)
            assert station.menu.kind == "tool_fault" and lost(bench) == []
            desk.served = [1]
            for row in ([2, 1, "tools", "crm"], [2, 1, "pc", "1"], [2, 1, "pc", None], [2, 1]):
                desk.reports, station.questions = [row], {}
                station.do("help.question")
                gone = lost(bench)
                assert label.endswith(" ".join(gone)), (label, gone)
            desk.reports = []
            station.do("help.question")
            assert station.menu.kind == "rate" and lost(bench) == []


def test_messages_are_broken_between_words_and_no_letter_is_lost():
    link = "https://intranet.ejemplo.com.pe/operaciones/instructivo-2026"
    for words in (SPANISH, ENGLISH):
        bench = dict(desks(words))["talking"]
        bench.desk.muted, bench.desk.listeners = True, ["quality"]
        text = " ".join((NOTE, link, QUEUE))
        message = bench.station.message = Message("m1", text, True)
        for message.page in range(4):
            assert lost(bench) == []
        for message.signed in (True, False):
            assert lost(bench) == []
        shown = "".join(wrap(text, bench.screen.canvas.width, 127))
        assert shown.replace(" ", "") == text.replace(" ", "")


def test_words_of_the_pages_without_a_program_fit():
    canvas = Canvas()
    for words in (SPANISH, ENGLISH):
        for key, word in words.items():
            if key[:5] == "safe_" and key != "safe_mode":
                assert canvas.width(word) <= 127, word
