"""`diadema account`: the accounts and tokens of a data directory, also while no hub runs on it,
and the identity provider by which people may sign on.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from diadema.base.errors import DiademaError
from diadema.cli.ledger import Seal, end_with
from diadema.cli.run import AsJson, Data, Run, group, read_ca, read_file
from diadema.cli.speech import say
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.access import Accounts
    from diadema.access.provider import Grant
    from diadema.access.roles import Role

_ROLES = "agent, supervisor, monitor, quality_lead, hr, technician, area, admin"

app = group("Who may open the pages, and which programs may ask the API.")
provider = group("The identity provider (OpenID Connect) by which people may sign on.")
app.add_typer(provider, name="provider")
Name = Annotated[str, typer.Argument(help="The account, as rosa.quispe.")]
Teams = Annotated[
    list[str] | None,
    typer.Option("--team", help="One whose agents are shown; as often as needed."),
]


@contextmanager
def opened(run: Run) -> "Iterator[Accounts]":
    from diadema.access import Accounts

    run.data.check_own()
    run.data.make()
    accounts = Accounts(run.data)
    try:
        yield accounts
    finally:
        accounts.close()


def _check_teams(run: Run, teams: "Iterable[str]") -> None:
    """Where there are teams already they must be among them: else the account would see nobody."""
    from datetime import date

    from diadema.site.directory.people_of import people

    today = date.today()
    known = people(run.data, today, today).teams
    for team in teams:
        if known and team not in known:
            raise DiademaError(
                Sentence(
                    "errors.cli.there_no_team_team_there",
                    team=team,
                    known=", ".join(sorted(known)),
                )
            )


@app.command()
def add(
    account: Name,
    role: Annotated[str, typer.Option("--role", help=f"One of {_ROLES}.")],
    name: Annotated[str, typer.Option("--name", help="The full name.")] = "",
    agent: Annotated[str | None, typer.Option("--agent", help="An asesor's own id.")] = None,
    team: Teams = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add an account; prints a password, to be changed at the first login.

    Example: diadema account add rosa.quispe --role supervisor --team Norte
    """
    run = Run(data, as_json=as_json)
    _check_teams(run, team or ())
    with opened(run) as accounts:
        password = accounts.book.add(
            run.person, account, name or account, cast("Role", role), agent=agent,
            teams=team or (),
        )  # fmt: skip
    run.answer({"account": account, "password": password}, f"{account}: {password}")


@app.command("list")
def list_accounts(data: Data = None, as_json: AsJson = False) -> None:
    """List the accounts; never a password.

    Example: diadema account list
    """
    run = Run(data, as_json=as_json)
    with opened(run) as accounts:
        found = accounts.book.all()
    lines = [
        f"{one.id}  {one.role}  {one.name}  "
        + (", ".join(one.teams) or one.agent or "")
        + (f"  {say('account.disabled')}" if one.disabled else "")
        for one in found
    ]
    run.answer(found, *(lines or [say("account.none")]))


@app.command()
def disable(
    account: Name,
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again.")] = False,
    data: Data = None,
) -> None:
    """Disable an account: nobody logs in with it, and its sessions end at once.

    Example: diadema account disable rosa.quispe
    """
    run = Run(data)
    with opened(run) as accounts:
        accounts.book.disable(run.person, account, disabled=not enable)


@app.command()
def reset(account: Name, data: Data = None, as_json: AsJson = False) -> None:
    """A new one-use password; sessions of that account end.

    Example: diadema account reset rosa.quispe
    """
    run = Run(data, as_json=as_json)
    with opened(run) as accounts:
        password = accounts.book.reset(run.person, account)
    run.answer({"account": account, "password": password}, f"{account}: {password}")


@app.command("setup-code")
def setup_code(data: Data = None, as_json: AsJson = False) -> None:
    """A new code for the page /setup, while there is no account; the one before it is void.

    Example: diadema account setup-code
    """
    run = Run(data, as_json=as_json)
    with opened(run) as accounts:
        if not accounts.book.is_empty():
            raise DiademaError(Sentence("errors.cli.there_are_accounts_already_administrator"))
        code = accounts.codes.set_up()
    run.answer({"code": code}, code)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="What it is for, as central-ip.")] = "",
    role: Annotated[str, typer.Option("--role", help="One of a person, switch, or standby.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="How long it is good.")] = 365,
    team: Teams = None,
    revoke: Annotated[
        int | None, typer.Option("--revoke", metavar="NUMBER", help="Void this one.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a token for a program and print it, once; without a name list them.

    Example: diadema account token central --role switch
    """
    run = Run(data, as_json=as_json)
    with opened(run) as accounts:
        if revoke is not None:
            accounts.tokens.revoke(run.person, revoke)
        elif name:
            made = accounts.tokens.add(
                run.person, name, cast("Role", role), days=days, teams=team or ()
            )
            run.answer({"name": name, "token": made}, made)
        else:
            found = accounts.tokens.all()
            lines = [
                f"{one.number}  {one.name}  {one.role}  "
                + say("account.until", day=local_time(one.until_ms, UTC, "day"))
                + (f"  {say('account.revoked')}" if one.revoked_ms else "")
                for one in found
            ]
            run.answer(found, *(lines or [say("account.no_token")]))


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
    """Who did or read what; exit code 1 when --check finds the record changed.

    Example: diadema account audit --agent a001
    """
    from diadema.site.directory.people_of import teams_of

    run = Run(data, as_json=as_json)
    if check:
        from diadema.maintenance.records_keeping import check_audit

        run.data.make()
        end_with(run, check_audit(run.data, seal), say("account.whole"))
    teams = teams_of(run.data, agent) if agent else ()
    with opened(run) as accounts:
        rows = accounts.audit.rows(who=who, agent=agent, teams=teams, limit=limit)
    lines = [
        f"{local_time(row.at_ms, UTC)}Z  {row.who}  {row.what}  " + " ".join(row.agents)
        for row in rows
    ]
    run.answer(rows, *lines)


@provider.command("set")
def set_provider(
    issuer: Annotated[str, typer.Argument(help="Its address, as https://id.example/realms/a.")],
    client: Annotated[str, typer.Option("--client", help="How it knows this server.")],
    claim: Annotated[
        str, typer.Option("--claim", help="What it says of people that gives the role.")
    ],
    grant: Annotated[
        list[str],
        typer.Option(
            "--grant",
            metavar="VALUE=ROLE/TEAM",
            help="Role and teams by the claim; the first that fits is given. Never admin.",
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="On the login page.")],
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", help="Has the client's secret. Without: that of before."),
    ] = None,
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="How it signs: RS256 or ES256.")
    ] = "RS256",
    agent_claim: Annotated[
        str, typer.Option("--agent-claim", help="What has an asesor's own id.")
    ] = "",
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="PEM of its authority, if it is not one of this machine's."),
    ] = None,
    data: Data = None,
) -> None:
    """Let people sign on by an identity provider, in the place of the one before.

    Accounts are made at their first login, and are known by the provider and its `sub`.

    Example: diadema account provider set https://id.example --client diadema --name Intranet
    --claim groups --grant acd-sup=supervisor/Norte --grant acd-rrhh=hr --secret-file secret.txt
    """
    from diadema.access.provider import Provider
    from diadema.base.credentials import change_provider

    run = Run(data)
    grants = dict(map(_grant_of, grant))
    for one in grants.values():
        _check_teams(run, one.teams)
    new = Provider(
        issuer=issuer, client_id=client, name=name, claim=claim, grants=grants,
        algorithm=cast("Any", algorithm), agent_claim=agent_claim, ca=read_ca(ca),
    )  # fmt: skip
    with opened(run) as accounts:
        accounts.providers.set(run.person, new)
    if secret_file is not None:
        change_provider(run.data, read_file(secret_file).decode("utf-8", "replace").strip())
    print(say("account.provider.back"))


@provider.command("show")
def show_provider(data: Data = None, as_json: AsJson = False) -> None:
    """Which one it is, and what gives which role; never the secret.

    Example: diadema account provider show
    """
    from diadema.base.credentials import load_or_create

    run = Run(data, as_json=as_json)
    with opened(run) as accounts:
        found = accounts.providers.get()
    if found is None:
        raise DiademaError(Sentence("errors.access.provider_none"))
    secret = say("account.yes" if load_or_create(run.data).provider else "account.no")
    lines = [
        say(
            "account.provider.grant", claim=found.claim, value=value,
            grant="/".join([one.role, *one.teams]),
        )
        for value, one in found.grants.items()
    ]  # fmt: skip
    whole = say(
        "account.provider", name=found.name, issuer=found.issuer, client=found.client_id,
        algorithm=found.algorithm, secret=secret,
    )  # fmt: skip
    run.answer(found, whole, *lines, say("account.provider.back"))


@provider.command("remove")
def remove_provider(data: Data = None) -> None:
    """Nobody signs on by it any longer; its accounts stay, and cannot log in.

    Example: diadema account provider remove
    """
    from diadema.base.credentials import change_provider

    run = Run(data)
    with opened(run) as accounts:
        accounts.providers.remove(run.person)
    change_provider(run.data, "")


def _grant_of(given: str) -> "tuple[str, Grant]":
    """`VALUE=ROLE/TEAM/TEAM`, where the value may have a `=` itself."""
    from diadema.access.provider import Grant

    value, mark, right = given.rpartition("=")
    role, *teams = right.split("/")
    if not (mark and value and role and all(teams)):
        raise DiademaError(Sentence("errors.access.provider_grant", given=given))
    return value, Grant(role=cast("Role", role), teams=teams)
