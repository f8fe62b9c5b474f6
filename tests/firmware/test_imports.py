"""Where the firmware imports, and where it collects memory."""

import ast
from collections.abc import Iterator
from pathlib import Path

FIRMWARE = Path(__file__).parents[2] / "firmware"
# they must run whatever the slot holds, so they take what they need when they need it
START_FILES = {"boot.py", "main.py", "slots.py", "update.py", "safe.py", "interpreter.py"}
OF_THE_CHIP = {"esp32", "machine"}  # where CPython runs the same file
OF_A_LANGUAGE = {"lib.words_en", "lib.words_es"}
BY_NAME = "lib/parts.py"  # the drivers that the board's table names


def files() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(FIRMWARE.rglob("*.py")):
        name = path.relative_to(FIRMWARE).as_posix()
        if name not in START_FILES:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def later(tree: ast.Module) -> Iterator[str]:
    """Modules that are imported when a function runs."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""


def names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_imports_stand_at_the_top_but_for_four_kinds():
    found = {name: set(later(tree)) for name, tree in files()}
    start_files = {Path(name).stem for name in START_FILES}
    for name, modules in found.items():
        allowed = OF_THE_CHIP | start_files
        if name == "lib/app.py":
            allowed = allowed | OF_A_LANGUAGE
        assert modules <= allowed, f"{name} imports when it runs: {sorted(modules - allowed)}"
    assert found["lib/app.py"] == OF_A_LANGUAGE


def test_a_module_is_named_by_text_in_one_place_only():
    users = [name for name, tree in files() if "__import__" in names(tree)]
    assert users == [BY_NAME]


def test_no_module_is_taken_out_of_memory():
    for name, tree in files():
        taken = {
            ast.unparse(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in ("pop", "clear", "popitem")
        } | {
            ast.unparse(target)
            for node in ast.walk(tree)
            if isinstance(node, ast.Delete)
            for target in node.targets
        }
        assert not [what for what in taken if what.startswith("sys.modules")], name


def test_memory_is_collected_in_one_place():
    users = [name for name, tree in files() if "gc.collect" in names(tree)]
    assert users == ["lib/memory.py"]
    for name, tree in files():
        assert not {"gc.enable", "gc.threshold"} & names(tree), name


def test_each_word_stands_once_in_a_catalogue():
    for language in ("es", "en"):
        text = (FIRMWARE / "lib" / f"words_{language}.py").read_text(encoding="utf-8")
        keys = [line.partition(" = ")[0] for line in text.split('"""')[3].splitlines() if line]
        assert len(keys) == len(set(keys)) > 200
