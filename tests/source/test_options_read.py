"""Each option and argument of a command of the line is read by its command."""

import ast
from pathlib import Path

import diadema

HOST = Path(diadema.__file__).parents[1]
COMMANDS = ("command", "callback")


def unread(tree):
    """(command, option) of what the function never loads, and how many options there are."""
    left, all_of_them = [], 0
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if not any(
            isinstance(one, ast.Call) and getattr(one.func, "attr", "") in COMMANDS
            for one in node.decorator_list
        ):
            continue
        arguments = (*node.args.args, *node.args.kwonlyargs)
        # an option with a callback is read by that
        given = {one.arg for one in arguments if "callback=" not in ast.unparse(one)}
        read = {
            one.id
            for one in ast.walk(node)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
        }
        all_of_them += len(given)
        left += [(node.name, name) for name in sorted(given - read)]
    return left, all_of_them


def test_every_option_of_a_command_is_read():
    options = 0
    for path in sorted(HOST.rglob("*.py")):
        left, some = unread(ast.parse(path.read_text()))
        assert (path.name, left) == (path.name, [])
        options += some
    assert options > 100


def test_an_option_that_its_command_does_not_read_is_found():
    text = '@app.command("x")\ndef run(data, port=1):\n    print(data)\n'
    assert unread(ast.parse(text)) == ([("run", "port")], 2)
