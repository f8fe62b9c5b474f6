"""`diadema`'s commands as Click has them, and what a line of words is for."""

from typing import Any

from diadema.cli import main
from typer.main import get_command

main.add_simulator()
ROOT: Any = get_command(main.app)


def parse(words: list[str]) -> str:
    """As the shell would, down to the command itself, which is not called; gives its name. Raises
    what Click says is wrong with the words.
    """
    command, context, names = ROOT, None, []
    while True:
        context = command.make_context(words[0] if words else "", list(words), parent=context)
        if not hasattr(command, "commands"):
            return " ".join(names)
        rest = [*context._protected_args, *context.args]
        name, command, words = command.resolve_command(context, rest)
        names.append(name)
