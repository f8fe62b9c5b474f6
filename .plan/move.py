"""move.py MAP.json: git mv modules and rewrite every import and dotted name. Run at the repo's root.

MAP: {"old.module": "new.module"} full dotted names. Files under host_tools/.
"""

import ast
import collections
import json
import pathlib
import re
import subprocess
import sys

ROOTS = ["host_tools"]
CODE = ["host_tools", "tests", "boards", "hardware"]


def modules():
    found = {}
    for root in ROOTS:
        base = pathlib.Path(root)
        for f in base.rglob("*.py"):
            parts = f.relative_to(base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = f
    return found


def path_of(name, pkg):
    p = pathlib.Path("host_tools", *name.split("."))
    return p / "__init__.py" if pkg else p.with_suffix(".py")


def rewrite_code(text, mods, mapping):
    """Import statements."""
    tree = ast.parse(text)
    lines = text.split("\n")
    edits = []  # (lineno0, end0, new lines)
    renames = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and node.module
            and node.module.split(".")[0] in ("diadema", "diadema_sim")
        ):
            groups = collections.OrderedDict()
            changed = False
            for a in node.names:
                full = f"{node.module}.{a.name}"
                if full in mods:  # imports a module
                    new = mapping.get(full, full)
                    changed |= new != full
                    mod, _, base = new.rpartition(".")
                    asname = a.asname
                    if asname is None and base != a.name:
                        renames[a.name] = base
                    elif asname == base:
                        asname = None
                    groups.setdefault(mod, []).append((base, asname))
                else:
                    new = mapping.get(node.module, node.module)
                    changed |= new != node.module
                    groups.setdefault(new, []).append((a.name, a.asname))
            if changed:
                pad = " " * node.col_offset
                out = []
                for mod, names in groups.items():
                    said = [n if not s else f"{n} as {s}" for n, s in names]
                    if len(said) > 3 or len(pad + f"from {mod} import " + ", ".join(said)) > 99:
                        out.append(f"{pad}from {mod} import (")
                        out += [f"{pad}    {s}," for s in said]
                        out.append(pad + ")")
                    else:
                        out.append(f"{pad}from {mod} import " + ", ".join(said))
                edits.append((node.lineno - 1, node.end_lineno, out))
        elif isinstance(node, ast.Import):
            for a in node.names:
                if a.name in mapping:
                    pass  # handled by the dotted replacement
    for start, end, out in sorted(edits, reverse=True):
        tail = lines[end - 1]
        # keep a trailing comment
        m = re.search(r"\)?\s*(#.*)$", tail)
        if m and "noqa" in m.group(1):
            out[-1] += "  " + m.group(1)
        lines[start:end] = out
    text = "\n".join(lines)
    if renames:
        text = rename_names(text, renames)
    return text


def rename_names(text, renames):
    tree = ast.parse(text)
    bound = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.arg):
            bound.add(n.arg)
        elif isinstance(n, ast.Name) and isinstance(n.ctx, (ast.Store, ast.Del)):
            bound.add(n.id)
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(n.name)
        elif isinstance(n, ast.ImportFrom):
            bound |= {a.asname or a.name for a in n.names}
    lines = text.split("\n")
    spots = []
    for old, new in renames.items():
        others = bound - {new}
        count_new = sum(
            1
            for n in ast.walk(tree)
            if isinstance(n, ast.Name) and n.id == new and isinstance(n.ctx, ast.Store)
        ) + sum(1 for n in ast.walk(tree) if isinstance(n, ast.arg) and n.arg == new)
        stored_old = sum(
            1
            for n in ast.walk(tree)
            if isinstance(n, ast.Name) and n.id == old and isinstance(n.ctx, ast.Store)
        ) + sum(1 for n in ast.walk(tree) if isinstance(n, ast.arg) and n.arg == old)
        if count_new or stored_old:
            # keep the name: import as
            text2 = re.sub(
                rf"(\bimport (?:[^\n]*, )?){new}\b(?! as)", rf"\g<1>{new} as {old}", text, count=1
            )
            print("    ! kept alias", old, "for", new)
            text = text2
            lines = text.split("\n")
            continue
        for n in ast.walk(tree):
            if isinstance(n, ast.Name) and n.id == old:
                spots.append((n.lineno - 1, n.col_offset, old, new))
    for line, col, old, new in sorted(spots, reverse=True):
        raw = lines[line].encode()
        assert raw[col : col + len(old)] == old.encode(), (lines[line], old)
        lines[line] = (raw[:col] + new.encode() + raw[col + len(old) :]).decode()
    return "\n".join(lines)


def main():
    mapping = json.load(open(sys.argv[1]))
    mods = modules()
    missing = [m for m in mapping if m not in mods]
    assert not missing, missing
    taken = [n for o, n in mapping.items() if n in mods and n not in mapping and not o == n]
    assert not taken, taken
    # code first
    for root in CODE:
        for f in pathlib.Path(root).rglob("*.py"):
            text = f.read_text()
            if "diadema" not in text:
                continue
            try:
                new = rewrite_code(text, mods, mapping)
            except SyntaxError:
                continue
            if new != text:
                f.write_text(new)
    # dotted names anywhere
    long = sorted(mapping, key=len, reverse=True)
    pattern = re.compile(r"\b(" + "|".join(re.escape(m) for m in long) + r")\b(?!\.py)")

    def dotted(m):
        return mapping[m.group(1)]

    paths = {
        str(path_of(o, mods[o].name == "__init__.py")).removeprefix("host_tools/"): str(
            path_of(n, mods[o].name == "__init__.py")
        ).removeprefix("host_tools/")
        for o, n in mapping.items()
    }
    ppat = re.compile(
        "(" + "|".join(re.escape(p) for p in sorted(paths, key=len, reverse=True)) + ")"
    )
    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")
    for name in files:
        p = pathlib.Path(name)
        if (
            not name
            or not p.is_file()
            or p.suffix in (".png", ".bin", ".wav", ".ico", ".lock", ".xlsx")
        ):
            continue
        try:
            text = p.read_text()
        except UnicodeDecodeError:
            continue
        if p.suffix == ".py":
            # not inside import-from statements, which are done
            out, tree_lines = [], set()
            try:
                tree = ast.parse(text)
            except SyntaxError:
                tree = None
            if tree:
                for n in ast.walk(tree):
                    if isinstance(n, ast.ImportFrom):
                        tree_lines |= set(range(n.lineno - 1, n.end_lineno))
            new_lines = []
            for i, line in enumerate(text.split("\n")):
                new_lines.append(
                    line
                    if i in tree_lines
                    else ppat.sub(lambda m: paths[m.group(1)], pattern.sub(dotted, line))
                )
            new = "\n".join(new_lines)
        else:
            new = ppat.sub(lambda m: paths[m.group(1)], pattern.sub(dotted, text))
        if new != text:
            p.write_text(new)
    # move, by way of a temporary name so that swaps work
    moves = []
    for old, new in mapping.items():
        src = mods[old]
        dst = path_of(new, src.name == "__init__.py")
        if src == dst:
            continue
        tmp = src.with_name(src.name + ".moving")
        src.rename(tmp)
        moves.append((tmp, dst))
    for tmp, dst in moves:
        dst.parent.mkdir(parents=True, exist_ok=True)
        assert not dst.exists(), dst
        tmp.rename(dst)
    subprocess.run(["git", "add", "-A"], check=True)


main()
