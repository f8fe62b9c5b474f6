"""`diadema selftest`: the bench test of a station, and its record."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import (
    AsJson,
    Data,
    DoneBy,
    HubKey,
    Run,
    RunFirst,
    group,
    print_json,
    print_line,
    writing,
)
from diadema.words import Sentence

if TYPE_CHECKING:
    from diadema.stations.selftest.record import Signed

app = group("The bench test of a station, and its signed record.", cls=RunFirst)

Name = Annotated[str, typer.Argument(metavar="STATION", help="Its id, or its seat.")]


@app.command()
def run(
    station: Annotated[
        str | None, typer.Argument(metavar="STATION", help="Its id, or its seat.")
    ] = None,
    port: Annotated[
        str | None,
        typer.Option("--port", help="As /dev/ttyUSB0, where nobody carries its cable."),
    ] = None,
    by: DoneBy = "diadema",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Try every part of a station with somebody in front of it; exit code 1 when it is not fit.

    The station guides through it on its screen; the steps are shown here too where its cable is
    carried on this machine. `diadema selftest STATION` is the same.

    Example: diadema selftest A-01 --port /dev/ttyUSB0 --by ANA
    """
    from diadema.stations.selftest.record import next_step, to_do, verdict
    from diadema.stations.selftest.run import run as play

    its = Run(data)
    say = (lambda _: None) if as_json else print_line
    signed = asyncio.run(
        play(its.data, station, by=by, port=port, tell=say, language=its.language)
    )
    if as_json:
        _print_json(signed)
    else:
        language = its.language
        say(verdict(signed, language))
        for line in to_do(signed, language):
            say(f"  {line}")
        say(next_step(signed, language))
    sys.exit(0 if signed.record.fit else 1)


@app.command()
def show(
    station: Name,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="A .pdf to print, or a .json that can be checked."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that it had, not the last one only.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the record of the last bench test, and whether its signature is right; or print it.

    Example: diadema selftest show A-01 -o record.pdf
    """
    from diadema.base.errors import DiademaError
    from diadema.base.paths import write_whole
    from diadema.stations.fleet import seats_of, station_of
    from diadema.stations.selftest.record import inspections, standing
    from diadema.stations.signing import written
    from diadema.words import text

    its = Run(data)
    where, language = its.data, its.language
    kind = out.suffix.lower() if out else ""
    if out is not None and (kind not in (".pdf", ".json") or (kind == ".json" and everything)):
        raise DiademaError(Sentence("errors.cli.out_name_must_end_pdf_2", out=out))
    records = inspections(where, station_of(seats_of(where), station), 100 if everything else 1)
    if not records:
        raise DiademaError(text("selftest.none", language, seat=station))
    public = records[0].key
    if out is not None:
        made = written(records[0])
        if kind == ".pdf":
            from diadema.site import description
            from diadema.stations.selftest.pdf import content

            made = content(records, description.load(where.site), language, public)
        with writing(out):
            write_whole(out, made)
    for signed in records:
        if as_json:
            _print_json(signed)
        else:
            _show(its, signed, public)
    right = all(standing(one, public) == "right" for one in records)
    sys.exit(0 if right else 1)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="As `diadema selftest show -o FILE.json` made it.")],
    key: HubKey = None,
    data: Data = None,
) -> None:
    """Say whether a printed record is as its hub signed it; exit code 1 when it is not.

    Example: diadema selftest check record.json
    """
    from diadema.stations import signing
    from diadema.stations.selftest.record import Signed, standing
    from diadema.stations.signing import read

    its = Run(data)
    signed = read(file, Signed, "diadema selftest show")
    public = signing.public_of(its.data, key)
    _show(its, signed, public)
    sys.exit(0 if standing(signed, public) == "right" else 1)


@app.command("key")
def show_key(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Also into a file, for `check --key`.")
    ] = None,
    data: Data = None,
) -> None:
    """Show the public key by which this hub's records can be checked anywhere.

    Example: diadema selftest key -o signing.txt
    """
    from diadema.base.paths import write_whole
    from diadema.stations import signing

    public = signing.public_of(Run(data).data, None)
    if out is not None:
        with writing(out):
            write_whole(out, public.encode() + b"\n")
    print(f"{public} ({signing.fingerprint(public)})")


def _show(its: Run, signed: "Signed", public: str) -> None:
    from zoneinfo import ZoneInfo

    from diadema.stations.selftest.record import (
        check,
        day_and_time,
        result,
        standing,
        standing_text,
        to_do,
        verdict,
    )

    language, record = its.language, signed.record
    print_line(verdict(signed, language))
    tested = day_and_time(signed.tested_utc, its.site.tz if its.site else ZoneInfo("UTC"))
    print_line(f"{record.of[0]} · {record.board} {record.firmware} · {tested} · {record.by}")
    for name, outcome in signed.checks.items():
        print_line(f"  {check(name, language)}: {result(outcome, language)}")
    for line in to_do(signed, language):
        print_line(line)
    print_line(standing_text(standing(signed, public), signed.key, language))


def _print_json(signed: "Signed") -> None:
    import msgspec

    from diadema.stations.selftest.record import standing

    print_json(msgspec.to_builtins(signed) | {"standing": standing(signed, signed.key)})
