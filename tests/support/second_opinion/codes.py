"""`tipificacion`: which codes, how often, and who gave none."""

from collections import Counter

from tests.support.second_opinion import evaluated, raw
from tests.support.second_opinion.booked import handled, summed
from tests.support.second_opinion.calls import counted, tables


def cells(items):
    n = summed(items)
    asked_for = n["typified"] + n["untyped"]
    return {
        "handled": handled(n),
        "typified": n["typified"],
        "untyped": n["untyped"],
        "retyped": n["retyped"],
        "typified_rate": raw.percent(n["typified"], asked_for),
    }


def make(asked):
    tree = asked.centre.tree
    codes = Counter(one.code for one in asked.booked if one.code)
    pareto = counted(codes, share=True)
    running = 0
    for code in sorted(codes, key=lambda code: (-codes[code], code)):
        running += codes[code]
        pareto[code]["cumulated"] = raw.percent(running, sum(codes.values()))
    level1, level2 = Counter(), Counter()
    for code, n in codes.items():
        level1[tree[code]["Nivel 1"]] += n
        level2[tree[code]["Nivel 1"], tree[code]["Nivel 2"]] += n
    items = [one for one in asked.booked if handled(one.n) or one.n["typified"]]
    return {
        "pareto": pareto,
        "level1": counted(level1, share=True),
        "level2": counted(level2, share=True),
        "codes_agents": tables(asked, cells, "x", items)["x_agents"],
    } | confirmed(asked)


def confirmed(asked):
    """The codes that were given, beside those that were right."""
    given, confused = {}, Counter()
    for contact, task in evaluated.judged(asked, whole=False):
        if task.right is None:
            continue
        code = contact.code if contact.code in asked.centre.tree else None
        if code:
            given.setdefault(code, Counter())[task.right == code] += 1
        if task.right != code:
            confused[code, task.right] += 1
    total = of_code(sum(given.values(), Counter()))
    return {
        "codes_confirmed": {code: of_code(its) for code, its in given.items()} | {None: total},
        "codes_confused": {pair: {"count": n} for pair, n in confused.items()}
        | {None: {"count": confused.total()}},
    }


def of_code(its):
    share, within = evaluated.share(its[True], its.total())
    return {"judged_calls": its.total(), "right_codes": its[True], "right_share": share,
            "right_share_within": within}  # fmt: skip


def summary(asked):
    its = cells(asked.booked)
    n = its["typified"] + its["untyped"]
    negative = sum(
        one.code is not None and asked.centre.tree[one.code]["Resultado"] == "Negativa"
        for one in asked.booked
    )
    return {
        "handled": (its["handled"], None),
        "typified": (its["typified"], n),
        "untyped": (its["untyped"], n),
        "retyped": (its["retyped"], its["typified"]),
        "typified_rate": (its["typified_rate"], n),
        "negative": (negative, its["typified"]),
    }
