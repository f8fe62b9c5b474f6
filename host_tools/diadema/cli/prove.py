"""`diadema prove`: what only a chip can say, and the record of it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import (
    AsJson,
    Data,
    DoneBy,
    HubKey,
    Run,
    RunFirst,
    console,
    group,
    print_line,
    writing,
)

_WIDE = 120  # where it is written to a file

app = group("Measure what only a chip can say, beside the design's budgets.", cls=RunFirst)


@app.command()
def run(
    port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0; its gateway is ended.")],
    brief: Annotated[
        bool, typer.Option("--brief", help="The chip alone: no sound, no badges, no plugs.")
    ] = False,
    by: DoneBy = "diadema",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Its record. Default: in DIR/proofs/.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Measure a station of this site on its cable.

    With somebody at its keys, in some ten minutes. It needs no hub. Exit code 1 when a budget is
    missed, a figure is missing or cannot be, or the chip takes more than twice what the simulated
    board does.

    Example: diadema prove --port /dev/ttyUSB0 -o chip.json
    """
    from diadema.base.paths import write_whole
    from diadema.stations import signing
    from diadema.stations.fleet import seats_of
    from diadema.stations.prove import record
    from diadema.stations.prove.figures import figures, wrong
    from diadema.stations.prove.record import proof_of, sign
    from diadema.stations.prove.run import measure
    from diadema.stations.signing import written
    from diadema.words import text

    run = Run(data)
    where, language = run.data, run.language
    say = (lambda _: None) if as_json else print_line
    measured, forged = asyncio.run(measure(where, port, say, brief=brief, language=language))
    found = figures(measured)
    seat = seats_of(where).get(measured.station)
    proof = proof_of(measured, found, seat, forged=forged, by=by, now=run.now_ms)
    signed = sign(proof, signing.load_or_make(where))
    file = out or where.proofs / f"{measured.station}.json"
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, written(signed))
    if as_json:
        print(written(signed).decode(), end="")
    else:
        console(wide=_WIDE).print(record.table(found, language))
        for line in record.failures([*wrong(found)], language):
            say(line)
        if forged:
            say(text("prove.forged_some", language, count=forged))
        say(text(f"prove.{'right' if proof.right else 'wrong'}", language, file=file))
    sys.exit(0 if proof.right else 1)


@app.command()
def table(
    file: Annotated[Path, typer.Argument(help="As `diadema prove -o FILE` made it.")],
    key: HubKey = None,
    language: Annotated[str, typer.Option("--language", help="es or en.")] = "en",
    data: Data = None,
) -> None:
    """Print a record as the Markdown of hardware/proof.md; exit code 1 when it was altered.

    Example: diadema prove table chip.json
    """
    from diadema.stations import signing
    from diadema.stations.prove import record
    from diadema.stations.prove.record import Signed, is_right
    from diadema.stations.signing import read
    from diadema.words import known, text

    run = Run(data)
    signed = read(file, Signed, "diadema prove")
    if not is_right(signed, signing.public_of(run.data, key)):
        print(text("prove.altered", run.language, file=file), file=sys.stderr)
        sys.exit(1)
    print(record.markdown(signed, known(language)), end="")
