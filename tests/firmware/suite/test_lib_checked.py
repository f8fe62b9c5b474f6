"""Small files with their check, and the wishes of the agents that stand in one."""

import os

from lib import checked, prefs

NAME = "kept.json"


def damaged(name):
    try:
        checked.read(name)
    except checked.Damaged:
        return True
    return False


def test_what_is_kept_is_read_and_what_is_not_there_is_none():
    checked.remove(NAME)
    assert checked.read(NAME) is None
    for content in ({"name": "Ñaupa", "level": 70}, [], "", None):
        checked.write(NAME, content)
        assert checked.read(NAME) == content
        assert NAME + ".new" not in os.listdir()  # noqa: PTH208 - runs on MicroPython
    checked.remove(NAME)


def test_each_byte_of_it_counts():
    checked.write(NAME, {"volume": 70})
    with open(NAME, "rb") as file:  # noqa: PTH123
        whole = file.read()
    for at in range(len(whole)):
        text = bytearray(whole)
        text[at] ^= 4
        for broken in (text, whole[:at]):
            with open(NAME, "wb") as file:  # noqa: PTH123
                file.write(broken)
            assert damaged(NAME), at
    checked.remove(NAME)


class App:
    """Also its own clock and its serial line."""

    def __init__(self):
        self.unsaved = {}
        self.keep_due = 1
        self.told = []
        self.clock = self.serial = self

    def now(self):
        return 100_000

    def log(self, text):
        self.told.append(text)

    def fault(self, part, code):
        self.told.append((part, code))


def test_damaged_wishes_are_told_and_new_ones_are_kept():
    app = App()
    app.unsaved["a001"] = {"volume": 75}
    prefs.write(app)
    assert checked.read("prefs.json") == {"a001": {"volume": 75}} and not app.told
    with open("prefs.json", "r+b") as file:  # noqa: PTH123
        file.write(b"[")
    app.unsaved["a002"] = {"volume": 20}
    prefs.write(app)
    assert app.told == [("config", "damaged")]
    assert checked.read("prefs.json") == {"a002": {"volume": 20}}
    checked.remove("prefs.json")


def test_wishes_that_flash_does_not_take_are_tried_again():
    app = App()
    app.unsaved["a001"] = {"volume": 75}
    os.mkdir("prefs.json.new")  # noqa: PTH102
    prefs.write(app)
    assert app.unsaved == {"a001": {"volume": 75}}
    assert app.keep_due == 160_000 and len(app.told) == 1
    os.rmdir("prefs.json.new")  # noqa: PTH106
    prefs.write(app)
    assert not app.unsaved and app.keep_due is None
    assert checked.read("prefs.json") == {"a001": {"volume": 75}}
    checked.remove("prefs.json")
