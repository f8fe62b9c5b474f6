"""The temporary directory of a simulated run: gone with the run, and with the next one where a run
was killed. A lock inside tells whether its run lives; the system lets go of it with the process.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from diadema.base.errors import DiademaError
from diadema.base.locks import locked

_PREFIX = "diadema-run-"
_OURS = "run.lock"
_HUBS = "lock"  # a hub outlives its run's process by a moment


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new directory that nobody takes for a dead run's; those are removed first."""
    remove_dead()
    begun = Path(tempfile.mkdtemp(prefix="diadema-new-"))
    root = begun
    try:
        with locked(begun / _OURS):
            root = begun.rename(begun.with_name(begun.name.replace("diadema-new-", _PREFIX)))
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def remove_dead() -> list[Path]:
    """Remove the directories whose run was killed; gives them."""
    removed = []
    for root in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        if not (root / _OURS).is_file():
            continue
        try:
            with ExitStack() as held:
                for name in (_OURS, _HUBS):
                    if (root / name).exists():
                        held.enter_context(locked(root / name))
                shutil.rmtree(root, ignore_errors=True)
        except DiademaError:
            continue  # it lives, or is another person's
        removed.append(root)
    return removed
