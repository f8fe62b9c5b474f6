"""What cannot be done with a station."""

from diadema.base.errors import DiademaError


class FleetError(DiademaError):
    """The message says what to do."""
