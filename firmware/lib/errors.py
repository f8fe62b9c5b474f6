"""The station's errors: one tree, with messages for the person who has to act.

`lib` and `drivers` raise them; `lib.app` turns them into `station.fault` or `command.refused`.
ConfigError stands in `lib.config_check`.
"""


class StationError(Exception):
    """Anything the station can name; `code` says it in `station.fault`."""

    def __init__(self, message, code="unusable"):
        super().__init__(message)
        self.code = code


class PartError(StationError):
    """A chip did not answer, or answered nonsense."""

    def __init__(self, part, code="no_answer", advice="check its cable and its supply"):
        super().__init__("%s: %s; %s" % (part, code, advice), code)
        self.part = part


class BadRead(PartError):
    """An answer with a wrong shape or check, or a badge that was not read to the end (code
    card_lost); holding it there again may do.
    """

    def __init__(self, code="bad_frame"):
        super().__init__("badge_reader", code)


class JournalError(StationError):
    """The journal's partition cannot be used."""


class JournalFull(JournalError):
    """No sector is free: everything on flash still waits for its acknowledgement."""


class LinkError(StationError):
    """A way to the host ended or did not come about."""
