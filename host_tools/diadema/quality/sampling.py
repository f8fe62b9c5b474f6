"""Which calls of a period are evaluated: an order that nobody can choose, fixed before the calls.

A frame's row is `s,e,n,a,stratum` in ASCII: the contact's key, its agent, and what else parts the
agent's calls. A call's place in its stratum is that of HMAC-SHA256(secret, "s|e|n"); the secret's
SHA-256 was published when the period began, so nobody knew the order, and nobody can have another.
"""

import hashlib
import hmac
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from heapq import heappush, heapreplace

from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.site.directory.quality import Count, SamplePlan
from diadema.store.contact_rows import Key
from diadema.words import Sentence

SECRET_BYTES = 32


class SamplePeriod(Struct, frozen=True):
    """[start_ms, end_ms) of the site's local days; `word` as 2026-W48. `committed_ms`: when the
    secret's hash was published.
    """

    word: str
    start_ms: int
    end_ms: int
    days: int
    committed_ms: int

    @property
    def from_ms(self) -> int:
        """From when on calls may be drawn: none that began before the commitment."""
        return max(self.start_ms, self.committed_ms)


class Call(Struct, frozen=True):
    """One that was drawn: the `rank`th of its stratum by `order`."""

    key: Key
    rank: int
    order: bytes


class StratumDraw(Struct, frozen=True):
    """`size`: the contacts of the frame that are in it."""

    agent: str
    stratum: str
    size: int
    calls: list[Call]

    @property
    def taken(self) -> int:
        return len(self.calls)


class Draw(Struct, frozen=True):
    """`short`: agents taken whole, as they had fewer than the plan wants: (wanted, had)."""

    strata: list[StratumDraw]
    short: dict[str, tuple[int, int]]


class Earlier(Struct, frozen=True):
    """What the first draw of a period had, by agent, for that of the contacts that came later."""

    sizes: dict[str, Count] = field(default_factory=dict)
    taken: dict[str, Count] = field(default_factory=dict)

    @classmethod
    def of(cls, first: Draw) -> "Earlier":
        sizes, taken = Counter[str](), Counter[str]()
        for one in first.strata:
            sizes[one.agent] += one.size
            taken[one.agent] += one.taken
        return cls(dict(sizes), dict(taken))


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def commitment(secret: bytes) -> str:
    """What is published of it: SHA-256, in hex."""
    return hashlib.sha256(secret).hexdigest()


def check_over(plan: SamplePlan, period: SamplePeriod, now_ms: int) -> None:
    """Raises DiademaError where nothing can be drawn of the period: it goes on, or nothing of it
    came after the commitment.
    """
    if now_ms < period.end_ms:
        raise DiademaError(
            Sentence("errors.quality.period_open", plan=plan.code, period=period.word)
        )
    if period.from_ms >= period.end_ms:
        raise DiademaError(
            Sentence("errors.quality.committed_after", plan=plan.code, period=period.word)
        )


def overlap(plan: SamplePlan, others: Iterable[SamplePlan]) -> list[str]:
    """The codes of other plans that may draw from the same calls."""
    return [
        one.code
        for one in others
        if one.code != plan.code
        and _meet(plan.teams, one.teams)
        and _meet(plan.queues, one.queues)
    ]


def _meet(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not some or not others or not set(some).isdisjoint(others)


def draw(
    plan: SamplePlan,
    rows: Iterable[bytes],
    secret: bytes,
    earlier: Earlier | None = None,
) -> Draw:
    """Of each stratum the first by the order. `rows` is gone through twice. `earlier`: of the same
    period, where these came after it; then an agent gets what the plan wants of all the calls,
    less what was taken.

    Raises DiademaError where there is nothing to draw from.
    """
    sizes = Counter(row.split(b",", 3)[3] for row in rows)
    if not sizes:
        raise DiademaError(Sentence("errors.quality.frame_empty", plan=plan.code))
    quotas, short = allocation(plan, sizes, secret, earlier or Earlier())
    found = first_of(rows, secret, quotas)
    strata = [
        StratumDraw(*names_of(stratum), sizes[stratum], found.get(stratum, []))
        for stratum in sorted(sizes)
    ]
    return Draw(strata, short)


def replacement(
    rows: Iterable[bytes], secret: bytes, agent: str, stratum: str, after: int
) -> Call | None:
    """Who comes after that rank; None where the stratum has no more."""
    its = f"{agent},{stratum}".encode()
    line = first_of(rows, secret, {its: after + 1})[its]
    return line[after] if len(line) > after else None


def names_of(stratum: bytes) -> tuple[str, str]:
    """Its agent, and what else parts it."""
    agent, _, rest = stratum.decode().partition(",")
    return agent, rest


def first_of(
    rows: Iterable[bytes], secret: bytes, wanted: Mapping[bytes, int]
) -> dict[bytes, list[Call]]:
    """Of each of these strata so many, in their order; all where it has fewer."""
    best: dict[bytes, list[tuple[int, bytes, bytes]]] = {one: [] for one, n in wanted.items() if n}
    digest = hmac.digest
    for row in rows:
        s, e, n, stratum = row.split(b",", 3)
        heap = best.get(stratum)
        if heap is None:
            continue
        order = digest(secret, b"%b|%b|%b" % (s, e, n), "sha256")
        if len(heap) < wanted[stratum]:
            heappush(heap, (-int.from_bytes(order), order, row))
        elif order < heap[0][1]:
            heapreplace(heap, (-int.from_bytes(order), order, row))
    return {
        stratum: [
            Call(_key(row), rank, order)
            for rank, (_, order, row) in enumerate(sorted(heap, reverse=True), 1)
        ]
        for stratum, heap in best.items()
    }


def _key(row: bytes) -> Key:
    s, e, n, _ = row.split(b",", 3)
    return s.decode(), int(e), int(n)


def allocation(
    plan: SamplePlan, sizes: Mapping[bytes, int], secret: bytes, earlier: Earlier
) -> tuple[dict[bytes, int], dict[str, tuple[int, int]]]:
    """How many of each stratum, and who is short, as `draw` has it."""

    def tie(name: bytes) -> bytes:
        """No row's key begins with a bar, so this order is one of its own."""
        return hmac.digest(secret, b"|" + name, "sha256")

    parts: defaultdict[bytes, dict[bytes, int]] = defaultdict(dict)
    for stratum, size in sizes.items():
        parts[stratum.partition(b",")[0]][stratum] = size
    had = {agent.encode(): size for agent, size in earlier.sizes.items()}
    taken = {agent.encode(): count for agent, count in earlier.taken.items()}
    its = {agent: sum(strata.values()) for agent, strata in parts.items()}
    wanted = _of_agents(plan, {one: its.get(one, 0) + had.get(one, 0) for one in its | had}, tie)
    quotas: dict[bytes, int] = {}
    short: dict[str, tuple[int, int]] = {}
    for agent, strata in parts.items():
        want, there = max(wanted[agent] - taken.get(agent, 0), 0), its[agent]
        if want > there:
            short[agent.decode()] = want, there
        quotas |= shares(strata, min(want, there), dict.fromkeys(strata, 0), strata, tie)
    return quotas, dict(sorted(short.items()))


def _of_agents(
    plan: SamplePlan, sizes: Mapping[bytes, int], tie: Callable[[bytes], bytes]
) -> dict[bytes, int]:
    """How many the plan wants of each, who may have fewer: fixed, or by their calls."""
    if plan.total is None:
        return dict.fromkeys(sizes, plan.per_agent or 0)
    least, most = plan.least or 0, plan.most
    highs = {one: size if most is None else min(most, size) for one, size in sizes.items()}
    lows = {one: min(least, high) for one, high in highs.items()}
    found = shares(sizes, plan.total, lows, highs, tie)
    return {
        one: max(count, least) if sizes[one] < least else count for one, count in found.items()
    }


def shares[K](
    weights: Mapping[K, int],
    total: int,
    lows: Mapping[K, int],
    highs: Mapping[K, int],
    tie: Callable[[K], bytes],
) -> dict[K, int]:
    """`total` shared out by weight, each within its bounds, by the largest remainder (Hamilton);
    of equal remainders those first that `tie` puts first. A total beyond the bounds is the
    nearest that can be.
    """
    total = min(max(total, sum(lows.values())), sum(highs.values()))
    found: dict[K, int] = {}
    free = {one: weight for one, weight in weights.items() if weight}
    found |= dict.fromkeys(weights.keys() - free.keys(), 0)
    while free:
        rest, whole = total - sum(found.values()), sum(free.values())
        under = [one for one, weight in free.items() if rest * weight < lows[one] * whole]
        over = [one for one, weight in free.items() if rest * weight > highs[one] * whole]
        if not under and not over:
            break
        lacks = sum(lows[one] * whole - rest * free[one] for one in under)
        exceeds = sum(rest * free[one] - highs[one] * whole for one in over)
        if lacks >= exceeds:
            found |= {one: lows[one] for one in under}
        if lacks <= exceeds:
            found |= {one: highs[one] for one in over}
        free = {one: weight for one, weight in free.items() if one not in found}
    rest, whole = total - sum(found.values()), sum(free.values())
    for one, weight in free.items():
        found[one] = rest * weight // whole
    left = total - sum(found.values())
    line = sorted(free, key=lambda one: (-(rest * free[one] % whole), tie(one)))
    for one in line[:left]:
        found[one] += 1
    return found
