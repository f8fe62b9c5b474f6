"""Gives a station on a technician's cable its seat, and all that follows from it: the hub makes
its credential and its configuration, and the station says when it has them.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, Select, select

from diadema.base.clock import Clock
from diadema.base.errors import ProvisionError
from diadema.base.paths import DataDir
from diadema.gateway.bridge import PATH_LIMIT, Running
from diadema.site.description import load
from diadema.site.directory.publishing import generations
from diadema.stations.cable import bench_gateway, carrying, who_is_on
from diadema.stations.seats import take_seat
from diadema.store import open_reader, tables
from diadema.store.station_state import Greeting
from diadema.wire.ask_hub import ask_hub
from diadema.wire.commands import Hello, is_station
from diadema.words import Sentence

_CONFIG_S = 90.0  # 40 kB of a large site at 115 200 baud, and a slow start
_LOOK_S = 0.1
_KINDS = ("station.config", "station.clock")

type Say = Callable[[str | Sentence], None]


class StationConfirmation:
    """What a station itself has reported to this hub: the only proof that it has what it was sent.
    Made before anything is sent. `carried`: by a gateway that runs; nobody heard `hello`.
    `cable`: the gateway that carries it now, and the port's path as it calls it.
    """

    def __init__(self, data: DataDir, hello: Hello, carried: bool, cable: tuple[str, str]) -> None:
        self._data, self._hello, self._carried, self._cable = data, hello, carried, cable
        self._before = {place for place, _ in self._said()}

    def has(self, generation: int) -> bool:
        """The configuration of that generation, or of a newer one, from this hub; its time and
        its key, as it has shown on that cable, unless its program cannot prove who it is.
        """
        return self._has_configuration(generation) and (
            not (self._carried or self._hello.keyed is not None)
            or (self._has_time() and self._has_key())
        )

    def _has_key(self) -> bool:
        row = tables.stations.c
        found = self._rows(select(row.hello).where(row.s == self._hello.station))
        hellos = [msgspec.msgpack.decode(hello, type=Greeting) for (hello,) in found]
        return any(one.proven and (one.gw, one.at) == self._cable for one in hellos)

    def _has_time(self) -> bool:
        ours = self._times()
        return any(
            event["k"] == "station.clock" and event.get("i") in ours for _, event in self._said()
        )

    def _has_configuration(self, generation: int) -> bool:
        said = self._said()
        if any(
            event["k"] == "station.config" and event["generation"] >= generation
            for place, event in said
            if place not in self._before
        ):
            return True
        hello = self._hello
        if self._carried:
            _, stations = generations(self._data)
            return any(
                one.station == hello.station and one.generation >= generation for one in stations
            )
        if hello.generation != generation:
            return False
        # it has one of that number; a station that obeys another hub takes no time from this one,
        # though it may tell us here that it took the other's
        ours = self._times()
        return any(
            event["k"] == "station.clock" and event["b"] == hello.boot and event.get("i") in ours
            for (e, _), event in said
            if e == hello.epoch
        )

    def _times(self) -> set[int]:
        """Numbers of the commands by which this hub gave it the time."""
        row = tables.commands.c
        query = select(row.i).where((row.s == self._hello.station) & (row.cmd == "time"))
        return {i for (i,) in self._rows(query)}

    def _said(self) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        row = tables.events.c
        query = select(row.e, row.n, row.body)
        query = query.where((row.s == self._hello.station) & row.k.in_(_KINDS))
        return [((e, n), msgspec.json.decode(body)) for e, n, body in self._rows(query)]

    def _rows(self, query: Select[*tuple[Any, ...]]) -> list[Row[*tuple[Any, ...]]]:
        """No rows while there is no store."""
        if not self._data.store.exists():
            return []
        reading = open_reader(self._data.store)
        with reading as reader, reader.engine.connect() as connection:
            return [*connection.execute(query)]


class Provisioned(Struct):
    """A station that was provisioned. `wifi`: the network that it is to join; empty: it stays on
    its cable.
    """

    station: str
    seat: str
    site: str
    generation: int
    language: str
    wifi: str
    firmware: str
    board: str


async def provision(
    data: DataDir,
    port: str,
    seat: str,
    *,
    clock: Clock,
    by: str,
    station: str | None = None,
    replace: bool = False,
    say: Say = lambda _: None,
    limit_s: float = _CONFIG_S,
) -> Provisioned:
    """Gives the station on `port` that seat, and waits until it says that it has its
    configuration. Raises DiademaError. `station`: what the board should be; needed where a gateway
    has the port already, which then carries it.
    """
    if data.read_hub() is None:
        raise ProvisionError(Sentence("errors.stations.no_hub_runs_on_root", root=data.root))
    say(Sentence("commands.stage.who", port=port))
    hello, carried = await who_is_on(data, port, station)
    s = hello.station or station or ""
    if not is_station(s):
        raise ProvisionError(Sentence("errors.stations.s_no_station_id_dia", s=s))
    if station is not None and s != station:
        raise ProvisionError(
            Sentence("errors.stations.board_on_port_s_not", port=port, s=s, station=station)
        )
    gw, at, number = _gateway_of(data, port) if carried else (bench_gateway(s), port, 0)
    cable = gw, at[-PATH_LIMIT:]
    confirmation = StationConfirmation(data, hello, carried, cable)
    say(Sentence("commands.stage.seat", s=s, seat=seat))
    generation = await take_seat(data, s, seat, replace=replace, by=by, clock=clock)
    named = {"s": s, "gw": gw, "at": cable[1], "port": number}
    window = {"stations": [named], "seconds": limit_s}
    await ask_hub(data, "hub.provision", window)
    say(Sentence("commands.stage.configuration", s=s, generation=generation))
    async with carrying(data, port, s) if not carried else contextlib.nullcontext():
        await _wait(confirmation, s, generation, limit_s)
    site = load(data.site)
    return Provisioned(
        station=s,
        seat=seat,
        site=site.site,
        generation=generation,
        language=site.language,
        wifi=site.wifi.ssid if site.wifi else "",
        firmware=hello.firmware,
        board=hello.board,
    )


def _gateway_of(data: DataDir, port: str) -> tuple[str, str, int]:
    """The gateway here that has the port, and how it calls and numbers it. Raises
    ProvisionError.
    """
    for file in sorted(data.root.glob("gateway-*.json")):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            ports = msgspec.json.decode(file.read_bytes(), type=Running).ports
            for number, at in enumerate(ports):
                if os.path.realpath(at) == os.path.realpath(port):
                    return file.stem.removeprefix("gateway-"), at, number
    raise ProvisionError(Sentence("errors.stations.port_used_program_no_gateway", port=port))


async def _wait(
    confirmation: StationConfirmation, s: str, generation: int, limit_s: float
) -> None:
    try:
        async with asyncio.timeout(limit_s):
            # the hub's commit: nothing here tells us of it
            while not confirmation.has(generation):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise ProvisionError(Sentence("errors.stations.s_does_not_say_has", s=s)) from None
