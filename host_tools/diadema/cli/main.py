"""The command `diadema`: registers the verbs, a file each.

Exit code 0: done; 1: it ran and something is wrong; 2: it could not begin, and the message says
what to do; 130: Ctrl-C.
"""

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.cli import speech
from diadema.cli.account import app as account
from diadema.cli.alerts import alerts
from diadema.cli.backup import app as backup
from diadema.cli.backup import restore, resume
from diadema.cli.board import app as board
from diadema.cli.doctor import doctor
from diadema.cli.document import document
from diadema.cli.enrol import enrol
from diadema.cli.export import app as export
from diadema.cli.flash import flash
from diadema.cli.fleet import app as fleet
from diadema.cli.gateway import gateway
from diadema.cli.hub import hub
from diadema.cli.image import app as image
from diadema.cli.import_ import app as import_
from diadema.cli.keys import app as keys
from diadema.cli.label import label
from diadema.cli.ledger import app as ledger
from diadema.cli.mail import app as mail
from diadema.cli.mosquitto import mosquitto
from diadema.cli.people import app as people
from diadema.cli.pin import pin
from diadema.cli.privacy import app as privacy
from diadema.cli.prove import app as prove
from diadema.cli.provision import provision
from diadema.cli.quality import app as quality
from diadema.cli.rebuild import rebuild
from diadema.cli.recordings import app as recordings
from diadema.cli.report import app as report
from diadema.cli.schema import schema
from diadema.cli.selftest import app as selftest
from diadema.cli.service import app as service
from diadema.cli.site import site
from diadema.cli.standby import app as standby
from diadema.cli.switch import app as switch
from diadema.cli.update import app as update
from diadema.cli.upgrade import upgrade
from diadema.cli.usage import UsageError, mistyped
from diadema.cli.webhook import app as webhook
from diadema.words import LANGUAGES

SIMULATOR = "diadema_sim.cli"  # its commands come in where that package is installed
OF_SIMULATOR = None
PANELS: dict[str, dict[str, typer.Typer | Callable[..., None] | None]] = {  # as in the help
    "Agents and training": {"demo": OF_SIMULATOR, "desk": OF_SIMULATOR},
    "Technician": {
        "site": site, "pin": pin, "image": image, "flash": flash, "provision": provision,
        "selftest": selftest, "prove": prove, "label": label, "gateway": gateway, "fleet": fleet,
        "enrol": enrol, "keys": keys, "update": update,
    },
    "Supervisor": {
        "people": people, "report": report, "document": document, "import": import_,
        "export": export, "quality": quality,
    },
    "Administrator": {
        "hub": hub, "service": service, "mosquitto": mosquitto, "account": account,
        "mail": mail, "webhook": webhook, "backup": backup, "restore": restore,
        "resume": resume, "standby": standby, "switch": switch, "recordings": recordings,
        "upgrade": upgrade, "doctor": doctor,
        "alerts": alerts, "ledger": ledger, "privacy": privacy, "rebuild": rebuild,
    },
    "Developer": {
        "board": board, "sim": OF_SIMULATOR, "replay": OF_SIMULATOR, "torture": OF_SIMULATOR,
        "schema": schema,
    },
}  # fmt: skip
_PANEL_OF = {name: panel for panel, verbs in PANELS.items() for name in verbs}
_OWN = {name for verbs in PANELS.values() for name, verb in verbs.items() if verb is not None}


class Verbs(TyperGroup):
    """The commands in the order of `PANELS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=[*_PANEL_OF].index)


app = typer.Typer(name="diadema", no_args_is_help=True, pretty_exceptions_enable=False, cls=Verbs)
for _name, _panel in _PANEL_OF.items():
    _verb = PANELS[_panel][_name]
    if isinstance(_verb, typer.Typer):
        app.add_typer(_verb, name=_name, rich_help_panel=_panel)
    elif _verb is not None:
        app.command(_name, rich_help_panel=_panel)(_verb)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import version

    from diadema.stations.image.files import program_version

    print(f"diadema {version('diadema')}")
    print(f"firmware {program_version()}")
    raise typer.Exit


@app.callback()
def _diadema(
    lang: Annotated[
        Literal["es", "en"] | None,
        typer.Option(
            "--lang",
            envvar="DIADEMA_LANG",
            help="What commands say. Default: the site's language, else the locale's.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version, and that of the stations' program.",
        ),
    ] = False,
) -> None:
    """An open desk station for call-centre agents, and the host tools behind it."""
    speech.begin(lang)


def main() -> None:
    """The entry point. Ctrl-C ends it with 130, as a shell expects."""
    from diadema.base.paths import keep_private

    keep_private()
    language, words = _language_apart(sys.argv[1:])
    sys.argv[1:] = [*language, *words]
    speech.begin(_chosen(language))
    try:
        if not _OWN.intersection(words[:1]):
            add_simulator()
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = app(prog_name="diadema", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except UsageError as error:
        print(mistyped(error, words), file=sys.stderr)
        sys.exit(error.exit_code)
    except DiademaError as error:
        said = visible(error.say(speech.language()), lines=True)
        print(f"diadema: {said}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _language_apart(words: list[str]) -> tuple[list[str], list[str]]:
    """`--lang`, which may stand anywhere as it is of the run, and the other words."""
    own = words[: words.index("--")] if "--" in words else words
    for at, word in enumerate(own):
        if word == "--lang" or word.startswith("--lang="):
            end = at + (2 if word == "--lang" else 1)
            return words[at:end], [*words[:at], *words[end:]]
    return [], words


def _chosen(given: list[str]) -> str | None:
    """What `--lang` or its variable says, before anything else is looked at."""
    said = given[-1].removeprefix("--lang=") if given else os.environ.get("DIADEMA_LANG")
    return said if said in LANGUAGES else None


def add_simulator() -> None:
    """Add the simulator's commands. They are slow to import: only when one may be meant."""
    if not importlib.util.find_spec("diadema_sim"):
        return
    for command in importlib.import_module(SIMULATOR).app.registered_commands:
        command.rich_help_panel = _PANEL_OF[command.name or command.callback.__name__]
        if command not in app.registered_commands:
            app.registered_commands.append(command)


if __name__ == "__main__":
    main()
