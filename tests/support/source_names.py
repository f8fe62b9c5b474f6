"""Which names of a set of Python modules other code of it reads, from the syntax trees alone.

`Sources` holds the trees and resolves names over imports and re-exports. A top-level name is alive
if code that runs comes to it; a member of a class is read if any code names it.
"""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Top = tuple[str, str]
"""A top-level name: module, name; the name is empty for the module itself."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINING = {"asynccontextmanager", "cache", "cached_property", "classmethod", "contextmanager",
            "dataclass", "lru_cache", "overload", "property", "staticmethod",
            "native", "viper"}  # fmt: skip
ENCODED = {"msgspec.Struct", "pydantic.BaseModel"}
TEMPLATES = {".html", ".j2", ".jinja", ".js", ".mjs"}


@dataclass
class Module:
    """One file. `names` are its top-level definitions, `imports` what each imported name means,
    `stars` the modules whose every name it takes, `running` what is done at import.
    """

    name: str
    path: Path
    tree: ast.Module
    names: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stars: list[str] = field(default_factory=list)
    running: list[ast.AST] = field(default_factory=list)

    def functions(self) -> list[str]:
        """Its top-level functions."""
        return [name for name, nodes in self.names.items() if isinstance(nodes[0], FUNCTIONS)]


def last_name(node: ast.expr) -> str:
    """`a.b(…)` → `b`."""
    while isinstance(node, (ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def dotted_name(node: ast.AST) -> str | None:
    """`a.b.c` of a chain of attributes that is loaded."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return None
    return ".".join([node.id, *reversed(names)])


def registered(node: ast.stmt) -> bool:
    """Whether a framework gets it as it is defined and comes to it by itself: a decorated route or
    command, a kind of message found by its tag.
    """
    tagged = any(one.arg == "tag" for one in getattr(node, "keywords", []))
    decorators = getattr(node, "decorator_list", [])
    return tagged or any(last_name(one) not in DEFINING for one in decorators)


def bound(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The plain names that this assignment binds."""
    left = node.targets if isinstance(node, ast.Assign) else [node.target]
    plain = [
        each
        for one in left
        for each in (one.elts if isinstance(one, (ast.Tuple, ast.List)) else [one])
    ]
    return [one.id for one in plain if isinstance(one, ast.Name)]


class Sources:
    """The modules under these roots, and what of them is alive. `readers`: a folder of programs
    that use them and are not judged.
    """

    def __init__(self, *roots: Path, readers: Path | None = None) -> None:
        self.modules: dict[str, Module] = {}
        self._readers = readers
        for root in (*roots, *([readers] if readers else [])):
            for path in sorted(root.rglob("*.py")):
                parts = path.relative_to(root if root != readers else readers.parent)
                parts = parts.with_suffix("").parts
                parts = parts[:-1] if parts[-1] == "__init__" else parts
                module = Module(".".join(parts), path, ast.parse(path.read_text()))
                self.modules[module.name] = module
                self._define(module)
                self._import(module)
        self._templates = [
            path.read_text()
            for root in roots
            for path in sorted(root.rglob("*"))
            if path.suffix in TEMPLATES
        ]

    def judged(self) -> Iterator[Module]:
        """Those under the roots."""
        for module in self.modules.values():
            if self._readers is None or self._readers not in module.path.parents:
                yield module

    def _define(self, module: Module) -> None:
        todo: list[ast.stmt] = list(module.tree.body)
        while todo:
            node = todo.pop(0)
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                module.names.setdefault(node.name, []).append(node)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and bound(node):
                for name in bound(node):
                    module.names.setdefault(name, []).append(node)
            elif isinstance(node, (ast.If, ast.Try, ast.With)):
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.stmt):
                        todo.append(part)
                    elif isinstance(part, ast.ExceptHandler):
                        todo += part.body
                    else:
                        module.running.append(part)
            elif not isinstance(node, (ast.Import, ast.ImportFrom)):
                module.running.append(node)

    def _import(self, module: Module) -> None:
        package = module.path.name == "__init__.py"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    known = one.asname or one.name.partition(".")[0]
                    module.imports[known].add(one.name if one.asname else known)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    up = module.name.split(".")
                    up = up[: len(up) - node.level + package]
                    base = ".".join([*up, base] if base else up)
                for one in node.names:
                    if one.name == "*":
                        module.stars.append(base)
                    else:
                        module.imports[one.asname or one.name].add(f"{base}.{one.name}")

    def resolve(self, dotted: str, limit: int = 9) -> Top | None:
        """What a dotted name is, through re-exports; None if it is none of these modules'."""
        if dotted in self.modules:
            return dotted, ""
        home, _, name = dotted.rpartition(".")
        if not home or not limit:
            return None
        module = self.modules.get(home)
        if module is None:
            found = self.resolve(home, limit - 1)
            if found is None or found[1] or found[0] == home:
                return found  # an attribute of a value is the value's
            return self.resolve(f"{found[0]}.{name}", limit - 1)
        if name in module.names:
            return home, name
        for whole in [*module.imports.get(name, ()), *(f"{one}.{name}" for one in module.stars)]:
            if found := self.resolve(whole, limit - 1):
                return found
        return None

    def read_in(self, module: Module, node: ast.AST) -> Iterator[Top]:
        """The names, and the modules taken as values, that this piece of a module loads."""
        todo = [node]
        while todo:
            one = todo.pop()
            dotted = dotted_name(one)
            if dotted is None:
                todo += ast.iter_child_nodes(one)
                if isinstance(one, ast.Call) and last_name(one.func) in (
                    "import_module",
                    "__import__",
                ):
                    yield from self._imported_late(one)
                continue
            first, _, rest = dotted.partition(".")
            if first in module.names:
                yield module.name, first
            for known in module.imports.get(first, ()):
                if found := self.resolve(f"{known}.{rest}" if rest else known):
                    yield found

    def _imported_late(self, call: ast.Call) -> Iterator[Top]:
        """The modules that `import_module` may mean here: by a name, or by how it begins."""
        text = call.args[0]
        begins = isinstance(text, (ast.JoinedStr, ast.BinOp))
        if isinstance(text, ast.JoinedStr):
            text = text.values[0]
        elif isinstance(text, ast.BinOp):
            text = text.left
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            for name in self.modules:
                if name == text.value or (begins and name.startswith(text.value)):
                    yield name, ""

    @cached_property
    def attributes(self) -> set[str]:
        """Every attribute that any code loads, of whatever it is, and every word in quotes."""
        found = set()
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(re.findall(r"\w+", node.value))
        return found

    @cached_property
    def alive(self) -> set[Top]:
        """Every top-level name that running code comes to, beginning with what imports run. Of a
        module that is taken as a value it is each name that code loads as an attribute or quotes.
        """
        todo: list[Top] = []
        for module in self.modules.values():
            for node in module.running:
                todo += self.read_in(module, node)
            for name, nodes in module.names.items():
                is_read = self._readers is not None and self._readers in module.path.parents
                if is_read or any(registered(node) for node in nodes):
                    todo.append((module.name, name))
        found: set[Top] = set()
        while todo:
            top = todo.pop()
            if top in found:
                continue
            found.add(top)
            module = self.modules[top[0]]
            if not top[1]:
                todo += [(top[0], name) for name in module.names if name in self.attributes]
                continue
            for node in module.names[top[1]]:
                todo += self.read_in(module, node)
                if isinstance(node, (ast.Assign, ast.AnnAssign)):
                    todo += [(top[0], name) for name in bound(node)]  # a row of numbers is one
        return found

    def unread_names(self) -> list[str]:
        """The top-level names that nothing comes to, as `module.name`."""
        return sorted(
            f"{module.name}.{name}"
            for module in self.judged()
            for name in module.names
            if (module.name, name) not in self.alive and name != "_" and name[:2] != "__"
        )

    def bases(self, module: Module, node: ast.ClassDef) -> Iterator[str]:
        """The full names of all classes that this one is made of, near and far."""
        for one in node.bases:
            dotted = dotted_name(one.value if isinstance(one, ast.Subscript) else one)
            first, _, rest = (dotted or "").partition(".")
            here = f"{module.name}.{first}" if first in module.names else f"builtins.{first}"
            known = next(iter(module.imports.get(first, ())), here)
            whole = f"{known}.{rest}" if rest else known
            found = self.resolve(whole)
            if found is None:
                yield whole
                continue
            home = self.modules[found[0]]
            for each in home.names.get(found[1], []):
                if isinstance(each, ast.ClassDef):
                    yield from self.bases(home, each)

    @cached_property
    def _mentions(self) -> dict[str, list[ast.AST]]:
        """Where each attribute is loaded or matched; in code that gets attributes by a name that
        is worked out, and in templates, any word may be one.
        """
        found: dict[str, list[ast.AST]] = defaultdict(list)
        for module in self.modules.values():
            nodes = list(ast.walk(module.tree))
            by_word = any(
                isinstance(node, ast.Call)
                and last_name(node.func) in ("getattr", "attrgetter", "methodcaller")
                for node in nodes
            )
            for node in nodes:
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    found[node.attr].append(node)
                elif isinstance(node, ast.MatchClass):
                    for name in node.kwd_attrs:
                        found[name].append(node)
                elif by_word and isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for name in re.findall(r"\w+", node.value):
                        found[name].append(node)
        for text in self._templates:
            for name in re.findall(r"\.(\w+)", text):
                found[name].append(ast.Pass())
        return found

    @cached_property
    def _turned(self) -> set[Top]:
        """The dataclasses that are turned to dicts: modules that name them call `asdict`."""
        return {
            top
            for module in self.modules.values()
            if "dataclasses.asdict" in module.imports.get("asdict", ())
            for top in self.read_in(module, module.tree)
        }

    def unread_members(self, *, stored: bool = True) -> list[str]:
        """The public members of classes that nothing names, as `module.Class.member`. Fields that
        a framework encodes are read by it, and what a base of another package calls by that base.
        Without `stored`: not what methods put on the object, where something shows all of that.
        """
        left = []
        for module in self.judged():
            for nodes in module.names.values():
                for node in nodes:
                    if isinstance(node, ast.ClassDef):
                        left += [
                            f"{module.name}.{node.name}.{name}"
                            for name in self._unread_of(module, node, stored)
                        ]
        return sorted(left)

    def _unread_of(self, module: Module, node: ast.ClassDef, with_stored: bool) -> Iterator[str]:
        methods = {one.name: one for one in node.body if isinstance(one, FUNCTIONS)}
        fields = {name for one in node.body if isinstance(one, (ast.Assign, ast.AnnAssign))
                  for name in bound(one)}  # fmt: skip
        stored = set() if not with_stored else {
            one.attr
            for one in ast.walk(node)
            if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
            and isinstance(one.value, ast.Name) and one.value.id == "self"
        }  # fmt: skip
        bases = set(self.bases(module, node))
        encoded = not bases.isdisjoint(ENCODED) or (module.name, node.name) in self._turned
        for name in sorted(methods.keys() | fields | stored):
            if name.startswith("_") or (encoded and name in fields):
                continue
            own = {id(one) for one in ast.walk(methods[name])} if name in methods else set()
            if any(id(one) not in own for one in self._mentions.get(name, [])):
                continue
            foreign = any(not base.startswith("builtins.") for base in bases - ENCODED)
            if not (name in stored and foreign) and not any(_has(base, name) for base in bases):
                yield name


def _has(dotted: str, name: str) -> bool:
    """Whether that class of another package has such a member, which it then calls itself."""
    home, _, last = dotted.rpartition(".")
    try:
        return hasattr(getattr(importlib.import_module(home), last), name)
    except (ImportError, AttributeError):
        return False
