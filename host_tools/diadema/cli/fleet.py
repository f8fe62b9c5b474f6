"""`diadema fleet`: the stations as things, for technicians."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

if TYPE_CHECKING:
    from diadema.base.paths import DataDir
    from diadema.stations.fleet.reading import One, Row

app = typer.Typer(help="The stations.", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="STATION", help="Its id, or its seat.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the history.")]
_WORDS = "en"  # as all that these commands say
_TREND = 12  # entries shown of a past
_WIDE = 200  # columns, where nobody's screen says how many


@app.command("list")
def show_all(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """List every station, with what is wrong with it."""
    import msgspec

    from diadema.stations.fleet.reading import fleet

    rows = fleet(_data(data), _now(clock))
    if as_json:
        print(json.dumps(msgspec.to_builtins(rows)))
    else:
        _table(rows)


@app.command()
def show(
    station: Name, data: Data = None, as_json: AsJson = False, clock: Clock = None
) -> None:  # fmt: skip
    """Show one station, and how its health went."""
    import msgspec

    from diadema.stations.fleet.reading import one

    found = one(_data(data), station, _now(clock))
    if as_json:
        print(json.dumps(msgspec.to_builtins(found)))
    else:
        _one(found)


@app.command()
def log(
    station: Name,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="From the end.")] = 40,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Print the end of what a station wrote on its cable."""
    from diadema.stations.fleet.diagnosis import tail
    from diadema.stations.fleet.reading import one

    found = one(_data(data), station, _now(clock))
    for line in tail(_data(data), found.row.station).splitlines()[-lines:]:
        print("".join(each if each.isprintable() or each == "\t" else "\ufffd" for each in line))


@app.command()
def bundle(
    station: Name,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Default: STATION.zip, here.")
    ] = None,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Write all that helps to find out what a station has into one file, without secrets."""
    from diadema.base.errors import FleetError
    from diadema.base.sanitize import file_name
    from diadema.stations.fleet.diagnosis import diagnosis

    made = diagnosis(_data(data), station, _now(clock))
    file = out or Path(f"{file_name(station)}.zip")
    try:
        file.write_bytes(made)
    except OSError as error:
        raise FleetError(f"cannot write {file}: {error.strerror}") from error
    print(f"{file}: {len(made)} bytes")


@app.command()
def rename(
    station: Name,
    seat: Annotated[str, typer.Argument(help="How the seat is called from now on.")],
    by: By,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Give a seat another name; the station that stands there stays."""
    from diadema.base.clock import open_clock
    from diadema.stations.fleet.places import rename as put

    generation = asyncio.run(put(_data(data), station, seat, by=by, clock=open_clock(clock)))
    print(f"It is {seat} now, in force as generation {generation}.")


@app.command()
def move(
    station: Annotated[str, typer.Argument(help="Its id, or the seat where it stands.")],
    seat: Annotated[str, typer.Argument(help="Where it stands from now on.")],
    by: By,
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of the station that stands there.")
    ] = False,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Take a station to another seat."""
    from diadema.base.clock import open_clock
    from diadema.base.errors import FleetError
    from diadema.stations.fleet.reading import fleet
    from diadema.stations.provision.seat import take_seat

    where = _data(data)
    rows = fleet(where, _now(clock))
    s = next((row.station for row in rows if station in (row.station, row.seat)), None)
    if s is None:
        raise FleetError(f"no station {station}: `diadema fleet list` names all")
    if not replace and (other := next((row for row in rows if row.seat == seat), None)):
        raise FleetError(
            f"{other.station} stands at {seat}: say --replace if this one takes its place"
        )
    done = take_seat(where, s, seat, replace=True, by=by, clock=open_clock(clock))
    print(f"{s} stands at {seat}, in force as generation {asyncio.run(done)}.")


@app.command()
def retire(station: Name, by: By, data: Data = None, clock: Clock = None) -> None:
    """Take a station out of the site; it may not connect any more, and its past stays."""
    from diadema.base.clock import open_clock
    from diadema.stations.fleet.places import retire as put

    s, generation = asyncio.run(put(_data(data), station, by=by, clock=open_clock(clock)))
    print(f"{s} is of the site no longer, in force as generation {generation}.")


@app.command()
def revoke(station: Name, data: Data = None, clock: Clock = None) -> None:
    """End a station's credential by MQTT, until `diadema enrol --renew` makes a new one."""
    from diadema.hub.enrol import enrol
    from diadema.stations.fleet.reading import one

    s = one(_data(data), station, _now(clock)).row.station
    enrol(_data(data), s, revoke=True)
    print(f"{s} may not connect.")


def _data(data: Path | None) -> "DataDir":
    from diadema.base.paths import DataDir

    return DataDir(data_root(data))


def _now(clock: Path | None) -> int:
    from diadema.base.clock import open_clock

    return open_clock(clock).now_ms()


def _hour(utc: int | None) -> str:
    return "" if utc is None else f"{datetime.fromtimestamp(utc / 1000, UTC):%d/%m %H:%M} UTC"


def _wrong(row: "Row") -> str:
    """In a few words, what a technician should look at."""
    from diadema.stations.fleet import reading

    found = [
        *reading.start(row.needs_image, row.safe, row.cause, row.board, _WORDS),
        *(reading.fault(fault, _WORDS) for fault in row.faults),
    ]
    if row.unfit:
        found.append(f"unfit: {reading.check(row.unfit, _WORDS)}")
    if row.seat is None:
        found.append("of no seat")
    elif row.generation != row.wanted:
        found.append(f"has generation {row.generation}, not {row.wanted}")
    if row.revoked:
        found.append("revoked")
    if row.phase == "failed":
        found.append(f"update failed: {reading.reason(row.reason or '', _WORDS)}")
    return ", ".join(found)


def _tested(row: "Row") -> str:
    if row.test_fit is None:
        return ""
    return f"{'fit' if row.test_fit else 'unfit'} {_hour(row.test_utc)} {row.test_by}"


def _table(rows: "Sequence[Row]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDE
    table = Table("seat", "station", "board", "program", "MicroPython", "link", "last heard",
                  "memory (the chip's)", "journal", "update", "bench test",
                  "what is wrong", box=SIMPLE_HEAD)  # fmt: skip
    for row in rows:
        fill = "" if row.journal is None else f"{row.journal} %"
        ways = "+".join(row.ways) if row.link != "lost" else ""
        table.add_row(row.seat or "", row.station, row.board, row.version,
                      f"{row.micropython} {row.build}".strip(), f"{row.link} {ways}".strip(),
                      _hour(row.seen_utc), row.memory, fill, row.phase or "", _tested(row),
                      _wrong(row))  # fmt: skip
    console.print(table)
    up = sum(row.link != "lost" for row in rows)
    wrong = sum(bool(_wrong(row)) for row in rows)
    console.print(f"{len(rows)} stations, {up} there, {wrong} with something wrong")
    console.print(_proof(rows))
    for line in _authorities(rows):
        console.print(line)


def _proof(rows: "Sequence[Row]") -> str:
    """Whether the hub may ask for proof, or which stations of the site would not be heard then."""
    seated = [row for row in rows if row.seat is not None]
    silent = [row.seat for row in seated if row.seat and not row.proves]
    if not silent:
        return (
            "all can prove who they are: `diadema hub --require-proof` hears no other on a cable"
        )
    return f"not shown yet by {len(silent)} that they can prove who they are: {_few(silent)}"


def _authorities(rows: "Sequence[Row]") -> list[str]:
    """While the broker's CA is changed: who keeps the old one in force."""
    stations = [row.seat or row.station for row in rows if row.ca_due]
    gateways = sorted({row.gw_due for row in rows if row.gw_due})
    told = []
    if stations:
        told.append(f"next CA of the broker not held yet by {len(stations)}: {_few(stations)}")
    if gateways:
        told.append(
            f"next CA of the broker not in the file of gateways elsewhere: {_few(gateways)}; "
            "`diadema enrol gateway NAME --json` makes it anew, --revoke ends one that is no more"
        )
    return told


def _few(names: "Sequence[str]") -> str:
    return ", ".join(names[:_TREND]) + (", …" if len(names) > _TREND else "")


def _one(found: "One") -> None:
    from rich.console import Console
    from rich.table import Table

    from diadema.stations.fleet import reading

    console = Console(highlight=False, soft_wrap=True)
    row = found.row
    console.print(
        f"{row.seat or 'of no seat'} · {row.station} · {row.board} · "
        f"program {row.version} on MicroPython {row.micropython or '?'} {row.build}".rstrip()
    )
    console.print(f"link {row.link}, last heard {_hour(row.seen_utc)}, {row.reconnects} times "
                  f"connected in a day, generation {row.generation} of {row.wanted}")  # fmt: skip
    console.print(f"last bench test: {_tested(row) or 'none'}")
    console.print(_wrong(row) or "nothing is wrong with it")
    if row.needs_image:
        console.print(reading.image_advice(row.needs_image, row.board, _WORDS))
    for title, entries, names in (
        (
            "health",
            found.health,
            (
                "heap",
                "gc_free",
                "idf",
                "idf_largest",
                "idf_least",
                "journal",
                "discards",
                "bad_frames",
                "rssi",
            ),
        ),
        ("start", found.boots, ("cause", "firmware", "torn", "text")),
        ("update", found.updates, ("phase", "version", "next", "reason", "detail")),
    ):
        if not entries:
            continue
        table = Table(title, *names)
        for entry in entries[:_TREND]:
            table.add_row(_hour(entry["utc"]), *(_cell(entry.get(name)) for name in names))
        console.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
