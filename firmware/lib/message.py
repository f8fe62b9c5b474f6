"""A text that waits for the agent, page by page."""

from micropython import const

_LINES = const(3)  # a page
_WIDTH = const(127)
_WIDEST = const(6)  # columns of a letter and its gap


class Message:
    """`pages` is known once it was drawn, as that depends on how wide the words are."""

    def __init__(self, name, text, sign=False):
        self.name = name
        self.text = text
        self.sign = sign  # the agent's badge is asked for
        self.signed = False  # and was there: now the agent says what to answer
        self.agent = None  # whose it is
        self.page = 0
        self.pages = 1

    def action(self, key):
        """What a soft key does while it is shown."""
        if key == "key5":
            return "message.turn" if self.pages > 1 else None
        if key == "key6":
            return "message.aside" if self.sign else "message.acknowledge"
        if self.signed:
            return {"key3": "message.agree", "key4": "message.observe"}.get(key)
        return None

    def turn(self):
        self.page = (self.page + 1) % self.pages

    def content(self):
        return (self.text, self.page, self.signed)

    def draw(self, canvas, words):
        lines = wrap(self.text, canvas.width, _WIDTH)
        self.pages = (len(lines) + _LINES - 1) // _LINES
        for at, line in enumerate(lines[self.page * _LINES :][:_LINES]):
            canvas.text(line, 0, 11 + at * 11, _WIDTH)
        if self.sign:
            canvas.text(words["signed" if self.signed else "sign_it"], 0, 43, _WIDTH)


def wrap(text, width, limit):
    """Lines of `text`, each at most `limit` columns wide: broken at spaces, and where a word is
    longer than a line.
    """
    lines = [""]
    for word in text.split():
        line = lines[-1] + " " + word if lines[-1] else word
        if lines[-1] and width(line) > limit:
            lines.append(word)
        else:
            lines[-1] = line
        while width(lines[-1]) > limit:
            word = lines[-1]
            lines[-1] = word[: limit // _WIDEST]
            lines.append(word[limit // _WIDEST :])
    return lines
