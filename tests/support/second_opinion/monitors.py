"""`monitores`: who did what of what was assigned, and how far two agree who had the same call."""

from collections import defaultdict
from math import exp, lgamma, log, pi, sqrt
from types import SimpleNamespace

from tests.support.second_opinion import evaluated, raw

WHY = {"unplayable": "no se puede oír", "nobodys": "no hay una conversación"}


def make(asked):
    tasks = [one for one in evaluated.tasks(asked.whole.given) if is_of(asked, one)]
    of_days = [one for one in tasks if day(asked, one.utc) in asked.days]
    heard = heard_of(asked)
    rows = defaultdict(list)
    for one in of_days:
        rows[one.to].append(one)
    months = {month(asked, day) for day in asked.days}
    wider = months | {before(one) for one in months}
    pairs = [one for one in both(tasks) if month_of(asked, one[0]) in wider]
    return {
        "monitors": {to: work(asked, its, heard) for to, its in rows.items()}
        | {None: work(asked, of_days, heard)},
        "replaced": replaced(asked, heard),
        "bias": biases(asked, pairs),
        "agreement": agreements(
            asked, [one for one in pairs if month_of(asked, one[0]) in months]
        ),
    }


def summary(asked):
    tasks = [one for one in evaluated.tasks(asked.whole.given) if is_of(asked, one)]
    its = [one for one in tasks if day(asked, one.utc) in asked.days]
    n = work(asked, its, heard_of(asked))
    months = {month(asked, day) for day in asked.days}
    pairs = [one for one in both(tasks) if month_of(asked, one[0]) in months]
    assigned, done = n["assigned_calls"], n["evaluated_calls"]
    return {
        "evaluated_share": (raw.percent(done, assigned), assigned),
        "late_calls": (n["late_calls"], assigned),
        "heard_share": (n["heard_share"], done),
        "pairs": (len(pairs), None),
    }


def contact_of(asked, task):
    return next((one for one in asked.whole.contacts if one.key == task.call), None)


def is_of(asked, task):
    contact = contact_of(asked, task)
    if asked.of == "queue":
        its = contact and asked.centre.queue(contact.queue, contact.utc_s)
        return its == asked.code
    began = contact.utc if contact and contact.utc is not None else task.utc
    return asked.of_agent(task.agent, day(asked, began))


def day(asked, utc):
    return asked.centre.day(utc // 1000)


def month(asked, day):
    return day.strftime("%Y-%m")


def month_of(asked, task):
    return month(asked, day(asked, task.utc))


def before(month):
    year, number = map(int, month.split("-"))
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02}"


def heard_of(asked):
    """Milliseconds by who heard and which call."""
    started, found = {}, defaultdict(int)
    for one in asked.whole.given.told("listening.started"):
        if one.f.get("purpose") == "evaluation":
            started[one.s, one.e, one.n] = one.f["by"], tuple(one.f["call"])
    for one in asked.whole.given.told("listening.ended"):
        if (of := tuple(one.f["of"])) in started:
            found[started[of]] += one.f["heard_ms"]
    return found


def replaced(asked, heard):
    """By who asked and why: each call once, whoever was to evaluate it."""
    told = asked.whole.given.told("sample.assigned")
    dropped = evaluated.annulled_draws(asked.whole.given)
    stood = {(one.s, one.e, one.n): one.f for one in told}
    seen, rows = set(), defaultdict(lambda: {"replaced_calls": 0, "replaced_heard": 0})
    for one in told:
        its = stood.get(tuple(one.f.get("of") or ()))
        if its is None or one.f["draw"] in dropped or day(asked, one.utc) not in asked.days:
            continue
        call = tuple(its["call"])
        if (its["draw"], call) in seen:
            continue
        seen.add((its["draw"], call))
        task = SimpleNamespace(call=call, agent=its["a"], utc=stood_at(told, one.f["of"]))
        if is_of(asked, task):
            row = rows[one.f["by"], WHY[one.f["reason"]]]
            row["replaced_calls"] += 1
            row["replaced_heard"] += heard[one.f["by"], call] >= 10_000
    return dict(rows)


def stood_at(told, key):
    return next(one.utc for one in told if (one.s, one.e, one.n) == tuple(key))


def work(asked, tasks, heard):
    done = [one for one in tasks if one.sent is not None]
    rest = [one for one in tasks if one.sent is None]
    late = sum(one.due <= asked.now_ms for one in rest)
    heard_s = sum(raw.seconds(heard[one.to, one.call]) for one in done)
    call_s = 0
    for one in done:
        contact = contact_of(asked, one)
        if contact and contact.answered_utc is not None and contact.ended_utc is not None:
            call_s += raw.seconds(contact.ended_utc - contact.answered_utc)
    return {
        "assigned_calls": len(tasks), "evaluated_calls": len(done), "late_calls": late,
        "waiting_calls": len(rest) - late, "heard_s": heard_s, "recorded_s": call_s,
        "heard_share": raw.percent(heard_s, call_s),
    }  # fmt: skip


def both(tasks):
    """(the first's, the second's) of a call that both evaluated."""
    first = {(one.draw, one.call): one for one in tasks if not one.second}
    for one in tasks:
        other = first.get((one.draw, one.call))
        if one.second and other and all(its.sent and not its.gone for its in (one, other)):
            yield other, one


def biases(asked, pairs):
    found = defaultdict(list)
    for pair in pairs:
        for own, other in (pair, pair[::-1]):
            mine, theirs = own.sent.f["raw"], other.sent.f["raw"]
            if mine is not None and theirs is not None:
                found[own.to, month_of(asked, pair[0])].append(mine - theirs)
    return {key: bias(its) for key, its in found.items()}


def bias(its):
    n = len(its)
    if n < 5:
        return {"pairs": n, "bias": None, "bias_within": None}
    mean = sum(its) / n
    error = sqrt(sum((one - mean) ** 2 for one in its) / (n - 1) / n)
    half = t(n - 1) * error
    low, high = (half_up(one) / 10 for one in (mean - half, mean + half))
    return {"pairs": n, "bias": half_up(mean) / 10, "bias_within": (low, high, n)}


def half_up(value):
    """Of tenths; what lies within a thousandth of a half is one."""
    return int((round(value * 1000) + 500) // 1000)


def t(df):
    """Which Student's t is exceeded in 2.5 % of cases: its density summed up (Simpson)."""
    scale = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * pi)

    def density(x):
        return scale * exp(-(df + 1) / 2 * log(1 + x * x / df))

    def below(x, steps=2000):
        h = x / steps
        odd = sum(density(h * k) for k in range(1, steps, 2))
        even = sum(density(h * k) for k in range(2, steps, 2))
        return h / 3 * (density(0) + 4 * odd + 2 * even + density(x))

    low, high = 0.0, 100.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.475 else (low, middle)
    return low


def agreements(asked, pairs):
    found = defaultdict(list)
    for one, other in pairs:
        items = evaluated.items(asked.centre, one.form)
        for item, *two in zip(items, one.sent.f["answers"], other.sent.f["answers"], strict=True):
            found[month_of(asked, one), one.form, item["Código"]].append((item, two))
    known = asked.centre.given.on(asked.centre.last, "scorecards")
    names = {one["Código"]: one["Nombre"] for one in known}
    return {
        (month, names[form], code): agreement(its) for (month, form, code), its in found.items()
    }


def agreement(its):
    item, n = its[0][0], len(its)
    same = sum(one == other for _, (one, other) in its)
    cells = {"pairs": n, "same_answers": same, "agreement": None, "ac1": None, "alpha": None}
    if n < 10:
        return cells
    kinds = [*evaluated.options(item), *("-" if item["Puede no aplicar"] else "")]
    shares = [sum((one == k) + (other == k) for _, (one, other) in its) / (2 * n) for k in kinds]
    chance = sum(p * (1 - p) for p in shares) / (len(kinds) - 1)
    ac1 = (same / n - chance) / (1 - chance)
    return cells | {"agreement": raw.percent(same, n), "ac1": round(ac1, 2),
                    "alpha": alpha(item, [two for _, two in its])}  # fmt: skip


def alpha(item, pairs):
    """From each two values of one call, and each two of all calls."""
    pairs = [(int(one), int(other)) for one, other in pairs if "-" not in (one, other)]
    values = [one for pair in pairs for one in pair]
    ordinal = len(evaluated.options(item)) > 2

    def apart(one, other):
        if not ordinal:
            return float(one != other)
        low, high = sorted((one, other))
        between = sum(low <= v <= high for v in values)
        return (between - (values.count(low) + values.count(high)) / 2) ** 2 if low < high else 0.0

    n = len(values)
    expected = sum(apart(one, other) for one in values for other in values)
    if not expected:
        return None
    observed = sum(2 * apart(*pair) for pair in pairs)
    return round(1 - (n - 1) * observed / expected, 2) + 0.0
