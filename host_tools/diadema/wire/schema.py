"""The published contract: a JSON Schema of the events, an AsyncAPI document of the whole wire.

Both are made from the structs each time they are asked for, so they are never out of date.
"""

from importlib.metadata import version
from typing import Any

import msgspec

from diadema.wire.commands import (
    COMMANDS,
    NUMBERED,
    Ack,
    Hello,
)
from diadema.wire.events import ANY_EVENT, KINDS
from diadema.wire.letters import tag_of

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SEAL = {
    "type": "string",
    "pattern": "^[0-9a-f]{16}$",
    "description": "Always the last member: the station's seal over all before it, for one boot.",
}
_LEVELS: dict[str, dict[str, Any]] = {
    "station": {"description": "DIA- and 12 lower-case hex digits"},
    "gateway": {"description": "the gateway's name"},
    "port": {"description": "which of its cables, as its greeting says"},
}
_SAID = {
    "ev": ("receive", "Events, QoS 1, one a message."),
    "st": ("receive", "A link's greeting, retained, QoS 1."),
    "ack": ("send", "What the host has stored, QoS 0."),
    "cmd": ("send", "Commands, QoS 0; numbered `i`, but for `marks` and `turn`."),
}
_STATION, _CABLE = "diadema/v1/{station}/", "diadema/v1/gw-{gateway}/{station}/"
_TOPICS = {
    name + over: (address + leaf, *_SAID[name])
    for over, name, address, leaf in (
        ("", "ev", _STATION, "ev"),
        ("", "st", _STATION, "st/wifi"),
        ("", "ack", _STATION, "ack"),
        ("", "cmd", _STATION, "cmd"),
        ("_cable", "ev", _CABLE, "ev"),
        ("_cable", "st", _CABLE, "st"),
        ("_cable", "ack", _CABLE, "{port}/ack"),
        ("_cable", "cmd", _CABLE, "{port}/cmd"),
    )
}


def event_schema() -> dict[str, Any]:
    """What a station of this version writes; the hub also stores kinds and fields it lacks."""
    (schema,), definitions = msgspec.json.schema_components([ANY_EVENT])
    return {
        "$schema": _DIALECT,
        "title": "Diadema event",
        "description": event_schema.__doc__,
        **schema,
        "$defs": definitions,
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: topics, and the messages that go over each."""
    kinds = [*KINDS.values(), Hello, Ack, *COMMANDS]
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    for command in NUMBERED:
        body = schemas[command.__name__]
        body["properties"]["i"] = {"type": "integer", "minimum": 1}
        body["required"].append("i")
    for kind in (Ack, *COMMANDS):
        schemas[kind.__name__]["properties"]["h"] = _SEAL
    messages = {
        "ev": {tag_of(kind): _message(kind) for kind in KINDS.values()},
        "st": {"hello": _message(Hello)},
        "ack": {"ack": _message(Ack)},
        "cmd": {tag_of(command): _message(command) for command in COMMANDS},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Diadema stations", "version": version("diadema")},
        "channels": {
            name: {
                "address": address,
                "description": text,
                "parameters": {
                    level: about for level, about in _LEVELS.items() if f"{{{level}}}" in address
                },
                "messages": messages[name.removesuffix("_cable")],
            }
            for name, (address, _, text) in _TOPICS.items()
        },
        "operations": {
            f"{action}_{name}": {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
            for name, (_, action, _) in _TOPICS.items()
        },
        "components": {"schemas": schemas},
    }


def _message(kind: Any) -> dict[str, Any]:
    return {
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }
