"""Modules that are needed for a moment only: imported where they are used, dropped here."""

import sys


def forget(name):
    """Let go of module `lib.name`; who imports it again loads it again."""
    if sys.modules.pop("lib." + name, None):
        delattr(sys.modules["lib"], name)
