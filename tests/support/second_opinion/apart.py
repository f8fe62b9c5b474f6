"""What has no agent, no hour or no end yet: in no other table, or in no mean."""

from tests.support.second_opinion.booked import summed
from tests.support.second_opinion.switch import WAITING, served


def make(asked):
    n, switch = summed(asked.booked), asked.of in ("floor", "queue")
    stays = asked.stays if switch else []
    counts = {
        "atendidas según la central, sin asesor": sum(not one.agent for one in served(stays)),
        "llamadas de estaciones sin hora conocida, en ningún día": len(asked.hourless),
        "llamadas de asesores sin fin todavía": n["open"] + n["dialing"] + n["aside_open"],
        "en cola sin fin conocido": sum(one.outcome == WAITING for one in stays),
    }
    return {what: {"count": count} for what, count in counts.items()}
