"""A PIN's verifier, read by the description of it and not by the code that makes it."""

import hashlib


def verify_pin(pin: str, verifier: str) -> bool:
    """Whether `verifier` was made of this PIN; never of an empty verifier."""
    salt, expected, *_ = [*verifier.split(":"), ""]
    made = hashlib.pbkdf2_hmac("sha256", pin.encode(), bytes.fromhex(salt), 1000, 16).hex()
    return expected != "" and made == expected
