"""Texts from the supervisor: the newest lies on top, «Leído» takes it away. One that asks for a
signature is signed by the agent's own badge, conforme or not, or set aside until the agent does.
"""

from lib.message import Message
from micropython import const

_MOST = const(4)


def show(station, details):
    if len(station.texts) >= _MOST:
        station.refuse(details, "too_many")
        return
    station.message = Message(details["m"], details["text"], details.get("sign"))
    station.message.agent = station.desk.agent
    station.texts.append(station.message)
    station.said("message.shown", details, m=details["m"])


def turn(station, details):
    station.message.turn()


def acknowledge(station, details):
    _answer(station, answer="read", how="key")


def aside(station, details):
    """Later: it waits in the menu, below those that were not read yet."""
    message = station.message
    message.signed = False
    station.texts.remove(message)
    station.texts.insert(0, message)
    station.message = None


def open_again(station, details):
    """From the menu: what waits for the agent, the newest first."""
    station.message = station.texts[-1] if station.texts else None


def signed(station, details):
    """The agent's own badge, while something waits to be signed. False when nothing does, and
    when it is signed and the badge comes again: one may leave without an answer.
    """
    if station.message and station.message.signed:
        return False
    for message in reversed(station.texts):
        if message.sign:
            station.message = message
            message.signed = True
            return True
    return False


def agree(station, details):
    _answer(station, answer="agree", how="badge")


def observe(station, details):
    _answer(station, answer="observe", how="badge")


def others(station):
    """Somebody else sits here: what was sent to the agent before is not shown."""
    agent = station.desk.agent
    station.texts = [text for text in station.texts if text.agent in (None, agent)]
    if station.message not in station.texts:
        station.message = None


def _answer(station, **answer):
    message = station.message
    station.said("message.acknowledged", m=message.name, **answer)
    station.texts.remove(message)
    station.message = station.texts[-1] if station.texts and not station.texts[-1].sign else None
