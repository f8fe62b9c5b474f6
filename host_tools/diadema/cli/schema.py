"""`diadema schema`: what events look like, for programs that read them."""

import json
from typing import Annotated

import typer


def schema(
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The whole wire as an AsyncAPI document.")
    ] = False,
) -> None:
    """Print the JSON Schema of the events.

    Example: diadema schema --asyncapi
    """
    from diadema.wire import schema as published

    document = published.asyncapi() if asyncapi else published.event_schema()
    print(json.dumps(document, indent=2, ensure_ascii=False))
