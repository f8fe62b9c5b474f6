"""The interpreter's own `time`, `select` and `tls`, which this board's modules stand in for."""

import sys

_path = sys.path[:]
sys.path[:] = []
import select as select  # noqa: E402
import time as time  # noqa: E402

import tls as tls  # noqa: E402

sys.path[:] = _path
for _name in ("time", "select", "tls"):
    sys.modules.pop(_name, None)
