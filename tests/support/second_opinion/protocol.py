"""`protocolo`: which steps agents ticked by their key, over the calls that have that step. A step
that the station ticks by itself is nobody's.
"""

from collections import Counter

from tests.support.second_opinion import evaluated, raw
from tests.support.second_opinion.centre import grouped

NEAR_MS = 2000
STEPS = {
    "greeting": "saludo", "identity": "identidad", "need": "necesidad",
    "information": "información", "doubts": "dudas", "closing": "cierre",
}  # fmt: skip


def campaigns(centre):
    """By code, in their order: steps, whether each comes by itself."""
    codes = {word: code for code, word in STEPS.items()}
    found = {}
    for code, row in centre.campaigns.items():
        steps = raw.several(row["Pasos del protocolo"])
        found[code] = {codes[step.rstrip("*")]: step.endswith("*") for step in steps}
    return found


def ticks(asked, contacts):
    """By campaign and step: possible, ticked, block, automatic. A call of a campaign that the
    centre has not is of its first. Nobody has to tick what comes by itself or is no step of it.
    """
    known = campaigns(asked.centre)
    first = next(iter(known), "")
    found = {}
    by_campaign = grouped(
        (one for one in contacts if one.answered),
        lambda one: one.campaign if one.campaign in known else first,
    )
    for campaign, calls in by_campaign.items():
        its = {step: Counter() for step in known.get(campaign, {})}
        for one in calls:
            for step, told in one.ticks.items():
                if told.done:
                    cell = its.setdefault(step, Counter())
                    cell["automatic" if told.automatic else "ticked"] += 1
                    cell["block"] += told.block
        for step, cell in its.items():
            asked_for = known.get(campaign, {}).get(step) is False
            whole = len(calls) - cell["automatic"]
            cell["possible"] = whole if asked_for else cell["ticked"]
            if cell["possible"] or cell["automatic"]:
                found[campaign, step] = cell
    return found


class Tick:
    def __init__(self, event, late):
        f = event.f
        self.done, self.automatic = f["result"] == "done", f["how"] == "automatic"
        self.b, self.u, self.block = event.b, event.u, late and self.by_key

    @property
    def by_key(self):
        return self.done and not self.automatic

    def is_near(self, other):
        both = self.by_key and other.by_key and self.b == other.b
        return both and abs(self.u - other.u) < NEAR_MS


def declare(ticks, event, late):
    """What is told of a step again only says how an identity was verified."""
    if event.f["step"] in ticks:
        return
    tick = Tick(event, late)
    for other in ticks.values():
        if tick.is_near(other):
            tick.block = other.block = True
    ticks[event.f["step"]] = tick


def cells(counts):
    n = Counter()
    for one in counts:
        n.update(one)
    return {
        **{name: n[name] for name in ("possible", "ticked", "block", "automatic")},
        "ticked_share": raw.percent(n["ticked"], n["possible"]),
        "one_by_one_share": raw.percent(n["ticked"] - n["block"], n["possible"]),
    }


def contacts_of(asked):
    """The floor's for a queue too."""
    if asked.of != "queue":
        return asked.contacts
    return [
        one for one in asked.whole.contacts
        if one.utc_s is not None and asked.centre.day(one.utc_s) in asked.days
    ]  # fmt: skip


def make(asked):
    contacts, rows = contacts_of(asked), asked.centre.campaigns
    its = ticks(asked, contacts)
    total = {None: cells(its.values())}

    def name(campaign):
        return rows[campaign]["Etiqueta"] if campaign in rows else "(sin campaña)"

    steps = {
        (name(campaign), STEPS[step]): cells([one]) for (campaign, step), one in its.items()
    }  # fmt: skip
    agents = {
        agent: cells(ticks(asked, some).values())
        for agent, some in grouped(contacts, lambda one: one.agent).items()
    }
    return {
        "steps": steps | total, "steps_agents": agents | total, "steps_confirmed": confirmed(asked)
    }  # fmt: skip


def confirmed(asked):
    """By step: what was declared by key, beside what was heard."""
    words = {word: code for code, word in STEPS.items()}
    found = {}
    for contact, task in evaluated.judged(asked, whole=True):
        heard = {}
        items = evaluated.items(asked.centre, task.form)
        for item, answer in zip(items, task.answers, strict=True):
            step = words.get(item["Paso del protocolo"])
            if step and answer != "-":
                heard.setdefault(step, []).append(int(answer) > int(evaluated.options(item)[0]))
        for step, answers in heard.items():
            tick = contact.ticks.get(step)
            if tick is None or not tick.automatic:
                declared = tick is not None and tick.by_key
                found.setdefault(step, Counter())[declared, any(answers)] += 1
    total = sum(found.values(), Counter())
    rows = {STEPS[step]: of_step(its) for step, its in found.items()}
    return rows | {None: of_step(total)}


def of_step(its):
    both, alone = its[True, True], its[True, False]
    share, within = evaluated.share(both, both + alone)
    return {
        "judged_calls": its.total(), "confirmed_both": both, "only_declared": alone,
        "only_heard": its[False, True], "confirmed_share": share,
        "confirmed_share_within": within,
    }  # fmt: skip


def summary(asked):
    its = cells(ticks(asked, contacts_of(asked)).values())
    shares = ("ticked_share", "one_by_one_share")
    return {name: (its[name], its["possible"]) for name in shares} | {
        "automatic": (its["automatic"], None)
    }
