"""What a step and a start cost an ESP32: counted instructions and flash reads, by a model.

The same each time: nothing of it is time. `chip_model` has the model, and how far it is off. What
it leaves out: screen, codec, I2C, what flash takes to program and to erase, collections, and that
memory beyond the chip is slower than its own.
"""

import ast

from diadema_sim.build import station_tree

from tests.bench.chip_model import Model, kept
from tests.bench.counted import VALGRIND, Count, counts, total
from tests.bench.figure import Figure

NEEDS = (VALGRIND,)
# ms that a step may take, and what the program took that loaded each thing for its moment
_LIGHT, _LIGHT_WAS = 20, "44 with nothing to load, up to 178 with"
_BUDGETS = (  # of a step until its screen is drawn
    ("badge, to its greeting", "badge", 120, "224"),
    ("menu", "menu, idle", 30, "108"),
    ("menu in a call", "menu", 30, "108"),
    ("code tree, from the end of a call", "codes", 30, "74 to 86"),
    ("code tree, next level", "level", 30, "12 to 30"),
)
_PIN = (60, "69 until its PBKDF2")
_HELLO, _READY = 1_500, 3_000
_START_READS = 10_600
_KEYS = (
    "key", "answer", "mute", "unmute", "methods", "method", "menu", "menu, idle", "settings",
    "help", "codes", "level", "level below", "code",
)  # fmt: skip


def until(parts: list[Count], place: str) -> Count:
    """The parts up to the first that ends at `place`."""
    at = next((at for at, part in enumerate(parts) if part.name == place), len(parts) - 1)
    return total(parts[: at + 1])


def manner(name: str) -> int:
    """A figure of the table that the simulated board keeps to."""
    source = (station_tree() / "boards" / "sim" / "manners.py").read_text(encoding="utf-8")
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name:
            return int(ast.literal_eval(line.value))
    raise KeyError(name)


def passed(count: Count, model: Model) -> float:
    """Milliseconds since power came: what it waited for is on the station's clock, on which its
    reads took their time too, that the model has already.
    """
    return model.ms(count) + max(count.at_ms - reads(count) * manner("read_us") / 1000, 0)


def without(parts: list[Count], place: str) -> Count:
    return total([part for part in parts if part.name != place])


def reads(count: Count) -> int:
    return count.slot + count.vfs + count.journal


async def figures() -> list[Figure]:
    rows, _ = await counts()
    return [*steps(rows, kept().model), *start(rows["start"], kept().model)]


def steps(rows: dict[str, list[Count]], model: Model) -> list[Figure]:
    lit = {name: model.ms(until(rows[name], "light")) for name in _KEYS}
    slowest = max(lit, key=lambda name: lit[name])
    loaded = max(rows[name][0].slot + total(rows[name]).vfs for name in _KEYS)
    found = [
        Figure("key → light", lit["key"], "ms", _LIGHT, f"budget; it was {_LIGHT_WAS}"),
        Figure(f"key → light, the slowest: {slowest}", lit[slowest], "ms", _LIGHT, "budget"),
        Figure("all of a key, its event sent", model.ms(total(rows["key"])), "ms", 44, "it was"),
    ]
    for what, name, budget, was in _BUDGETS:
        ms = model.ms(until(rows[name], "drawn"))
        found.append(Figure(what, ms, "ms", budget, f"budget; it was {was}"))
    budget, was = _PIN
    ms = model.ms(without(rows["pin"], "PBKDF2"))
    found += [
        Figure("PIN, all but its PBKDF2", ms, "ms", budget, f"budget; it was {was}"),
        Figure("a report on the station's health", model.ms(total(rows["health"])), "ms", 87,
               "it was"),
        Figure("flash reads of a key, of program and files", loaded, "reads", 0, "0"),
        Figure("flash reads of a key, of its own events", total(rows["key"]).journal, "reads"),
    ]  # fmt: skip
    return found


def start(parts: list[Count], model: Model) -> list[Figure]:
    """From the moment at which MicroPython runs; what waits for a chip is in it."""
    begun = next(at for at, part in enumerate(parts) if part.name == "boot.py") + 1
    own = parts[begun:]
    mounted, hello, ready = (until(own, place) for place in ("main.py", "hello", "ready"))
    return [
        Figure("start: the program's file system mounted", passed(mounted, model), "ms"),
        Figure("start: hello", passed(hello, model), "ms", _HELLO,
               "budget, beyond loader and PSRAM test"),
        Figure("start: ready", passed(ready, model), "ms", _READY,
               "budget, beyond loader and PSRAM test"),
        Figure("start: flash reads", reads(total(own)), "reads", _START_READS,
               "it was, of the slot alone"),
    ]  # fmt: skip
