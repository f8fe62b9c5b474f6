"""Runs a bench test: the hub tells the station to begin, a person plays it there, and the hub
records what the station says of it.

Meanwhile the steps are shown as the station writes them on its cable, read from the log that the
gateway keeps: `selftest: keys 1` when one begins, `selftest: keys 1 ok` when it ends.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from diadema.base.errors import SelftestError
from diadema.base.paths import DataDir
from diadema.site.context import language_of
from diadema.site.description import Site, load_if_any
from diadema.stations.cable import carrying, who_is_on
from diadema.stations.selftest.record import Signed, check, inspection, result
from diadema.store import Reader, open_reader
from diadema.wire.ask_hub import HubRefuses, ask_hub
from diadema.words import section, text

LIMIT_S = 630.0  # the hub waits ten minutes for the station's answer
_LINK_S = 20.0  # until a cable that was just taken up is a link
_LOOK_S = 0.2
_LINE = re.compile(r"^selftest: ([a-z_]+)(?: ([a-z0-9_]+?))??(?: (ok|failed|skipped))?$")

type Tell = Callable[[str], None]


class Step(Struct, frozen=True):
    """`which`: of several keys or badges; `result`: ok, failed or skipped once it is over."""

    part: str
    which: str
    result: str | None


class Console:
    """Reads what a station writes into its log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = self._size()
        self._rest = ""

    def steps(self) -> Iterator[Step]:
        """The steps that were written since the last call."""
        if self._size() < self._at:  # the log was begun anew
            self._at, self._rest = 0, ""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except OSError:
            return
        self._at += len(data)
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        for line in lines:
            if found := _LINE.match(line.rstrip("\r")):
                yield Step(found[1], found[2] or "", found[3])

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def step_text(step: Step, language: str) -> str:
    """What a person is to do now, or what came of it once it is over."""
    words = section("selftest", language)
    which = check(f"badge_{step.which}", language) if step.part == "badge" else step.which
    found = words.get(f"{'step' if step.result is None else 'done'}.{step.part}")
    line = found.format(which=which) if found else f"{step.part} {step.which}".strip()
    return line if step.result is None else f"{line}: {result(step.result, language)}"


async def run(
    data: DataDir,
    name: str | None,
    *,
    by: str,
    port: str | None = None,
    tell: Tell = lambda _: None,
    limit_s: float = LIMIT_S,
    language: str | None = None,
) -> Signed:
    """Runs the test and gives its record. `name`: the station's id or its seat; with `port` its
    cable is carried from here, unless somebody does already. `language`: of what is told, else
    the site's. Raises DiademaError.
    """
    site = load_if_any(data.site)
    language = language or language_of(site)
    if name is None and port is None:
        raise SelftestError(text("selftest.who", language))
    if data.read_hub() is None:
        raise SelftestError(text("selftest.no_hub", language, root=data.root))
    async with contextlib.AsyncExitStack() as held:
        if port is not None:
            wanted = _id(site, name) if name else None
            hello, carried = await who_is_on(data, port, wanted)
            if wanted is not None and hello.station != wanted:
                values = {"port": port, "s": hello.station, "other": name}
                raise SelftestError(text("selftest.not_that_one", language, **values))
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
    """The id of the station at the seat of that name; else the name itself."""
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
                    tell(step_text(step, language))
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
    message = words.get(f"refused.{reason}") or words["refused.station"].format(reason=reason)
    raise SelftestError(message)
