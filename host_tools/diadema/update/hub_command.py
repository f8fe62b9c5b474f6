"""The part of `diadema update` that a running hub does."""

import typer

app = typer.Typer(help="New programs for stations.", no_args_is_help=True, add_completion=False)
