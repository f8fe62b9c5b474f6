"""The tones as samples: their length, their loudness, and that they never click."""

from array import array

from lib.tones import _TONES, LOUDEST_DB, Tone

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them


def played(name, level_db=-24, frames=320):
    tone = Tone(name, level_db)
    buffer = bytearray(4 * frames)
    sound = b""
    while tone.fill(buffer):
        sound += buffer
    return sound


def left(sound):
    both = array("h", sound)
    samples = array("h", bytes(len(sound) // 2))  # a list would need half a megabyte in one piece
    for at in range(len(samples)):
        samples[at] = both[2 * at]
    return samples


def loudest(samples):
    return max(max(samples), -min(samples))


def test_each_is_as_long_as_written():
    for name, notes in _TONES.items():
        wanted = sum(ms for _, ms in notes) * 16
        sound = played(name)
        assert wanted <= len(sound) // 4 < wanted + 320, name
        assert not any(sound[4 * wanted :]), name


def test_no_request_is_louder_than_the_limit():
    limit = 32767 * 10 ** (LOUDEST_DB / 20)
    for name in _TONES:
        for asked in (LOUDEST_DB, LOUDEST_DB + 1, 0, 60, 1000):
            assert 0.9 * limit < loudest(left(played(name, asked))) <= limit, (name, asked)


def test_level_is_followed():
    loud = loudest(left(played("answer", -20)))
    soft = loudest(left(played("answer", -40)))
    assert 9 < loud / soft < 11
    assert loudest(left(played("answer", -1000))) > 0


def test_no_click():
    """No step between two samples is longer than the steepest of a sine of that loudness."""
    for name, notes in _TONES.items():
        samples = left(played(name, LOUDEST_DB))
        steepest = loudest(samples) * 6.3 * max(hertz for hertz, _ in notes) / 16_000
        coarse = loudest(samples) / 32  # the sine's own steps
        for before, after in zip(samples, samples[1:]):  # noqa: B905, RUF007 - MicroPython
            assert abs(after - before) <= steepest + coarse, name
        assert abs(samples[0]) <= coarse and abs(samples[-1]) <= coarse


def test_both_ears_alike_and_pieces_do_not_matter():
    for name in ("answer", "error"):
        sound = played(name)
        samples = array("h", sound)
        assert list(samples)[::2] == list(samples)[1::2]
        other = played(name, frames=97)
        length = min(len(sound), len(other))
        assert sound[:length] == other[:length]


def test_unknown_name():
    try:
        Tone("siren")
    except KeyError:
        return
    raise AssertionError("it took an unknown name")
