"""What they say on the screen, and in which language.

How the commands that end in a signed record are called.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from diadema.base.paths import DataDir
from diadema.site.description import Site, load


def site_of(data: DataDir) -> Site | None:
    """Its language is that of what is told. Raises DiademaError."""
    return load(data.site) if data.site.exists() else None


def language(data: DataDir) -> str:
    site = site_of(data)
    return site.language if site else "es"


def say(line: str) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True, markup=False).print(line)


def silent(_: str) -> None:
    pass


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
