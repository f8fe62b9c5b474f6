"""What can be wrong with a key or a bundle."""

from diadema.base.errors import DiademaError


class UpdateError(DiademaError):
    """The message says what to do."""
