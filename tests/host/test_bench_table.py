"""`make bench`: a part that cannot run is named, and the others have their figures."""

from collections.abc import Callable
from types import ModuleType

from tests.bench import __main__ as bench
from tests.bench.figure import Figure


def _part(figures: Callable[[], list[Figure]], *needs: str) -> ModuleType:
    async def measured() -> list[Figure]:
        return figures()

    part = ModuleType("part", "What it measures.")
    part.__dict__.update(figures=measured, NEEDS=needs)
    return part


def _fails() -> list[Figure]:
    raise SystemExit("the stations failed")


def test_parts_that_cannot_run_are_named_and_lose_no_others(monkeypatch, capsys):
    parts = {
        "tests.bench.board": _part(lambda: [Figure("bytes of a board", 7, "bytes")]),
        "tests.bench.chip": _part(_fails, "no-such-program"),
        "tests.bench.states": _part(_fails),
        "tests.bench.floor": _part(lambda: [Figure("bytes of a floor", 8, "bytes")]),
    }
    monkeypatch.setattr(bench.importlib, "import_module", parts.__getitem__)
    assert bench.main(["board", "chip", "states", "floor"]) == 0
    told = capsys.readouterr()
    before, _, _ = told.err.partition("board: What it measures.")
    assert "chip will not run: needs no-such-program (apt install no-such-program)" in before
    table = told.out
    assert "bytes of a board" in table and "bytes of a floor" in table
    assert "chip: not run" in table and "needs no-such-program" in table
    assert "states: not run" in table and "the stations failed" in table
