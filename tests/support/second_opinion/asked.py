"""One question: what is given, whose figures, which days, until when."""

from tests.support.second_opinion import booked, contacts, desks, joins, switch
from tests.support.second_opinion.centre import Centre, days


class Whole:
    """All that was given, worked out once for many questions. `last`: the day as of which names
    and targets are told.
    """

    def __init__(self, given, last):
        self.given, self.centre = given, Centre(given, last)
        self.desks = desks.read(given)
        self.contacts = contacts.read(given)
        self.stays, self.rings = switch.read(given, self.centre)
        joins.join(self.contacts, self.stays, self.centre)
        switch.doubt([one for one in switch.served(self.stays) if not one.contact])
        joins.join_rings(self.rings, self.contacts)
        self.booked = booked.book(self.contacts, self.stays, self.rings)


class Asked:
    """`of`: floor, agent, team or queue, by its `code`. `booked`, `contacts` and `stays` are those
    of the question; a team is who belonged to it on each day.
    """

    def __init__(self, whole, first, last, now_ms, of="floor", code=""):
        self.whole, self.centre, self.of, self.code = whole, whole.centre, of, code
        self.days, self.now_s = list(days(first, last)), now_ms // 1000
        self.now_ms = now_ms
        self.booked = [one for one in whole.booked if self.has(one)]
        self.hourless = [
            one
            for one in whole.booked
            if one.utc_s is None and any(self.is_of(one, day) for day in self.days)
        ]
        self.contacts = [one for one in whole.contacts if self.has(one)]
        self.all_stays = whole.stays
        self.stays = [
            one for one in whole.stays
            if self.centre.day(one.entered) in self.days
            and (of != "queue" or one.queue == code)
        ]  # fmt: skip

    @property
    def is_floor(self):
        return self.of == "floor"

    def has(self, one):
        if one.utc_s is None:
            return False
        day = self.centre.day(one.utc_s)
        return day in self.days and self.is_of(one, day)

    def is_of(self, one, day):
        return one.queue == self.code if self.of == "queue" else self.of_agent(one.agent, day)

    def of_agent(self, agent, day):
        match self.of:
            case "agent":
                return agent == self.code
            case "team":
                return self.centre.team(agent, day) == self.code
        return True
