"""The host's one exception tree. A message tells the person what happened and what to do next."""


class DiademaError(Exception):
    """Anything that the person at the command line can act on; the command ends with code 2."""
