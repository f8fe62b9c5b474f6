"""What must hold of every parser, for the hypothesis tests and for the bench's fuzzer alike.

Makes the samples of `tests/host`, the benches of `tests/firmware` and the firmware importable.
"""

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
for _folder in ("host", "firmware/suite", "firmware", "../firmware"):
    _path = str((_TESTS / _folder).resolve())
    if _path not in sys.path:
        sys.path.insert(0, _path)

import micropython_names  # noqa: E402, F401 - before anything of the firmware
