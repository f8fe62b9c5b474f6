"""`python -m diadema`, and the command `diadema`: light, so that Ctrl-C at its very start is met
here and not in the middle of an import.
"""

import sys


def main() -> None:
    """The entry point. Ctrl-C ends it with 130, as a shell expects."""
    try:
        from diadema import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
