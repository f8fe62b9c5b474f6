"""What the commands that end in a signed record say on the screen."""

from diadema.base.paths import DataDir
from diadema.site.description import Site, load


def site_of(data: DataDir) -> Site | None:
    """Its language is that of what is told. Raises DiademaError."""
    return load(data.site) if data.site.exists() else None


def say(line: str) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True, markup=False).print(line)


def silent(_: str) -> None:
    pass
