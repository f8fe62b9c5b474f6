"""What the commands of the bench say on the screen, and in which language."""

from diadema.paths import DataDir


def language(where: DataDir) -> str:
    from diadema.selftest.running import site_of

    site = site_of(where)
    return site.language if site else "es"


def say(line: str) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True, markup=False).print(line)


def silent(_: str) -> None:
    pass
