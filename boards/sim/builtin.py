"""The interpreter's own modules, which this board's stand in for."""

import sys

_path = sys.path[:]
sys.path[:] = []
import _thread as _thread  # noqa: E402
import select as select  # noqa: E402
import socket as socket  # noqa: E402
import time as time  # noqa: E402

import tls as tls  # noqa: E402

sys.path[:] = _path
for _name in ("_thread", "select", "socket", "time", "tls"):
    sys.modules.pop(_name, None)
