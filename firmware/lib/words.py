"""A catalogue of words as one text, looked up in place: as a dict it would take five times the
memory, and a screen asks for a dozen words. Those that are seldom shown are a text of their own.
"""

from lib.once import once
from micropython import const

_OF_LATE = const(12)


class Words:
    """`text`: a line for each word, `key: word`; `more`: module whose `text()` has the rest."""

    def __init__(self, text, more=None):
        self.text = text.encode()  # in bytes, where a place is found and cut out at once
        self.more = more
        self._rest = None  # the rest, while a screen is made of it
        self._of_late = {}  # its words asked for of late; None for what is no word of it either

    def get(self, key, default=None):
        word = _find(self.text, key)
        if word is None and self.more:
            if key not in self._of_late:
                self._look_up(key)
            word = self._of_late[key]
        return default if word is None else word

    def _look_up(self, key):
        if self._rest is None:
            self._rest = once(self.more, "text").encode()
        if len(self._of_late) >= _OF_LATE:
            self._of_late.clear()
        self._of_late[key] = _find(self._rest, key)

    def let_go(self):
        """The screen is made."""
        self._rest = None

    def __getitem__(self, key):
        word = self.get(key)
        if word is None:
            raise KeyError(key)
        return word

    def __contains__(self, key):
        return self.get(key) is not None


def _find(text, key):
    mark = ("\n%s: " % key).encode()
    at = text.find(mark)
    if at < 0:
        return None
    at += len(mark)
    return text[at : text.find(b"\n", at)].decode()
