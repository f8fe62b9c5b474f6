import ast
import collections
import pathlib

root = pathlib.Path("diadema")
mods = {}
for f in root.rglob("*.py"):
    parts = f.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    mods[name] = f
imps = collections.defaultdict(set)


def deps(f):
    out = set()
    for n in ast.walk(ast.parse(f.read_text())):
        if isinstance(n, ast.Import):
            out |= {a.name for a in n.names}
        elif isinstance(n, ast.ImportFrom) and n.module and n.level == 0:
            for a in n.names:
                full = n.module + "." + a.name
                out.add(full if full in mods else n.module)
    return {d for d in out if d in mods}


for m, f in mods.items():
    for d in deps(f):
        imps[d].add(m)
if __name__ == "__main__":
    for m in sorted(mods):
        t = mods[m].read_text()
        doc = (ast.get_docstring(ast.parse(t)) or "").split("\n")[0]
        i = imps[m]
        print(
            f"{m[8:]}|{t.count(chr(10))}|{len(i)}{'<' + next(iter(i))[8:] if len(i) == 1 else ''}|{doc[:90]}"
        )
