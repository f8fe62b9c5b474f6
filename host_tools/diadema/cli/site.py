"""`diadema site`: puts a site's description in force: checked, stored, and given to a hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError, why
from diadema.cli.people import refuse_losses, show_differences
from diadema.cli.run import AsJson, Data, Run
from diadema.cli.speech import say, use_site
from diadema.words import Sentence

if TYPE_CHECKING:
    from diadema.site.description import Site
    from diadema.site.directory.publishing import Difference


def site(
    file: Annotated[
        Path, typer.Argument(help="The site's description; `example` prints one to start from.")
    ],
    data: Data = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only look whether it is right, and what it would change."),
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="The file has everything: take out what it lacks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a site's description and put it in force.

    Says first what would change. People, seats and anything else that the file lacks go out with
    --whole only. A hub that runs gives it to the stations at once.

    Example: diadema site example
    """
    if file == Path("example") and not file.exists():
        print(example())
        return
    use_site(file)
    run = Run(data, as_json=as_json)
    found = _changes(run, file)
    if not as_json:
        show_differences(found)
    if not (check or whole):
        refuse_losses(file, found)
    done = install_site(file, None if check else run.data.root)
    lines = [say("site.right", stations=done["stations"], agents=done["agents"])]
    if done["generation"] is not None:
        lines.append(say("in_force", generation=done["generation"]))
    elif not check:
        lines.append(say("stored"))
    if not check and run.data.directory.exists():
        lines.append(say("site.people_too"))
    run.answer(done | {"differences": found}, *lines)


def install_site(file: Path, root: Path | None) -> dict[str, Any]:
    """Check `file`; store it under `root` unless that is None. `generation` is what the running
    hub says, None without one. Raises SiteError or DiademaError.
    """
    from diadema.site.file import hashed, keep

    described, checked = _read(file)  # before anything is made under `root`
    done: dict[str, Any] = {
        "stations": len(checked.stations),
        "agents": len(checked.agents),
        "generation": None,
    }
    if root is not None:
        run = Run(root)
        run.data.make()
        described = hashed(run.data.site, described)
        _checked(described, str(file))  # an id may be that of a badge which it has by its hash
        keep(run.data.site, described)
        if run.data.read_hub() is not None:
            done["generation"] = int(run.ask_hub("hub.site", {})["generation"])
    return done


def _read(file: Path) -> "tuple[bytes, Site]":
    from diadema.site.file import whole

    try:
        described = whole(file)
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error
    return described, _checked(described, str(file))


def _changes(run: Run, file: Path) -> "list[Difference]":
    """Nothing where nothing is known of people and places yet."""
    from diadema.site.directory.people_of import day_at
    from diadema.site.directory.publishing import replacing

    described, _ = _read(file)
    return replacing(run.data, described, day_at(run.data, run.now_ms))


def example() -> str:
    """A description to start from; right as it stands."""
    from diadema.site.example import EXAMPLE

    return EXAMPLE


def _checked(described: bytes, file: str) -> "Site":
    from diadema.site.description import SiteError, parse
    from diadema.site.station_config import check_sizes

    try:
        checked = parse(described)
        check_sizes(checked)
    except SiteError as error:  # under the name that the person gave
        raise SiteError(error.key, error.reason, file) from error
    return checked
