"""Modules that are needed for a moment only: imported where they are used, dropped here."""

import sys


def forget(*names):
    """Let go of modules of `lib`; who imports one again loads it again."""
    for name in names:
        if sys.modules.pop("lib." + name, None):
            delattr(sys.modules["lib"], name)
