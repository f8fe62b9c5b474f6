"""Where the fields of given classes are read, from the syntax trees alone.

Of which class an expression is follows from annotations, from what functions give, and from what
is assigned or gone through; a list of a class, or one that may be None, counts as that class. What
a name is holds in its whole module, and what an attribute is wherever nothing better is known.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.support.source_names import FUNCTIONS, Module, Sources, Top, dotted_name, last_name

ROUNDS = 6  # how far a class is followed from one name to the next


class TypedReads:
    """Reads of the fields of `classes`, which are classes of these sources."""

    def __init__(self, sources: Sources, classes: Iterable[Top]) -> None:
        self.sources = sources
        self.classes = set(classes)
        self.fields = {top: dict(self._fields_of(top)) for top in self.classes}
        self._all_fields = set().union(*self.fields.values())
        self._attributes: dict[str, set[Top]] = defaultdict(set)
        self._names: dict[str, dict[str, set[Top]]] = defaultdict(lambda: defaultdict(set))
        self._results: dict[Top, set[Top]] = {}
        self._methods: dict[str, set[Top]] = defaultdict(set)
        self._selves: dict[int, Top] = {}  # each `self` in their own methods
        bindings = []
        for module in sources.modules.values():
            bindings += [(module, *one) for one in self._declare(module)]
        for top in self.classes:
            for one in ast.walk(self._class(top)[1]):
                if isinstance(one, ast.Name) and one.id == "self":
                    self._selves[id(one)] = top
        for _ in range(ROUNDS):
            before = self._size()
            for binding in bindings:
                self._bind(*binding)
            if self._size() == before:
                break

    def _size(self) -> int:
        names = (found for known in self._names.values() for found in known.values())
        return sum(map(len, [*self._attributes.values(), *names]))

    def _class(self, top: Top) -> tuple[Module, ast.ClassDef]:
        module = self.sources.modules[top[0]]
        (node,) = module.names[top[1]]
        assert isinstance(node, ast.ClassDef)
        return module, node

    def _fields_of(self, top: Top) -> Iterator[tuple[str, set[Top]]]:
        """Its own and its bases', each with the classes it holds."""
        module, node = self._class(top)
        for base in node.bases:
            dotted = dotted_name(base) or ""
            above = self._resolve(module, dotted)
            if above is not None and above[1]:
                yield from self._fields_of(above)
        for one in node.body:
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                yield one.target.id, self._annotated(module, one.annotation)

    def _resolve(self, module: Module, dotted: str) -> Top | None:
        first, _, rest = dotted.partition(".")
        if first in module.names:
            return None if rest else (module.name, first)
        for known in module.imports.get(first, ()):
            if found := self.sources.resolve(f"{known}.{rest}" if rest else known):
                return found
        return None

    def _annotated(self, module: Module, node: ast.AST | None) -> set[Top]:
        """The classes that an annotation names anywhere."""
        found = set()
        for one in ast.walk(node) if node is not None else ():
            if dotted := dotted_name(one):
                found.add(self._resolve(module, dotted))
            elif isinstance(one, ast.Constant) and isinstance(one.value, str):
                found.add(self._resolve(module, one.value))
        return {top for top in found if top in self.classes}

    def _declare(self, module: Module) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Takes in what annotations say; gives each target and the value that it gets."""
        names = self._names[module.name]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.arg):
                names[node.arg] |= self._annotated(module, node.annotation)
            elif isinstance(node, ast.AnnAssign):
                found = self._annotated(module, node.annotation)
                if isinstance(node.target, ast.Name):
                    names[node.target.id] |= found
                self._attributes[last_name(node.target)] |= found
            elif isinstance(node, FUNCTIONS):
                found = self._annotated(module, node.returns)
                if module.names.get(node.name, [None])[0] is node:
                    self._results[module.name, node.name] = found
                else:
                    self._methods[node.name] |= found
                    self._attributes[node.name] |= found  # of a property
            elif isinstance(node, ast.Assign):
                yield from ((target, node.value) for target in node.targets)
            elif isinstance(node, ast.NamedExpr):
                yield node.target, node.value
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                yield node.target, node.iter

    def _bind(self, module: Module, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            same = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            for at, one in enumerate(target.elts):
                self._bind(module, one, value.elts[at] if same else value)
            return
        found = self.types(module, value)
        if isinstance(target, ast.Name):
            self._names[module.name][target.id] |= found
        elif isinstance(target, ast.Attribute):
            self._attributes[target.attr] |= found

    def types(self, module: Module, node: ast.AST) -> set[Top]:
        """The classes that this expression may be of."""
        if id(node) in self._selves:
            return {self._selves[id(node)]}
        if isinstance(node, ast.Name):
            return self._names[module.name].get(node.id, set())
        if isinstance(node, ast.Attribute):
            own = self.types(module, node.value)
            found = [self.fields[top][node.attr] for top in own if node.attr in self.fields[top]]
            return set().union(*found) if found else self._attributes.get(node.attr, set())
        if isinstance(node, ast.Call):
            return self._given(module, node)
        if isinstance(node, (ast.Subscript, ast.Starred, ast.Await, ast.NamedExpr)):
            return self.types(module, node.value)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return self.types(module, node.elt)
        if isinstance(node, ast.DictComp):
            return self.types(module, node.value)
        parts = {
            ast.BoolOp: "values", ast.IfExp: "body orelse", ast.BinOp: "left right",
            ast.Tuple: "elts", ast.List: "elts", ast.Dict: "values",
        }.get(type(node), "").split()  # fmt: skip
        nodes = [getattr(node, name) for name in parts]
        flat = [one for some in nodes for one in (some if isinstance(some, list) else [some])]
        return set().union(*(self.types(module, one) for one in flat if one is not None))

    def _given(self, module: Module, call: ast.Call) -> set[Top]:
        """What a call gives: what its function says, or one of what it was handed (`sorted`)."""
        dotted = dotted_name(call.func)
        top = self._resolve(module, dotted) if dotted else None
        if top in self.classes:
            return {top}
        if top in self._results:
            return self._results[top]
        found = self._methods.get(last_name(call.func), set())
        if not isinstance(call.func, ast.Attribute):
            return found.union(*(self.types(module, one) for one in call.args))
        of_its_own = call.func.attr in ("get", "values", "items")
        return found | (self.types(module, call.func.value) if of_its_own else set())

    def read_in(self, module: Module, node: ast.AST) -> Iterator[tuple[Top, str]]:
        """(class, field) of what this piece of a module reads."""
        for one in ast.walk(node):
            if (
                isinstance(one, ast.Attribute)
                and one.attr in self._all_fields
                and isinstance(one.ctx, ast.Load)
            ):
                for top in self.types(module, one.value):
                    if one.attr in self.fields[top]:
                        yield top, one.attr
