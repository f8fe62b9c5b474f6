"""`diadema enrol`: the credential by which a station, or a gateway, gets in by MQTT."""

from typing import Annotated

import typer

from diadema.base.errors import DiademaError
from diadema.cli.run import AsJson, Data, Run
from diadema.cli.speech import say
from diadema.words import Sentence


def enrol(
    station: Annotated[
        str, typer.Argument(help="As DIA-0123456789ab; site.json names it. Or: gateway.")
    ],
    name: Annotated[str | None, typer.Argument(help="Of the gateway.", show_default=False)] = None,
    data: Data = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="New key and password; `provision` brings them.")
    ] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Revoke it: it may not connect again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show, renew or revoke the MQTT credential of a station.

    Of a gateway on another machine too. The hub must run.

    Example: diadema enrol gateway row2 --json
    """
    from diadema.hub.enrolment import enrol as ask

    if renew and revoke:
        raise DiademaError(Sentence("errors.cli.either_renew_revoke"))
    if (station == "gateway") != (name is not None):
        raise DiademaError(Sentence("errors.cli.gateway_has_name_diadema_enrol"))
    whom = station if name is None else f"gw-{name}"
    run = Run(data, as_json=as_json)
    done = ask(run.data, whom, renew=renew, revoke=revoke)
    if done["password"] is None:
        run.answer(done, say("enrol.revoked", whom=whom))
    else:
        run.answer(
            done,
            say("enrol.credential", **done),
        )
