"""Which functions can come to a recording's sound, by what their code names: whatever they call of
ours is followed, also what they import inside.
"""

import dis
import importlib
import inspect
import types
from functools import cache

from msgspec import Struct

ROOMS = (
    "diadema.recordings.playing", "diadema.recordings.decoding", "diadema.recordings.decoder",
    "diadema.recordings.handing_over", "diadema.web.recordings.sound",
    "diadema.web.recordings.hearings",
)  # fmt: skip
ATTRIBUTES = ("hearings",)  # of the web app
_OURS = "diadema."


def reaches_sound(function):
    """Whether it, or what it calls, names anything of these rooms that works."""
    waiting, seen = [*_functions_of(function)], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        is_sound, called = _looked_at(one)
        if is_sound:
            return True
        waiting += called
    return False


@cache
def _looked_at(function):
    """Whether it names any itself, and the functions of ours that it names."""
    named = [*_named(function)]
    if function.__module__ in ROOMS or any(map(_is_sound, named)):
        return True, []
    return False, [one for its in named if _is_ours(its) for one in _functions_of(its)]


def _functions_of(thing):
    """What is run when it is called; of a class all of its methods."""
    thing = inspect.unwrap(thing) if callable(thing) and not inspect.isclass(thing) else thing
    if inspect.isclass(thing):
        found = [one for one in vars(thing).values() if isinstance(one, types.FunctionType)]
    elif isinstance(thing, types.MethodType):
        found = [thing.__func__]
    else:
        found = [thing] if isinstance(thing, types.FunctionType) else []
    for one in [*found]:
        cells = (cell.cell_contents for cell in one.__closure__ or () if _is_filled(cell))
        found += [cell for cell in cells if isinstance(cell, types.FunctionType)]
    return found


def _is_filled(cell):
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _named(function):
    """Names of attributes and of modules that are imported inside, and what globals are."""
    for code in _codes(function.__code__):
        modules, imported = [], None
        for one in dis.get_instructions(code):
            name = one.argval
            if one.opname == "IMPORT_NAME" and name.startswith(_OURS):
                imported = importlib.import_module(name)
            elif one.opname == "IMPORT_FROM" and imported is not None:
                value = getattr(imported, name, None)
                yield value.__name__ if inspect.ismodule(value) else value
            if one.opname == "LOAD_ATTR":
                yield str(name)
                yield from (vars(its)[name] for its in modules if name in vars(its))
            elif one.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in function.__globals__:
                value = function.__globals__[name]
                if inspect.ismodule(value):
                    modules.append(value)
                yield value


def _codes(code):
    yield code
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _codes(one)


def _is_sound(named):
    if isinstance(named, str):
        return named in ROOMS or named in ATTRIBUTES
    if inspect.isclass(named) and issubclass(named, (BaseException, Struct)):
        return False
    if inspect.ismodule(named):
        return False  # what of it is called is named beside it
    return getattr(named, "__module__", None) in ROOMS


def _is_ours(named):
    if isinstance(named, str) or inspect.ismodule(named):
        return False
    return callable(named) and str(getattr(named, "__module__", "")).startswith(_OURS)
