"""A centre in which callers and agents were informed, and a lead of quality who may hear calls."""

import hashlib
from contextlib import closing

from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.quality_of import notice_bytes
from diadema.store import open_writer, tables

LEAD = "luz"


def inform(data, at_ms, agents):
    """Before a hub runs there."""
    accounts = Accounts(data)
    accounts.book.add(THE_HUB, LEAD, "Luz Paz", "quality_lead", password="clave-1234")
    accounts.close()
    said = {"by": LEAD, "utc": at_ms, "s": "HUB-other", "e": 1}
    with (
        open_directory(data, at_ms) as book,
        closing(open_writer(data.store)) as writer,
        writer.transaction() as tx,
    ):
        for n, side in enumerate(("caller", "agent"), 1):
            row = {"code": side, "name": side, "side": side, "text": "Esta llamada se escucha."}
            body = KINDS["notices"].read(row)
            book.apply(
                [Change(kind="notices", code=side, body=body)], by=LEAD, reason="t", at_ms=at_ms
            )
            published = {"notice": side, "side": side, "version": 1}
            digest = hashlib.sha256(notice_bytes(body)).hexdigest()
            tx.execute(tables.notices.insert().values(**said, n=n, **published, hash=digest))
        for n, agent in enumerate(agents, 3):
            signed = {"notice": "agent", "a": agent, "how": "badge"}
            tx.execute(tables.signatures.insert().values(**said, n=n, **signed))
