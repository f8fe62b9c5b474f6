"""Asterisk as an exchange: calls by ARI, queues, members and telephones by AMI."""

from diadema.base.clock import Clock
from diadema.base.credentials import Secrets
from diadema.switch.exchange import Hear
from diadema.switch.settings import Settings


class Asterisk:
    def __init__(self, settings: Settings, secrets: Secrets, hear: Hear, clock: Clock) -> None:
        raise NotImplementedError
