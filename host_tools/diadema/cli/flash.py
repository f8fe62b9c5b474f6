"""`diadema flash`: boards side by side, a row each."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.options import AsJson, Data, data_root

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
    """Write an image to the boards on these ports, and read each one back.

    What is right already is not written again: after a pulled cable, repeat the command. What a
    station has of its own stays: journal, key, configuration, Wi-Fi. Where its files cannot be
    read, the hub that runs gives its configuration again; where a journal must go, its events are
    kept first. Exit code 1 when a board failed.
    """
    from diadema.base.errors import DiademaError
    from diadema.base.paths import DataDir
    from diadema.stations.flash.plan import read_plan
    from diadema.stations.flash.run import Job, chosen_ports

    try:
        plan = read_plan(image.read_bytes())
    except OSError as error:
        raise DiademaError(f"cannot read {image}: {error.strerror}") from error
    ports = chosen_ports(port or [], everything)
    where = DataDir(data_root(data))
    job = Job(plan, where, force=force, erase_journal=erase_journal, fresh=fresh, baud=baud)
    done = _run(job, ports, quiet=as_json or not sys.stderr.isatty())
    if as_json:
        print(json.dumps({"board": plan.board, "version": plan.version,
                          "boards": [_as_json(one) for one in done]}))  # fmt: skip
    else:
        _tell(done)
    sys.exit(1 if any(one.error for one in done) else 0)


def _run(job: "Job", ports: list[str], *, quiet: bool) -> "list[FlashResult]":
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
        job.watch.stage = lambda port, text: bars.update(rows[port], description=text)
        job.watch.advance = lambda port, more: bars.update(rows[port], advance=more)
        return list(pool.map(job.run, ports))


def _as_json(one: "FlashResult") -> dict[str, object]:
    found, saved = one.found, one.saved
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
        "files_unread": one.files.unread,
        "kept_events": saved.events if saved else 0,
        "refused_events": saved.refused if saved else 0,
        "kept_in": str(saved.path) if saved and saved.path else None,
        "stored": saved.stored if saved else None,
    }


def _tell(done: "list[FlashResult]") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for one in done:
        if one.found:
            found, psram = one.found, f", {one.found.psram}" if one.found.psram else ""
            console.print(f"{one.port}: {found.station}, {found.chip}, "
                          f"{found.flash_bytes >> 20} MB flash{psram}")  # fmt: skip
        if one.saved and one.saved.path:
            _show_saved(console.print, one)
        for told in _of_files(one):
            console.print(f"{one.port}: {told}")
        if one.error:
            console.print(f"{one.port}: {one.error}")
        else:
            console.print(f"{one.port}: verified; {one.written} bytes written, {one.right} were "
                          f"right already; journal {one.journal}")  # fmt: skip
    failed = sum(bool(one.error) for one in done)
    if failed:
        console.print(f"{failed} of {len(done)} failed: see to them and repeat the command")


def _of_files(one: "FlashResult") -> Iterator[str]:
    """Their names only: what stands in them is secret."""
    files = one.files
    if files.unread:
        yield f"its file system cannot be read: {files.unread}"
    if files.damaged:
        yield f"damaged, and given up: {', '.join(files.damaged)}"
    if files.source:
        where = {"board": "", "copy": ", as an earlier run had read them"}.get(
            files.source, ", its configuration from the hub"
        )
        yield f"its own files: {', '.join(files.names)}{where}"
    if files.why:
        yield f"it has no configuration ({files.why}): `diadema provision` gives it one"


def _show_saved(say: Callable[[str], None], one: "FlashResult") -> None:
    saved = one.saved
    assert saved is not None
    if saved.unreadable:
        say(f"{one.port}: {saved.unreadable} journal sectors cannot be read: {saved.path}")
    if saved.refused:
        copy = saved.path.with_suffix(".bin") if saved.path else ""
        say(f"{one.port}: {saved.refused} events of its journal are not of this station, and are "
            f"not taken; they stay in {copy}")  # fmt: skip
    if saved.stored:
        say(f"{one.port}: {saved.events} events of its journal are stored; also in {saved.path}")
    elif saved.events:
        say(
            f"{one.port}: {saved.events} events of its journal are in {saved.path}, not yet in "
            f"the store ({saved.why}). `diadema import journal {saved.path}` takes them in"
        )
