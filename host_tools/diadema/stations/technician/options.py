"""How the commands that end in a signed record are called."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

By = Annotated[str, typer.Option("--by", help="Who does it.")]
Key = Annotated[
    Path | None, typer.Option("--key", help="Public key of its hub. Default: of this one.")
]


class RunFirst(TyperGroup):
    """Where no verb is named, `run` is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)
