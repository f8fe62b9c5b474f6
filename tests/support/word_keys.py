"""Which keys of the catalogues the code may ask for: written whole, or made of a part that is
written and one that is worked out (`f"state.{state}"`, `` `error.${name}` ``, `"kind." + name`).
"""

import ast
import re
from pathlib import Path

_TEMPLATE = re.compile(r"`((?:[^`\\]|\\.)*)`")
_INNER = re.compile(r"`([\w.]*)\$\{[^{}`]*\}([\w.]*)`")  # one within the hole of another
_HOLE = re.compile(r"\$\{[^{}]*\}")
_JOINED = re.compile(r"""["']([\w.]+\.)["']\s*\+""")


class Asked:
    """`whole`: every word of the sources that may be a key. `patterns`: keys made of parts."""

    def __init__(self, *roots: Path) -> None:
        self.whole: set[str] = set()
        self._patterns: set[str] = set()
        for root in roots:
            for path in sorted(root.rglob("*")):
                if path.suffix == ".py":
                    self._of_python(ast.parse(path.read_text()))
                elif path.suffix in (".js", ".html", ".j2"):
                    self._of_script(path.read_text())
        self._whole_pattern = re.compile("|".join(sorted(self._patterns)))

    def has(self, key: str) -> bool:
        """Whether some code may ask for this key."""
        if key.replace(".", "_") in self.whole and "." in key:  # a place of `string.Template`
            return True
        return key in self.whole or self._whole_pattern.fullmatch(key) is not None

    def _of_python(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.whole.update(re.findall(r"[\w.]+", node.value))
            elif isinstance(node, ast.JoinedStr):
                self._pattern(
                    [
                        each.value if isinstance(each, ast.Constant) else None
                        for each in node.values
                    ]
                )
            elif (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Add)
                and isinstance(node.left, ast.Constant)
                and isinstance(node.left.value, str)
            ):
                self._pattern([node.left.value, None])
            elif isinstance(node, (ast.keyword, ast.Name, ast.Attribute)):
                names = (getattr(node, name, None) for name in ("arg", "id", "attr"))
                self.whole.update(name for name in names if name)

    def _of_script(self, text: str) -> None:
        self.whole.update(re.findall(r"[\w.]+", text))
        self.whole.update(re.findall(r"words\.(\w+)", text))
        for begins, ends in _INNER.findall(text):
            self._pattern([begins, None, ends])
        for one in _TEMPLATE.findall(text):
            parts: list[str | None] = []
            for plain in _HOLE.split(one):
                parts += [plain, None]
            self._pattern(parts[:-1])
        for one in _JOINED.findall(text):
            self._pattern([one, None])

    def _pattern(self, parts: list[str | None]) -> None:
        """A key has no spaces; what is written of it is a word and the point beside it."""
        plain = "".join(part or "" for part in parts)
        if re.fullmatch(r"[\w.]+", plain) and re.search(r"\w\.|\.\w", plain):
            made = "".join(".+" if part is None else re.escape(part) for part in parts)
            self._patterns.add(made)
