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
    """Let go of modules of `lib`, or of another package that is named; who imports one again
    loads it again.
    """
    for name in modules:
        package, _, module = ("lib." + name if "." not in name else name).partition(".")
        if sys.modules.pop(package + "." + module, None):
            delattr(sys.modules[package], module)
