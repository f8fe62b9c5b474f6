"""`diadema flash`: boards side by side, a row each."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Data, Run, console, print_json, read_file
from diadema.cli.speech import language, say
from diadema.words import said

if TYPE_CHECKING:
    from diadema.stations.flash.run import FlashResult, Job


def flash(
    image: Annotated[Path, typer.Option("--image", help="As `diadema image build` made it.")],
    port: Annotated[
        list[str] | None, typer.Option("--port", help="As /dev/ttyUSB0; can be repeated.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every USB port that a board may be on.")
    ] = False,
    erase_journal: Annotated[
        bool, typer.Option("--erase-journal", help="A new journal; the old one's events are kept.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="As a new board: its own files and its journal go too."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even if a journal's events cannot be kept.")
    ] = False,
    baud: Annotated[int, typer.Option(min=9600, help="Of the cable.")] = 921_600,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write an image to boards on these ports.

    Each is read back. What is right already is not written again: after a pulled cable, repeat
    the command. What a station has of its own stays: journal, key, configuration, Wi-Fi. Where its
    files cannot be read, the hub that runs gives its configuration again; where a journal must go,
    its events are stored first. Exit code 1 when a board failed.

    Example: diadema flash --image station.bin --all
    """
    from diadema.stations.flash.plan import read_plan
    from diadema.stations.flash.run import Job, chosen_ports

    plan = read_plan(read_file(image))
    ports = chosen_ports(port or [], everything)
    run = Run(data, as_json=as_json)
    job = Job(plan, run.data, force=force, erase_journal=erase_journal, fresh=fresh, baud=baud)
    done = _all_at_once(job, ports, quiet=run.quiet)
    if as_json:
        boards = [_as_json(one) for one in done]
        print_json({"board": plan.board, "version": plan.version, "boards": boards})
    else:
        _show(done)
    sys.exit(1 if any(one.error for one in done) else 0)


def _all_at_once(job: "Job", ports: list[str], *, quiet: bool) -> "list[FlashResult]":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
    from rich.table import Column

    whole = Column(no_wrap=True)  # the port is what tells boards apart
    columns = (
        TextColumn("{task.fields[port]}", table_column=whole), BarColumn(), DownloadColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    with (
        Progress(*columns, console=Console(stderr=True), disable=quiet) as bars,
        ThreadPoolExecutor(len(ports)) as pool,
    ):
        rows = {port: bars.add_task("", total=job.plan.size, port=port) for port in ports}
        job.watch.stage = lambda port, text: bars.update(
            rows[port], description=str(said(text, language()))
        )
        job.watch.advance = lambda port, more: bars.update(rows[port], advance=more)
        return list(pool.map(job.run, ports))


def _as_json(one: "FlashResult") -> dict[str, object]:
    found, journal = one.found, one.saved
    return {
        "port": one.port,
        "verified": not one.error,
        "error": one.error,
        "station": found.station if found else None,
        "mac": found.mac if found else None,
        "chip": found.chip if found else None,
        "flash_bytes": found.flash_bytes if found else None,
        "psram": found.psram if found else None,
        "written": one.written,
        "sent": one.sent,
        "right": one.right,
        "journal": one.journal,
        "files": one.files.names,
        "files_from": one.files.source,
        "files_damaged": one.files.damaged,
        "files_unread": str(one.files.unread),
        "kept_events": journal.events if journal else 0,
        "refused_events": journal.refused if journal else 0,
        "kept_in": str(journal.path) if journal and journal.path else None,
        "stored": journal.stored if journal else None,
    }


def _show(done: "list[FlashResult]") -> None:
    line = console(soft_wrap=True, markup=False).print
    for one in done:
        if one.found:
            found, psram = one.found, f", {one.found.psram}" if one.found.psram else ""
            size = say("flash.size", megabytes=found.flash_bytes >> 20)
            line(f"{one.port}: {found.station}, {found.chip}, {size}{psram}")
        if one.saved and one.saved.path:
            _show_journal(line, one)
        for about in _of_files(one):
            line(f"{one.port}: {about}")
        if one.error:
            line(f"{one.port}: {said(one.failure, language())}")
        else:
            journal = say("flash.journal.new" if one.journal == "new" else "flash.journal.left")
            values = {"written": one.written, "right": one.right, "journal": journal}
            line(f"{one.port}: {say('flash.verified', **values)}")
    failed = sum(bool(one.error) for one in done)
    if failed:
        line(say("flash.failed", failed=failed, count=len(done)))


def _of_files(one: "FlashResult") -> Iterator[str]:
    """Their names only: what stands in them is secret."""
    files = one.files
    if files.unread:
        yield say("flash.unread", error=files.unread)
    if files.damaged:
        yield say("flash.damaged", names=", ".join(files.damaged))
    if files.source:
        source = files.source if files.source in ("board", "copy") else "hub"
        yield say(f"flash.files.{source}", names=", ".join(files.names))
    if files.why:
        yield say("flash.no_configuration", why=files.why)


def _show_journal(line: Callable[[str], None], one: "FlashResult") -> None:
    journal = one.saved
    assert journal is not None
    values = {"path": journal.path, "events": journal.events, "why": journal.why}
    if journal.unreadable:
        unread = say("flash.sectors_unread", count=journal.unreadable, path=journal.path)
        line(f"{one.port}: {unread}")
    if journal.refused:
        copy = journal.path.with_suffix(".bin") if journal.path else ""
        line(f"{one.port}: {say('flash.refused', count=journal.refused, path=copy)}")
    if journal.stored:
        line(f"{one.port}: {say('flash.stored', **values)}")
    elif journal.events:
        line(f"{one.port}: {say('flash.not_stored', **values)}")
