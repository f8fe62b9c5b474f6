"""The switch's side: each stay of a caller in a queue, and each ring that nobody took, from the
queue_log as it was written.
"""

from tests.support.second_opinion import raw

ANSWERED, ABANDONED, LEFT, WAITING = "answered", "abandoned", "left", "waiting"


class Stay:
    """One caller's stay in one queue. Seconds of UTC; `wait`, `talk`, `ring` in seconds as the
    switch measured them, None where it did not say. `again`: its call was answered before.
    """

    def __init__(self, line, centre):
        self.pbx, self.told, self.queue = line.pbx, line.queue, centre.queue(line.queue, line.t)
        self.entered, self.number = line.t, line.number
        self.outcome, self.wait, self.reference = WAITING, None, None
        self.agent = self.name = self.connected = self.ended = self.talk = self.ring = None
        self.transfer, self.again, self.doubtful, self.contact = None, False, False, None

    @property
    def is_over(self):
        return self.ended is not None


class Ring:
    def __init__(self, line, centre):
        self.pbx, self.t, self.agent = line.pbx, line.t, centre.agent(line.agent, line.t)
        self.queue = centre.queue(line.queue, line.t)
        self.ms = int(line.data[0]) if line.data and line.data[0] else None
        self.withdrawn = line.verb == "RINGCANCELED"
        self.told = False  # by her station too


def read(given, centre):
    """Stays and rings, in the order of the log."""
    stays, rings, running = [], [], {}
    for line in given.log:
        place = line.pbx, line.queue
        if line.verb == "ENTERQUEUE":
            running[place] = Stay(line, centre)
            stays.append(running[place])
        elif line.verb in ("RINGNOANSWER", "RINGCANCELED"):
            rings.append(Ring(line, centre))
        elif place in running:
            _go_on(running[place], line, centre)
    caller = {one.f["line"]: one.f.get("reference") for one in given.told("queue.entered")}
    seen = set()
    for stay in stays:
        stay.reference = caller[stay.number]
    for stay in sorted(served(stays), key=lambda one: (one.connected, one.number)):
        stay.again = stay.pbx in seen
        seen.add(stay.pbx)
    return stays, rings


def _go_on(stay, line, centre):
    match line.verb:
        case "CONNECT":
            stay.outcome, stay.connected = ANSWERED, line.t
            stay.wait, stay.ring = int(line.data[0]), int(line.data[2])
            stay.name, stay.agent = line.agent, centre.agent(line.agent, line.t)
        case "COMPLETEAGENT" | "COMPLETECALLER":
            stay.ended, stay.talk = line.t, int(line.data[1])
        case "BLINDTRANSFER":
            stay.ended, stay.talk, stay.transfer = line.t, int(line.data[3]), "blind"
        case "ATTENDEDTRANSFER":
            stay.ended, stay.talk, stay.transfer = line.t, int(line.data[3]), "consulted"
        case "ABANDON":
            stay.outcome, stay.ended, stay.wait = ABANDONED, line.t, int(line.data[2])
        case "EXITWITHTIMEOUT" | "EXITEMPTY":
            stay.outcome, stay.ended, stay.wait = LEFT, line.t, int(line.data[2])
        case "EXITWITHKEY":
            stay.outcome, stay.ended, stay.wait = LEFT, line.t, int(line.data[3])


def served(stays):
    return [one for one in stays if one.outcome == ANSWERED]


def doubt(alone):
    """Of the calls that only the switch told: nobody serves two at once. Of two the later one is
    in doubt, and contradicts nothing.
    """
    until = {}
    for stay in sorted(alone, key=lambda one: (one.connected, one.number)):
        if stay.is_over:
            stay.doubtful = stay.connected < until.get(stay.agent, 0)
            if not stay.doubtful:
                until[stay.agent] = stay.ended


class Flow:
    """Received = answered + abandoned + left + waiting, booked where each entered the queue, each
    queue within its own T. A short abandon waited no longer than 5 s.
    """

    def __init__(self, stays, centre, queue=None):
        count = {what: 0 for what in (ANSWERED, ABANDONED, LEFT, WAITING)}
        self.within = self.gone_within = self.short = self.wait = self.distinct = 0
        self.answered_waits, self.abandoned_waits, self.left_waits = [], [], []
        for stay in stays:
            count[stay.outcome] += 1
            limit = centre.threshold(stay.queue)
            if stay.outcome == ANSWERED:
                self.within += stay.wait <= limit
                self.wait += stay.wait
                self.distinct += not stay.again
                self.answered_waits.append(stay.wait)
            elif stay.outcome == ABANDONED:
                self.gone_within += stay.wait <= limit
                self.short += stay.wait <= 5
                self.abandoned_waits.append(stay.wait)
            elif stay.outcome == LEFT:
                self.left_waits.append(stay.wait)
        self.received = len(stays)
        self.answered, self.abandoned = count[ANSWERED], count[ABANDONED]
        self.left, self.waiting = count[LEFT], count[WAITING]

    @property
    def ended(self):
        return self.answered + self.abandoned

    def levels(self):
        """Percent and n of each variant of the service level."""
        both, long = self.within + self.gone_within, self.ended - self.short
        return {
            "sl_offered": (raw.percent(self.within, self.ended), self.ended),
            "sl_noshort": (raw.percent(self.within, long), long),
            "sl_answered": (raw.percent(self.within, self.answered), self.answered),
            "sl_removed": (raw.percent(both, self.ended), self.ended),
            "sl_all": (raw.percent(self.within, self.received), self.received),
        }

    def waits(self):
        return self.answered_waits + self.abandoned_waits + self.left_waits


def at_rank(values, percentile):
    """The value at rank ⌈percentile · n / 100⌉, from the smallest on."""
    return sorted(values)[-(-percentile * len(values) // 100) - 1] if values else None
