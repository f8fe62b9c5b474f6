"""What can be wrong with a key or a bundle."""

from diadema.errors import DiademaError


class UpdateError(DiademaError):
    """The message says what to do."""
