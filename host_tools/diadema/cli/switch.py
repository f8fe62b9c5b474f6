"""`diadema switch`: the telephone exchange, its bridge, and the files that the exchange needs."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.cli.account import opened
from diadema.cli.run import AsJson, Clock, Data, Run, group, read_ca, run_until_signal, writing
from diadema.cli.speech import language, say
from diadema.words import Sentence, said
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.site.directory.people import People
    from diadema.switch.asterisk.setup import Place
    from diadema.switch.settings import Settings

app = group("The telephone switch: its bridge, and the files that it needs.")
Kind = Annotated[Literal["asterisk"], typer.Argument(help="What it is: asterisk.")]
PasswordFile = Annotated[Path | None, typer.Option(help="Its first line; mode 0600.")]


@app.command()
def setup(
    kind: Kind,
    host: Annotated[str | None, typer.Option(help="Without --tls only this machine's.")] = None,
    ami_port: Annotated[int | None, typer.Option(help="5038; with TLS as a rule 5039.")] = None,
    ari_port: Annotated[int | None, typer.Option(help="8088; with TLS as a rule 8089.")] = None,
    user: Annotated[str | None, typer.Option(help="Of AMI and of ARI.")] = None,
    ami_password_file: PasswordFile = None,
    ari_password_file: PasswordFile = None,
    tls: Annotated[bool | None, typer.Option("--tls/--no-tls", help="TLS to both.")] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="PEM file of its CA. Default: the system's.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="By which reports call it.")] = None,
    foreign: Annotated[
        Literal["put_right", "leave"] | None,
        typer.Option(help="A member changed at the exchange itself: put_right, or leave."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Numbers that agents may dial, as 9XXXXXXXX; as often as needed."),
    ] = None,
    hourly: Annotated[
        int | None, typer.Option("--an-hour", help="Calls out of one telephone, at most.")
    ] = None,
    listener: Annotated[
        list[str] | None,
        typer.Option(help="ACCOUNT=TELEPHONE where it hears calls; as often as needed."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Connect to the exchange, say what is missing there, and store how it is reached.

    What is not given stays as it was stored, so that the command alone checks anew. Exit code 1,
    and nothing stored, where something forbids the bridge's work.

    Example: diadema switch setup asterisk --host 127.0.0.1
    """
    import msgspec

    from diadema.base import credentials
    from diadema.switch import settings as stored
    from diadema.switch.asterisk.files import NATIONAL, checked
    from diadema.switch.asterisk.setup import look

    run = Run(data, as_json=as_json)
    run.data.make()
    known = stored.read(run.data)
    if known is None and host is None and _at_terminal():
        host = typer.prompt(say("switch.ask_host"), default="127.0.0.1", err=True)
    given = {
        "kind": kind, "host": host, "ami_port": ami_port, "ari_port": ari_port, "user": user,
        "tls": tls, "ca": None if ca is None else read_ca(ca), "name": name, "foreign": foreign,
        "allowed": allow, "hourly": hourly, "listeners": _listeners(listener),
    }  # fmt: skip
    changed = {key: value for key, value in given.items() if value is not None}
    settings = msgspec.structs.replace(known or stored.Settings(allowed=[*NATIONAL]), **changed)
    stored.check(settings)
    for pattern in settings.allowed:
        checked("pattern", pattern)
    passwords = _passwords(run, settings, ami_password_file, ari_password_file)
    found = asyncio.run(look(settings, passwords, _place(run), lambda: run.now_ms))
    forbidden = any(one.grade == "forbids" for one in found)
    if not forbidden:
        with opened(run) as accounts:
            stored.write(run.data, settings)
            with credentials.changing(run.data) as secrets:
                secrets.exchange = passwords
            accounts.audit.record(run.person, "switch.set", server=settings.host)
    lines = [(one.grade, str(said(one.said, language()))) for one in found]
    run.answer(
        [{"grade": grade, "said": line} for grade, line in lines],
        *(say(f"switch.{grade}", what=line) for grade, line in lines),
        say("switch.not_stored") if forbidden else say("switch.set_up"),
    )
    raise typer.Exit(1 if forbidden else 0)


def _listeners(given: list[str] | None) -> dict[str, str] | None:
    return None if given is None else dict(_parted(one) for one in given)


def _parted(given: str) -> tuple[str, str]:
    """Raises DiademaError."""
    account, sign, telephone = given.partition("=")
    if not sign:
        raise DiademaError(Sentence("errors.cli.switch_listener", given=given))
    return account, telephone


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _passwords(
    run: Run, settings: "Settings", ami: Path | None, ari: Path | None
) -> dict[str, str]:
    """Given by a file, stored, or asked for. Raises DiademaError."""
    from diadema.base import credentials
    from diadema.base.sealed import read_secret

    known = dict(credentials.load(run.data).exchange) if run.data.secrets.exists() else {}
    for what, file in (("ami", ami), ("ari", ari)):
        if file is not None:
            known[what] = read_secret(file).decode(errors="replace")
        elif what not in known:
            if not _at_terminal():
                raise DiademaError(Sentence("errors.cli.switch_no_password"))
            question = say("switch.ask_password", user=settings.user, what=what.upper())
            known[what] = typer.prompt(question, hide_input=True, err=True)
    return known


def _people(run: Run) -> "People":
    from diadema.site.directory.people_of import CachedPeople, day_at

    return CachedPeople(run.data).read(day_at(run.data, run.now_ms))


def _place(run: Run) -> "Place":
    from diadema.site.description import RING_LIMIT_S
    from diadema.switch.asterisk.setup import Place

    limit = run.site.ring_limit_s if run.site is not None else RING_LIMIT_S
    return Place(_people(run), limit, run.zone)


@app.command()
def config(
    kind: Kind,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")],
    context: Annotated[
        str, typer.Option(help="Of its dialplan, where extensions and ways out are known.")
    ] = "from-internal",
    address: Annotated[
        str | None, typer.Option("--from", help="This machine's, as the exchange sees it.")
    ] = None,
    asterisk: Annotated[int, typer.Option("--asterisk", help="Its version: 18 to 22.")] = 22,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write the files that the exchange is to include, and say where.

    Passwords are made where none are stored, and stored.

    Example: diadema switch config asterisk --out central
    """
    import secrets as random

    from diadema.base import credentials
    from diadema.base.paths import write_whole
    from diadema.switch import settings as stored
    from diadema.switch.asterisk import files

    run = Run(data, as_json=as_json)
    run.data.make()
    settings = stored.read(run.data) or stored.Settings(kind=kind, allowed=[*files.NATIONAL])
    place = _place(run)
    with credentials.changing(run.data) as known:
        for what in ("ami", "ari"):
            if what not in known.exchange:
                known.exchange[what] = random.token_urlsafe(24)
        passwords = dict(known.exchange)
    texts = files.written(
        files.Writing(
            settings, passwords, place.people, place.ring_limit_s, context,
            address or _address(settings), asterisk, _last_phones(run, place.people),
        )
    )  # fmt: skip
    with opened(run) as accounts, writing(out):
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in texts.items():
            write_whole(out / name, text.encode())
        accounts.audit.record(run.person, "switch.config", files=sorted(texts))
    run.answer(
        {"files": [str(out / name) for name in texts]},
        say("switch.wrote", files=", ".join(str(out / name) for name in texts)),
        say("switch.plain"),
        *(f"    #include {name}" for name in texts),
        say("switch.freepbx"),
        say("switch.issabel"),
        say("switch.by_hand", timeout=files.timeout_of(place.ring_limit_s)),
        say("switch.switched_on"),
        say("switch.then"),
    )


def _address(settings: "Settings") -> str:
    """From which this machine reaches it; nothing is sent. Raises DiademaError."""
    from diadema.switch.asterisk.login import is_near

    if is_near(settings.host):
        return "127.0.0.1"
    try:
        family = socket.getaddrinfo(settings.host, settings.ami_port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family[0], socket.SOCK_DGRAM) as probe:
            probe.connect(family[4])
            return str(probe.getsockname()[0])
    except OSError as error:
        raise DiademaError(Sentence("errors.cli.switch_no_address", host=settings.host)) from error


def _last_phones(run: Run, people: "People") -> dict[str, str]:
    """By agent, the telephone of the seat of the last login."""
    from diadema.store import open_reader

    if not run.data.store.exists():
        return {}
    with open_reader(run.data.store) as reader:
        sessions = sorted(reader.sessions(), key=lambda one: one.open_utc or 0)
    seats = {one.agent: one.station for one in sessions}
    return {
        agent: people.phones[station][0]
        for agent, station in seats.items()
        if station in people.phones and agent in people.workers
    }


@app.command()
def check(
    seat: Annotated[str | None, typer.Option("--seat", help="Default: each that has one.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Ring a seat's telephone as an agent's key does, say how fast it answers, and hang up.

    Exit code 1 where one does not.

    Example: diadema switch check --seat A-01
    """
    from diadema.base import credentials
    from diadema.switch.asterisk.setup import call
    from diadema.switch.exchange import Phone

    run = Run(data, as_json=as_json)
    settings, people = _settings(run), _people(run)
    passwords = credentials.load(run.data).exchange
    phones = {people.seats.get(s, s): Phone(*phone) for s, phone in people.phones.items()}
    if seat is not None:
        if seat not in people.seats.values():
            raise DiademaError(Sentence("errors.cli.no_such_seat", seat=seat))
        if seat not in phones:
            raise DiademaError(Sentence("errors.switch.no_extension", seat=seat))
        phones = {seat: phones[seat]}
    rang = {
        name: asyncio.run(call(settings, passwords, phone))
        for name, phone in sorted(phones.items())
    }
    lines = {name: str(said(one.said, language())) for name, one in rang.items()}
    run.answer(
        [{"seat": n, "up_ms": one.up_ms, "said": lines[n]} for n, one in rang.items()],
        *(f"{name}  {line}" for name, line in lines.items()),
    )
    raise typer.Exit(1 if any(one.up_ms is None for one in rang.values()) else 0)


def _settings(run: Run) -> "Settings":
    """Raises DiademaError where no exchange is set up."""
    from diadema.switch import settings as stored

    known = stored.read(run.data)
    if known is None:
        raise DiademaError(Sentence("errors.switch.not_set_up", path=run.data.switch))
    return known


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """How the bridge is: queues, members that are otherwise than they should be, last troubles.

    Exit code 1 where it does not work.

    Example: diadema switch status
    """
    import msgspec

    from diadema.wire.switching import Report

    run = Run(data, as_json=as_json)
    shown = run.ask_hub("hub.switch.shown", {})["switch"]
    if shown is None:
        run.answer(shown, say("switch.none"))
        return
    report = msgspec.convert(shown["report"], Report) if shown["report"] else None
    run.answer(shown, *(_lines(run, report, shown["up"]) if report else [say("switch.no_bridge")]))
    raise typer.Exit(0 if shown["up"] else 1)


def _lines(run: Run, report: Any, up: bool) -> list[str]:
    lines = [
        say("switch.is_up", name=report.name, calls=report.calls, unsent=report.unsent,
            version=report.version or "—")
        if up
        else say("switch.is_down", name=report.name)
    ]  # fmt: skip
    for queue in report.queues:
        unmapped = "" if queue.mapped else say("switch.queue.unmapped")
        lines.append(say("switch.queue", name=queue.name, waiting=queue.waiting,
                         unmapped=unmapped))  # fmt: skip
    for one in report.members:
        if one.wanted is not None:
            lines.append(say(f"switch.member.{one.wanted}", member=one.name, queue=one.queue))
    seats = _people(run).seats
    for phone in report.phones:
        if phone.there is False:
            seat = seats.get(phone.station, phone.station)
            lines.append(say("switch.phone_away", seat=seat, extension=phone.extension))
    for trouble in report.troubles[-10:]:
        at = local_time(trouble.utc_ms, run.zone)
        lines.append(say("switch.trouble", at=at, what=Sentence.of(trouble.sentence)))
    return [visible(line) for line in lines]


@app.command()
def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, data: Data = None
) -> None:
    """Forget how the exchange is reached, and its passwords; say what stays there.

    Example: diadema switch remove --yes
    """
    from diadema.base import credentials
    from diadema.switch import settings as stored

    run = Run(data)
    known = stored.read(run.data)
    if known is None:
        print(say("switch.none"))
        return
    if not yes:
        if not _at_terminal():
            raise DiademaError(Sentence("errors.cli.switch_yes"))
        typer.confirm(say("switch.ask_remove", name=known.name), abort=True, err=True)
    with opened(run) as accounts:
        run.data.switch.unlink()
        with credentials.changing(run.data) as secrets:
            secrets.exchange = {}
        accounts.audit.record(run.person, "switch.remove", server=known.host)
    print(say("switch.removed"))
    print(say("switch.stays"))


@app.command("run")
def run_(
    nats: Annotated[
        str | None, typer.Option("--nats", help="Of a hub elsewhere, as nats://127.0.0.1:4222.")
    ] = None,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Run the bridge by hand, to look at it. The hub runs it by itself, and one runs at a time.

    Runs until Ctrl-C.

    Example: diadema switch run
    """
    from diadema.switch.process import run

    its = Run(data, clock)
    run_until_signal(run(its.data, its.clock, url=nats))
