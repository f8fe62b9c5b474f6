"""What a station itself has said to this hub: the only proof that it has what it was sent."""

from typing import Any

import msgspec
from sqlalchemy import Row, Select, select

from diadema.base.paths import DataDir
from diadema.site.directory.publishing import generations
from diadema.store import open_reader, tables
from diadema.store.station_state import Greeting
from diadema.wire.commands import Hello

_KINDS = ("station.config", "station.clock")


class Word:
    """Made before it is sent anything. `carried`: by a gateway that runs; nobody heard `hello`.
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
            told["k"] == "station.clock" and told.get("i") in ours for _, told in self._said()
        )

    def _has_configuration(self, generation: int) -> bool:
        said = self._said()
        if any(
            told["k"] == "station.config" and told["generation"] >= generation
            for place, told in said
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
            told["k"] == "station.clock" and told["b"] == hello.boot and told.get("i") in ours
            for (e, _), told in said
            if e == hello.epoch
        )

    def _times(self) -> set[int]:
        """Numbers of the commands by which this hub told it the time."""
        row = tables.commands.c
        query = select(row.i).where((row.s == self._hello.station) & (row.cmd == "time"))
        return {i for (i,) in self._rows(query)}

    def _said(self) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        row = tables.events.c
        query = select(row.e, row.n, row.body)
        query = query.where((row.s == self._hello.station) & row.k.in_(_KINDS))
        return [((e, n), msgspec.json.decode(body)) for e, n, body in self._rows(query)]

    def _rows(self, query: Select[*tuple[Any, ...]]) -> list[Row[*tuple[Any, ...]]]:
        """None while there is no store."""
        if not self._data.store.exists():
            return []
        reader = open_reader(self._data.store)
        try:
            with reader.engine.connect() as connection:
                return [*connection.execute(query)]
        finally:
            reader.close()
