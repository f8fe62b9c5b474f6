"""`calidad`: what evaluated calls tell, from the events of hub and stations and the scorecards of
the directory. Scores are worked out from the answers, intervals by the definition.
"""

from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from fractions import Fraction
from functools import cache
from math import atan, cos, exp, floor, lgamma, sqrt

from . import booked, protocol, raw
from .centre import grouped

LEAST, PEOPLE, LEVEL = 5, 12, 0.95
BEST = {"": 1, "0-1-2": 2, "1-5": 5}
KINDS = {"": "normal", "Crítico de usuario": "user", "Crítico de negocio": "business",
         "Crítico de cumplimiento": "compliance"}  # fmt: skip
NAMES = {"user": "PECUF", "business": "PECN", "compliance": "PECC"}
KIND_WORDS = {"normal": "normal", "user": "crítico de usuario", "business": "crítico de negocio",
              "compliance": "crítico de cumplimiento"}  # fmt: skip
GOAL = "Calidad (nota media)"


class Item:
    def __init__(self, row):
        self.code, self.section = row["Código"], row["Sección"]
        self.text, self.kind = row["Ítem"], KINDS[row["Tipo"]]
        self.weight, self.best = int(row["Peso"] or 0), BEST[row["Escala"]]
        self.fails = {"La sección": "section", "La evaluación": "evaluation"}.get(row["Anula"])


class Form:
    """Its items in the order of the answers."""

    def __init__(self, asked, code):
        given, last = asked.whole.given, asked.centre.last

        def of(kind):
            rows = [one for one in given.on(last, kind) if one["Planilla"] == code]
            return sorted(rows, key=lambda one: (int(one["Orden"] or 10_000), one["Código"]))

        known = [one for one in given.on(last, "scorecards") if one["Código"] == code]
        self.label, self.contract = known[0]["Nombre"], bool(known[0]["Nota según contrato"])
        names = [one["Nombre"] for one in given.on(last, "scorecards")]
        if names.count(self.label) > 1:
            self.label += f" ({code})"
        self.sections = {one["Código"]: one["Nombre"] for one in of("scorecard_sections")}
        place = {section: at for at, section in enumerate(self.sections)}
        rows = sorted(of("scorecard_items"), key=lambda one: place[one["Sección"]])
        self.items = [Item(row) for row in rows]


class Judged:
    """What some answers come to. Scores in tenths of a percent."""

    def __init__(self, form, answers):
        self.answers = answers
        points = {section: [Fraction(), 0] for section in form.sections}
        self.errors, self.normal, failed = {}, [0, 0], set()
        for item, answer in zip(form.items, answers, strict=True):
            if answer == "-":
                continue
            points[item.section][0] += Fraction(item.weight * int(answer), item.best)
            points[item.section][1] += item.weight
            wrong = int(answer) < item.best
            if item.kind == "normal":
                self.normal[0] += not wrong
                self.normal[1] += 1
            else:
                self.errors[item.kind] = self.errors.get(item.kind, 0) + wrong
                if wrong and item.fails:
                    failed.add(item.section if item.fails == "section" else None)
        possible = sum(of for _, of in points.values())
        kept = sum(got for section, (got, _) in points.items() if section not in failed)
        self.raw = tenths(sum(got for got, _ in points.values()), possible)
        self.score = 0 if None in failed and possible else tenths(kept, possible)
        self.failed = bool(failed)
        self.sections = {s: tenths(got, of) for s, (got, of) in points.items()}


def tenths(part, whole):
    return floor(Fraction(1000 * part, whole) + Fraction(1, 2)) if whole else None


class Call:
    """A drawn call that nothing stands in place of."""

    def __init__(self, event, draw, contact):
        f = event.f
        self.draw, self.agent, self.contact = draw, f["a"], contact
        self.stratum, self.pool, self.form = f.get("stratum") or "", f["pool"], f["form"]
        self.key, self.state, self.judged, self.released = tuple(f["call"]), None, None, None
        self.utc_s, self.after = contact.utc_s, []

    @property
    def place(self):
        return self.draw.f["draw"], self.agent, self.stratum

    @property
    def raw(self):
        return self.judged.raw if self.judged else None


class Found:
    """Of the days [first, last]: draws that they touch, in order, and the calls of those that
    count.
    """

    def __init__(self, asked, first, last):
        self.asked, told = asked, asked.whole.given.told
        start, end = (_start(day, asked) for day in (first, last + timedelta(1)))
        planned = {(e.s, e.e, e.n): e for e in told("sample.planned")}
        self.draws = sorted(
            (
                (planned[tuple(e.f["of"])], e) for e in told("sample.drawn")
                if planned[tuple(e.f["of"])].f["start"] < end * 1000
                and planned[tuple(e.f["of"])].f["end"] > start * 1000
            ),
            key=lambda one: (one[0].f["start"], one[0].n, one[1].n),
        )  # fmt: skip
        void = {tuple(e.f["of"]): e.f["reason"] for e in told("sample.annulled")}
        self.void = {
            drawn.f["draw"]: void.get(_key(drawn), void.get(_key(plan)))
            for plan, drawn in self.draws
        }
        contacts = {one.key: one for one in asked.whole.contacts}
        self.forms, self.calls = {}, []
        order = {drawn.f["draw"]: at for at, (_, drawn) in enumerate(self.draws)}
        live = {d.f["draw"]: d for _, d in self.draws if self.void[d.f["draw"]] is None}
        pairs = defaultdict(list)
        given = [e for e in told("sample.assigned") if e.f.get("draw") in live]
        replaced = {tuple(e.f["of"]) for e in given if e.f.get("of")}
        for e in sorted(given, key=lambda e: e.n):
            if _key(e) not in replaced:
                pairs[e.f["draw"], tuple(e.f["call"])].append(e)
        evaluated = self._evaluated()
        for (draw, key), its in pairs.items():
            its.sort(key=lambda e: bool(e.f.get("second")))
            call = Call(its[0], live[draw], contacts[key])
            self._settle(call, its, evaluated)
            self.calls.append(call)
        self.calls.sort(key=lambda one: (one.agent, order[one.place[0]], one.stratum,
                                         one.contact.utc, one.key))  # fmt: skip
        self.inside = [
            one for one in self.calls
            if start <= one.utc_s < end and asked.is_of(one.contact, asked.centre.day(one.utc_s))
        ]  # fmt: skip
        self.counted = [one for one in self.inside if one.judged]

    def form(self, code):
        if code not in self.forms:
            self.forms[code] = Form(self.asked, code)
        return self.forms[code]

    def _evaluated(self):
        """By assignment: event, answers, whether decided, annulled, when released."""
        told, found, of = self.asked.whole.given.told, {}, {}
        for e in told("evaluation.submitted"):
            if e.f["basis"] == "random":
                found.setdefault(tuple(e.f["of"]), [e, e.f["answers"], False, False, None])
                of[_key(e)] = found[tuple(e.f["of"])]
        steps = told("evaluation.revised", "evaluation.annulled", "evaluation.released")
        for e in sorted(steps, key=lambda e: e.n):
            if (one := of.get(tuple(e.f["of"]))) is None:
                continue
            match e.k:
                case "evaluation.revised":
                    one[1], one[2] = e.f["answers"], one[2] or e.f["cause"] == "pair"
                case "evaluation.annulled":
                    one[3] = True
                case _:
                    one[4] = one[4] or e.utc
        return found

    def _settle(self, call, its, evaluated):
        """Which of the evaluations of a call counts, if any does."""
        form, now = self.form(call.form), self.asked.now_ms
        done = [evaluated.get(_key(e)) for e in its]
        good = [one for one in done if one and not one[3]]
        going = any(one is None and e.f["due"] > now for one, e in zip(done, its, strict=True))
        if not good:
            call.state = "annulled" if any(done) else "open" if going else "undone"
            return
        stands = good[0]
        apart = len(good) == 2 and not good[0][2] and not good[1][2] and _differ(form, good)
        if (going or apart) and not stands[4]:
            call.state = "pair"
            return
        call.state, call.judged = "counted", Judged(form, stands[1])
        call.released, call.after = stands[4], self._after(call, stands[0])

    def _after(self, call, evaluation):
        events = self.asked.whole.given.journals[call.key[0], call.key[1]]
        return sorted({
            {"contact.retypified": "se cambió la tipificación",
             "contact.step": "llegó un paso del protocolo"}[e.k]
            for e in events
            if e.k in ("contact.retypified", "contact.step") and e.f["c"] == call.contact.c
            and e.utc > evaluation.utc
        }, reverse=True)  # fmt: skip

    # -- figures

    def parts(self, calls, value):
        """(those asked about, how many were evaluated, how many there are) of each stratum."""
        whole = Counter(one.place for one in self.calls if one.raw is not None)
        found = {}
        for one in calls:
            if value(one) is not None:
                found.setdefault(one.place, ([], one.pool))[0].append(value(one))
        return [(its, whole[place], pool) for place, (its, pool) in found.items()]

    def size(self, calls):
        whole = Counter(one.place for one in self.calls if one.judged)
        n = Counter(one.place for one in calls)
        pools = {one.place: one.pool for one in calls}
        exact = sum((Fraction(pools[p] * n[p], whole[p]) for p in n), Fraction())
        return floor(exact + Fraction(1, 2))

    def mean(self, calls, value=lambda one: one.raw):
        return estimate(self.parts(calls, value))

    def share(self, calls, good):
        """Of those calls."""
        n = len(calls)
        if n < LEAST:
            return None, None
        part = sum(map(good, calls))
        return raw.percent(part, n), (*raw.within(part, n), self.size(calls))


def _key(event):
    return event.s, event.e, event.n


def _start(day, asked):
    """The first second of a local day."""
    return int(datetime.combine(day, time(), asked.centre.zone).timestamp())


def _differ(form, pair):
    one, other = (Judged(form, its[0].f["answers"]) for its in pair)
    critical = any(
        item.kind != "normal" and a != b
        for item, a, b in zip(form.items, one.answers, other.answers, strict=True)
    )
    if None in (one.raw, other.raw):
        return critical or one.raw != other.raw
    return critical or abs(one.raw - other.raw) > 100


def estimate(parts):
    """(value, (low, high, n, of)), both None under five calls. In each stratum a call stands for
    N/n; what lies beside the part that is asked about has no deviation.
    """
    n = sum(len(its) for its, _, _ in parts)
    if n < LEAST:
        return None, None
    whole = sum((Fraction(of * len(its), all_) for its, all_, of in parts), Fraction())
    value = sum((Fraction(of * sum(its), all_) for its, all_, of in parts), Fraction()) / whole
    piles, pile = [], []
    for its, all_, of in parts:
        if all_ < of:
            off = [float(y - value) for y in its] + [0.0] * (all_ - len(its))
            pile.append((off, of * of * (1 - all_ / of) / all_))
            if _df(pile) >= 2:
                piles.append(pile)
                pile = []
    if pile:
        piles[-1:] = [piles[-1] + pile] if piles else [pile]
    variance = below = 0.0
    for some in piles:
        if _df(some):
            error = sum(weight for _, weight in some) * _squares(some) / _df(some)
            variance += error
            below += error**2 / _df(some)
    size = floor(whole + Fraction(1, 2))
    if piles and not variance:
        return printed(value), (None, None, n, size)
    half = t(LEVEL, variance**2 / below) * sqrt(variance) / float(whole) if variance else 0.0
    return printed(value), (*ends(float(value), half), n, size)


def _df(pile):
    alone = sum(len(off) == 1 for off, _ in pile)
    return sum(len(off) - 1 for off, _ in pile) + max(alone - 1, 0)


def _squares(pile):
    groups = [off for off, _ in pile if len(off) > 1]
    groups.append([off[0] for off, _ in pile if len(off) == 1])
    unlike = [g for g in groups if len(set(g)) > 1]  # of others a float leaves something over
    return sum(sum((y - sum(g) / len(g)) ** 2 for y in g) for g in unlike)


def ends(middle, half):
    return printed(max(0.0, middle - half)), printed(min(1000.0, middle + half))


def printed(in_tenths):
    return floor(in_tenths + Fraction(1, 2) if isinstance(in_tenths, Fraction)
                 else in_tenths + 0.5) / 10  # fmt: skip


@cache
def t(level, df):
    """Between -t and t lies that much: ∫ cos^(df-1) from 0 to arctan(t/√df), by Simpson's rule."""
    df = min(df, 100_000.0)
    beta = exp(lgamma(0.5) + lgamma(df / 2) - lgamma((df + 1) / 2))

    def inside(x):
        end, steps = atan(x / sqrt(df)), 400
        h = end / steps
        heights = [cos(k * h) ** (df - 1) for k in range(steps + 1)]
        inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
        return 2 * h / 3 * (heights[0] + inner + heights[-1]) / beta

    low, high = 0.0, 1.0
    while inside(high) < level:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < level else (low, middle)
    return (low + high) / 2


def penc(found, calls):
    """A ratio of sums, whose error is that of right - share · possible."""
    its = [tuple(one.judged.normal) for one in calls if one.judged.normal[1]]
    n, of = len(its), found.size(calls)
    if n < LEAST:
        return None, None
    right, possible = (sum(one[k] for one in its) for k in (0, 1))
    spread = sum((r - right / possible * p) ** 2 for r, p in its) / (n - 1)
    half = t(LEVEL, n - 1) * 1000 * sqrt((1 - n / of) * spread / n) / (possible / n)
    value = Fraction(1000 * right, possible)
    if not half and n != of:
        return printed(value), (None, None, n, of)
    return printed(value), (*ends(float(value), half), n, of)


def accuracy(found, calls, kind):
    met = [one for one in calls if kind in one.judged.errors]
    return found.share(met, lambda one: not one.judged.errors[kind])


def _cells(key, figure):
    return {key: figure[0], f"{key}_within": figure[1]}


def mean_cells(found, calls):
    figure = found.mean(calls)
    if figure[0] is None:
        n = sum(one.raw is not None for one in calls)
        figure = None, (None, None, n, found.size(calls))
    return _cells("raw_mean", figure)


def _groups(found, calls, name, *, uncovered=False, contract=False):
    """By scorecard and what `name` says."""
    made = {}
    for (form, at), its in grouped(calls, lambda one: (one.form, name(one))).items():
        done = [one for one in its if one.judged]
        row = {"evaluated_n": len(done)} | mean_cells(found, done)
        row |= _cells("auto_fail", found.share(done, lambda one: one.judged.failed))
        if uncovered:
            row["uncovered"] = raw.percent(*_uncovered(its))
        if contract:
            row |= _contract(found, form, done)
        made[found.form(form).label, at] = row
    return made


def _contract(found, form, calls):
    value, within = found.mean(calls, lambda one: one.judged.score)
    if value is None or not found.form(form).contract:
        return _cells("contract_grade", (None, None))
    return _cells("contract_grade", (value, (None, None, *within[2:])))


def _uncovered(calls, frames=0):
    pools = {one.place: one.pool for one in calls}
    reached = {one.place for one in calls if one.raw is not None}
    whole = max(sum(pools.values()), frames)
    return whole - sum(pools[place] for place in reached), whole


def make(asked):
    found = Found(asked, asked.days[0], asked.days[-1])
    centre, tree = asked.centre, asked.centre.tree

    def team(one):
        return centre.team(one.agent, centre.day(one.utc_s)) or "(sin equipo)"

    def motive(one):
        row = tree.get(one.contact.code)
        code = one.contact.motive or (row["Código nivel 1"] if row else None)
        labels = {its["Código nivel 1"]: its["Nivel 1"] for its in tree.values()}
        return labels.get(code, code) or "(sin motivo)"

    contract = any(found.form(code).contract for code in {one.form for one in found.inside})
    made = {
        "quality_draws": _draws(found),
        "quality_teams": _groups(found, found.inside, team, uncovered=True),
        "quality_agents": _agents(asked, found, contract=contract),
        "quality_sections": _sections(found),
        "quality_items": _items(found),
        "quality_critical": _critical(found),
        "quality_motives": _groups(found, found.inside, motive),
        "quality_queues": _groups(
            found, found.inside, lambda one: centre.queue_name(one.contact.queue),
            contract=contract),
        "quality_auto": _auto(asked, found),
        "quality_undone": _undone(found, team),
        "quality_changed": {},
    }  # fmt: skip
    return made | _funnel(asked, found)


def _draws(found):
    made = {}
    for number, (_, drawn) in enumerate(found.draws):
        calls = [one for one in found.calls if one.place[0] == drawn.f["draw"]]
        n = Counter(one.state for one in calls)
        plan = found.draws[number][0]
        days = [found.asked.centre.day(utc // 1000).isoformat()
                for utc in (plan.f["start"], plan.f["end"] - 1)]  # fmt: skip
        void = found.void[drawn.f["draw"]]
        made[plan.f["plan"], *days, None if void is None else f"anulado: {void}"] = {
            "frame": drawn.f["frame"], "excluded": sum(drawn.f["excluded"]),
            "chosen_n": drawn.f["chosen"], "evaluated_n": n["counted"],
            "undone_n": n["undone"], "undone_share": raw.percent(n["undone"], len(calls)),
            "open_n": n["open"] + n["pair"],
        }  # fmt: skip
    return made


def _agents(asked, found, *, contract):
    made = {}
    before = asked.days[-1].replace(day=1)
    for _ in range(2):
        before = (before - timedelta(1)).replace(day=1)
    until = asked.days[0] - timedelta(1)
    longer = Found(asked, before, until) if before <= until else None
    for (form, agent), its in grouped(found.inside, lambda one: (one.form, one.agent)).items():
        done = [one for one in its if one.judged]
        n = sum(one.raw is not None for one in done)
        figure, first = found.mean(done), asked.days[0]
        grade = _contract(found, form, done)
        if n < LEAST and longer:
            old = [one for one in longer.counted if (one.form, one.agent) == (form, agent)]
            both = longer.parts(old, lambda one: one.raw) + found.parts(done, lambda one: one.raw)
            if old and estimate(both)[0] is not None:
                figure, first, n = estimate(both), before, n + len(old)
                value, within = estimate(
                    longer.parts(old, lambda one: one.judged.score)
                    + found.parts(done, lambda one: one.judged.score)
                )
                grade = _cells("contract_grade", (value, (None, None, *within[2:])))
        row = {"evaluated_n": n, "changed_n": sum(bool(one.after) for one in done)}
        if figure[0] is None:
            scores = [f"{one.raw / 10:.1f}" for one in done if one.raw is not None]
            words = " · ".join([*scores, "muestra insuficiente"]) if scores else None
            figure = words, (None, None, len(scores), found.size(done))
            grade = _cells("contract_grade", (None, None))
        if contract:
            row |= grade if found.form(form).contract else _cells("contract_grade", (None, None))
        row |= _cells("raw_mean", figure)
        made[found.form(form).label, agent, first.isoformat()] = row
    return made


def _sections(found):
    made = {}
    for form in {one.form for one in found.inside}:
        calls = [one for one in found.counted if one.form == form]
        for code, label in found.form(form).sections.items():
            figure = found.mean(calls, lambda one, code=code: one.judged.sections[code])
            made[found.form(form).label, label] = _cells("section_mean", figure)
    return made


def _items(found):
    made = {}
    for form in {one.form for one in found.inside}:
        its = found.form(form)
        calls = [one for one in found.counted if one.form == form]
        for at, item in enumerate(its.items):
            met = [one for one in calls if one.judged.answers[at] != "-"]

            def right(one, at=at, best=item.best):
                return int(one.judged.answers[at]) == best

            if calls:
                made[its.label, item.code] = {
                    "item_applied": len(met), "item_aside": len(calls) - len(met),
                    "item_wrong": len(met) - sum(map(right, met)),
                } | _cells("item_right", found.share(met, right))  # fmt: skip
    return made


def _critical(found):
    made = {}
    for form in {one.form for one in found.inside}:
        label = found.form(form).label
        calls = [one for one in found.counted if one.form == form]
        for kind, name in NAMES.items():
            met = [one for one in calls if kind in one.judged.errors]
            made[label, name] = {
                "critical_of": len(met),
                "critical_with": sum(one.judged.errors[kind] > 0 for one in met),
            } | _cells("accuracy", accuracy(found, calls, kind))
        made[label, "PENC"] = {"critical_of": None, "critical_with": None} | _cells(
            "accuracy", penc(found, calls)
        )
    return made


def _auto(asked, found):
    keys = {one.key for one in found.counted}
    sides = {
        "of_sample": [one for one in asked.whole.contacts if one.key in keys],
        "of_all": [one for one in asked.contacts if one.answered],
    }
    made = defaultdict(dict)
    for side, contacts in sides.items():
        n = booked.summed(map(booked.of_contact, contacts))
        ticks = Counter()
        for one in protocol.ticks(asked, contacts).values():
            ticks.update(one)
        over = [one for one in contacts if one.closed]
        voice = _voice(asked, over)
        silences = [one["longest_silence_ms"] for one in voice["said"]]
        spoken = sum(one["agent_ms"] + one["caller_ms"] + one["both_ms"] + one["silence_ms"]
                     for one in voice["said"])  # fmt: skip
        many, calls = len(silences), len(over)
        of_queue = side == "of_all" and asked.of == "queue"
        its = {
            "% SIN_TIPIFICAR": (raw.percent(n["untyped"], n["typified"] + n["untyped"]),
                                n["typified"] + n["untyped"]),
            "% marcados": (None, None) if of_queue else (
                raw.percent(ticks["ticked"], ticks["possible"]), ticks["possible"]),
            "% de los pasos marcados en bloque": (None, None) if of_queue else (
                raw.percent(ticks["block"], ticks["ticked"]), ticks["ticked"]),
            "espera media": (raw.rounded(n["hold_s"], n["n"]), n["n"]),
            "esperas por llamada": (_each(voice["holds"], calls), calls),
            "espera más larga al usuario": (
                raw.seconds(voice["longest"]) if voice["holds"] else None, calls),
            "silencio más largo de cada llamada, media": (
                raw.rounded(sum(silences), 1000 * many), many),
            "silencio más largo": (raw.seconds(max(silences)) if many else None, many),
            "interrupciones por llamada": (
                _each(sum(one["interruptions"] for one in voice["said"]), many), many),
            "% del tiempo en que habla el asesor": (
                raw.percent(sum(one["agent_ms"] + one["both_ms"] for one in voice["said"]),
                            spoken), many),
            "% de llamadas con saturación": (
                raw.percent(sum(one["clipping"] > 0 for one in voice["said"]), many), many),
        }  # fmt: skip
        for name, (value, of) in its.items():
            made[name] |= {side: value, f"{side}_n": of}
    return dict(made)


def _each(total, n):
    whole = raw.rounded(total, n, 10)
    return None if whole is None else whole / 10


def _voice(asked, contacts):
    """What was measured, how often somebody waited and how long at the longest."""
    names = {(one.key[0], one.key[1], one.c) for one in contacts}
    found, since = {"said": [], "holds": 0, "longest": 0}, {}
    for (s, e), events in asked.whole.given.stations().items():
        for event in events:
            at = s, e, event.f.get("c")
            if at not in names:
                continue
            match event.k:
                case "voice.summary":
                    found["said"].append(event.f)
                case "contact.held":
                    found["holds"] += 1
                    since[at] = event.u
                case "contact.resumed" | "contact.ended" if at in since:
                    found["longest"] = max(found["longest"], event.u - since.pop(at))
    return found


def _undone(found, team):
    made, total = {}, Counter()
    for place, its in grouped(found.inside, lambda one: one.place).items():
        n = Counter(one.state for one in its)
        if not n["undone"]:
            continue
        row = {"chosen_n": len(its), "evaluated_n": n["counted"], "undone_n": n["undone"]}
        total.update(row)
        plan = next(plan for plan, drawn in found.draws if drawn.f["draw"] == place[0])
        day = found.asked.centre.day(plan.f["start"] // 1000).isoformat()
        made[found.form(its[0].form).label, day, place[1], place[2] or None] = row | {
            "pool": its[0].pool
        }
    names = ("chosen_n", "evaluated_n", "undone_n")
    return made | {None: {name: total[name] for name in names}}


def _funnel(asked, found):
    """By the code of an agent, whose name a reader of the floor does not get."""
    made = {}
    forms = sorted({one.form for one in found.inside})
    for form in forms if asked.of != "agent" else ():
        by_agent = grouped((one for one in found.counted if one.form == form),
                           lambda one: one.agent)  # fmt: skip
        its = {}
        for agent in sorted(by_agent):
            parts = [
                (scores, max(len(scores), raw.rounded(of * len(scores), n)))
                for scores, n, of in found.parts(by_agent[agent], lambda one: one.raw)
            ]
            if sum(len(scores) for scores, _ in parts) >= LEAST:
                its[agent] = parts
        if len(its) < PEOPLE:
            continue
        made["quality_funnel" if len(forms) == 1 else f"quality_funnel_{form}"] = _limits(its)
    return made


def _limits(its):
    """Around the mean of all: the spread of calls within agents, by each one's own number."""
    frames = {a: sum(of for _, of in parts) for a, parts in its.items()}
    means = {
        a: sum(Fraction(of * sum(scores), len(scores)) for scores, of in parts) / frames[a]
        for a, parts in its.items()
    }
    centre = sum(means[a] * frames[a] for a in its) / sum(frames.values())
    squares, df, weights = 0.0, 0, Counter()
    for a, parts in its.items():
        piles, pile = [], []
        for scores, of in parts:
            n = len(scores)
            if n < of:
                pile.append(([float(y) for y in scores], (of / frames[a]) ** 2 * (1 - n / of) / n))
                if _df(pile) >= 2:
                    piles.append(pile)
                    pile = []
        if pile:
            piles[-1:] = [piles[-1] + pile] if piles else [pile]
        for some in piles:
            squares += _squares(some)
            df += _df(some)
            weights[a] += sum(weight for _, weight in some)
    rows = []
    for a in sorted(its):
        error = sqrt(squares / df * weights[a])
        inner, outer = (ends(float(centre), t(level, df) * error) for level in (0.95, 0.998))
        rows.append({
            "evaluated_n": sum(len(scores) for scores, _ in its[a]),
            "raw_mean": printed(means[a]), "inner_low": inner[0], "inner_high": inner[1],
            "outer_low": outer[0], "outer_high": outer[1],
        })  # fmt: skip
    return dict(enumerate(rows))


def summary(asked):
    found = Found(asked, asked.days[0], asked.days[-1])
    n, chosen = Counter(one.state for one in found.inside), len(found.inside)
    made = {
        "chosen_n": (chosen, None), "evaluated_n": (n["counted"], chosen),
        "undone_n": (n["undone"], chosen), "open_n": (n["open"], chosen),
        "pair_n": (n["pair"], chosen),
    }  # fmt: skip
    forms = sorted({one.form for one in found.inside})
    for form in forms:
        about = f" · {found.form(form).label}" if len(forms) > 1 else ""
        its = _of_form(asked, found, form).items()
        made |= {f"{key}{about}": figure for key, figure in its}
    return made


def _of_form(asked, found, form):
    calls = [one for one in found.counted if one.form == form]
    drawn = [one for one in found.inside if one.form == form]
    cells = mean_cells(found, calls)
    scored = sum(one.raw is not None for one in calls)
    missing, whole = _uncovered(drawn, _frames(asked, found, drawn))
    shares = {"auto_fail": found.share(calls, lambda one: one.judged.failed)}
    shares |= {name.lower(): accuracy(found, calls, kind) for kind, name in NAMES.items()}
    shares["penc"] = penc(found, calls)
    made = {
        "raw_mean": (cells["raw_mean"], scored, cells["raw_mean_within"]),
        "uncovered": (raw.percent(missing, whole), whole),
    }
    for key, (value, within) in shares.items():
        made[key] = value, within and within[2], within
    if found.form(form).contract:
        grade = _contract(found, form, calls)
        made["contract_grade"] = grade["contract_grade"], scored, grade["contract_grade_within"]
    return made


def _frames(asked, found, drawn):
    """Of whole draws of the floor, with strata of which nobody was given a call."""
    if not asked.is_floor:
        return 0
    first, last = _start(asked.days[0], asked), _start(asked.days[-1] + timedelta(1), asked)
    pools = {one.place: one.pool for one in drawn}
    total = 0
    for plan, its in found.draws:
        own = sum(pool for place, pool in pools.items() if place[0] == its.f["draw"])
        inside = first * 1000 <= plan.f["start"] and plan.f["end"] <= last * 1000
        total += max(own, its.f["frame"] if own and inside else 0)
    return total
