"""Every command of `diadema`, as tables in host_tools/README.md, made from the commands' help.

`python -m tests.commands` writes it anew; `make check` says whether it is up to date.
"""

import sys
from pathlib import Path
from typing import Any

from diadema.cli.main import PANELS

from tests.support.command_line import COMMANDS
from tests.support.made_part import renewed

README = Path(__file__).resolve().parents[1] / "host_tools" / "README.md"
_OF_MOST = {"--data", "--json"}  # said once, above the tables


def made() -> str:
    """A table for each group of `diadema --help`, in its order."""
    tables = []
    for panel, verbs in PANELS.items():
        rows = [
            f"| `{_typed(words, command)}` | {_options(command)} | {_purpose(command)} |"
            for verb in verbs
            for words, command in COMMANDS.items()
            if words.split()[0] == verb
        ]
        head = [
            "| después de · after `diadema` | opciones · options | qué hace · what it does |",
            "|---|---|---|",
        ]
        tables.append("\n".join([f"**{panel}**", "", *head, *rows]))
    return "\n\n".join(tables)


def _typed(words: str, command: Any) -> str:
    """The words that name it, and its arguments."""
    arguments = [_argument(param) for param in command.params if not _is_option(param)]
    return " ".join([words, *arguments])


def _argument(param: Any) -> str:
    name: str = (param.metavar or param.name.upper()).removesuffix("...")
    name += "…" if param.nargs == -1 and not name.startswith("[") else ""
    return name if param.required or name.startswith("[") else f"[{name}]"


def _options(command: Any) -> str:
    names = [
        max(param.opts, key=len)
        for param in command.params
        if _is_option(param) and not param.hidden and not _OF_MOST & {*param.opts}
    ]
    return " ".join(f"`{name}`" for name in names)


def _purpose(command: Any) -> str:
    return " ".join(command.help.split("\n\n")[0].split()).replace("|", "\\|")


def _is_option(param: Any) -> bool:
    return param.param_type_name == "option"


def up_to_date() -> str:
    """What to do where the page tells of other commands than there are, else nothing."""
    page = README.read_text(encoding="utf-8")
    same = page == renewed(page, "commands", made())
    return "" if same else "run `python -m tests.commands` and commit"


def main() -> int:
    page = README.read_text(encoding="utf-8")
    README.write_text(renewed(page, "commands", made()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
