"""A text that waits for the agent's «Leído», page by page. Loaded and dropped with it."""

from micropython import const

_LINES = const(3)  # a page
_WIDTH = const(127)


class Message:
    """`pages` is known once it was drawn, as that depends on how wide the words are."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.page = 0
        self.pages = 1

    def turn(self):
        self.page = (self.page + 1) % self.pages

    def draw(self, canvas):
        lines = wrap(self.text, canvas.width, _WIDTH)
        self.pages = (len(lines) + _LINES - 1) // _LINES
        for at, line in enumerate(lines[self.page * _LINES :][:_LINES]):
            canvas.text(line, 0, 11 + at * 11, _WIDTH)


def wrap(text, width, limit):
    """Lines of `text` broken at spaces so that each is at most `limit` columns wide."""
    lines = [""]
    for word in text.split():
        line = lines[-1] + " " + word if lines[-1] else word
        if lines[-1] and width(line) > limit:
            lines.append(word)
        else:
            lines[-1] = line
    return lines
