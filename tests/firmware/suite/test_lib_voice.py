"""The voice meter on sounds that are known to the sample."""

from array import array

from lib.voice import Meter, measure

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them

_FRAME_MS = 20
_PAIRS = 320
_HANG_MS = 60
_QUIET = 33  # peak of the noise: about −65 dBFS


def noise(seed, peak, count):
    """`count` samples of evenly spread noise; its level is peak / √3."""
    samples = array("h", [0] * count)
    for index in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        samples[index] = (seed >> 12) % (2 * peak + 1) - peak
    return samples


_LOUD, _SOFT, _HUSH = (noise(7, peak, 2 * _PAIRS) for peak in (9_000, 500, _QUIET))


def frame(left, right):
    samples = array("h", [0] * 2 * _PAIRS)
    for index in range(_PAIRS):
        samples[2 * index] = left[index]
        samples[2 * index + 1] = right[_PAIRS + index]
    return bytes(samples)


def levels(data):
    """Of left and right, and how many samples of each are clipped."""
    sums = array("i", [0] * 4)
    found = [(measure(data, channel, sums), sums[3]) for channel in (0, 1)]
    return [level for level, _ in found] + [clipped for _, clipped in found]


# who is heard: nobody, agent, caller, both; and the caller with his echo in the microphone
_SOUNDS = {
    ".": frame(_HUSH, _HUSH), "a": frame(_LOUD, _HUSH), "c": frame(_HUSH, _LOUD),
    "b": frame(_LOUD, _LOUD), "e": frame(_SOFT, _LOUD),
}  # fmt: skip


def heard(*said):
    """`said`: (letter, milliseconds) in turn."""
    meter = Meter()
    for letter, ms in said:
        for _ in range(ms // _FRAME_MS):
            meter.feed(_SOUNDS[letter])
    return meter.summary()


def test_levels():
    full = array("h", [32767, -32768] * 2 * _PAIRS)
    square = array("h", [0] * 2 * _PAIRS)
    for index in range(_PAIRS):
        square[2 * index] = full[index]
        square[2 * index + 1] = full[index] // 100
    left, right, clipped, unclipped = levels(bytes(square))
    assert -3 <= left <= 1, left
    assert -403 <= right <= -397, right
    assert clipped == _PAIRS and unclipped == 0


def test_levels_without_their_mean():
    offset = array("h", [8_000 + value % 3 for value in range(2 * _PAIRS)])
    assert levels(bytes(offset))[0] < -800
    assert levels(bytes(1280))[0] < -800  # silence itself


def test_nobody():
    summary = heard((".", 2000))
    assert summary["silence_ms"] == summary["longest_silence_ms"] == 2000
    assert summary["agent_db"] is None and summary["caller_db"] is None


def test_each_in_turn():
    summary = heard((".", 500), ("a", 2000), (".", 600), ("c", 2400), (".", 1000))
    assert summary["agent_ms"] == 2000 + _HANG_MS and summary["caller_ms"] == 2400 + _HANG_MS
    assert summary["both_ms"] == 0 and summary["silence_ms"] == 2100 - 2 * _HANG_MS
    assert summary["longest_silence_ms"] == 1000 - _HANG_MS
    assert summary["agent_db"] in (-16, -15) and summary["interruptions"] == 0


def test_breath_is_speech():
    summary = heard((".", 500), ("a", 600), (".", 240), ("a", 600), (".", 260), ("a", 600))
    assert summary["agent_ms"] == 3 * 600 + 240 + _HANG_MS
    assert summary["silence_ms"] == 500 + 260 - _HANG_MS


def test_click_is_no_word():
    assert heard((".", 500), ("a", 40), (".", 500))["agent_ms"] == 0


def test_echo_is_not_the_agent():
    summary = heard((".", 500), ("e", 2000), (".", 500))
    assert (
        summary["agent_ms"] == summary["both_ms"] == 0 and summary["caller_ms"] == 2000 + _HANG_MS
    )


def test_interruptions():
    """Only who comes in on the caller, and for longer than an «ajá»."""
    cuts_in = heard((".", 500), ("c", 1000), ("b", 400), ("a", 1000))
    assert cuts_in["both_ms"] == 400 + _HANG_MS and cuts_in["interruptions"] == 1
    aha = heard((".", 500), ("c", 1000), ("b", 200), ("c", 1000))
    assert aha["both_ms"] == 200 + _HANG_MS and aha["interruptions"] == 0
    is_cut = heard((".", 500), ("a", 1000), ("b", 400), ("c", 1000))
    assert is_cut["interruptions"] == 0


def test_what_is_held_does_not_join():
    meter = Meter()
    for letter in ".aaaaa":
        meter.feed(_SOUNDS[letter])
    meter.flush()
    for letter in "aaaaa.":
        meter.feed(_SOUNDS[letter])
    summary = meter.summary()
    assert summary["agent_ms"] == 200 + 20 and summary["silence_ms"] == 20


def test_floor_follows():
    """A fan that starts is speech for as long as the floor needs to see it: three seconds."""
    meter = Meter()
    fan = frame(noise(3, 2_000, 2 * _PAIRS), _HUSH)
    for _ in range(50):
        meter.feed(_SOUNDS["."])
    for _ in range(400):
        meter.feed(fan)
    assert 2_500 <= meter.summary()["agent_ms"] <= 3_500
