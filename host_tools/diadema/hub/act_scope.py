"""On whom an account may act: judged by the person on whom an act lands, whatever was asked."""

from diadema.hub.own_journal import Refused
from diadema.ingest.act_kinds import Acknowledge, AnswerFault, AnswerHelp, Asked, SendMessage
from diadema.ingest.core import Ingest
from diadema.store.rows import Ticket
from diadema.store.station_memory import Station


def check_among(asked: Asked, ingest: Ingest) -> None:
    """Raises Refused. Whose a ticket is, it says itself (`check_ticket`)."""
    if asked.among is None or isinstance(asked, AnswerFault | AnswerHelp):
        return
    agents = asked.agents if isinstance(asked, SendMessage) else [getattr(asked, "a", None)]
    if isinstance(asked, Acknowledge) and asked.s is not None:
        station = ingest.stations.get(asked.s)
        session = station.state.session if station else None
        agents = [session.a if session else None]
    if not asked.among.issuperset(agents):
        raise _not_yours()


def check_ticket(asked: Asked, station: Station, ticket: Ticket) -> None:
    """Hers who called, or who sits there now. Raises Refused."""
    session = station.state.session
    theirs = {ticket.a, session.a if session else None}
    if asked.among is not None and asked.among.isdisjoint(theirs):
        raise _not_yours()


def _not_yours() -> Refused:
    return Refused("not_yours", "this account does not act on that agent", 403)
