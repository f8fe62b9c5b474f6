"""`diadema upgrade`: the databases of a directory for this program, after a backup."""

from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run
from diadema.cli.speech import say

if TYPE_CHECKING:
    from diadema.maintenance.upgrade import Step


def upgrade(
    data: Data = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")
    ] = False,
    without_backup: Annotated[
        bool, typer.Option("--without-backup", help="Go on though no backup of today is known.")
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Bring the databases to this program's layouts.

    No hub may run.

    Example: diadema upgrade --dry-run
    """
    from diadema.maintenance.upgrade import plan
    from diadema.maintenance.upgrade import upgrade as work

    run = Run(data, clock, as_json=as_json)
    if dry_run:
        steps = plan(run.data)
        run.answer(steps, *(_planned(step) for step in steps), *_nothing(steps))
        raise typer.Exit(1 if any(_is_refused(step) for step in steps) else 0)
    with run.status() as tell:
        done = work(
            run.data,
            run.clock,
            without_backup=without_backup,
            tell=lambda step: tell(_done(step)),
        )
    rebuild = [say("upgrade.then_rebuild")] if any(one.rebuild_seconds for one in done) else []
    run.answer(done, *(_done(step) for step in done), *rebuild, *_nothing(done))


def _nothing(steps: "list[Step]") -> list[str]:
    return [] if any(step.has != step.wants for step in steps) else [say("upgrade.nothing")]


def _is_refused(step: "Step") -> bool:
    return step.is_newer and not _is_sums(step)


def _is_sums(step: "Step") -> bool:
    return step.file == "rollups.sqlite3"


def _done(step: "Step") -> str:
    return say("upgrade.done", file=step.file, has=step.has, wants=step.wants)


def _planned(step: "Step") -> str:
    values = {"file": step.file, "has": step.has, "wants": step.wants}
    if step.has == step.wants:
        return say("upgrade.is_right", **values)
    if _is_sums(step):
        return say("upgrade.anew", **values)
    if step.is_newer:
        return say("upgrade.is_newer", **values)
    megabytes = f"{step.bytes / 1e6:,.1f}"
    line = say("upgrade.planned", megabytes=megabytes, duration=_roughly(step.seconds), **values)
    if step.rebuild_seconds is None:
        return line
    return f"{line} {say('upgrade.rebuild', duration=_roughly(step.rebuild_seconds))}"


def _roughly(seconds: int) -> str:
    if seconds < 60:
        return say("upgrade.under_a_minute")
    return say("upgrade.minutes", minutes=-(-seconds // 60))
