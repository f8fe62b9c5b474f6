"""What keeps a station from being measured; each message says what to do."""

from diadema.base.errors import DiademaError


class ProveError(DiademaError):
    """It did not begin, or it cannot be believed."""
