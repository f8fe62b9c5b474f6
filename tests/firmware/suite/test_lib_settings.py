"""Ajustes: what she changes is hers, and takes effect at once."""

from tests.support.deskbench import DeskBench


def opened():
    bench = DeskBench().ready()
    bench.station.levels = (70, 24, 0)
    bench.do("long6")
    return bench


def test_levels_are_changed_by_steps_and_stay_in_their_range():
    bench = opened()
    assert bench.station.menu.lines() == [
        "Volumen 70",
        "Micrófono 24 dB",
        "Oírse 0",
        "more",
    ]
    bench.do("key3")
    bench.do("key4")
    assert bench.station.prefs == {"volume": 75}
    assert bench.station.preferred
    bench.station.levels = (100, 24, 0)
    bench.do("key4")
    assert bench.station.prefs == {"volume": 100}
    bench.do("key1")
    assert bench.station.menu.kind == "settings"
    bench.do("key1")
    assert bench.station.menu is None


def test_brightness_and_language_turn_round():
    bench = opened()
    for wished in ("mid", "low", "high"):
        if not bench.station.menu:
            bench.do("long6")
        label = {"mid": "alto", "low": "medio", "high": "bajo"}[wished]
        bench.pick("Brillo " + label)
        assert bench.station.prefs["brightness"] == wished
    bench.do("long6")
    bench.pick("Idioma español")
    assert bench.station.prefs["language"] == "en"


def test_she_opened_them_herself_so_the_next_key_counts_at_once():
    bench = opened()
    bench.do("key3", after_ms=100)
    assert bench.station.menu.kind == "level"


def test_tones_can_be_off():
    bench = opened()
    bench.station.menu = None
    bench.station.hears = True
    bench.do("long6")
    bench.pick("Tonos sí")
    assert bench.station.prefs["tones"] == "off"
    bench.do("long6")
    bench.pick("Tonos no")
    assert bench.station.prefs["tones"] == "on"


def test_a_board_without_a_codec_has_no_levels():
    bench = DeskBench().ready()
    bench.do("long6")
    assert bench.station.menu.lines() == ["Brillo alto", "Idioma español"]


def test_not_in_a_call():
    bench = DeskBench().talking()
    assert bench.do("long6") == []
    assert bench.station.menu is None
