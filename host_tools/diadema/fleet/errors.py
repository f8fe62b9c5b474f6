"""What cannot be done with a station."""

from diadema.errors import DiademaError


class FleetError(DiademaError):
    """The message says what to do."""
