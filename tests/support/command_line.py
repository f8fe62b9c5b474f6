"""`diadema`'s commands as Click has them, and what a line of words is for."""

from typing import Any

from diadema.cli import main
from typer.main import get_command

main.add_simulator()
ROOT: Any = get_command(main.app)


def leaves(command: Any = ROOT, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every command that does something, by the words that name it."""
    verbs = getattr(command, "commands", None)
    if not verbs:
        return {" ".join(words): command}
    found = {}
    for name, verb in verbs.items():
        found |= leaves(verb, (*words, name))
    return found


COMMANDS = leaves()


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
