"""What a start keeps in NVS for the next one, and starts without it."""

import sys

import slots


class Nvs:
    """ESP-IDF's as far as `slots` uses it."""

    values: "dict" = {}  # noqa: RUF012 - MicroPython has no ClassVar
    fails = False

    def __init__(self, namespace):
        if self.fails:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")

    def get_i32(self, key):
        return self._get(key)

    def set_i32(self, key, value):
        self.values[key] = value

    set_blob = set_i32

    def get_blob(self, key, buffer):
        value = self._get(key)
        if len(value) > len(buffer):
            raise OSError(-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._get(key)
        del self.values[key]

    def commit(self):
        pass

    def _get(self, key):
        if key not in self.values:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        return self.values[key]


class Esp32:
    NVS = Nvs


def printed(error, file=sys.stdout):
    file.write(f"Traceback (most recent call last):\n{type(error).__name__}: {error}\n")


class Chip:
    """On CPython exceptions are printed meanwhile, and not raised as elsewhere in the tests."""

    def __init__(self, fails=False):
        Nvs.values, Nvs.fails = {}, fails

    def __enter__(self):
        self._before = sys.modules.get("esp32")
        sys.modules["esp32"] = Esp32
        self._raises = sys.print_exception
        if sys.implementation.name != "micropython":
            sys.print_exception = printed

    def __exit__(self, *_):
        del sys.modules["esp32"]
        if sys.implementation.name != "micropython":
            sys.print_exception = self._raises
        if self._before:
            sys.modules["esp32"] = self._before


def raised(words):
    try:
        raise ValueError(words)
    except ValueError as error:
        return error


def test_why_a_start_ended_is_told_once():
    with Chip():
        slots.keep("update")
        assert slots.last() == ("update", "")
        slots.keep("trial screen")
        assert slots.last() == ("trial", "screen")
        assert slots.last() == ("", "")


def test_the_end_of_a_traceback_is_told_however_long():
    with Chip():
        for words in ("out of ideas", "ñ" * 500, "\U0001f98a" * 500):
            slots.keep(raised(words))
            cause, text = slots.last()
            assert cause == "crash" and text and words[-20:] in text
            assert slots.last() == ("", "")


def test_a_start_that_works_counts_no_more():
    with Chip():
        Nvs.values.update(crashes=2, powers=4)
        slots.works()
        assert Nvs.values == {"crashes": 0, "powers": 0}
        slots.works(-1)  # the reset that follows is no crash
        assert slots._started(False, False) == (0, 0)


def test_what_crashed_counts_and_what_lost_its_power_does_not():
    with Chip():
        for powers in range(1, 11):
            assert slots._started(False, True) == (0, powers)
        assert slots._started(False, True) == (0, 11)  # the one without the radio
        assert slots._started(False, True) == (0, 1)
        for crashes in range(1, 4):
            assert slots._started(False, False) == (crashes, 0)
        assert slots._started(False, True) == (3, 1)  # no way out by itself
        assert slots._started(True, False) == (0, 0)  # a new program begins anew


def test_without_nvs_a_start_goes_on():
    with Chip(fails=True):
        slots.works()
        assert slots.last() == ("", "")
