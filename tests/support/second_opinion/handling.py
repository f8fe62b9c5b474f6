"""TMO with its parts: Σ whole seconds of the contacts that means take, over their number."""

from tests.support.second_opinion import raw, states
from tests.support.second_opinion.booked import handled, summed
from tests.support.second_opinion.calls import tables
from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import at_rank


def cells(items, total=False):
    """What a switch alone tells of has no hold and no wrap-up: not known is None."""
    n = summed(items)
    ours = n["n"] - n["switch_n"]
    known = bool(ours)
    handles = [one.handle for one in items if one.handle is not None]
    handle = n["talk_s"] + n["hold_s"] + n["wrap_s"]
    return {
        "n": n["n"],
        "switch_n": n["switch_n"],
        "talk_s": n["talk_s"],
        **{name: n[name] if known else None for name in ("hold_s", "consult_s", "wrap_s")},
        "aht_s": raw.rounded(handle, n["n"]),
        "talk_mean_s": raw.rounded(n["talk_s"], n["n"]),
        "hold_mean_s": raw.rounded(n["hold_s"], ours),
        "consult_mean_s": raw.rounded(n["consult_s"], ours),
        "wrap_mean_s": raw.rounded(n["wrap_s"], ours),
        "aht_median_s": at_rank(handles, 50),
        "aht_p90_s": at_rank(handles, 90),
        "consults": n["consults"],
        "aside": n["aside"],
    }


def make(asked):
    centre = asked.centre
    items = [one for one in asked.booked if handled(one.n)]
    made = tables(asked, cells, "aht", items)
    known = [one for one in items if one.handle is not None]

    def level1(one):
        if one.code is None:
            return "(sin código)"
        return centre.tree[one.code]["Nivel 1"]

    for key, of in (("aht_motives", level1), ("aht_codes", lambda one: one.code or "")):
        made[key] = {at: cells(some) for at, some in grouped(known, of).items()}
        made[key][None] = cells(known)
    return made | states.make(asked)


def summary(asked):
    its = cells(asked.booked)
    ours = its["n"] - its["switch_n"]
    n = {
        "aht_s": its["n"], "talk_mean_s": its["n"], "hold_mean_s": ours, "consult_mean_s": ours,
        "wrap_mean_s": ours, "aht_median_s": its["n"], "aht_p90_s": its["n"],
    }  # fmt: skip
    return {key: (its[key], of) for key, of in n.items()} | states.summary(asked)
