"""What the screen shows, against the pictures in `pictures/` (PBM; `redraw.py` makes them)."""

from lib.canvas import Canvas, digits_width
from lib.message import wrap
from lib.screens import Screen, elapsed
from lib.words_en import WORDS as ENGLISH
from lib.words_es import WORDS as SPANISH

from tests.support.firmware_pictures import PICTURES, load
from tests.support.scenes import Bench, scenes, unconfigured
from tests.support.scenes_call import calls

LABELS = (
    "go_ready", "choose_reason", "dial.begin", "step", "answer", "typify", "hold", "resume",
    "transfer.join", "transfer.swap", "transfer.confer", "transfer.back", "intend",
    "message.turn", "message.acknowledge", "message.aside", "message.agree", "message.observe",
    "seen", "help.ask", "menu.show", "pin.code",
)  # fmt: skip


def compare(language, words):
    for scenery in (scenes, calls):
        for name, picture in scenery(words):
            assert picture == load(PICTURES, language + "_" + name), name
    assert unconfigured(words) == load(PICTURES, language + "_unconfigured")


def test_the_day_in_spanish():
    compare("es", SPANISH)


def test_the_day_in_english():
    compare("en", ENGLISH)


def test_both_catalogues_have_the_same_words():
    assert sorted(SPANISH) == sorted(ENGLISH)
    assert all(SPANISH.values()) and all(ENGLISH.values())


def test_soft_labels_fit_their_cells():
    canvas = Canvas()
    for words in (SPANISH, ENGLISH):
        for word in LABELS:
            assert canvas.width(words[word]) <= 28, words[word]


def rows(picture, top, end):
    """Rows from `top` to `end` that have a lit dot."""
    found = []
    for y in range(top, end):
        if any(picture[(y >> 3) * 128 + x] >> (y & 7) & 1 for x in range(128)):
            found.append(y)
    return found


def test_what_is_read_at_a_glance_is_sixteen_rows_high():
    canvas = Canvas()
    for draw in (
        lambda: canvas.title("Llamada", 0, 128),
        lambda: canvas.title("Post llamada", 0, 70),
        lambda: canvas.digits("0", 0),
        lambda: canvas.text("Espera", 0, 0, 128, True),
    ):
        canvas.clear(0, 64)
        draw()
        lit = rows(canvas.buffer, 0, 64)
        assert lit[-1] - lit[0] + 1 >= 14  # a capital alone; with what hangs below, 16
    for name, picture in scenes(SPANISH):
        if name == "talking":
            assert len(rows(picture, 34, 53)) >= 14, name  # no letter that hangs
            assert len(rows(picture, 54, 63)) == 9, name


def test_the_last_row_and_column_stay_dark():
    for words in (SPANISH, ENGLISH):
        for name, picture in scenes(words):
            assert not any(picture[page * 128 + 127] for page in range(8)), name
            assert not any(byte & 0x80 for byte in picture[7 * 128 :]), name


def test_states_fit_beside_their_time():
    canvas = Canvas()
    for words in (SPANISH, ENGLISH):
        for word in ("not_ready", "offered", "dialing", "talking", "held"):
            assert canvas.title_width(words[word]) <= 127 - digits_width("1:00:00") - 4, word
        assert canvas.title_width(words["wrapup"]) <= 127 - digits_width("10:00") - 4


def test_details_fit_the_line():
    canvas = Canvas()
    longest = {
        "hello": "HUAMÁN CH. M.",
        "next": "Retroalimentac.",
        "volume": "16",
        "set_by": "Supervisora Uno",
        "help_waits": "1:00:00",
        "help_comes": "Ana Paredes",
    }
    for words in (SPANISH, ENGLISH):
        parts = [words[part] for part in ("badge_reader", "codec", "journal", "config")]
        for word, text in words.items():
            for filled in parts if word == "broken" else [longest.get(word, "")]:
                assert canvas.width(text % filled if "%s" in text else text) <= 127, text


def test_what_a_list_is_for_fits_and_the_volume_gives_way_to_it():
    for words in (SPANISH, ENGLISH):
        for word, text in words.items():
            if word.endswith("_list"):
                whole, known = Screen(), Screen()
                for screen, volume in ((whole, ""), (known, "v100")):
                    screen.use(words)
                    screen._status(text, "▲", volume, "20:00")
                end = whole.canvas.width(text)
                assert end <= 127 - whole.canvas.width("20:00") - whole.canvas.width("▲") - 7, text
                for top in (0, 128):  # rows 0-15
                    written = known.canvas.buffer[top : top + end]
                    assert written == whole.canvas.buffer[top : top + end], text


def test_a_mute_is_seen_over_every_list_and_text():
    for words in (SPANISH, ENGLISH):
        bench = Bench(words)
        bench.do("badge", 0, ("00", "a001"))
        bench.do("key3", 1000)
        ring = {"cmd": "ring", "i": 1, "contact": "c", "direction": "in"}
        bench.do("ring", 5000, ring)
        bench.do("key1", 6000)
        bench.do("key2", 7000)
        mark = Canvas()
        mark.text(words["mute"], 0, 0)
        wanted = mark.buffer[: mark.width(words["mute"])]
        for key in ("key6", "key3", "key1", "key1", "key5"):
            bench.do(key, bench.u + 1000)
            picture = bench.shot(bench.u)
            assert (wanted in picture[:127]) == bool(bench.station.menu)
        bench.do("text", bench.u, {"cmd": "text", "i": 2, "m": "m1", "text": "Venga"})
        assert wanted in bench.shot(bench.u)[:127]
        bench.do("key2", bench.u + 1000)
        assert wanted not in bench.shot(bench.u)[:127]


def test_drawing_again_what_is_there_sends_nothing():
    bench = Bench(SPANISH)
    bench.shot(0)
    bench.screen.dirty = bench.screen.fresh = False
    bench.shot(10)
    assert not bench.screen.dirty and not bench.screen.fresh


def test_seconds_and_the_hour_are_nothing_new():
    bench = Bench(SPANISH)
    bench.do("badge", 0, ("00", "a001"))
    bench.shot(10_000)
    bench.screen.dirty = bench.screen.fresh = False
    bench.shot(75_000)
    assert bench.screen.dirty and not bench.screen.fresh
    bench.do("key3", 76_000)
    bench.shot(76_000)
    assert bench.screen.fresh


def test_a_tick_touches_the_digits_only():
    bench = Bench(SPANISH)
    bench.do("badge", 0, ("00", "a001"))
    before = bench.shot(10_000)
    after = bench.shot(11_000)
    changed = [at for at in range(1024) if before[at] != after[at]]
    assert changed
    assert all(at % 128 >= 116 and 1 <= at // 128 <= 4 for at in changed)


def test_next_change_by_time_alone():
    bench = Bench(SPANISH)
    screen, station, clock = bench.screen, bench.station, bench.clock
    assert screen.draw(station, clock, 500, "up") == 60_000  # logged out: the minute
    bench.do("badge", 1200, ("00", "a001"))
    assert screen.draw(station, clock, 1500, "up") == 2200  # not ready: its running second
    bench.do("key3", 3000)
    assert screen.draw(station, clock, 3500, "up") == 4000  # ready: how long


def test_elapsed():
    assert [elapsed(s) for s in (0, 59, 60, 3599, 3600, 36_061)] == [
        "0:00", "0:59", "1:00", "59:59", "1:00:00", "10:01:01"
    ]  # fmt: skip


def test_wrap():
    assert wrap("aa bb cc", len, 5) == ["aa bb", "cc"]
    assert wrap("", len, 5) == [""]
    assert wrap("abcdefgh ij", lambda text: 6 * len(text), 30) == ["abcde", "fgh", "ij"]
