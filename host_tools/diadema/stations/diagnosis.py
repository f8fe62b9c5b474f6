"""The diagnosis of a station for somebody far away, in one file: no secret of the station, no PIN,
no badge, and no private reason of who sat there.
"""

import io
import json
import zipfile
from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.stations.fleet import events_of_day, station_history
from diadema.store import open_reader, tables

_EVENTS = 20_000
_LOG_BYTES = 512 * 1024
_UNTOLD = ("pin.chosen",)
_LEFT_OUT = ("badge", "verifier", "h")


def tail(data: DataDir, s: str, most: int = _LOG_BYTES) -> str:
    """The end of what the station wrote on its cable; nothing where no gateway kept it."""
    try:
        with data.log(s).open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(size - most, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= most else text.partition("\n")[2]


def diagnosis(data: DataDir, name: str, now: int) -> bytes:
    """A zip. Raises DiademaError."""
    found = station_history(data, name, now)
    s = found.row.station
    people = read_people(data)
    events = [
        _shown(event, people)
        for event in events_of_day(data, s, now, _EVENTS)
        if event["k"] not in _UNTOLD
    ]
    files = {
        "station.json": _json(found),
        "events.jsonl": b"".join(msgspec.json.encode(event) + b"\n" for event in events),
        "console.log": tail(data, s).encode(),
        "configurations.json": _json(_generations(data)),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path, content in files.items():
            bundle.writestr(f"{s}/{path}", content)
    return made.getvalue()


def _shown(event: dict[str, Any], people: People) -> dict[str, Any]:
    shown = {name: value for name, value in event.items() if name not in _LEFT_OUT}
    if event["k"].startswith("presence."):
        shown["reason"] = people.shown(event.get("reason"))
    return shown


def _json(value: Any) -> bytes:
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, indent=1, ensure_ascii=False).encode()


def _generations(data: DataDir) -> list[dict[str, Any]]:
    """Hashes of the site's last configurations; never what is in them."""
    row = tables.generations.c
    query = select(row.generation, row.hash, row.utc).order_by(row.generation.desc()).limit(10)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return [dict(found._mapping) for found in tx.execute(query)]
