"""A list on the screen: four lines, numbered 3-6; over four, line 6 turns the page.

Nodes are the configuration's own lists: [code, label] or [code, label, children].
"""

FIRST_KEY = 3
_LINES = 4
MORE = "more"


class Menu:
    """`kind` says what a choice is for: reasons, intend or tree."""

    def __init__(self, kind, nodes, title=None):
        self.kind = kind
        self.title = title
        self._nodes = nodes
        self._page = 0
        self._path = []

    def lines(self):
        """Up to four (label, has children); MORE in place of a label turns the page."""
        nodes = self._nodes
        if len(nodes) > _LINES:
            size = _LINES - 1
            nodes = nodes[self._page * size : self._page * size + size]
        lines = [node[1] for node in nodes]
        if len(self._nodes) > _LINES:
            lines += [""] * (_LINES - 1 - len(lines))
            lines.append(MORE)
        return lines

    def choose(self, key):
        """Key 3-6: the leaf chosen, or None after a step inside the list."""
        line = key - FIRST_KEY
        lines = self.lines()
        if line >= len(lines) or not lines[line]:
            return None
        if lines[line] is MORE:
            size = _LINES - 1
            self._page = (self._page + 1) % ((len(self._nodes) + size - 1) // size)
            return None
        if len(self._nodes) > _LINES:
            line += self._page * (_LINES - 1)
        node = self._nodes[line]
        if self.kind != "tree" or len(node) < 3 or not node[2]:
            return node
        self._path.append((self._nodes, self._page, self.title))
        self._nodes, self._page, self.title = node[2], 0, node[1]
        return None

    def back(self):
        """One level up; False at the top."""
        if not self._path:
            return False
        self._nodes, self._page, self.title = self._path.pop()
        return True
