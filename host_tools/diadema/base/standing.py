"""standing.json: whether a data directory is the one that serves its site, and what was put back
from a backup in force.

The term grows with each take-over. Of two directories of one site the one with the higher term
serves; the other, once it has heard so, starts no more until somebody reclaims it.
"""

from contextlib import AbstractContextManager

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.locks import changing
from diadema.base.paths import DataDir
from diadema.words import Sentence


class Standing(Struct, kw_only=True):
    """`peers`: addresses where another may serve, by the name of its token; empty for the hub in
    whose place this one came. `taken_by`: the one that does, in term `taken_term`.

    `trial`: put back from a backup, and nobody has said yet that it is to serve: no mail, webhook
    or scheduled backup goes out, as the hub that it was made of may still run. `in_force_ms`: when
    that was said; what fell due before is not mailed.
    """

    term: int = 1
    peers: dict[str, str] = {}
    taken_by: str = ""
    taken_term: int = 0
    trial: bool = False
    in_force_ms: int = 0


def read_standing(data: DataDir) -> Standing:
    """Raises DiademaError."""
    try:
        return msgspec.json.decode(data.standing.read_bytes(), type=Standing)
    except FileNotFoundError:
        return Standing()
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.base.standing_unreadable", path=data.standing, error=error)
        ) from error


def changing_standing(data: DataDir) -> AbstractContextManager[Standing]:
    """To be changed by one process at a time: hub and web both do. Raises DiademaError."""
    return changing(data.standing, lambda: read_standing(data))


def reclaim(data: DataDir) -> Standing:
    """This directory serves again, above whoever took over. Raises DiademaError if nobody did."""
    with changing_standing(data) as known:
        if not known.taken_by:
            raise DiademaError(Sentence("errors.base.standing_own", root=data.root))
        known.term, known.taken_by = known.taken_term + 1, ""
    return known
