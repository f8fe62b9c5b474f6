"""`diadema selftest`: the bench test of a station, and its record."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.options import AsJson, Data, data_root
from diadema.stations.technician.screen import By, Key, RunFirst

if TYPE_CHECKING:
    from diadema.base.paths import DataDir
    from diadema.site.description import Site
    from diadema.stations.selftest.record import Signed


app = typer.Typer(
    help="The bench test of a station, and its signed record.",
    no_args_is_help=True, add_completion=False, cls=RunFirst,
)  # fmt: skip

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
    by: By = "diadema",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Try every part of a station with somebody in front of it; exit code 1 when it is not fit.

    The station guides through it on its screen; the steps are told here too where its cable is
    carried on this machine. `diadema selftest STATION` is the same.
    """
    from diadema.stations.selftest.record import next_step, to_do, verdict
    from diadema.stations.selftest.run import run as play
    from diadema.stations.technician import screen

    where = _data(data)
    say = screen.silent if as_json else screen.say
    signed = asyncio.run(play(where, station, by=by, port=port, tell=say))
    if as_json:
        _print_json(signed)
    else:
        language = screen.language(where)
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
    """Show the record of the last bench test, and whether its signature is right; or print it."""
    from diadema.base.errors import DiademaError
    from diadema.base.paths import write_whole
    from diadema.stations.fleet import seats_of, station_of
    from diadema.stations.selftest.record import inspections, standing
    from diadema.stations.signing import written
    from diadema.stations.technician import screen
    from diadema.words import text

    where = _data(data)
    language = screen.language(where)
    kind = out.suffix.lower() if out else ""
    if out is not None and (kind not in (".pdf", ".json") or (kind == ".json" and everything)):
        raise DiademaError(f"{out}: the name must end in .pdf, or in .json for one record")
    records = inspections(where, station_of(seats_of(where), station), 100 if everything else 1)
    if not records:
        raise DiademaError(text("selftest.none", language, seat=station))
    public = records[0].key
    if out is not None:
        made = written(records[0])
        if kind == ".pdf":
            from diadema.stations.selftest.pdf import content

            made = content(records, _site(where), language, public)
        try:
            write_whole(out, made)
        except OSError as error:
            raise DiademaError(f"cannot write {out}: {error.strerror}") from error
    for signed in records:
        if as_json:
            _print_json(signed)
        else:
            _show(where, signed, public)
    right = all(standing(one, public) == "right" for one in records)
    sys.exit(0 if right else 1)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="As `diadema selftest show -o FILE.json` made it.")],
    key: Key = None,
    data: Data = None,
) -> None:
    """Say whether a printed record is as its hub signed it; exit code 1 when it is not."""
    from diadema.stations import signing
    from diadema.stations.selftest.record import Signed, standing
    from diadema.stations.signing import read

    where = _data(data)
    signed = read(file, Signed, "diadema selftest show")
    public = signing.public_of(where, key)
    _show(where, signed, public)
    sys.exit(0 if standing(signed, public) == "right" else 1)


@app.command("key")
def show_key(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Also into a file, for `check --key`.")
    ] = None,
    data: Data = None,
) -> None:
    """Show the public key by which this hub's records can be checked anywhere."""
    from diadema.base.errors import DiademaError
    from diadema.base.paths import write_whole
    from diadema.stations import signing

    public = signing.public_of(_data(data), None)
    if out is not None:
        try:
            write_whole(out, public.encode() + b"\n")
        except OSError as error:
            raise DiademaError(f"cannot write {out}: {error.strerror}") from error
    print(f"{public} ({signing.fingerprint(public)})")


def _show(where: "DataDir", signed: "Signed", public: str) -> None:
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
    from diadema.stations.technician import screen

    language = screen.language(where)
    site = screen.site_of(where)
    record = signed.record
    screen.say(verdict(signed, language))
    at = day_and_time(signed.tested_utc, site.tz if site else ZoneInfo("UTC"))
    screen.say(f"{record.of[0]} · {record.board} {record.firmware} · {at} · {record.by}")
    for name, outcome in signed.checks.items():
        screen.say(f"  {check(name, language)}: {result(outcome, language)}")
    for line in to_do(signed, language):
        screen.say(line)
    screen.say(standing_text(standing(signed, public), signed.key, language))


def _print_json(signed: "Signed") -> None:
    import msgspec

    from diadema.stations.selftest.record import standing

    told = msgspec.to_builtins(signed)
    print(json.dumps(told | {"standing": standing(signed, signed.key)}))


def _data(data: Path | None) -> "DataDir":
    from diadema.base.paths import DataDir

    return DataDir(data_root(data))


def _site(where: "DataDir") -> "Site":
    from diadema.site.description import load

    return load(where.site)
