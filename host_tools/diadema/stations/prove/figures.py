"""What was measured, each figure beside the design's budget and the simulated board's, and what is
to be said of it. `simulated.json` is made by `python -m tests.bench.prove`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from msgspec import Struct

from diadema.stations.boards.table import BoardError, build_named, load_board
from diadema.stations.prove.run import (
    HEARD,
    NO_SOCKET,
    NOT_REQUESTED,
    PRESSES,
    PULLED,
    Measurement,
)

type Verdict = Literal["ok", "quick", "none", "missing", "impossible", "other", "budget", "slow"]
RIGHT: tuple[Verdict, ...] = ("ok", "quick", "none")
TWICE = 2
_QUICK = 2.5  # times quicker than simulated: believed, and pointed at
_WORTH_MS = 2.0  # below this nobody can tell who is quicker
_SAME = 0.15  # share by which what has to be the same may differ
_KIB = 1024


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """`value` None where there is none, `why` says then why not. `most`: whether the budget is one
    from above.
    """

    name: str
    value: float | int | str | None
    unit: str
    budget: float | int | str | None
    simulated: float | int | None
    most: bool
    verdict: Verdict
    why: str = ""


class Lacking(Exception):
    """There is no such figure, and that is right: why."""


@dataclass(frozen=True)
class Kind:
    """`of(measured)` may raise Lacking, or KeyError where the station did not say it; `bounds` are
    of what can be at all; `timed`: a chip must not take twice the simulated time; `same`: it is of
    the board, not measured.
    """

    name: str
    of: Callable[[Measurement], Any]
    unit: str = "ms"
    budget: float | int | None = None
    most: bool = True
    bounds: Callable[[Measurement], tuple[float, float]] = lambda _: (0, 1e9)
    timed: bool = True
    same: bool = False


def figures(measured: Measurement) -> list[Figure]:
    """Every figure there should be, in the order of the table."""
    simulated = _simulated(_chip(measured.board))
    about = measured.steps.get("about", {})
    found = [
        _text("board", about.get("board"), measured.board),
        _text("build", about.get("build"), build_named(measured.board)),
    ]
    return found + [_judged(kind, measured, simulated.get(kind.name)) for kind in KINDS]


def _text(name: str, value: Any, wanted: str) -> Figure:
    verdict: Verdict = "ok" if value == wanted else "other"
    if not isinstance(value, str) or not value:
        value, verdict = None, "missing"
    return Figure(name, value, "", wanted, None, True, verdict)


def _judged(kind: Kind, measured: Measurement, simulated: float | int | None) -> Figure:
    def figure(value: float | int | None, verdict: Verdict, why: str = "") -> Figure:
        return Figure(kind.name, value, kind.unit, kind.budget, simulated, kind.most, verdict, why)

    try:
        value = kind.of(measured)
    except Lacking as why:
        return figure(None, "none", str(why))
    except (KeyError, IndexError, TypeError, ValueError):
        return figure(None, "missing")
    if value is None:
        return figure(None, "missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return figure(None, "impossible")
    least, most = kind.bounds(measured)
    if not least <= value <= most:
        return figure(value, "impossible")
    return figure(value, _verdict(kind, value, simulated))


def _verdict(kind: Kind, value: float | int, simulated: float | int | None) -> Verdict:
    if kind.same:
        near = simulated is None or abs(value - simulated) <= simulated * _SAME
        return "ok" if near else "other"
    if kind.budget is not None and (value > kind.budget if kind.most else value < kind.budget):
        return "budget"
    if kind.timed and simulated is not None:
        if value > TWICE * simulated:
            return "slow"
        if value * _QUICK < simulated and simulated > _WORTH_MS:
            return "quick"
    return "ok"


# ---------------------------------------------------------------------- where each is found


def _of(step: str, name: str) -> Callable[[Measurement], Any]:
    return lambda measured: measured.steps[step][name]


def _psram(measured: Measurement) -> Any:
    return measured.steps["about"]["psram"]


def _least(name: str) -> Callable[[Measurement], Any]:
    def least(measured: Measurement) -> Any:
        said = [
            one["memory"][name]
            for one in measured.steps.values()
            if one not in (NOT_REQUESTED, NO_SOCKET)
        ]
        return min(said) if said else None

    return least


def _stage(name: str) -> Callable[[Measurement], Any]:
    return lambda measured: measured.steps["start"]["stages"][name]


def _after(name: str) -> Callable[[Measurement], tuple[float, float]]:
    """No stage of a start is before the one named."""
    return lambda measured: (_number(measured, _stage(name)), 1e9)


def _erase(measured: Measurement) -> Any:
    said = measured.steps["flash"]["erase_us"]
    if said == []:
        raise Lacking("journal")
    return max(said) / 1000 if min(said) >= 0 else min(said) / 1000


def _slowest_key(name: str) -> Callable[[Measurement], Any]:
    def slowest(measured: Measurement) -> Any:
        said = [measured.steps[f"press{at}"][name] for at in range(1, len(PRESSES) + 1)]
        return min(said) if min(said) < 0 else max(said)

    return slowest


def _radio(measured: Measurement) -> Any:
    radio = measured.steps["radio"]
    if radio["wifi"] == "not_configured":
        raise Lacking("no_wifi")
    if radio["opened_ms"] is None:
        raise Lacking("no_network" if radio["wifi"] != "joined" else "no_broker")
    return radio["opened_ms"]


def _lost(measured: Measurement) -> Any:
    return measured.sent - (measured.text_after - measured.text_before)


def _dips(measured: Measurement) -> Any:
    radio, dips = measured.steps["radio"]["wifi"], measured.steps["dips"]
    if dips["dips"] is None:
        raise Lacking("no_such_pins")
    if radio != "joined":
        raise Lacking("no_wifi" if radio == "not_configured" else "no_network")
    return dips["dips"] * 1000 / dips["dips_ms"]


def _starts(measured: Measurement) -> Any:
    return max(measured.boots) - min(measured.boots)


def _part(step: str, name: str) -> Callable[[Measurement], Any]:
    """Of what a board need not have."""

    def found(measured: Measurement) -> Any:
        said = measured.steps[step]
        if "lacks" in said:
            raise Lacking("not_asked" if said == NOT_REQUESTED else "no_such_part")
        return said[name]

    return found


def _level(name: str) -> Callable[[Measurement], Any]:
    level_of = _part("noise", name)
    return lambda measured: level_of(measured) / 10


def _lying(measured: Measurement) -> Any:
    """How often the badge was reported; never is no answer."""
    return _part("lying", "taps")(measured) or None


def _two(measured: Measurement) -> Any:
    """How many of the two were taken, once at least one look at them failed."""
    taken = _part("two", "taps")(measured)
    return taken if taken or measured.steps["two"]["unread"] else None


def _number(measured: Measurement, of: Callable[[Measurement], Any]) -> float:
    """0 for what is none; its own row says that."""
    try:
        found = of(measured)
    except (Lacking, KeyError, IndexError, TypeError, ValueError):
        return 0
    return found if isinstance(found, int | float) else 0


def _within_heap(measured: Measurement) -> tuple[float, float]:
    return 0, _number(measured, _psram) + 400 * _KIB


def _within_idf(measured: Measurement) -> tuple[float, float]:
    return 0, _number(measured, _least("idf"))


def _until_drawn(measured: Measurement) -> tuple[float, float]:
    return 0, _number(measured, _slowest_key("drawn_ms"))


KINDS = (
    Kind("psram", _psram, "B", same=True),
    Kind("heap", _least("heap"), "B", 2 << 20, False, _within_heap, timed=False),
    Kind("loaded", _of("about", "loaded"), "B", 400 * _KIB, timed=False,
         bounds=lambda _: (60_000, 1e9)),
    Kind("idf", _least("idf"), "B", 100 * _KIB, False, lambda _: (0, 330_000), timed=False),
    Kind("idf_largest", _least("idf_largest"), "B", 64 * _KIB, False, _within_idf, timed=False),
    Kind("erase", _erase, budget=400, bounds=lambda _: (0, 1e5)),
    Kind("read", _of("flash", "read_us"), "µs"),
    Kind("begun", _stage("begun")),
    Kind("loaded_at", _stage("loaded"), bounds=_after("begun")),
    Kind("started", _stage("started"), bounds=_after("loaded")),
    Kind("ready", _stage("ready"), budget=3_000, bounds=_after("started")),
    Kind("hello", _stage("hello"), budget=1_500, bounds=_after("started")),
    Kind("key_light", _slowest_key("light_ms"), budget=20, bounds=_until_drawn),
    Kind("key_screen", _slowest_key("drawn_ms")),
    Kind("badge", _of("badge", "drawn_ms"), budget=120),
    Kind("pin", _of("pin", "drawn_ms"), budget=60),
    Kind("pbkdf2", _of("pin", "pbkdf2_ms")),
    Kind("connection", _radio),
    Kind("lost", _lost, "B", 0),
    Kind("dips", _dips, "1/s", timed=False),
    Kind("starts", _starts, "", 0, timed=False),
    *(Kind(name, _part(name, "heard"), "", 1, False, lambda _: (0, 1), timed=False)
      for name, _, _ in HEARD),
    # a capsule's own noise, and what a cable and the ES8388 add; a dead one has none at all
    Kind("noise", _level("microphone"), "dB", -45, bounds=lambda _: (-85, 0), timed=False),
    Kind("lying", _lying, "", 1, timed=False),
    Kind("two", _two, "", 0, timed=False),
    *(Kind(f"{part}_{name}", _part(part, f"{name}_ms"), budget=40_000, timed=False)
      for part in PULLED for name in ("gone", "back")),
)  # fmt: skip


def _chip(board: str) -> str:
    """Simulated ones that are no board of ours are as a LyraT."""
    try:
        return load_board(board).wiring.board.chip
    except BoardError:
        return "esp32"


@cache
def _all() -> Mapping[str, Mapping[str, float]]:
    return json.loads((files(__package__) / "simulated.json").read_text("utf-8"))  # type: ignore[no-any-return]


def _simulated(chip: str) -> Mapping[str, float]:
    return _all().get(chip, {})


def wrong(found: list[Figure]) -> Iterator[Figure]:
    """Those that make a station fail."""
    return (one for one in found if one.verdict not in RIGHT)
