"""`python -m diadema`, and the command `diadema`: light, so that Ctrl-C at its very start is met
here and not in the middle of an import.
"""

import os
import signal
import sys


def main() -> None:
    """The entry point. Ctrl-C ends it with 130, as a shell expects."""
    sys.unraisablehook = _unraised
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as by nohup
        signal.signal(signal.SIGINT, _leave)
    try:
        from diadema.cli import main

        main.main()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is left to end says nothing


def _leave(*_: object) -> None:
    """Ctrl-C while the program is still imported: nothing was begun that would have to end, and an
    import may swallow what is raised in it.
    """
    os._exit(130)


def _unraised(what: "sys.UnraisableHookArgs") -> None:
    """Ctrl-C while Python called something back that nobody awaits (imports clear their locks
    away so) would be printed with a traceback and forgotten.
    """
    if what.exc_type is KeyboardInterrupt:
        os._exit(130)
    else:
        sys.__unraisablehook__(what)


if __name__ == "__main__":
    main()
