"""What can go wrong with one board; each message says what to do."""

from diadema.base.errors import DiademaError


class FlashError(DiademaError):
    """This board cannot be written, or not now."""
