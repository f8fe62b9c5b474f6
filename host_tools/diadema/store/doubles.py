"""What is stored already under the numbers that came once more, by few statements.

After an outage a thousand stations send everything again: if a double cost more than a new event
does, that would never end.
"""

from itertools import chain

from sqlalchemy import Connection

type Number = tuple[str, int, int]  # s, e, n

_ASKED = 4096  # numbers in one statement; SQLite takes 32 766 values
_KNOWN = [  # CROSS JOIN: what is asked is the outer loop, whatever the planner thinks
    f"WITH asked (s, e, n) AS (VALUES %s) SELECT s, e, n, body FROM asked CROSS JOIN {name} "
    "USING (s, e, n)"
    for name in ("events", "dead_letters", "conflicts")
]


def known_bodies(tx: Connection, numbers: list[Number]) -> dict[Number, set[bytes]]:
    """The bodies stored under each of these numbers; one without any is left out."""
    known: dict[Number, set[bytes]] = {}
    different = list(dict.fromkeys(numbers))
    for at in range(0, len(different), _ASKED):
        asked = different[at : at + _ASKED]
        values = tuple(chain.from_iterable(asked))
        for statement in _KNOWN:
            text = statement % ", ".join(["(?, ?, ?)"] * len(asked))
            for s, e, n, body in tx.exec_driver_sql(text, values):
                known.setdefault((s, e, n), set()).add(body)
    return known
