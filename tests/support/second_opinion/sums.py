"""«Cuadre»: each rule with what stands on its both sides, which are equal."""

from tests.support.second_opinion import states
from tests.support.second_opinion.asked import Asked
from tests.support.second_opinion.booked import handled, summed

BY_HALF = ("tmo", "llamadas", "intradia")
OF_QUEUES = ("servicio", "intradia")


def make(asked, kind):
    n = summed(asked.booked)
    calls, logged = _of_agents(asked)
    sums = {
        "timbres = contestados + no contestados + no imputables + abiertos": n["offered"],
        "salientes = contestadas + sin respuesta + marcando": n["dialed"],
        "atenciones = las de la media + las que quedan fuera": handled(n),
        "tipificadas = suma de los códigos": n["typified"],
        "no contestados, no imputables y sin respuesta = suma de las causas":
            n["missed"] + n["excused"] + n["not_answered"],
    }  # fmt: skip
    if kind in BY_HALF:
        sums["llamadas del día = las de sus medias horas"] = calls
        sums["segundos logueados del día = los de sus medias horas"] = logged
    if kind not in OF_QUEUES:
        sums["llamadas de los asesores = llamadas de los días"] = calls
    if asked.of in ("floor", "queue"):
        sums["recibidas en cola = atendidas + abandonadas + salidas + sin fin"] = len(asked.stays)
        if kind in (*BY_HALF, *OF_QUEUES):
            sums["recibidas en cola del día = las de sus medias horas"] = len(asked.stays)
    if kind == "servicio" and asked.is_floor:
        joined = [one for one in asked.contacts if one.answered and not one.out and one.call]
        sums["atenciones con llamada de la central = llamadas con atención"] = len(joined)
    return {
        rule: {"whole": count, "parts": count, "difference": 0} for rule, count in sums.items()
    }


def _of_agents(asked):
    """Rings with calls out, and seconds logged in, of all for a queue too."""
    if asked.of == "queue":
        asked = Asked(asked.whole, asked.days[0], asked.days[-1], asked.now_ms)
    n = summed(asked.booked)
    agents, _ = states.of(asked)
    logged = sum(states.row(cell)["logged_s"] for cell in agents.values())
    return n["offered"] + n["dialed"], logged
