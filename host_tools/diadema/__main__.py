"""`python -m diadema`: the same as the command `diadema`."""

from diadema.cli import main

if __name__ == "__main__":
    main()
