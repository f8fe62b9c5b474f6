"""`diadema import journal`: what `diadema flash` read from a station before its journal went."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)


def journal(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="As `diadema flash` names them.")
    ],
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Take in the events of a station's journal that `diadema flash` kept in a file.

    With a hub or without one; each event counts once, also if its station sent it too.
    """
    import msgspec

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.exchange.imports.journal import import_journal

    done = import_journal(files, DataDir(data_root(data)), open_clock(clock))
    if as_json:
        print(json.dumps(msgspec.to_builtins(done)))
    else:
        print(f"{done.events} events of {', '.join(done.stations) or 'no station'}, "
              f"{done.new} of them new in the store.")  # fmt: skip
        if done.left:
            print(f"{done.left} found no room: too many before them are missing. When those are "
                  "in, repeat this.")  # fmt: skip
    sys.exit(1 if done.left else 0)
