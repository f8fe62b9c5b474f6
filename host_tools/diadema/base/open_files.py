"""How many files and connections a process may have open."""

import resource
import sys

_MOST = 65_536


def raise_open_files() -> int:
    """As many open files as the system lets us have; gives the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return soft if soft != resource.RLIM_INFINITY else sys.maxsize
