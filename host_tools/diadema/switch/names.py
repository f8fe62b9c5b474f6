"""Who at the site the exchange means: members and agents, queues, seats' telephones, areas."""

from dataclasses import dataclass, field

from diadema.site.directory.people import People, queue_of, whose
from diadema.switch.exchange import Phone


@dataclass(frozen=True)
class Names:
    """Of one moment of the directory."""

    people: People = field(default_factory=People)

    def agent_of(self, member: str) -> str | None:
        """A member is called by the agent's id, or by a name of the agent's at the switch."""
        if member in self.people.workers:
            return member
        return whose(self.people.aliases.get(member, []), None) or None

    def queue_of(self, name: str) -> str:
        return queue_of(self.people.switch_queues, name, None)

    def is_mapped(self, name: str) -> bool:
        return self.queue_of(name) in self.people.queues

    def queues_of(self, agent: str) -> list[tuple[str, int]]:
        """As the exchange calls them, each with the agent's penalty."""
        worker = self.people.workers.get(agent)
        if worker is None or not worker.active:
            return []
        return [(self._name_of_queue(code), worker.penalty) for code in worker.queues]

    def _name_of_queue(self, code: str) -> str:
        """The first of its names there, else its own code."""
        its = (
            name for name, turns in self.people.switch_queues.items() if whose(turns, None) == code
        )
        return min((name for name in its if name != code), default=code)

    def phone_of(self, station: str) -> Phone | None:
        known = self.people.phones.get(station)
        return Phone(*known) if known is not None else None

    def called_by(self, interface: str) -> str | None:
        """The station whose telephone that is: `PJSIP/101`, or `Local/101@from-queue/n`."""
        technology, _, rest = interface.partition("/")
        for station, (extension, _) in self.people.phones.items():
            number = extension.partition("/")[2]
            if interface == extension or (technology, rest.partition("@")[0]) == ("Local", number):
                return station
        return None

    def number_of(self, area: str) -> str | None:
        known = self.people.areas.get(area)
        return (known.number or None) if known is not None else None
