"""What the tests share: players, stages, benches and models. On CPython the firmware's modules can
be imported from here on, with the names of MicroPython that they use.
"""

import sys

if sys.implementation.name != "micropython":
    from tests.support import micropython_names  # noqa: F401 - before anything of the firmware
