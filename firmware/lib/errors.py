"""The station's errors: one tree, with messages for the person who has to act.

`lib` and `drivers` raise them; `lib.app` turns them into `station.fault` or `command.refused`.
"""


class StationError(Exception):
    """Anything the station can name; `code` says it in `station.fault`."""

    def __init__(self, message, code="unusable"):
        super().__init__(message)
        self.code = code


class PartError(StationError):
    """A chip did not answer, or answered nonsense."""

    def __init__(self, part, code, advice=""):
        super().__init__("{}: {}{}".format(part, code, advice and "; " + advice), code)
        self.part = part


class BadRead(PartError):
    """A badge was not read to the end; holding it there again may do."""


class JournalError(StationError):
    """The journal's partition cannot be used."""


class JournalFull(JournalError):
    """No sector is free: everything on flash still waits for its acknowledgement."""


class ConfigError(StationError):
    """A configuration that does not validate: which key, and what is wrong with it."""

    def __init__(self, key, reason):
        super().__init__("{}: {}".format(key, reason))
        self.key = key
        self.reason = reason


class LinkError(StationError):
    """A way to the host ended or did not come about."""
