"""merge.py PLAN: each line `target: a b c` (dotted under diadema unless they begin with diadema_sim).
Appends modules a, b, c to the target (or puts them before it where the target imports them).
"""

import ast
import collections
import pathlib
import re
import subprocess
import sys

CODE = ["host_tools", "tests"]
BASE = pathlib.Path("host_tools")


def full(n):
    return n if n.startswith("diadema") else "diadema." + n


def path_of(n):
    p = BASE / pathlib.Path(*n.split("."))
    return p / "__init__.py" if (p / "__init__.py").exists() else p.with_suffix(".py")


def is_import(n):
    return isinstance(n, (ast.Import, ast.ImportFrom))


class Mod:
    def __init__(self, name):
        self.name, self.path = name, path_of(name)
        self.text = self.path.read_text()
        self.tree = ast.parse(self.text)
        self.lines = self.text.split("\n")
        body = self.tree.body
        self.doc = ast.get_docstring(self.tree, clean=False) or ""
        if (
            body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            body = body[1:]
        self.imports = [n for n in body if is_import(n)]
        self.rest = [n for n in body if not is_import(n)]
        # body text: everything after the last top import that precedes any other statement
        top_end = 0
        for n in body:
            if is_import(n):
                top_end = n.end_lineno
            else:
                break
        if not self.imports:
            top_end = self.tree.body[0].end_lineno if self.doc else 0
        late = [n for n in self.imports if n.lineno > top_end]
        assert not late, (name, "late imports", [n.lineno for n in late])
        self.code = "\n".join(self.lines[top_end:]).strip("\n")

    def names(self):
        out = set()
        for n in self.rest:
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                out.add(n.name)
            elif isinstance(n, ast.Assign):
                for t in n.targets:
                    for x in ast.walk(t):
                        if isinstance(x, ast.Name):
                            out.add(x.id)
            elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
                out.add(n.target.id)
            elif isinstance(n, ast.TypeAlias):
                out.add(n.name.id)
        return out

    def import_lines(self):
        """(local name) -> (module, name or None, asname)"""
        out = {}
        for n in self.imports:
            if isinstance(n, ast.Import):
                for a in n.names:
                    out[(a.asname or a.name)] = (a.name, None, a.asname)
            else:
                for a in n.names:
                    out[a.asname or a.name] = (n.module, a.name, a.asname)
        return out


def rename_in(code, old, new):
    tree = ast.parse(code)
    spots = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.Name) and n.id == old:
            spots.add((n.lineno, n.col_offset))
        elif (
            isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == old
        ):
            line = code.split("\n")[n.lineno - 1].encode()
            spots.add((n.lineno, line.index(old.encode(), n.col_offset)))
        elif isinstance(n, ast.Global):
            pass
    lines = code.split("\n")
    for ln, col in sorted(spots, reverse=True):
        raw = lines[ln - 1].encode()
        assert raw[col : col + len(old.encode())] == old.encode(), (old, lines[ln - 1])
        lines[ln - 1] = (raw[:col] + new.encode() + raw[col + len(old.encode()) :]).decode()
    # global statements
    text = "\n".join(lines)
    return re.sub(rf"^(\s*global .*)\b{re.escape(old)}\b", rf"\g<1>{new}", text, flags=re.M)


def strip_attr(code, alias):
    """alias.x -> x"""
    tree = ast.parse(code)
    spots = []
    for n in ast.walk(tree):
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == alias:
            assert n.value.lineno == n.value.end_lineno
            spots.append((n.value.lineno, n.value.col_offset, n.value.end_col_offset))
    lines = code.split("\n")
    for ln, a, b in sorted(spots, reverse=True):
        raw = lines[ln - 1].encode()
        assert raw[b : b + 1] == b".", (alias, lines[ln - 1])
        lines[ln - 1] = (raw[:a] + raw[b + 1 :]).decode()
    code = "\n".join(lines)
    left = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and n.id == alias]
    return code, bool(left)


def merge(target, sources):
    T = Mod(target)
    mods = {target: T} | {s: Mod(s) for s in sources}
    family = set(mods)
    # order: what is imported at module level by another of the family comes before it
    deps = {}
    for n, m in mods.items():
        need = set()
        for local, (mod, name, _) in m.import_lines().items():
            if mod in family:
                need.add(mod)
            if name and f"{mod}.{name}" in family:
                need.add(f"{mod}.{name}")
        deps[n] = need - {n}
    order, seen = [], set()

    def visit(n, stack=()):
        if n in seen:
            return
        assert n not in stack, ("circle", n, stack)
        for d in sorted(deps[n], key=[target, *sources].index):
            visit(d, (*stack, n))
        seen.add(n)
        order.append(n)

    for n in [target, *sources]:
        visit(n)
    # collisions
    renames = []
    taken = {}
    for n in [target, *sources]:
        m = mods[n]
        for name in sorted(m.names()):
            if name in taken:
                base = n.rsplit(".", 1)[1]
                new = f"_{base}{name}" if name.startswith("_") else None
                same = False

                # identical constants are one
                def src(mm):
                    for x in mm.rest:
                        if isinstance(
                            x, (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.TypeAlias)
                        ):
                            nm = (
                                x.name
                                if isinstance(x, ast.FunctionDef)
                                else (
                                    x.name.id
                                    if isinstance(x, ast.TypeAlias)
                                    else (
                                        x.targets[0].id
                                        if isinstance(x, ast.Assign)
                                        and isinstance(x.targets[0], ast.Name)
                                        else getattr(getattr(x, "target", None), "id", None)
                                    )
                                )
                            )
                            if nm == name:
                                return ast.unparse(x)

                a, b = src(mods[taken[name]]), src(m)
                if a is not None and a == b:
                    same = True
                renames.append((n, name, new, same))
            else:
                taken[name] = n
    for n, name, new, same in renames:
        m = mods[n]
        if same:
            # drop the second definition
            for x in m.rest:
                nm = getattr(x, "name", None)
                nm = nm.id if isinstance(nm, ast.Name) else nm
                if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name):
                    nm = x.targets[0].id
                if isinstance(x, ast.AnnAssign):
                    nm = x.target.id
                if nm == name:
                    first = min([x.lineno, *[d.lineno for d in getattr(x, "decorator_list", [])]])
                    block = "\n".join(m.lines[first - 1 : x.end_lineno])
                    assert block in m.code, (n, name)
                    m.code = (
                        m.code.replace(block + "\n", "", 1)
                        if block + "\n" in m.code
                        else m.code.replace(block, "", 1)
                    )
            print("    one of two:", n, name)
            continue
        if new is None:
            raise SystemExit(f"public name {name} in {taken[name]} and {n}")
        print("    renamed:", n, name, "->", new)
        m.code = rename_in(m.code, name, new)
        m.text = None
    # imports
    imports = {}
    for n in order:
        m = mods[n]
        for local, (mod, name, asname) in m.import_lines().items():
            if mod in family:  # a name of the family
                if asname and asname != name:
                    m.code = rename_in(m.code, asname, name)
                continue
            if name and f"{mod}.{name}" in family:
                m.code, left = strip_attr(m.code, local)
                assert not left, (n, "module itself used", local)
                continue
            if local in imports and imports[local] != (mod, name, asname):
                other = imports[local]
                # give this one another local name
                new = f"{local}_of_{n.rsplit('.', 1)[1]}"
                print("    import renamed:", n, local, "->", new, other, (mod, name))
                m.code = rename_in(m.code, local, new)
                imports[new] = (mod, name, new)
            else:
                imports[local] = (mod, name, asname)
        clash = set(imports) & set(taken)
    clash = {c for c in imports if c in taken}
    if clash:
        raise SystemExit(f"{target}: imported and defined: {clash}")
    out = []
    for local, (mod, name, asname) in imports.items():
        if name is None:
            out.append(f"import {mod}" + (f" as {asname}" if asname else ""))
        else:
            out.append(
                f"from {mod} import {name}"
                + (f" as {asname}" if asname and asname != name else "")
            )
    docs = [mods[target].doc.strip()] + [
        mods[s].doc.strip() for s in sources if mods[s].doc.strip()
    ]
    doc = "\n\n".join(d for d in docs if d)
    text = (
        f'"""{doc}'
        + ("\n" if "\n" in doc else "")
        + '"""\n\n'
        + "\n".join(out)
        + "\n\n"
        + "\n\n\n".join(mods[n].code for n in order)
        + "\n"
    )
    ast.parse(text)
    T.path.write_text(text)
    for s in sources:
        subprocess.run(["git", "rm", "-q", "--cached", str(mods[s].path)], check=True)
        mods[s].path.unlink()
    return {s: target for s in sources}


def rewrite_users(moved):
    for root in CODE:
        for f in pathlib.Path(root).rglob("*.py"):
            text = f.read_text()
            if "diadema" not in text:
                continue
            tree = ast.parse(text)
            lines = text.split("\n")
            edits, alias = [], {}
            for node in ast.walk(tree):
                if not (isinstance(node, ast.ImportFrom) and node.level == 0 and node.module):
                    continue
                groups, changed = collections.OrderedDict(), False
                for a in node.names:
                    mod = f"{node.module}.{a.name}"
                    if mod in moved:
                        pkg, _, base = moved[mod].rpartition(".")
                        groups.setdefault(pkg, []).append(
                            (base, a.asname if a.asname and a.asname != base else None)
                        )
                        changed = True
                        if not a.asname and a.name != base:
                            alias[a.name] = base
                        elif a.asname:
                            pass
                    elif node.module in moved:
                        groups.setdefault(moved[node.module], []).append((a.name, a.asname))
                        changed = True
                    else:
                        groups.setdefault(node.module, []).append((a.name, a.asname))
                if changed:
                    pad = " " * node.col_offset
                    out = []
                    for mod, names in groups.items():
                        if mod == own_name(f):
                            continue
                        said = ", ".join(n if not s else f"{n} as {s}" for n, s in names)
                        out.append(
                            f"{pad}from {mod} import {said}"
                            if said == "*"
                            else f"{pad}from {mod} import ({said})"
                        )
                    edits.append((node.lineno - 1, node.end_lineno, out))
            for start, end, out in sorted(edits, reverse=True):
                lines[start:end] = out
            text2 = "\n".join(lines)
            for old, new in alias.items():
                text2 = rename_alias(text2, old, new, f)
            if text2 != text:
                f.write_text(text2)
    # dotted names in strings
    pat = re.compile(
        r"\b("
        + "|".join(re.escape(m) for m in sorted(moved, key=len, reverse=True))
        + r")\b(?!\.py)"
    )
    for name in subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split(
        "\n"
    ):
        p = pathlib.Path(name)
        if (
            not name
            or not p.is_file()
            or p.suffix not in (".py", ".md", ".toml", ".json", ".sh", "")
        ):
            continue
        try:
            t = p.read_text()
        except UnicodeDecodeError:
            continue
        new = pat.sub(lambda m: moved[m.group(1)], t)
        if new != t:
            p.write_text(new)


def own_name(f):
    try:
        r = f.relative_to("host_tools")
    except ValueError:
        return None
    parts = r.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def rename_alias(text, old, new, f):
    tree = ast.parse(text)
    stored = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    } | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    defs = {
        n.name
        for n in ast.walk(tree)
        if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
    }
    if new in stored or new in defs or old in stored:
        print("    ! alias kept in", f, old, new)
        return re.sub(
            rf"(\bimport \((?:[^\n)]*, )?){new}\b(?! as)", rf"\g<1>{new} as {old}", text, count=1
        )
    return rename_in(text, old, new)


def main():
    for line in open(sys.argv[1]):
        line = line.split("#")[0].strip()
        if not line:
            continue
        target, sources = line.split(":")
        sources = [full(s) for s in sources.split()]
        print(target)
        moved = merge(full(target.strip()), sources)
        rewrite_users(moved)
    subprocess.run(["git", "add", "-A"], check=True)


main()
