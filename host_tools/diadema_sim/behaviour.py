"""How the people of a simulated centre behave: numbers fitted to a real call log, and drawn from.

`BANK_1999_02` is what `fit` makes of the anonymous bank's February 1999; a test recomputes it. The
log knows arrivals, service and type of call. It has no ring, wrap-up, pause or hold: `ASSUMED`
holds round guesses for those, and nothing should be concluded from them.
"""

import math
import random
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from diadema.exchange.bank_rows import BankError
from diadema.words import Sentence

from diadema_sim.bank_log import read_days, read_rows

_BRIEF_S = 10  # the log's own bump of calls that end at once is kept apart from the rest


@dataclass(frozen=True)
class Service:
    """Seconds of one type's service: brief ones evenly below 10 s, the others log-normal."""

    share: float  # of all served calls
    brief: float  # share of this type's calls under 10 s
    mu: float  # of ln(seconds) of the others
    sigma: float

    def draw(self, chance: random.Random) -> float:
        if chance.random() < self.brief:
            return chance.uniform(1, _BRIEF_S)
        return max(_BRIEF_S, chance.lognormvariate(self.mu, self.sigma))


@dataclass(frozen=True)
class Behaviour:
    """Arrivals an hour for each agent on duty, by local hour; service by type of call."""

    arrivals: tuple[float, ...]
    service: dict[str, Service]

    @property
    def busiest_hour(self) -> int:
        return max(range(24), key=lambda hour: self.arrivals[hour])

    def draw_type(self, chance: random.Random) -> str:
        weights = [service.share for service in self.service.values()]
        return chance.choices(list(self.service), weights)[0]


@dataclass(frozen=True)
class Assumed:
    """What no public log tells. (median seconds, sigma of ln) or shares; invented, see above."""

    ring: tuple[float, float] = (3.0, 0.5)
    wrapup: tuple[float, float] = (12.0, 0.6)
    between_keys: tuple[float, float] = (0.7, 0.3)
    pause: tuple[float, float] = (300.0, 0.7)
    hold: tuple[float, float] = (25.0, 0.6)
    missed: float = 0.01  # of the calls offered
    caller_hangs_up: float = 0.6
    held: float = 0.10
    muted: float = 0.06
    typified_in_call: float = 0.25
    pauses: float = 0.06  # after a contact
    tests_station: float = 0.8  # at the start of a shift
    closes_session: float = 0.3  # for a refrigerio
    follows_protocol: float = 0.6  # of the calls: ticks steps, and as many as the talk allows
    motive_first: float = 0.4  # of the calls: says the motive while it goes on
    helped: float = 0.03
    topic_left_out: float = 0.25  # of the requests for help
    transferred: float = 0.04
    after_consult: float = 0.6  # what becomes of one: the area takes the call, …
    conference: float = 0.2  # … all three talk, or else the caller is told what it said
    consult: tuple[float, float] = (20.0, 0.5)
    help: tuple[float, float] = (15.0, 0.6)  # until somebody comes, and until it is resolved
    intended: float = 0.02  # asks in a call for the pause after it
    reason_weights: tuple[tuple[str, float], ...] = (
        ("refrigerio", 2),
        ("break", 5),
        ("sshh", 5),
        ("pausa_activa", 3),
        ("topico", 1),
        ("lactancia", 1),
        ("capacitacion", 1),
        ("retroalimentacion", 2),
        ("reunion", 1),
        ("back_office", 2),
    )

    def draw_reason(self, chance: random.Random) -> str:
        codes, weights = zip(*self.reason_weights, strict=True)
        return str(chance.choices(codes, weights)[0])


def draw_seconds(spread: tuple[float, float], chance: random.Random) -> float:
    """A log-normal draw from (median seconds, sigma)."""
    median, sigma = spread
    return chance.lognormvariate(math.log(median), sigma)


def fit(path: Path) -> Behaviour:
    """Fit to every day of a call log. Raises BankError when it has too few calls for that."""
    seconds: dict[str, list[int]] = defaultdict(list)
    agent_hours: Counter[int] = Counter()
    for day in read_days(path).values():
        on_duty: set[tuple[str, int]] = set()
        for agent, calls in day.calls.items():
            for call in calls:
                seconds[call.type].append(call.talk_s)
                on_duty.add((agent, call.start_s // 3600 % 24))
        agent_hours.update(hour for _, hour in on_duty)
    entered: Counter[int] = Counter()
    for row in read_rows(path):
        if row.cells["outcome"] != "PHANTOM":
            entered[row.time("vru_entry") // 3600] += 1
    total = sum(map(len, seconds.values()))
    service = {
        kind: _service(found, total) for kind, found in sorted(seconds.items()) if _enough(found)
    }
    if not service:
        raise BankError(Sentence("errors.sim.path_has_too_few_served", path=path))
    arrivals = tuple(
        round(entered[hour] / agent_hours[hour], 2) if agent_hours[hour] else 0.0
        for hour in range(24)
    )
    return Behaviour(arrivals, service)


def _enough(seconds: list[int]) -> bool:
    return sum(talk >= _BRIEF_S for talk in seconds) >= 2


def _service(seconds: list[int], total: int) -> Service:
    logs = [math.log(talk) for talk in seconds if talk >= _BRIEF_S]
    return Service(
        share=round(len(seconds) / total, 4),
        brief=round(1 - len(logs) / len(seconds), 4),
        mu=round(statistics.fmean(logs), 3),
        sigma=round(statistics.stdev(logs), 3),
    )


ASSUMED = Assumed()
BANK_1999_02 = Behaviour(
    arrivals=(
        *(2.52, 0.0, 0.0, 0.0, 0.0, 0.0, 7.42, 8.46, 13.28, 13.05, 14.21, 12.98),
        *(10.83, 12.91, 12.63, 11.51, 15.2, 15.4, 13.3, 11.04, 9.29, 10.94, 11.35, 10.11),
    ),
    service={
        "IN": Service(share=0.0078, brief=0.0759, mu=5.099, sigma=1.067),
        "NE": Service(share=0.0882, brief=0.069, mu=5.228, sigma=0.966),
        "NW": Service(share=0.1937, brief=0.0605, mu=4.252, sigma=0.911),
        "PE": Service(share=0.0048, brief=0.1546, mu=5.196, sigma=1.001),
        "PS": Service(share=0.6754, brief=0.0444, mu=4.851, sigma=0.882),
        "TT": Service(share=0.0301, brief=0.2956, mu=4.364, sigma=1.204),
    },
)
