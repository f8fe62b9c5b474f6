"""`diadema account`: the accounts and tokens of a data directory, also while no hub runs on it."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from diadema.base.errors import DiademaError
from diadema.cli.ledger import Seal, tell
from diadema.cli.options import AsJson, Data, data_root

if TYPE_CHECKING:
    from diadema.access import Accounts
    from diadema.access.roles import Person, Role

_ROLES = "agent, supervisor, monitor, hr, technician, admin"

app = typer.Typer(
    help="Who may open the pages, and which programs may ask the API.",
    no_args_is_help=True,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(help="The account, as rosa.quispe.")]
Teams = Annotated[
    list[str] | None, typer.Option("--team", help="One whose agents he sees; as often as needed.")
]


@contextmanager
def opened(data: Data) -> "Iterator[Accounts]":
    from diadema.access import Accounts
    from diadema.base.paths import DataDir

    directory = DataDir(data_root(data))
    directory.make()
    accounts = Accounts(directory)
    try:
        yield accounts
    finally:
        accounts.close()


def shell_person() -> "Person":
    """Whoever sits at this machine, as the record names him."""
    import getpass

    from diadema.access.roles import Person

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "?"
    return Person(id=f"shell:{name}", name=name, role="service")


def _check_teams(data: Data, teams: "Iterable[str]") -> None:
    """Where there are teams already they must be among them: else he would see nobody."""
    from datetime import date

    from diadema.base.paths import DataDir
    from diadema.site.directory.people_of import people

    today = date.today()
    known = people(DataDir(data_root(data)), today, today).teams
    for team in teams:
        if known and team not in known:
            raise DiademaError(f"there is no team {team!r}; there are: {', '.join(sorted(known))}")


@app.command()
def add(
    account: Name,
    role: Annotated[str, typer.Option("--role", help=f"One of {_ROLES}.")],
    name: Annotated[str, typer.Option("--name", help="His full name.")] = "",
    agent: Annotated[str | None, typer.Option("--agent", help="An asesor's own id.")] = None,
    team: Teams = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add an account; prints a password that he must change when he first comes."""
    _check_teams(data, team or ())
    with opened(data) as accounts:
        password = accounts.book.add(
            shell_person(), account, name or account, cast("Role", role), agent=agent,
            teams=team or (),
        )  # fmt: skip
    _tell({"account": account, "password": password}, as_json, f"{account}: {password}")


@app.command("list")
def list_accounts(data: Data = None, as_json: AsJson = False) -> None:
    """List the accounts; never a password."""
    from msgspec.structs import asdict

    with opened(data) as accounts:
        found = [asdict(one) for one in accounts.book.all()]
    lines = [
        f"{one['id']}  {one['role']}  {one['name']}  "
        + (", ".join(one["teams"]) or one["agent"] or "")
        + ("  (disabled)" if one["disabled"] else "")
        for one in found
    ]
    _tell(found, as_json, "\n".join(lines) or "There is no account yet.")


@app.command()
def disable(
    account: Name,
    enable: Annotated[bool, typer.Option("--enable", help="Let him in again.")] = False,
    data: Data = None,
) -> None:
    """Let somebody in no more; his sessions end at once."""
    with opened(data) as accounts:
        accounts.book.disable(shell_person(), account, disabled=not enable)


@app.command()
def reset(account: Name, data: Data = None, as_json: AsJson = False) -> None:
    """A new one-use password; his sessions end."""
    with opened(data) as accounts:
        password = accounts.book.reset(shell_person(), account)
    _tell({"account": account, "password": password}, as_json, f"{account}: {password}")


@app.command("setup-code")
def setup_code(data: Data = None, as_json: AsJson = False) -> None:
    """A new code for the page /setup, while there is no account; the one before it is void."""
    with opened(data) as accounts:
        if not accounts.book.is_empty():
            raise DiademaError("there are accounts already: an administrator adds more")
        code = accounts.codes.set_up()
    _tell({"code": code}, as_json, code)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="What it is for, as central-ip.")] = "",
    role: Annotated[str, typer.Option("--role", help="One of a person, or switch.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="How long it is good.")] = 365,
    team: Teams = None,
    revoke: Annotated[
        int | None, typer.Option("--revoke", metavar="NUMBER", help="Void this one.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a token for a program and print it, once; without a name list them."""
    from msgspec.structs import asdict

    with opened(data) as accounts:
        if revoke is not None:
            accounts.tokens.revoke(shell_person(), revoke)
        elif name:
            made = accounts.tokens.add(
                shell_person(), name, cast("Role", role), days=days, teams=team or ()
            )
            _tell({"name": name, "token": made}, as_json, made)
        else:
            found = [asdict(one) for one in accounts.tokens.all()]
            lines = [
                f"{one['number']}  {one['name']}  {one['role']}  until {_day(one['until_ms'])}"
                + ("  (revoked)" if one["revoked_ms"] else "")
                for one in found
            ]
            _tell(found, as_json, "\n".join(lines) or "There is no token.")


@app.command()
def audit(
    who: Annotated[str, typer.Option("--who", help="Of this account only.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Who touched this agent's data.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 100,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it is whole.")] = False,
    seal: Seal = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Who did or read what; exit code 1 when --check finds the record changed."""
    from msgspec.structs import asdict

    from diadema.base.paths import DataDir
    from diadema.site.directory.people_of import teams_of

    directory = DataDir(data_root(data))
    if check:
        from diadema.maintenance.records_keeping import check_audit

        directory.make()
        tell(check_audit(directory, seal), "The record is whole.", as_json)
    teams = teams_of(directory, agent) if agent else ()
    with opened(data) as accounts:
        rows = accounts.audit.rows(who=who, agent=agent, teams=teams, limit=limit)
    lines = [
        f"{_day(row.at_ms, hour=True)}  {row.who}  {row.what}  {' '.join(row.agents)}"
        for row in rows
    ]
    _tell([asdict(row) for row in rows], as_json, "\n".join(lines))


def _day(utc_ms: int, *, hour: bool = False) -> str:
    shape = "%Y-%m-%d %H:%M:%SZ" if hour else "%Y-%m-%d"
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime(shape)


def _tell(content: Any, as_json: bool, line: str) -> None:
    print(json.dumps(content, ensure_ascii=False) if as_json else line)
