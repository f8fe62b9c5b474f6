"""`diadema service`: the hub, a gateway or a standby as a service of systemd."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError
from diadema.cli.gateway import gateway as run_gateway
from diadema.cli.hub import hub as run_hub
from diadema.cli.run import AsJson, Data, Run, group
from diadema.cli.speech import say
from diadema.cli.standby import run as run_standby
from diadema.words import Sentence

if TYPE_CHECKING:
    from diadema.hub.units import Part, Plan, Units

app = group("The hub, a gateway or a standby as a service of systemd.")

Folder = Annotated[
    Path | None,
    typer.Option("--units", metavar="DIR", help="Folder of the units. Default: systemd's."),
]


@app.command()
def install(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="As `diadema hub` (or the other) takes them."),
    ] = None,
    gateway: Annotated[
        bool, typer.Option("--gateway", help="A gateway, on this machine or another.")
    ] = False,
    standby: Annotated[
        bool, typer.Option("--standby", help="A standby, on a machine of its own.")
    ] = False,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="Whose it runs as. Default: diadema."),
    ] = None,
    data: Data = None,
    units: Folder = None,
) -> None:
    """Write a unit for systemd, and say how to start it.

    As root it is one of the machine, else one of your own.

    Example: diadema service install -- --host 0.0.0.0
    """
    installed = _units(units)
    if user and not installed.system:
        raise DiademaError(Sentence("errors.cli.user_needs_root"))
    account = (user or "diadema") if installed.system else None
    part: Part = "gateway" if gateway else "standby" if standby else "hub"
    plan = _plan(part, words or [], data, account)
    path = installed.install(plan)
    print(say("service.written", file=path))
    if hidden := plan.hidden():
        print(say("service.hidden", paths=", ".join(map(str, hidden))))
    print(say("service.next"))
    print(shlex.join(installed.command("daemon-reload")))
    print(shlex.join(installed.command("enable", "--now", path.name)))
    if account:
        command = ["sudo", "-u", account, "diadema", "fleet", "list", "--data", str(plan.data)]
        print(say("service.as_user", user=account, command=shlex.join(command)))
    else:
        print(say("service.linger", command="loginctl enable-linger"))


@app.command()
def status(units: Folder = None, as_json: AsJson = False) -> None:
    """Say what is installed and whether it runs; exit code 1 when something is wrong.

    Example: diadema service status
    """
    from diadema.hub.units import PARTS, name_of

    installed, found, lines, wrong = _units(units), [], [], False
    for part in PARTS:
        file = installed.file(part)
        if not file.exists():
            continue
        ours, (active, enabled) = installed.ours(part), installed.state(part)
        found.append(
            {"unit": name_of(part), "file": file, "ours": ours, "active": active or None,
             "enabled": enabled or None}
        )  # fmt: skip
        if not ours:
            lines.append(say("service.not_ours", file=file))
            continue
        lines.append(
            say(
                "service.state",
                unit=name_of(part),
                state=say(f"service.active.{_known(active, _ACTIVE)}"),
                start=say(f"service.enabled.{_known(enabled, _ENABLED)}"),
            )
        )
        program = installed.program(part)
        if not program.exists():
            lines.append(say("service.program_gone", program=program))
        wrong |= active == "failed" or not program.exists()
    Run(as_json=as_json).answer(
        [each | {"file": str(each["file"])} for each in found], *(lines or [say("service.none")])
    )
    if wrong:
        raise typer.Exit(1)


@app.command()
def remove(units: Folder = None) -> None:
    """End what runs, and take our units away. Data stay.

    Example: diadema service remove
    """
    from diadema.hub.units import PARTS

    installed = _units(units)
    there = [part for part in PARTS if installed.file(part).exists()]
    for part in there:
        if installed.ours(part):
            installed.remove(part)
            print(say("service.removed", file=installed.file(part)))
        else:
            print(say("service.not_ours", file=installed.file(part)))
    print(say("service.data_stay") if there else say("service.none"))


_ACTIVE = ("active", "activating", "deactivating", "failed", "inactive")
_ENABLED = ("enabled", "disabled")


def _known(state: str, states: tuple[str, ...]) -> str:
    return state if state in states else "unknown"


def _units(folder: Path | None) -> "Units":
    from diadema.hub.units import Units

    return Units(system=os.geteuid() == 0, folder=folder and folder.absolute())


def _plan(part: "Part", words: list[str], data: Path | None, user: str | None) -> "Plan":
    """Those words as the command itself understands them, with whole paths. Raises what Click says
    is wrong with them.
    """
    from diadema.base.backups import read_backups
    from diadema.base.paths import DataDir
    from diadema.hub.units import SYSTEM_DATA, Plan

    verbs: dict[Part, Callable[..., None]] = {
        "hub": run_hub, "gateway": run_gateway, "standby": run_standby,
    }  # fmt: skip
    single = typer.Typer(add_completion=False)
    single.command(part)(verbs[part])
    command = typer.main.get_command(single)
    context = command.make_context(f"diadema {part}", list(words))
    given: dict[str, Any] = dict(context.params)
    chosen = given.pop("data") or data or (SYSTEM_DATA if user else Run().data.root)
    options, arguments, reads = [], [], []
    for parameter in command.params:
        name = parameter.name or ""
        value = given.get(name)
        if value is None or value == parameter.get_default(context):
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Path):
                reads.append(one.absolute())
            word = str(one.absolute() if isinstance(one, Path) else one)
            if parameter.param_type_name == "argument":
                arguments.append(word)
            else:
                options += [parameter.opts[0]] if one is True else [parameter.opts[0], word]
    root = Path(chosen).absolute()
    backups = read_backups(DataDir(root)).schedule if part == "hub" else None
    return Plan(
        part,
        (*options, *arguments),
        root,
        user,
        reads,
        tuple(given[name] for name in ("port", "mqtt_port") if name in given),
        Path(backups.folder) if backups is not None else None,
    )
