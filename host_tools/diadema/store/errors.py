"""Why the store took nothing. Both mean: nothing was written."""

from diadema.errors import DiademaError


class StoreUnavailable(DiademaError):
    """The disk is full, or another program holds the database: try again."""


class StoreStale(DiademaError):
    """The store knows more than its writer believed: read it again, then repeat the batch."""
