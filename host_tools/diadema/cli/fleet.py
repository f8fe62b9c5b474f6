"""`diadema fleet`: the stations as things, for technicians."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, console, group, print_json, writing
from diadema.cli.speech import language, say
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diadema.stations.fleet import StationHistory, StationRow

app = group("The stations.")

Name = Annotated[str, typer.Argument(metavar="STATION", help="Its id, or its seat.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the history.")]
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
        _table(rows, run.zone)


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
        _one(found, run.zone)


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
    print(say("fleet.bundle", file=file, count=len(made)))


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
    print(say("fleet.renamed", seat=seat, generation=generation))


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
        raise FleetError(Sentence("errors.cli.no_station_station_diadema_fleet", station=station))
    if not replace and (other := next((row for row in rows if row.seat == seat), None)):
        raise FleetError(
            Sentence(
                "errors.cli.station_stands_seat_say_replace", station=other.station, seat=seat
            )
        )
    done = take_seat(run.data, s, seat, replace=True, by=by, clock=run.clock)
    print(say("fleet.moved", s=s, seat=seat, generation=asyncio.run(done)))


@app.command()
def retire(station: Name, by: By, data: Data = None, clock: Clock = None) -> None:
    """Take a station out of the site; it may not connect any more, and its past stays.

    Example: diadema fleet retire A-01 --by ANA
    """
    from diadema.stations.seats import retire_station

    run = Run(data, clock)
    s, generation = asyncio.run(retire_station(run.data, station, by=by, clock=run.clock))
    print(say("fleet.retired", s=s, generation=generation))


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
    print(say("enrol.revoked", whom=s))


def _time(utc: int | None, zone: "ZoneInfo") -> str:
    return "" if utc is None else local_time(utc, zone, "day_minute")


def _wrong(row: "StationRow") -> str:
    """In a few words, what a technician should look at."""
    from diadema.stations import trouble

    found = [
        *trouble.start(row.needs_image, row.safe, row.cause, row.board, language()),
        *(trouble.fault(fault, language()) for fault in row.faults),
    ]
    if row.unfit:
        found.append(say("fleet.unfit", what=trouble.check(row.unfit, language())))
    if row.seat is None:
        found.append(say("fleet.no_seat"))
    elif row.generation != row.wanted:
        found.append(say("fleet.generation", has=row.generation, wanted=row.wanted))
    if row.revoked:
        found.append(say("fleet.revoked"))
    if row.phase == "failed":
        found.append(say("fleet.failed", reason=trouble.reason(row.reason or "", language())))
    return ", ".join(found)


def _tested(row: "StationRow", zone: "ZoneInfo") -> str:
    if row.test_fit is None:
        return ""
    found = say(f"fleet.test.{'fit' if row.test_fit else 'unfit'}")
    return f"{found} {_time(row.test_utc, zone)} {row.test_by}"


def _table(rows: "Sequence[StationRow]", zone: "ZoneInfo") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    screen = console(wide=_WIDE, soft_wrap=True)
    table = Table(*say("fleet.columns").split(", "), box=SIMPLE_HEAD)
    for row in rows:
        fill = "" if row.journal is None else f"{row.journal} %"
        ways = "+".join(row.ways) if row.link != "lost" else ""
        table.add_row(row.seat or "", row.station, _board(row), row.version,
                      f"{row.micropython} {row.build}".strip(), f"{_link(row)} {ways}".strip(),
                      _time(row.seen_utc, zone), row.memory, fill, _phase(row), _tested(row, zone),
                      _wrong(row))  # fmt: skip
    screen.print(table)
    up = sum(row.link != "lost" for row in rows)
    wrong = sum(bool(_wrong(row)) for row in rows)
    counts = {"count": len(rows), "up": up, "lost": len(rows) - up, "wrong": wrong}
    screen.print(say("fleet.counts", **counts, zone=zone.key))
    screen.print(_proof(rows))
    for line in _authorities(rows):
        screen.print(line)


def _proof(rows: "Sequence[StationRow]") -> str:
    """Whether the hub may ask for proof, or which stations of the site would not be heard then."""
    seated = [row for row in rows if row.seat is not None]
    silent = [row.seat for row in seated if row.seat and not row.proves]
    if not silent:
        return say("fleet.all_prove")
    return say("fleet.not_proven", count=len(silent), names=_few(silent))


def _authorities(rows: "Sequence[StationRow]") -> list[str]:
    """While the broker's CA is changed: who keeps the old one in force."""
    stations = [row.seat or row.station for row in rows if row.ca_due]
    gateways = sorted({row.gw_due for row in rows if row.gw_due})
    found = []
    if stations:
        found.append(say("fleet.ca_due", count=len(stations), names=_few(stations)))
    if gateways:
        found.append(say("fleet.gateways_due", names=_few(gateways)))
    return found


def _few(names: "Sequence[str]") -> str:
    return ", ".join(names[:_TREND]) + (", …" if len(names) > _TREND else "")


def _board(row: "StationRow") -> str:
    return say("fleet.simulated") if row.simulated else row.board


def _link(row: "StationRow") -> str:
    return say(f"fleet.link.{row.link}")


def _phase(row: "StationRow") -> str:
    return say(f"update.phase.{row.phase}") if row.phase else ""


def _one(found: "StationHistory", zone: "ZoneInfo") -> None:
    from rich.table import Table

    from diadema.stations import trouble

    screen = console(soft_wrap=True)
    row = found.row
    screen.print(
        f"{row.seat or say('fleet.no_seat')} · {row.station} · {_board(row)} · "
        + say(
            "fleet.program",
            version=row.version,
            micropython=f"{row.micropython or '?'} {row.build}".rstrip(),
        )
    )
    heard = _time(row.seen_utc, zone) or "—"
    screen.print(say("fleet.about", link=_link(row), heard=heard, count=row.reconnects,
                     generation=row.generation, wanted=row.wanted))  # fmt: skip
    screen.print(say("fleet.tested", test=_tested(row, zone) or "—"))
    screen.print(_wrong(row) or say("fleet.nothing_wrong"))
    if row.needs_image:
        screen.print(trouble.image_advice(row.needs_image, row.board, language()))
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
        table = Table(say(f"fleet.of.{title}"), *names)
        for entry in entries[:_TREND]:
            table.add_row(_time(entry["utc"], zone), *(_cell(entry.get(name)) for name in names))
        screen.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
