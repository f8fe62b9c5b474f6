"""Two directories of one site, of which one may serve: whether it is this one.

A hub that has had a standby asks at its address, before it opens anything and then each half
minute, which term of the site is served there; one that took over asks the hub of before. Both
have the same CA and the same key of the API. What does not answer is not known: then the hub
starts, and says so.
"""

import asyncio
import logging
import ssl
from pathlib import Path

import httpx
import msgspec

from diadema.base import credentials
from diadema.base.certificates import PageCertificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing, read_standing
from diadema.words import Sentence

TERM = "/api/v1/standby/term"
_ANSWER_S = 10.0
_EVERY_S = 30.0

log = logging.getLogger("diadema.hub")


class TakenOver(DiademaError):
    """Another serves the site."""

    def __init__(self, data: DataDir, by: str) -> None:
        super().__init__(Sentence("errors.hub.taken_over", root=data.root, by=by))


class _Term(msgspec.Struct):
    term: int


def trusting(ca: Path | str) -> ssl.SSLContext:
    """Of this CA alone: its file, or its PEM. Raises OSError or ValueError."""
    pem = ca.read_text() if isinstance(ca, Path) else ca
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which has none of the system's
    context.load_verify_locations(cadata=pem)
    return context


async def ask_term(url: str, trust: ssl.SSLContext, token: str) -> int | None:
    """Which term is served there. None where nobody answers who has that CA's certificate; 0 for
    a hub that tells us nothing.
    """
    try:
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=_ANSWER_S) as client:
            answer = await client.get(url + TERM, headers={"Authorization": f"Bearer {token}"})
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return None
    try:
        return msgspec.json.decode(answer.content, type=_Term).term
    except msgspec.DecodeError:
        return 0


async def check_standing(data: DataDir) -> list[str]:
    """Who does not answer. Raises TakenOver."""
    known = read_standing(data)
    if known.taken_by:
        raise TakenOver(data, known.taken_by)
    if not known.peers:
        return []
    try:
        trust, token = trusting(PageCertificates(data.tls).ca), credentials.load(data).api
    except (OSError, ValueError) as error:
        log.warning("who serves the site cannot be asked: %s", error)
        return [*known.peers.values()]
    peers = list(dict.fromkeys(known.peers.values()))
    terms = await asyncio.gather(*(ask_term(url, trust, token) for url in peers))
    for url, term in zip(peers, terms, strict=True):
        if term is not None and term > known.term:
            with changing_standing(data) as now:
                now.taken_by, now.taken_term = url, term
            raise TakenOver(data, url)
    return [url for url, term in zip(peers, terms, strict=True) if term is None]


async def until_taken_over(data: DataDir) -> None:
    """Raises TakenOver then. Who is silent is named once."""
    named: list[str] = []
    while True:
        silent = await check_standing(data)
        if new := [url for url in silent if url not in named]:
            log.info("nobody serves the site at %s, as far as this machine can see; if one did "
                     "take over there, end this hub", ", ".join(new))  # fmt: skip
        named = silent
        await asyncio.sleep(_EVERY_S)
