"""What the events of the monitor's work say: which drawn calls were evaluated, by the answers that
were sent and by those that stand; the form's items as the centre gives them out.
"""

from tests.support.second_opinion import raw

OPTIONS = {"": "01", "Sí / no": "01", "0-1-2": "012", "1-5": "12345"}


class Task:
    """One assignment of a drawn call. `sent`: the submission, None while there is none; `gone`:
    it was annulled; `answers`: those that stand now.
    """

    def __init__(self, event):
        f = event.f
        self.key, self.utc = (event.s, event.e, event.n), event.utc
        self.call, self.draw, self.to = tuple(f["call"]), f.get("draw"), f["to"]
        self.agent, self.due, self.form = f["a"], f["due"], f["form"]
        self.second, self.sent, self.gone = f.get("second", False), None, False
        self.answers = self.right = None


def annulled_draws(given):
    annulled = {tuple(one.f["of"]) for one in given.told("sample.annulled")}
    return {
        one.f["draw"]
        for one in given.told("sample.drawn")
        if {(one.s, one.e, one.n), tuple(one.f["of"])} & annulled
    }


def tasks(given):
    """Of drawn calls, in their order, less those in place of which others are and those of draws
    that were annulled.
    """
    told = given.told("sample.assigned")
    replaced = {tuple(one.f["of"]) for one in told if one.f.get("of")}
    drawn = annulled_draws(given)
    found = {}
    for one in told:
        task = Task(one)
        if task.draw and task.draw not in drawn and task.key not in replaced:
            found[task.key] = task
    of_evaluation, by_name = {}, {}
    for one in given.told("evaluation.submitted"):
        task = found.get(tuple(one.f["of"]))
        if task is not None and task.sent is None:
            task.sent, task.answers = one, one.f["answers"]
            of_evaluation[one.s, one.e, one.n] = by_name[one.f["evaluation"]] = task
    for one in given.told("evaluation.revised", "evaluation.annulled"):
        task = of_evaluation.get(tuple(one.f["of"]))
        if task is not None and one.k == "evaluation.annulled":
            task.gone = True
        elif task is not None:
            task.answers = one.f["answers"]
    for one in given.told("evaluation.noted"):
        if one.f["about"] == "code" and one.f["evaluation"] in by_name:
            by_name[one.f["evaluation"]].right = one.f["text"]
    return [*found.values()]


def items(centre, form):
    """In the order of its answers."""
    sections = [one for one in _rows(centre, "scorecard_sections") if one["Planilla"] == form]
    places = {one["Código"]: place for place, one in enumerate(sorted(sections, key=_order))}
    its = [one for one in _rows(centre, "scorecard_items") if one["Planilla"] == form]
    return sorted(its, key=lambda one: (places[one["Sección"]], *_order(one)))


def _rows(centre, kind):
    return centre.given.on(centre.last, kind)


def _order(row):
    return int(row["Orden"] or 10_000), row["Código"]


def options(item):
    return OPTIONS[item["Escala"]]


def judged(asked, *, whole):
    """(contact, task) of the drawn and evaluated calls that began in the asked days; of two who
    evaluated it the first. `whole`: for a queue the floor's.
    """
    by_key = {one.key: one for one in asked.whole.contacts}
    stands = {}
    for task in tasks(asked.whole.given):
        if task.sent is not None and not task.gone:
            known = stands.get((task.draw, task.call))
            if known is None or known.second:
                stands[task.draw, task.call] = task
    for task in stands.values():
        contact = by_key.get(task.call)
        if contact is None:
            continue
        if contact.utc_s is None or asked.centre.day(contact.utc_s) not in asked.days:
            continue
        day = asked.centre.day(contact.utc_s)
        queue = asked.centre.queue(contact.queue, contact.utc_s)
        named = whole or queue == asked.code if asked.of == "queue" else True
        if named and (asked.of == "queue" or asked.of_agent(contact.agent, day)):
            yield contact, task


def share(part, whole):
    return raw.percent(part, whole), raw.within(part, whole)
