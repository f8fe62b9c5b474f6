"""Browsers that an account was let in with: each keeps a sealed cookie by which it is known, so
that others' guesses at that account do not keep it out. It lets nobody in.
"""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from diadema.access.authenticator import is_secure

DEVICE_COOKIE = "diadema_device"
_AGE_S = 180 * 86_400


def known_device(request: Request, key: str, account: str) -> str:
    """The device's name, if its cookie is one of this account; else empty."""
    name, _, seal = request.cookies.get(DEVICE_COOKIE, "").partition(".")
    if not name.isalnum() or len(name) > 64:
        return ""
    right = hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(key, account, name))
    return name if right else ""


def know_device(request: Request, answer: Response, key: str, account: str) -> None:
    """Put a cookie on the answer to a right login, the same where there is one."""
    name = known_device(request, key, account) or secrets.token_hex(16)
    value = f"{name}.{_seal(key, account, name).decode()}"
    secure = is_secure(request.scope)
    answer.set_cookie(
        DEVICE_COOKIE, value, _AGE_S, path="/login", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def _seal(key: str, account: str, name: str) -> bytes:
    content = f"device:{account}:{name}".encode()
    return hmac.digest(key.encode(), content, "sha256").hex().encode()
