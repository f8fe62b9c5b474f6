"""From the question to the record: the hub tells the station, a person plays the test there, the
hub records what the station says of it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from diadema.base.errors import SelftestError
from diadema.base.paths import DataDir
from diadema.site.description import Site
from diadema.stations.provision.work import carrying, who_is_on
from diadema.stations.selftest import telling
from diadema.stations.selftest.console import Console
from diadema.stations.selftest.record import Signed, inspection
from diadema.stations.technician.screen import site_of
from diadema.store import Reader, open_reader
from diadema.wire.ask_hub import HubRefuses, ask_hub
from diadema.words import section, text

LIMIT_S = 630.0  # the hub waits ten minutes for the station's answer
_LINK_S = 20.0  # until a cable that was just taken up is a link
_LOOK_S = 0.2

type Tell = Callable[[str], None]


async def run(
    data: DataDir,
    name: str | None,
    *,
    by: str,
    port: str | None = None,
    tell: Tell = lambda _: None,
    limit_s: float = LIMIT_S,
) -> Signed:
    """The record of the test. `name`: the station's id or its seat; with `port` its cable is
    carried from here, unless somebody does already. Raises DiademaError.
    """
    site = site_of(data)
    language = site.language if site else "es"
    if name is None and port is None:
        raise SelftestError(text("selftest.who", language))
    if data.read_hub() is None:
        raise SelftestError(text("selftest.no_hub", language, root=data.root))
    async with contextlib.AsyncExitStack() as held:
        if port is not None:
            wanted = _id(site, name) if name else None
            hello, carried = await who_is_on(data, port, wanted)
            if wanted is not None and hello.station != wanted:
                told = {"port": port, "s": hello.station, "other": name}
                raise SelftestError(text("selftest.not_that_one", language, **told))
            name = hello.station
            if not carried:
                await held.enter_async_context(carrying(data, port, name))
        s = _id(site, name or "")
        console = Console(data.log(s))  # before the station writes anything
        begun = await _begin(data, s, by, language, _LINK_S if port else 0.0)
        tell(text("selftest.begins", language, seat=begun["seat"], s=s))
        if not data.log(s).exists():
            tell(text("selftest.no_console", language))
        return await _played(data, begun, console, language, tell, limit_s)


def _id(site: Site | None, name: str) -> str:
    """Of a seat; else it is the name itself."""
    for one in site.stations if site else ():
        if one.seat == name:
            return one.id
    return name


async def _begin(
    data: DataDir, name: str, by: str, language: str, patience_s: float
) -> dict[str, Any]:
    until = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            return await ask_hub(data, "hub.selftest", {"s": name, "by": by})
        except HubRefuses as error:
            there = error.error in ("link_lost", "unknown_station")
            if there and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(_LOOK_S)
                continue
            if (word := f"refused.{error.error}") in section("selftest", language):
                raise SelftestError(text(f"selftest.{word}", language, **error.values)) from error
            raise


async def _played(
    data: DataDir,
    begun: dict[str, Any],
    console: Console,
    language: str,
    tell: Tell,
    limit_s: float,
) -> Signed:
    reader = open_reader(data.store)
    silent = SelftestError(text("selftest.no_result", language, seat=begun["seat"]))
    try:
        async with asyncio.timeout(limit_s):
            while True:
                found = _result(data, reader, begun["s"], begun["i"], language, silent)
                for step in console.steps():
                    said = telling.begun if step.result is None else telling.done
                    tell(said(step, language))
                if found is not None:
                    return found
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise silent from None
    finally:
        reader.close()


def _result(
    data: DataDir, reader: Reader, s: str, i: int, language: str, silent: SelftestError
) -> Signed | None:
    """The record, once there is one. Raises SelftestError when there will be none."""
    command = reader.command(s, i)
    if command is None or command["answer"] is None:
        if command is not None and command["status"] == "expired":
            raise silent
        return None
    answer: dict[str, Any] = msgspec.json.decode(command["answer"])
    if answer["k"] == "station.selftest":
        return inspection(data, (s, answer["e"], answer["n"]))
    reason = str(answer.get("reason", answer["k"]))
    words = section("selftest", language)
    told = words.get(f"refused.{reason}") or words["refused.station"].format(reason=reason)
    raise SelftestError(told)
