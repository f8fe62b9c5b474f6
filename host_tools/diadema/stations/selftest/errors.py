"""What keeps a bench test from its result; each message says what to do."""

from diadema.base.errors import DiademaError


class SelftestError(DiademaError):
    """It did not begin, or nobody knows how it ended."""
