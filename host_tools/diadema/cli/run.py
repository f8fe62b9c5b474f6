"""What every command works with: options that many have, its data directory, clock, site and
language, and how it prints. Imports are made where they are used, so that `diadema --help` is
there at once.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from diadema.base.errors import DiademaError, why
from diadema.base.sanitize import visible
from diadema.cli.speech import language, say, use_site
from diadema.words import Sentence, said

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from diadema.access.roles import Person
    from diadema.base.clock import Clock as AnyClock
    from diadema.base.paths import DataDir
    from diadema.site.description import Site


def _directory(given: str) -> Path:
    if not given:  # as from an unset variable in a script
        raise DiademaError(Sentence("errors.cli.data_empty"))
    return Path(given)


def speak_of(data: Path | None) -> Path | None:
    """What follows is said in the language of this directory's site."""
    from diadema.base.paths import DataDir, default_root

    use_site(DataDir((data or default_root()).absolute()).site)
    return data


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Directory that keeps everything. Default: the user's data folder.",
        parser=_directory,
        callback=speak_of,
        metavar="DIR",
    ),
]
Clock = Annotated[
    Path | None, typer.Option("--clock", help="Clock file of a simulated run.", hidden=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
DoneBy = Annotated[str, typer.Option("--by", help="Who does it.")]
HubKey = Annotated[
    Path | None, typer.Option("--key", help="Public key of its hub. Default: of this one.")
]


class RunFirst(TyperGroup):
    """A group where the verb `run` is meant if none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


def group(help: str, **more: Any) -> typer.Typer:
    """A command with verbs of its own."""
    return typer.Typer(help=help, no_args_is_help=True, add_completion=False, **more)


class Run:
    """One run of a command. Nothing is read or made before it is used."""

    def __init__(
        self, data: Path | None = None, clock: Path | None = None, *, as_json: bool = False
    ) -> None:
        self._data, self._clock, self.as_json = data, clock, as_json

    @cached_property
    def data(self) -> "DataDir":
        from diadema.base.paths import DataDir, default_root

        return DataDir((self._data or default_root()).absolute())

    @cached_property
    def clock(self) -> "AnyClock":
        from diadema.base.clock import open_clock

        return open_clock(self._clock)

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    @cached_property
    def site(self) -> "Site | None":
        """What is in force; None while there is none. Raises SiteError."""
        from diadema.site.context import site_of

        return site_of(self.data)

    @property
    def language(self) -> str:
        return language()

    @property
    def zone(self) -> "ZoneInfo":
        from diadema.site.context import zone_of

        return zone_of(self.data)

    @cached_property
    def person(self) -> "Person":
        """Whoever sits at this machine, as records name them."""
        import getpass

        from diadema.access.roles import Person

        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = "?"
        return Person(id=f"shell:{name}", name=name, role="service")

    @property
    def quiet(self) -> bool:
        """Progress is shown to people only."""
        return self.as_json or not sys.stderr.isatty()

    @property
    def held(self) -> list[str]:
        """That nothing goes out of what was put back from a backup; empty where it does. Raises
        DiademaError.
        """
        import shlex

        from diadema.base.standing import read_standing

        if not read_standing(self.data).trial:
            return []
        return [say("restore.trial", root=shlex.quote(str(self.data.root)))]

    def ask_hub(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of the hub that runs on this directory. Raises DiademaError."""
        from diadema.wire.ask_hub import ask_hub

        return asyncio.run(ask_hub(self.data, subject, body))

    def answer(self, content: Any, *lines: str) -> None:
        """Print `content` as JSON if that is wanted, else the lines. What other systems call
        their things may be in them.
        """
        if self.as_json:
            print_json(content)
            return
        for line in lines:
            print(visible(line, lines=True))

    @contextmanager
    def progress(self, unit: str) -> Iterator[Callable[..., None]]:
        """A bar on standard error, moved by calls with what is done and the whole, if known."""
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True, disable=self.quiet) as bar:
            task = bar.add_task(unit, total=None)
            yield lambda done, whole=None: bar.update(task, completed=done, total=whole)

    @contextmanager
    def status(self) -> Iterator[Callable[[str | Sentence], None]]:
        """A line on standard error that says what goes on, set by calls."""
        from rich.console import Console

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        with console.status("", spinner="line") as line:

            def tell(what: str | Sentence) -> None:
                if not self.quiet:
                    line.update(str(said(what, self.language)))

            yield tell


def console(*, wide: int | None = None, **options: Any) -> "Console":
    """Standard output for tables; at least `wide` columns where it is not a terminal."""
    from rich.console import Console

    made = Console(highlight=False, **options)
    if wide is not None and not made.is_terminal:
        made.width = max(made.width, wide)
    return made


def print_line(line: str) -> None:
    """One line on standard output as it is: not wrapped, no markup."""
    console(soft_wrap=True, markup=False).print(line)


def print_json(content: Any) -> None:
    import msgspec

    print(json.dumps(msgspec.to_builtins(content, enc_hook=_plain), ensure_ascii=False))


def _plain(value: Any) -> str:
    if isinstance(value, Sentence):
        return str(value)
    raise NotImplementedError(type(value))


def read_file(file: Path) -> bytes:
    """Raises DiademaError that names the file."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error


def read_ca(file: Path | None) -> str:
    """The PEM in it, empty where none is named. Raises DiademaError that names the file."""
    if file is None:
        return ""
    from diadema.base.certificates import trusting

    content = read_file(file)
    try:
        if not content:
            raise ValueError(file)
        trusting(content.decode("ascii"))
    except (OSError, ValueError) as error:
        raise DiademaError(Sentence("errors.cli.no_ca", file=file)) from error
    return content.decode("ascii")


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """What fails in here to be written raises DiademaError that names the file."""
    try:
        yield
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_write_output_reason", output=file, reason=why(error))
        ) from error


def run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` with a log on standard error. Ctrl-C and SIGTERM end it in order, and so does the
    end of whoever started it with a pipe as its standard input. Raises what it raises.
    """
    import logging

    from diadema.base.processes import begin_log, on_closed_input

    begin_log(logging.INFO, "%(asctime)s %(message)s")

    async def runner() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        on_closed_input(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    asyncio.run(runner())
