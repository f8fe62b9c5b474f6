"""What stands for a caller: a keyed hash, so that one who calls again is known, and no number."""

import hashlib
import hmac
import re

_DIGITS = 9  # the last ones: with or without the country's or the exchange's prefix
_NOBODY = {"", "none", "unknown", "anonymous", "restricted", "unavailable", "private", "asterisk"}
_NUMBER = re.compile(r"[+\d\s().*#-]+")
_IN_NAME = re.compile(r"<([^<>]*)>\s*\Z")


def reference(key: str, caller: str) -> str | None:
    """Of a number, or of what a switch knows the caller by; None for whoever hides it. `key`: the
    site's badge key.
    """
    within = _IN_NAME.search(caller)
    caller = (within[1] if within else caller).strip().lower()
    if caller in _NOBODY:
        return None
    if _NUMBER.fullmatch(caller):
        caller = re.sub(r"\D", "", caller)[-_DIGITS:]
        if not caller:
            return None
    told = hmac.new(key.encode(), b"caller:" + caller.encode(), hashlib.sha256)
    return told.hexdigest()[:32]
