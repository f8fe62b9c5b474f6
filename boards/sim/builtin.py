"""The interpreter's own `time` and `select`, which this board's modules stand in for."""

import sys

_path = sys.path[:]
sys.path[:] = []
import select as select  # noqa: E402
import time as time  # noqa: E402

sys.path[:] = _path
for _name in ("time", "select"):
    sys.modules.pop(_name, None)
