"""`diadema fleet`: the stations as things, for technicians."""

import asyncio
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, console, group, print_json, writing
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.stations.fleet import StationHistory, StationRow

app = group("The stations.")

Name = Annotated[str, typer.Argument(metavar="STATION", help="Its id, or its seat.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the history.")]
_WORDS = "en"  # as all that these commands say
_HEALTH = (
    "heap", "gc_free", "idf", "idf_largest", "idf_least", "journal", "discards", "bad_frames",
    "rssi",
)  # fmt: skip
_TREND = 12  # entries shown of a past
_WIDE = 200  # columns, where nobody's screen says how many


@app.command("list")
def show_all(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """List every station, with what is wrong with it.

    Example: diadema fleet list
    """
    from diadema.stations.fleet import all_stations

    run = Run(data, clock)
    rows = all_stations(run.data, run.now_ms)
    if as_json:
        print_json(rows)
    else:
        _table(rows)


@app.command()
def show(station: Name, data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """Show one station, and how its health went.

    Example: diadema fleet show A-01
    """
    from diadema.stations.fleet import station_history

    run = Run(data, clock)
    found = station_history(run.data, station, run.now_ms)
    if as_json:
        print_json(found)
    else:
        _one(found)


@app.command()
def log(
    station: Name,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="From the end.")] = 40,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Print the end of what a station wrote on its cable.

    Example: diadema fleet log A-01 --lines 40
    """
    from diadema.stations.diagnosis import tail
    from diadema.stations.fleet import station_history

    run = Run(data, clock)
    found = station_history(run.data, station, run.now_ms)
    for line in tail(run.data, found.row.station).splitlines()[-lines:]:
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
    """Write all that helps to find out what a station has into one file, without secrets.

    Example: diadema fleet bundle A-01 -o A-01.zip
    """
    from diadema.base.sanitize import file_name
    from diadema.stations.diagnosis import diagnosis

    run = Run(data, clock)
    made = diagnosis(run.data, station, run.now_ms)
    file = out or Path(f"{file_name(station)}.zip")
    with writing(file):
        file.write_bytes(made)
    print(f"{file}: {len(made)} bytes")


@app.command()
def rename(
    station: Name,
    seat: Annotated[str, typer.Argument(help="How the seat is called from now on.")],
    by: By,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Give a seat another name; the station that stands there stays.

    Example: diadema fleet rename A-01 B-01 --by ANA
    """
    from diadema.stations.seats import rename_seat

    run = Run(data, clock)
    generation = asyncio.run(rename_seat(run.data, station, seat, by=by, clock=run.clock))
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
    """Take a station to another seat.

    Example: diadema fleet move A-01 A-02 --by ANA --replace
    """
    from diadema.base.errors import FleetError
    from diadema.stations.fleet import all_stations
    from diadema.stations.seats import take_seat

    run = Run(data, clock)
    rows = all_stations(run.data, run.now_ms)
    s = next((row.station for row in rows if station in (row.station, row.seat)), None)
    if s is None:
        raise FleetError(f"no station {station}: `diadema fleet list` names all")
    if not replace and (other := next((row for row in rows if row.seat == seat), None)):
        raise FleetError(
            f"{other.station} stands at {seat}: say --replace if this one takes its place"
        )
    done = take_seat(run.data, s, seat, replace=True, by=by, clock=run.clock)
    print(f"{s} stands at {seat}, in force as generation {asyncio.run(done)}.")


@app.command()
def retire(station: Name, by: By, data: Data = None, clock: Clock = None) -> None:
    """Take a station out of the site; it may not connect any more, and its past stays.

    Example: diadema fleet retire A-01 --by ANA
    """
    from diadema.stations.seats import retire_station

    run = Run(data, clock)
    s, generation = asyncio.run(retire_station(run.data, station, by=by, clock=run.clock))
    print(f"{s} is of the site no longer, in force as generation {generation}.")


@app.command()
def revoke(station: Name, data: Data = None, clock: Clock = None) -> None:
    """End a station's credential by MQTT, until `diadema enrol --renew` makes a new one.

    Example: diadema fleet revoke A-01
    """
    from diadema.hub.enrolment import enrol
    from diadema.stations.fleet import station_history

    run = Run(data, clock)
    s = station_history(run.data, station, run.now_ms).row.station
    enrol(run.data, s, revoke=True)
    print(f"{s} may not connect.")


def _time(utc: int | None) -> str:
    return "" if utc is None else f"{local_time(utc, UTC, 'day_minute')} UTC"


def _wrong(row: "StationRow") -> str:
    """In a few words, what a technician should look at."""
    from diadema.stations import trouble

    found = [
        *trouble.start(row.needs_image, row.safe, row.cause, row.board, _WORDS),
        *(trouble.fault(fault, _WORDS) for fault in row.faults),
    ]
    if row.unfit:
        found.append(f"unfit: {trouble.check(row.unfit, _WORDS)}")
    if row.seat is None:
        found.append("of no seat")
    elif row.generation != row.wanted:
        found.append(f"has generation {row.generation}, not {row.wanted}")
    if row.revoked:
        found.append("revoked")
    if row.phase == "failed":
        found.append(f"update failed: {trouble.reason(row.reason or '', _WORDS)}")
    return ", ".join(found)


def _tested(row: "StationRow") -> str:
    if row.test_fit is None:
        return ""
    return f"{'fit' if row.test_fit else 'unfit'} {_time(row.test_utc)} {row.test_by}"


def _table(rows: "Sequence[StationRow]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    screen = console(wide=_WIDE, soft_wrap=True)
    table = Table("seat", "station", "board", "program", "MicroPython", "link", "last heard",
                  "memory (the chip's)", "journal", "update", "bench test",
                  "what is wrong", box=SIMPLE_HEAD)  # fmt: skip
    for row in rows:
        fill = "" if row.journal is None else f"{row.journal} %"
        ways = "+".join(row.ways) if row.link != "lost" else ""
        table.add_row(row.seat or "", row.station, row.board, row.version,
                      f"{row.micropython} {row.build}".strip(), f"{row.link} {ways}".strip(),
                      _time(row.seen_utc), row.memory, fill, row.phase or "", _tested(row),
                      _wrong(row))  # fmt: skip
    screen.print(table)
    up = sum(row.link != "lost" for row in rows)
    wrong = sum(bool(_wrong(row)) for row in rows)
    screen.print(f"{len(rows)} stations, {up} there, {wrong} with something wrong")
    screen.print(_proof(rows))
    for line in _authorities(rows):
        screen.print(line)


def _proof(rows: "Sequence[StationRow]") -> str:
    """Whether the hub may ask for proof, or which stations of the site would not be heard then."""
    seated = [row for row in rows if row.seat is not None]
    silent = [row.seat for row in seated if row.seat and not row.proves]
    if not silent:
        return (
            "all can prove who they are: `diadema hub --require-proof` hears no other on a cable"
        )
    return f"not shown yet by {len(silent)} that they can prove who they are: {_few(silent)}"


def _authorities(rows: "Sequence[StationRow]") -> list[str]:
    """While the broker's CA is changed: who keeps the old one in force."""
    stations = [row.seat or row.station for row in rows if row.ca_due]
    gateways = sorted({row.gw_due for row in rows if row.gw_due})
    found = []
    if stations:
        found.append(f"next CA of the broker not held yet by {len(stations)}: {_few(stations)}")
    if gateways:
        found.append(
            f"next CA of the broker not in the file of gateways elsewhere: {_few(gateways)}; "
            "`diadema enrol gateway NAME --json` makes it anew, --revoke ends one that is gone"
        )
    return found


def _few(names: "Sequence[str]") -> str:
    return ", ".join(names[:_TREND]) + (", …" if len(names) > _TREND else "")


def _one(found: "StationHistory") -> None:
    from rich.table import Table

    from diadema.stations import trouble

    screen = console(soft_wrap=True)
    row = found.row
    screen.print(
        f"{row.seat or 'of no seat'} · {row.station} · {row.board} · "
        f"program {row.version} on MicroPython {row.micropython or '?'} {row.build}".rstrip()
    )
    screen.print(f"link {row.link}, last heard {_time(row.seen_utc)}, {row.reconnects} times "
                  f"connected in a day, generation {row.generation} of {row.wanted}")  # fmt: skip
    screen.print(f"last bench test: {_tested(row) or 'none'}")
    screen.print(_wrong(row) or "nothing is wrong with it")
    if row.needs_image:
        screen.print(trouble.image_advice(row.needs_image, row.board, _WORDS))
    for title, entries, names in (
        (
            "health",
            found.health,
            _HEALTH,
        ),
        ("start", found.boots, ("cause", "firmware", "torn", "text")),
        ("update", found.updates, ("phase", "version", "next", "reason", "detail")),
    ):
        if not entries:
            continue
        table = Table(title, *names)
        for entry in entries[:_TREND]:
            table.add_row(_time(entry["utc"]), *(_cell(entry.get(name)) for name in names))
        screen.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
