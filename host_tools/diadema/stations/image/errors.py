"""What can be wrong with an image; each message says what to do."""

from diadema.base.errors import DiademaError


class ImageError(DiademaError):
    """It cannot be read, or cannot be for this board."""
