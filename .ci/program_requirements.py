"""Prints of requirements.lock what the program itself needs, with its hashes; for `make setup`.

    python3 .ci/program_requirements.py NAME… < requirements.lock

NAME…: what builds it. Each entry of the lock says below itself by whom it is wanted; entries that
are wanted for development alone, or only by such, are left out.
"""

import re
import sys

PROGRAM = "diadema (pyproject.toml)"


def needed(lock, names=()):
    """The entries of the lock, as they stand there. Works on any Python 3."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    wanted_by = {}
    for entry in entries:
        comments = re.findall(r"(?m)^ +#(?: via)? +(\S.*)$", entry)
        wanted_by[entry.partition("==")[0]] = comments
    found = {name for name, by in wanted_by.items() if PROGRAM in by or name in names}
    before = set()
    while found != before:
        before = set(found)
        found |= {name for name, by in wanted_by.items() if before.intersection(by)}
    return "".join(entry for entry in entries if entry.partition("==")[0] in found)


if __name__ == "__main__":
    sys.stdout.write(needed(sys.stdin.read(), sys.argv[1:]))
