"""Modules that are needed for a moment only: loaded for one call, and let go of after it."""

import sys


def once(module, function, *arguments):
    """What `lib.module.function(…)` returns, or that of another package that is named; the module
    is not kept in memory.
    """
    name = module if "." in module else "lib." + module
    try:
        return getattr(__import__(name, None, None, (function,)), function)(*arguments)
    finally:
        forget(name)


def forget(*modules):
    """Let go of modules of `lib`, or of another package that is named; who imports one again
    loads it again.
    """
    for name in modules:
        package, _, module = name.rpartition(".")
        package = package or "lib"
        if sys.modules.pop(package + "." + module, None):
            delattr(sys.modules[package], module)
