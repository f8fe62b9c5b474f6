"""`diadema pin`: asks for an agent's PIN and gives its verifier, or writes it into a site's file.

The PIN is never an argument, for those are seen in the list of processes and kept by shells.
"""

import getpass
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from diadema.base.errors import DiademaError, why
from diadema.cli.speech import say
from diadema.site.pins import check_pin, make_verifier
from diadema.words import Sentence


def pin(
    agent: Annotated[str, typer.Argument(help="Id of the agent, as in site.json.")],
    site: Annotated[
        Path | None, typer.Option("--site", help="Write it into this description of the site.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the PIN from standard input, for scripts.")
    ] = False,
) -> None:
    """Ask for an agent's PIN and make its verifier.

    Six digits from 1 to 6. The verifier stands in place of the PIN.

    Example: diadema pin e001 --site site.json
    """
    from diadema.base.paths import write_whole
    from diadema.site.file import agent_in, with_pin

    described = None if site is None else _read(site)
    if described is not None:
        agent_in(described, agent, str(site))
    verifier = make_verifier(sys.stdin.readline().rstrip("\r\n") if stdin else ask_twice(agent))
    if site is None or described is None:
        print(verifier)
        return
    changed = with_pin(described, agent, verifier, str(site))
    write_whole(site, changed, site.stat().st_mode & 0o777)
    print(say("pin.written", file=site, agent=agent))


def ask_twice(agent: str) -> str:
    """The PIN, without an echo. Raises DiademaError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            first = getpass.getpass(say("pin.ask", agent=agent) + " ")
            check_pin(first)
            second = getpass.getpass(say("pin.again") + " ")
        except (getpass.GetPassWarning, EOFError) as error:
            raise DiademaError(Sentence("errors.cli.there_no_terminal_ask_use")) from error
    if first != second:
        raise DiademaError(Sentence("errors.cli.two_are_not_same_nothing"))
    return first


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error
    except UnicodeDecodeError as error:
        raise DiademaError(
            Sentence("errors.cli.file_no_json_error", file=file, error=error)
        ) from error
