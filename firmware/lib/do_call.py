"""What the agent may do in a call besides its keys: motive and playbook, the recording, a step
of the protocol left out; and who hears it.
"""

from lib.calls import via
from lib.transitions import IN_CALL
from micropython import const

_LISTENERS = const(4)


def motive(station, details):
    """The tree's first level."""
    nodes = station.config.motives
    station.open_list("motives", nodes, _motive_chosen, IN_CALL)


def _motive_chosen(station, node):
    config = station.config
    station.contact("contact.motive", motive=node[0], version=config.tree_version)
    guide = config.playbook(node[0])
    if guide:
        station.contact("contact.playbook", playbook=guide[0], version=guide[1])


def recording(station, details):
    """Pause it or go on; the host says which."""
    paused = details["state"] == "paused" if details else not station.desk.unrecorded
    kind = "contact.recording_" + ("paused" if paused else "resumed")
    station.contact(kind, details, via=via(details))


def listened(station, details):
    """Somebody begins to hear the call, or hears it no more. In the journal's reserve nobody
    begins: the host gets no answer, and lets nobody listen.
    """
    state, who, listeners = details["state"], details["who"], station.desk.listeners
    if state == "on" and station.full:
        station.notify("journal_full")
    elif state == "off" and who not in listeners:
        station.refuse(details, "no_change")
    elif state == "on" and who not in listeners and len(listeners) >= _LISTENERS:
        station.refuse(details, "busy")
    else:
        station.contact("contact.listened", details, state=state, who=who)


def skip(station, details):
    step = station.progress()
    if step:
        station.contact("contact.step", step=step[2], result="skipped", how="key")


def end_wrapup(station, details):
    """A supervisor ends it; the call can still get its code."""
    station.end_wrapup("supervisor", details)
    if details.get("who"):
        station.notify("closed_by", details["who"])
