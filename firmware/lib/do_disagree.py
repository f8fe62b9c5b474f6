"""Station and host do not say the same of a call."""

_SAYS = {
    "answer": "talking", "resume": "talking", "consult_end": "talking", "hold": "held",
    "consult": "consulting", "withdraw": "idle", "hangup": "idle", "transfer": "idle",
}  # fmt: skip


def by_host(station, details):
    """Note what each says of a contact of ours, in answer to the command. False where it is not
    ours, or where both say the same.
    """
    desk = station.desk
    contact, host = details.get("contact"), _SAYS.get(details["cmd"])
    if contact and contact == desk.contact:
        agent, here = desk.agent, desk.work
    elif contact and contact == desk.former[0]:
        agent, here = desk.former[1], "idle"
    else:
        return False
    over = here == "wrapup" and details.get("by") == "agent"  # both hung up at once
    if not host or host == here or over:
        return False
    station.emit("contact.disagreed", details, a=agent, c=contact, station=here, host=host)
    return True
