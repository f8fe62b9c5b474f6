"""What keeps a station from beginning its work; each message says what to do."""

from diadema.base.errors import DiademaError


class ProvisionError(DiademaError):
    """The station has not what it needs, or it is not known whether it has."""
