"""Modules that are needed for a moment only: loaded for one call, and let go of after it."""

import sys


def once(module, function, *arguments):
    """What `lib.module.function(…)` returns; the module is not kept in memory."""
    name = "lib." + module
    try:
        return getattr(__import__(name, None, None, (function,)), function)(*arguments)
    finally:
        forget(module)


def forget(*modules):
    """Let go of modules of `lib`; who imports one again loads it again."""
    for name in modules:
        if sys.modules.pop("lib." + name, None):
            delattr(sys.modules["lib"], name)
