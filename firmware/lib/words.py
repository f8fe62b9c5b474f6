"""A catalogue of words as one text, looked up in place: as a dict it would take five times the
memory, and a screen asks for a dozen words.
"""


class Words:
    """`text`: a line for each word, `key: word`."""

    def __init__(self, text):
        self.text = text.encode()  # in bytes, where a place is found and cut out at once

    def get(self, key, default=None):
        mark = ("\n%s: " % key).encode()
        at = self.text.find(mark)
        if at < 0:
            return default
        at += len(mark)
        return self.text[at : self.text.find(b"\n", at)].decode()

    def __getitem__(self, key):
        word = self.get(key)
        if word is None:
            raise KeyError(key)
        return word

    def __contains__(self, key):
        return self.get(key) is not None
